/** What a real systemd-networkd makes of files, read back from the kernel as an import. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { TestContext } from 'node:test';
import { observeOverlays } from '../src/cli/observe-overlays.ts';
import type { ImportedLink } from '../src/import/found.ts';
import { importKernel } from '../src/import/kernel.ts';
import { openKernel } from '../src/kernel/live.ts';
import type { Kernel } from '../src/kernel/port.ts';
import { VXLAN_DEFAULTS } from '../src/model/vxlan.ts';
import { watchNetworkd } from '../src/networkd/links.ts';
import { openNamespace } from '../src/sys/netns.ts';
import { Log } from './support/log.ts';
import { type NetworkdHost, networkdHost } from './support/networkd.ts';

export { needsNetworkd as needsTools } from './support/networkd.ts';

export interface Made {
  readonly host: NetworkdHost;
  readonly links: readonly ImportedLink[];
  readonly kernel: Kernel;
}

/** @param links all of which networkd must be done with, or which it leaves alone. */
export async function madeByNetworkd(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  links: readonly string[],
): Promise<Made> {
  const host = await networkdHost(t, { start: 'bus', files: {} });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(`/proc/${host.pid}/root/run/systemd/network/${name}`), { recursive: true });
    host.write(name, text);
  }
  const settled = settles(host, links);
  await host.startNetworkd();
  await settled;
  const namespace = openNamespace(`/proc/${host.pid}/ns/net`);
  const kernel = openKernel(namespace.fd);
  t.after(() => {
    kernel.close();
    namespace.close();
  });
  const { links: found } = importKernel('kernel', observeOverlays(namespace.fd));
  return { host, links: found, kernel };
}

async function settles(host: NetworkdHost, names: readonly string[]): Promise<void> {
  const log = new Log();
  const watch = watchNetworkd(host.env, {
    change: ({ index, administrative }) => log.add(`${index} ${administrative}`),
    gone: (index) => log.add(`${index} gone`),
    status: ({ state }) => log.add(state),
  });
  const done = (): boolean => {
    const links: readonly { ifname: string; ifindex: number }[] = JSON.parse(host.ip('-j link'));
    const indexes = names.flatMap((name) => links.find(({ ifname }) => ifname === name)?.ifindex ?? []);
    const states = indexes.map((index) => watch.states(index)?.administrative ?? '');
    return indexes.length === names.length && states.every((state) => state === 'configured' || state === 'unmanaged');
  };
  try {
    while (!done()) await log.more();
  } finally {
    watch.close();
  }
}

/** By name, beside what the kernel has. */
export function plainLinks(links: readonly ImportedLink[], made: readonly ImportedLink[]) {
  return links.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map((link) => plain(link, made));
}

/** What two imports of one link must have in common. The kernel always has a MAC and an MTU. */
function plain(link: ImportedLink, made: readonly ImportedLink[]) {
  const other = made.find(({ name }) => name === link.name);
  return {
    name: link.name,
    vni: link.vni,
    attributes: { ...VXLAN_DEFAULTS, ...link.attributes, vni: link.vni },
    mtu: link.mtu ?? other?.mtu,
    mac: link.mac ?? other?.mac,
    addresses: link.addresses.toSorted(),
    flood: link.flood.toSorted(),
    macs: [...link.macs].toSorted(),
    neighbours: [...link.neighbours].toSorted(),
    routes: link.routes.map(({ to, via }) => `${to} ${via}`).toSorted(),
    bridge: link.bridge,
    up: link.up ?? true,
  };
}
