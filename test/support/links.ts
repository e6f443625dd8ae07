/** Links as the kernel has them, whoever made them: what two hosts are compared by. */
import type { Kernel } from '../../src/kernel/port.ts';
import type { Desired } from '../../src/model/desired.ts';
import type { LinkState } from '../../src/model/state.ts';

/** Without what marks a link as everlan's (alias, group, protocol numbers), and without what is never the same (index). */
function facts(link: LinkState): Readonly<Record<string, unknown>> {
  const { name, up, mtu, master, txChecksum } = link;
  if (link.kind === 'port') return { name, master };
  const sorted = <T>(items: Iterable<T>): readonly T[] =>
    [...items].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  return {
    ...{ name, up, mtu, master, txChecksum, mac: link.mac, vxlan: link.vxlan },
    addresses: sorted([...link.addresses.values()].map(({ protocol: _, origin: __, ...rest }) => rest)),
    fdb: sorted([...link.fdb.values()].map(({ origin: _, ...rest }) => rest)),
    neighbours: sorted([...link.neighbours.values()].map(({ address, mac }) => ({ address, mac }))),
    routes: sorted([...link.routes.values()].map(({ to, via, metric }) => ({ to, via, metric }))),
  };
}

/** The links that `desired` is about, by name. */
export function linkFacts(kernel: Kernel, { fabric, state }: Desired): Readonly<Record<string, unknown>> {
  const wanted = new Map([...state.links].map(([name, { kind }]) => [name, kind]));
  const { links } = kernel.look().state({ fabric, wanted });
  return Object.fromEntries(
    [...state.links.keys()].map((name) => {
      const link = links.get(name);
      return [name, link === undefined ? 'missing' : facts(link)];
    }),
  );
}
