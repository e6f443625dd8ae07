/** Under which address and over which device each host is reached. In a fabric a host has one of each. */
import {
  addressOf,
  contains,
  familyOf,
  type IpAddress,
  isLinkLocal6,
  isUnicast,
  type Prefix,
} from '../model/address.ts';
import type { Problem } from '../model/problem.ts';
import { type HostDraft, most, peersPlace, placeOf, type Side } from './draft.ts';
import { importProblem } from './errors.ts';

/**
 * Fills in underlay and device of each host, and leaves out links that go another way. In this order: what the user says;
 * `local`; the addresses that the source gives to the device; the address at which all the other hosts point.
 */
export function settleUnderlays(hosts: readonly HostDraft[], problems: Problem[]): void {
  for (const host of hosts) {
    const locals = host.sides.flatMap(({ vxlan }) => vxlan.local ?? []);
    host.underlay = host.given ?? host.imported.underlay ?? most(locals) ?? fromAddresses(host, hosts);
  }
  for (const host of hosts) host.underlay ??= fromOthers(host, hosts);
  for (const host of hosts) {
    const [first] = host.sides;
    if (host.underlay !== null) keepOneWay(host, host.underlay, problems);
    else if (first !== undefined) {
      const message = `nothing tells under which address the others reach ${host.name}`;
      problems.push(importProblem('import-underlay', message, { place: first.link.place }));
    }
  }
}

function familyOfSide({ peers, group }: Side): 4 | 6 | null {
  const [first] = peers;
  const known = group ?? first;
  return known === undefined ? null : familyOf(known);
}

const pointsAt = (host: HostDraft, address: IpAddress): boolean => host.sides.some(({ peers }) => peers.has(address));

function fromAddresses(host: HostDraft, hosts: readonly HostDraft[]): IpAddress | null {
  const device = most(host.sides.flatMap(({ vxlan }) => vxlan.device ?? []));
  const { underlays } = host.imported;
  const all: readonly Prefix[] = device === undefined ? [...underlays.values()].flat() : (underlays.get(device) ?? []);
  const families = new Set(host.sides.map(familyOfSide));
  const usable = all.filter((prefix) => {
    const address = addressOf(prefix);
    return isUnicast(address) && !isLinkLocal6(address) && (families.has(null) || families.has(familyOf(prefix)));
  });
  const pointed = usable.find((prefix) => hosts.some((other) => other !== host && pointsAt(other, addressOf(prefix))));
  const near = usable.find((prefix) =>
    host.sides.some(({ peers }) => [...peers].some((peer) => contains(prefix, peer))),
  );
  const chosen = pointed ?? near ?? usable[0];
  return chosen === undefined ? null : addressOf(chosen);
}

/** Where all others point and the host itself does not: by the overlays that it shares with them, else by all links. */
function fromOthers(host: HostDraft, hosts: readonly HostDraft[]): IpAddress | null {
  const taken = new Set(hosts.map(({ underlay }) => underlay));
  const others = hosts.filter((other) => other !== host);
  const votes = host.sides.flatMap((side) => {
    const shared = others.flatMap(({ sides }) => sides.filter((other) => sameKey(side, other) && other.peers.size > 0));
    return only(
      shared.map(({ peers }) => peers),
      side.peers,
      taken,
    );
  });
  const all = ({ sides }: HostDraft): ReadonlySet<IpAddress> => new Set(sides.flatMap(({ peers }) => [...peers]));
  return most(votes) ?? only(others.map(all), all(host), taken)[0] ?? null;
}

export const sameKey = (a: Side, b: Side): boolean => a.link.vni === b.link.vni && a.vxlan.port === b.vxlan.port;

/** The one address that is in all sets and in none of the others; nothing when there are more, or none. */
function only(
  sets: readonly ReadonlySet<IpAddress>[],
  own: ReadonlySet<IpAddress>,
  taken: ReadonlySet<IpAddress | null>,
): readonly IpAddress[] {
  const [first, ...rest] = sets;
  const found = [...(first ?? [])].filter(
    (address) => rest.every((set) => set.has(address)) && !own.has(address) && !taken.has(address),
  );
  return found.length === 1 ? found : [];
}

function keepOneWay(host: HostDraft, underlay: IpAddress, problems: Problem[]): void {
  const family = familyOf(underlay);
  const device = most(host.sides.flatMap(({ vxlan }) => vxlan.device ?? [])) ?? null;
  host.device = device;
  const leaveOut = (side: Side, message: string, hint: string, key: string): boolean => {
    problems.push(importProblem('import-left-out', message, { hint, place: placeOf(side, key) }));
    return false;
  };
  const elsewhere = (address: IpAddress): string =>
    `import it into a fabric of its own, with --underlay ${address} and --name`;
  host.sides = host.sides.filter((side) => {
    const { local } = side.vxlan;
    const { name } = side.link;
    if (local !== null && local !== underlay) {
      const message = `${name} is left out: its packets come from ${local}, and the underlay of ${host.name} is ${underlay}`;
      return leaveOut(side, message, elsewhere(local), 'local');
    }
    const other = familyOfSide(side);
    if (other !== null && other !== family) {
      const message = `${name} is left out: it is over IPv${other}, and the underlay of ${host.name} is ${underlay}`;
      const hint = 'import it into a fabric of its own, with --underlay ADDRESS and --name';
      problems.push(importProblem('import-left-out', message, { hint, place: peersPlace(side) }));
      return false;
    }
    if (side.vxlan.device === device) return true;
    if (side.vxlan.device === null) {
      const message = `${name} names no device, and the other links of ${host.name} go out by ${device}: the file says so for all`;
      problems.push(importProblem('import-one-sided', message, { place: side.link.place }));
      return true;
    }
    const message = `${name} is left out: it goes out by ${side.vxlan.device}, and the other links of ${host.name} by ${device}`;
    return leaveOut(side, message, 'in a fabric a host has one device', 'device');
  });
}
