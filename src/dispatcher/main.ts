/** `networkd-dispatcher` from its arguments to its exit code. */
import { Dispatcher } from './dispatcher.ts';
import { levelOf, openLog, type Sink } from './log.ts';
import { parseOptions } from './options.ts';

export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly sink: Sink;
  /** Sends a line to systemd. @throws Error when it cannot be sent */
  notify(state: string): void;
  /** Calls back for each signal that asks to stop, or to read everything anew. */
  onSignal(handler: (signal: 'stop' | 'reload') => void): void;
}

export async function runDispatcher(args: readonly string[], around: Surroundings): Promise<number> {
  const parsed = parseOptions(args);
  if (parsed.kind === 'help') {
    around.sink.out(parsed.text);
    return 0;
  }
  if (parsed.kind === 'wrong') {
    around.sink.err(parsed.text);
    return 2;
  }
  const { options } = parsed;
  if (options.mode === 'check') {
    const { check } = await import('./check.ts');
    const { text, faults } = check(options);
    around.sink.out(text);
    return faults === 0 ? 0 : 1;
  }
  const dry = options.mode === 'dry-run';
  const log = openLog(levelOf(dry ? Math.max(1, options.verbosity) : options.verbosity), around.sink);
  const notify = (state: string): void => {
    try {
      around.notify(state);
    } catch (error) {
      log.warning(`systemd cannot be told ${state}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const dispatcher = new Dispatcher(options, { environment: around.environment, log, notify });
  around.onSignal((signal) => {
    if (signal === 'stop') dispatcher.stop();
    else log.info('Nothing to reload: scripts are looked up anew for each event');
  });
  await dispatcher.stopped;
  return 0;
}
