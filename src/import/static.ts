/** Permanent neighbours: the file can say them where every member knows all others, and only then. */
import { addressOf, contains, familyOf, type IpAddress, lengthOf, type Prefix } from '../model/address.ts';
import { type Mac, stableMac } from '../model/mac.ts';
import { placeOf, type Side } from './draft.ts';
import { importProblem } from './errors.ts';
import type { Context, Member } from './members.ts';
import type { Group } from './pairs.ts';

export interface Statics {
  /** Whether `neighbours: static` says it all. */
  readonly neighbours: boolean;
  /** The `mac` of the file: host → MAC, where it is not the one that everlan derives. */
  readonly macs: ReadonlyMap<string, Mac>;
  /** MACs whose forwarding rows follow from it. */
  readonly covered: ReadonlySet<Mac>;
}

/** Gives members of which only neighbours tell the addresses theirs. */
export function staticNeighbours(
  group: Group,
  members: readonly Member[],
  macs: ReadonlyMap<string, Mac>,
  { fabric, problems }: Context,
): Statics {
  const name = group[0]?.link.name ?? '';
  const written = (all: ReadonlyMap<string, Mac>): ReadonlyMap<string, Mac> =>
    new Map([...all].filter(([host, mac]) => mac !== stableMac(fabric, name, host)));
  const known = group.filter(({ link }) => link.neighbours.size > 0);
  const [first] = known;
  if (first === undefined) return { neighbours: false, macs: written(macs), covered: new Set() };
  const all = members.map((member) => inferred(member, macs, known));
  if (group.every((side) => side.link.bridge === null && knowsAll(side, all))) {
    for (const { member, addresses } of all) member.addresses = addresses;
    const told = new Map(all.flatMap(({ member, mac }) => (mac === null ? [] : [[member.name, mac] as const])));
    return { neighbours: true, macs: written(told), covered: new Set(told.values()) };
  }
  for (const side of known) {
    const [address] = side.link.neighbours.keys();
    const message = `the permanent neighbours of ${side.link.name} on ${side.host.name} are left out: the file can say them only where each member has all others`;
    problems.push(importProblem('import-unsaid', message, { place: placeOf(side, `neighbour ${address}`) }));
  }
  return { neighbours: false, macs: written(macs), covered: new Set() };
}

interface Inferred {
  readonly member: Member;
  readonly mac: Mac | null;
  readonly addresses: readonly Prefix[];
}

/** What the others know of a member. */
function inferred(member: Member, macs: ReadonlyMap<string, Mac>, sides: readonly Side[]): Inferred {
  const others = sides.filter(({ host }) => host.name !== member.name);
  const { addresses } = member;
  if (member.side !== null) {
    const known = (prefix: Prefix): readonly Mac[] =>
      others.flatMap(({ link }) => link.neighbours.get(addressOf(prefix)) ?? []);
    return { member, mac: macs.get(member.name) ?? addresses.flatMap(known)[0] ?? null, addresses };
  }
  for (const { link } of others) {
    const rows = [...link.macs].flatMap(([mac, vtep]) => (vtep === member.underlay ? [mac] : []));
    const named = new Set(link.neighbours.values());
    const mac = rows.find((row) => named.has(row)) ?? rows[0];
    if (mac === undefined) continue;
    const own = [...link.neighbours].flatMap(([address, at]) =>
      at === mac ? [prefixOf(address, link.addresses)] : [],
    );
    return { member, mac, addresses: own };
  }
  return { member, mac: null, addresses };
}

/** With the length of the network of `near` that it lies in. */
function prefixOf(address: IpAddress, near: readonly Prefix[]): Prefix {
  const network = near.find((prefix) => contains(prefix, address));
  const length = network === undefined ? (familyOf(address) === 4 ? 32 : 128) : lengthOf(network);
  return `${address}/${length}` as Prefix;
}

/** Whether a host has just the rows and neighbours that `neighbours: static` gives it. */
function knowsAll({ host, link }: Side, all: readonly Inferred[]): boolean {
  let neighbours = 0;
  for (const { member, mac, addresses } of all) {
    if (member.name === host.name) continue;
    if (mac === null || link.macs.get(mac) !== member.underlay) return false;
    neighbours += addresses.length;
    if (addresses.some((prefix) => link.neighbours.get(addressOf(prefix)) !== mac)) return false;
  }
  return neighbours === link.neighbours.size;
}
