/** A dbus-daemon of a test's own on which anybody may own any name: for peers that play a part. Needs no root. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ended, firstLine, runs } from './process.ts';

/** Why there is no such bus here; false: there can be. */
export const needsBus: string | false = runs('dbus-daemon') ? false : 'needs dbus-daemon: package dbus';

/** Anybody may own any name. */
const CONFIG = join(import.meta.dirname, 'bus.conf');

export interface PrivateBus {
  /** For node:net. */
  readonly socket: string;
  readonly env: { readonly DBUS_SYSTEM_BUS_ADDRESS: string };
  /** Settles when it takes connections. */
  start(): Promise<void>;
  /** Ends it at once, with all connections. */
  stop(): Promise<void>;
}

/** Started already. Its socket is an abstract name, so that nothing is left over. */
export async function privateBus(t: { after(end: () => Promise<void>): void }): Promise<PrivateBus> {
  const name = `everlan-bus-${process.pid}-${randomBytes(4).toString('hex')}`;
  const address = `unix:abstract=${name}`;
  let end = async (): Promise<void> => {};
  const start = async (): Promise<void> => {
    // The kernel ends it with the test, also when the test is killed.
    const bus = ['dbus-daemon', '--nofork', '--print-address', `--config-file=${CONFIG}`, `--address=${address}`];
    const daemon = spawn('setpriv', ['--pdeathsig', 'KILL', ...bus], { stdio: ['ignore', 'pipe', 'ignore'] });
    end = async () => {
      daemon.kill('SIGKILL');
      await ended(daemon);
    };
    await firstLine(daemon);
  };
  t.after(() => end());
  await start();
  return { socket: `\0${name}`, env: { DBUS_SYSTEM_BUS_ADDRESS: address }, start, stop: () => end() };
}
