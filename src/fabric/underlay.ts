/** What carries the overlays of one host: device, MTU, and what stands in the way. */
import { familyOf } from '../model/address.ts';
import type { Host, Overlay } from '../model/fabric.ts';
import type { Problem } from '../model/problem.ts';
import type { HostFacts, LinkFacts } from '../model/state.ts';
import { hostProblem } from './host-problem.ts';
import { didYouMean } from './words.ts';

export interface Underlay {
  /** IFLA_VXLAN_LINK by name; null: none. */
  readonly device: string | null;
  /** The link whose MTU counts; null: nothing is known of it, or it is the loopback link. */
  readonly carrier: LinkFacts | null;
  /** Links that must not become ports of a bridge. */
  readonly carriers: ReadonlySet<string>;
  /** Bytes of the outer headers: Ethernet 14, IP 20 or 40, UDP 8, VXLAN 8. */
  readonly overhead: number;
}

const LOOPBACK = 'lo';

/** `ours`: names of links that the file makes on this host. `overlays`: those of this host, at least one. */
export function underlayOf(
  host: Host,
  overlays: readonly Overlay[],
  ours: ReadonlySet<string>,
  facts: HostFacts,
  problems: Problem[],
): Underlay {
  const holders = linksWith(host, ours, facts);
  const overhead = familyOf(host.underlay) === 4 ? 50 : 70;
  const carriers = new Set(holders.map((link) => link.name));
  if (holders.length === 0 && needsHolder(host, overlays)) {
    problems.push(hostProblem('underlay-absent', absent(host), 'add the address to a link, or correct `underlay`'));
  }
  if (host.device === undefined) {
    const [link] = holders;
    if (link?.name === LOOPBACK) {
      problems.push(hostProblem('underlay-loopback', `the underlay address ${host.underlay} is on ${LOOPBACK}`));
    } else if (holders.length > 1) {
      const message = `the underlay address ${host.underlay} is on ${[...carriers].join(' and ')}`;
      problems.push(hostProblem('underlay-many', message));
    }
    return { device: link?.name ?? null, carrier: link ?? null, carriers, overhead };
  }
  if (host.device === null) {
    const carrier = holders.find((link) => link.name !== LOOPBACK) ?? null;
    if (carrier === null && holders.length > 0 && overlays.some(({ options }) => options.mtu === 'auto')) {
      const message = `the underlay address ${host.underlay} is on ${LOOPBACK}, which does not tell an MTU`;
      problems.push(hostProblem('underlay-loopback', message, 'name the `device`, or say an `mtu`'));
    }
    return { device: null, carrier, carriers, overhead };
  }
  return named(host.device, { facts, carriers, overhead }, problems);
}

function named(
  device: string,
  known: { facts: HostFacts; carriers: Set<string>; overhead: number },
  problems: Problem[],
): Underlay {
  const { facts, carriers, overhead } = known;
  const carrier = facts.links.get(device) ?? null;
  if (carrier === null) {
    const hint = didYouMean(device, facts.links.keys());
    problems.push(hostProblem('device-absent', `there is no link ${device}, the underlay device of this host`, hint));
  }
  carriers.add(device);
  return { device, carrier, carriers, overhead };
}

function linksWith(host: Host, ours: ReadonlySet<string>, facts: HostFacts): LinkFacts[] {
  const start = `${host.underlay}/`;
  const holders: LinkFacts[] = [];
  for (const link of facts.links.values()) {
    if (!ours.has(link.name) && link.addresses.some((prefix) => prefix.startsWith(start))) holders.push(link);
  }
  return holders;
}

/** Behind a NAT the others reach an address that no link has: right with `local: none`, a device and a stated MTU. */
function needsHolder(host: Host, overlays: readonly Overlay[]): boolean {
  if (host.device === undefined) return true;
  return overlays.some(
    ({ options }) => options.local === 'underlay' || (host.device === null && options.mtu === 'auto'),
  );
}

function absent({ name, underlay }: Host): string {
  return `no link has ${underlay}, the underlay address of ${name}`;
}
