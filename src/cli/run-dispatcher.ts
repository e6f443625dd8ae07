/**
 * One run of `everlan dispatcher` in a release, which has it as a program of its own: a service that is always there
 * should not carry what other commands need.
 */
import { run as runCommand } from './commands/dispatcher.ts';
import { standardIo } from './io.ts';
import { Options } from './options.ts';
import { Timings } from './timings.ts';

/** @param args the command's name and its arguments. @returns the exit code */
export async function run([, ...args]: readonly string[]): Promise<number> {
  return runCommand({ io: standardIo(false), options: new Options({}), args, timings: new Timings() });
}
