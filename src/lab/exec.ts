/** Runs a command in a namespace, as if it had been started there. */
import { spawn } from 'node:child_process';
import { inNamespace, openNamespace } from '../sys/netns.ts';
import { exitOf } from './child.ts';

/**
 * Runs `argv` with our standard input and output in the namespace.
 * @returns its exit code; 128 and the signal's number when a signal ended it.
 * @throws EverlanError when it cannot be started.
 */
export async function execIn(namespace: string, argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv;
  if (command === undefined) throw new TypeError('no command');
  return exitOf(() => {
    const netns = openNamespace(namespace);
    try {
      // A child starts in the namespace of the thread that made it.
      return inNamespace(netns.fd, () => spawn(command, rest, { stdio: 'inherit' }));
    } finally {
      netns.close();
    }
  });
}
