/** Child processes of tests. */
import type { ChildProcess } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { createInterface } from 'node:readline';

/** Whether a program is installed, also one in root's folders. */
export function runs(program: string): boolean {
  return ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'].some((folder) => {
    try {
      accessSync(`${folder}/${program}`, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** The first line that a program prints. Rejects when it ends before. */
export function firstLine(child: ChildProcess): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  if (child.stdout !== null) createInterface(child.stdout).once('line', resolve);
  child.once('error', reject);
  child.once('exit', (code, signal) => reject(new Error(`${child.spawnargs.join(' ')}: ended, ${code ?? signal}`)));
  return promise;
}

/** Settles when the process has ended, at once if it has. */
export function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}
