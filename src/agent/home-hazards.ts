/** What other programs and settings of this host do to the overlays, and their links do not show. */
import { conflicts } from '../apply/conflicts.ts';
import { ownNames } from '../apply/home.ts';
import { rpFilter } from '../kernel/rp-filter.ts';
import { addressOf, type IpAddress } from '../model/address.ts';
import type { Desired } from '../model/desired.ts';
import type { Problem } from '../model/problem.ts';
import type { HostFacts } from '../model/state.ts';

interface Way {
  readonly device: string;
  readonly local: IpAddress;
  readonly peers: Set<IpAddress>;
}

/** By which device and address the peers are reached; of an overlay that leaves its address to the route, nothing is known. */
function waysOf({ links }: HostFacts, { state, overlays }: Desired): readonly Way[] {
  const holderOf = (local: IpAddress): string | undefined =>
    [...links.values()].find(({ addresses }) => addresses.some((prefix) => addressOf(prefix) === local))?.name;
  const ways = new Map<string, Way>();
  for (const { name, peers } of overlays) {
    const local = state.links.get(name)?.vxlan?.local ?? null;
    const device = local === null ? undefined : (state.links.get(name)?.vxlan?.device ?? holderOf(local));
    if (local === null || device === undefined) continue;
    const key = `${device} ${local}`;
    const way = ways.get(key) ?? { device, local, peers: new Set() };
    for (const { underlay } of peers) way.peers.add(underlay);
    ways.set(key, way);
  }
  return [...ways.values()];
}

/**
 * Warnings `neighbour` (files of other programs about our links) and `rp-filter`. Reads folders and asks the kernel for one
 * route for each peer.
 * @param netns an open namespace to look at; without it, our own.
 * @throws SysError when the kernel cannot be asked.
 */
export function homeHazards(facts: HostFacts, desired: Desired, netns?: number): readonly Problem[] {
  const files = netns === undefined ? conflicts(desired.fabric, ownNames(desired.state)) : [];
  const filters = waysOf(facts, desired).map((way) => rpFilter(facts, { ...way, peers: [...way.peers] }, netns));
  return [...files, ...filters.filter((problem) => problem !== null)];
}
