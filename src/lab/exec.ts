/** Runs a command in a namespace, as if it had been started there. */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { EverlanError, problem } from '../model/problem.ts';
import { errnoText } from '../sys/errno.ts';
import { inNamespace, openNamespace } from '../sys/netns.ts';

const PASSED_ON = ['SIGHUP', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'] as const;
/** A terminal sends these to the command itself. */
const FROM_TERMINAL = ['SIGINT', 'SIGQUIT'] as const;

function exitCode(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

/** Signals meant for us go to the child; returns what ends this. */
function passSignals(child: ChildProcess): () => void {
  const terminal = process.stdin.isTTY === true;
  const handlers = new Map<NodeJS.Signals, () => void>();
  for (const signal of PASSED_ON) handlers.set(signal, () => child.kill(signal));
  for (const signal of FROM_TERMINAL) handlers.set(signal, terminal ? () => undefined : () => child.kill(signal));
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}

/**
 * Runs `argv` with our standard input and output in the namespace.
 * @returns its exit code; 128 and the signal's number when a signal ended it.
 * @throws EverlanError when it cannot be started.
 */
export async function execIn(namespace: string, argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv;
  if (command === undefined) throw new TypeError('no command');
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const netns = openNamespace(namespace);
  let child: ChildProcess;
  try {
    // A child starts in the namespace of the thread that made it.
    child = inNamespace(netns.fd, () => spawn(command, rest, { stdio: 'inherit' }));
  } finally {
    netns.close();
  }
  const end = passSignals(child);
  child.on('exit', (code, signal) => resolve(exitCode(code, signal)));
  child.on('error', (error: NodeJS.ErrnoException) => {
    const why = error.errno === undefined ? error.message : errnoText(-error.errno);
    reject(new EverlanError(problem('not-started', `${command} could not be started: ${why}`)));
  });
  try {
    return await promise;
  } finally {
    end();
  }
}
