/** A dbus-daemon of a test's own on which anybody may own any name: for peers that play a part. Needs no root. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ended, firstLine, runs } from './process.ts';

/** Why there is no such bus here; false: there can be. */
export const needsBus: string | false = runs('dbus-daemon') ? false : 'needs dbus-daemon: package dbus';

const config = (
  listen: string,
): string => `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>${listen}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="false"/>
    <allow receive_sender="*" eavesdrop="false"/>
  </policy>
</busconfig>
`;

export interface PrivateBus {
  readonly socket: string;
  readonly env: { readonly DBUS_SYSTEM_BUS_ADDRESS: string };
  /** Settles when it takes connections. */
  start(): Promise<void>;
  /** Ends it at once, with all connections; its socket goes as well. */
  stop(): Promise<void>;
}

/** Started already. */
export async function privateBus(t: { after(end: () => Promise<void>): void }): Promise<PrivateBus> {
  const folder = mkdtempSync(join(tmpdir(), 'evbus-'));
  const socket = join(folder, 'socket');
  const file = join(folder, 'config');
  writeFileSync(file, config(`unix:path=${socket}`));
  let end = async (): Promise<void> => {};
  const start = async (): Promise<void> => {
    // The kernel ends it with the test, also when the test is killed.
    const bus = ['dbus-daemon', '--nofork', '--print-address', `--config-file=${file}`];
    const daemon = spawn('setpriv', ['--pdeathsig', 'KILL', ...bus], { stdio: ['ignore', 'pipe', 'ignore'] });
    end = async () => {
      daemon.kill('SIGKILL');
      await ended(daemon);
      rmSync(socket, { force: true });
    };
    await firstLine(daemon);
  };
  t.after(async () => {
    await end();
    rmSync(folder, { recursive: true });
  });
  await start();
  return { socket, env: { DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${socket}` }, start, stop: () => end() };
}
