/** A program that runs in our place: it has our terminal, gets our signals, and its end is ours. */
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { EverlanError, problem } from '../model/problem.ts';
import { errnoText } from '../sys/errno.ts';

const PASSED_ON = ['SIGHUP', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'] as const;
/** A terminal sends these to the whole foreground, so the program has them already. */
const FROM_TERMINAL = ['SIGINT', 'SIGQUIT'] as const;

interface Passing {
  to(child: ChildProcess): void;
  end(): void;
}

/** From now on; what comes before there is a child is not lost, since signals are handled later than we run. */
function passSignals(): Passing {
  let child: ChildProcess | undefined;
  // Not process.stdin: to look at it would make it non-blocking, for the child too.
  const terminal = isatty(0);
  const handlers = new Map<NodeJS.Signals, () => void>();
  for (const signal of PASSED_ON) handlers.set(signal, () => child?.kill(signal));
  for (const signal of FROM_TERMINAL) handlers.set(signal, terminal ? () => undefined : () => child?.kill(signal));
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return {
    to: (started) => {
      child = started;
    },
    end: () => {
      for (const [signal, handler] of handlers) process.off(signal, handler);
    },
  };
}

/**
 * Starts a program and waits for its end.
 * @returns its exit code; 128 and the signal's number when a signal ended it.
 * @throws EverlanError when it could not be started.
 */
export async function exitOf(start: () => ChildProcess): Promise<number> {
  const signals = passSignals();
  try {
    const child = start();
    signals.to(child);
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    child.on('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    child.on('error', (error: NodeJS.ErrnoException) => {
      const why = error.errno === undefined ? error.message : errnoText(-error.errno);
      reject(new EverlanError(problem('not-started', `${child.spawnargs[0]} could not be started: ${why}`)));
    });
    return await promise;
  } finally {
    signals.end();
  }
}
