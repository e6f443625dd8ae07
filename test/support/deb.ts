/** Hosts that packages are installed on. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ending } from './networkd.ts';
import { runs } from './process.ts';
import { type RealHost, realHost, type Suite } from './real-host.ts';

const DIST = join(import.meta.dirname, '..', '..', 'dist', 'everlan.mjs');

function whyNot(): string | false {
  const missing = ['dpkg-deb', 'eu-strip', 'readelf'].filter((name) => !runs(name));
  if (missing.length > 0) return `needs ${missing.join(', ')}: packages dpkg, elfutils, binutils`;
  return existsSync(DIST) ? false : 'needs dist/: make build';
}

/** Why packages cannot be made here; false: they can. */
export const cannotBuild: string | false = whyNot();

/** Where a package lies on such a host. */
export const INSIDE = '/var/tmp';

const NETWORK = '[Match]\nName=eth0\n\n[Network]\nAddress=198.51.100.1/24\nLinkLocalAddressing=no\n';

/** The underlay of the host is 198.51.100.1, given by systemd-networkd; that of its peer 198.51.100.2. */
export async function hostOf(
  t: Ending,
  suite: Suite,
  debs: readonly string[],
  extra: readonly string[] = [],
): Promise<RealHost> {
  const host = await realHost(t, `deb-${suite}${extra.length > 0 ? '-extra' : ''}`, extra, suite);
  for (const deb of debs) host.write(`${INSIDE}/${deb.slice(deb.lastIndexOf('/') + 1)}`, readFileSync(deb));
  host.write('/etc/systemd/network/50-eth0.network', NETWORK);
  host.peer('ip', 'address', 'add', '198.51.100.2/24', 'dev', 'eth0');
  return host;
}

/** Runs lines of shell on the host. @returns what they printed, standard error too. */
export function sh(host: RealHost, script: string): string {
  return host.run('sh', '-e', '-c', `exec 2>&1\n${script}`);
}
