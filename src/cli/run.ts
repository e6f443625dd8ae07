/** One run of the program: arguments, the command, its errors. */
import { failureOf, showFailure } from './errors.ts';
import { type Io, standardIo } from './io.ts';
import { Options } from './options.ts';
import { rawCall } from './raw.ts';
import { Timings } from './timings.ts';

/** Seen before the arguments are understood, since errors in them are coloured too. */
function wantsColour(args: readonly string[]): boolean {
  return !args.includes('--no-color');
}

function showTimings(io: Io, timings: Timings, verbose: boolean): void {
  if (process.env.EVERLAN_TIMINGS === 'json') io.err(timings.json());
  else if (verbose) io.err(timings.table());
}

/** Runs the command that the arguments name; the exit code. Never throws. */
export async function run(args: readonly string[]): Promise<number> {
  const io = standardIo(wantsColour(args));
  const timings = new Timings();
  timings.add('start', performance.now());
  let verbose = false;
  try {
    const call = rawCall(args) ?? (await import('./program.ts')).parseArguments(args, io);
    if (typeof call === 'number') return call;
    const options = new Options(call.values);
    verbose = options.verbose;
    const command = await call.row.load();
    try {
      return await command.run({ io, options, args: call.args, timings });
    } finally {
      showTimings(io, timings, verbose);
    }
  } catch (error) {
    const failure = failureOf(error);
    io.err(showFailure(failure, io.errPaints, verbose || (process.env.EVERLAN_DEBUG ?? '') !== ''));
    return failure.exitCode;
  }
}
