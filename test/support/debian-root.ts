/** Folders with Debian in them, each made once on this machine. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';

/** What tests keep from one run to the next. */
export const CACHE = '/var/cache/everlan-tests';
export type Suite = 'bullseye' | 'bookworm' | 'trixie';
/** libstdc++6 is what Node needs. */
const PACKAGES = ['systemd', 'systemd-sysv', 'dbus', 'iproute2', 'iputils-ping', 'libstdc++6'];

/** $1: the root to make. What was left half-made by one that was killed is made anew. */
const MAKE_ROOT = `
if [ -d "$1" ]; then exit 0; fi
rm -rf --one-file-system "$1.new"
mmdebstrap --quiet --mode=root --variant=minbase --aptopt='Acquire::Retries "5"' --include="$2" "$3" "$1.new"
chroot "$1.new" systemctl --quiet enable systemd-networkd
mv "$1.new" "$1"
`;

/** @returns a folder with Debian in it, made at the first time and never changed. Rejects with apt's words. */
export async function debianRoot(extra: readonly string[], suite: Suite): Promise<string> {
  const packages = [...PACKAGES, ...extra].join(',');
  const key = createHash('sha256').update(MAKE_ROOT).update(packages).digest('hex').slice(0, 8);
  const root = `${CACHE}/${suite}-${key}`;
  mkdirSync(CACHE, { recursive: true, mode: 0o755 });
  const make = ['unshare', '-m', 'sh', '-e', '-c', MAKE_ROOT, 'sh', root, packages, suite];
  const child = spawn('flock', [`${CACHE}/lock`, ...make], { stdio: ['ignore', 'ignore', 'pipe'] });
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
  // All that it said has been read then, not only its end.
  await new Promise((done) => child.once('close', done));
  if (child.exitCode !== 0) throw new Error(`cannot make ${root}:\n${said.join('')}`);
  return root;
}
