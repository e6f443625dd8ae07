/** One overlay of the fabric from the links of its members. */
import { addressOf, type IpAddress, isLinkLocal6, networkOf, type Prefix } from '../model/address.ts';
import type { Option } from '../model/options.ts';
import type { Problem } from '../model/problem.ts';
import type { YamlValue } from '../text/value.ts';
import { type HostDraft, peerPlace, peersPlace, placeOf, type Side } from './draft.ts';
import { at, importProblem } from './errors.ts';
import type { Context, Member } from './members.ts';
import { mergeOptions } from './merge.ts';
import { type Group, points } from './pairs.ts';
import { bridgeOf, macsOf, routesOf, sourceMacs } from './standing.ts';
import { staticNeighbours } from './static.ts';
import type { FileOverlay } from './write.ts';

/** @param group at least one side. */
export function buildOverlay(group: Group, context: Context): FileOverlay {
  const [first] = group;
  if (first === undefined) throw new TypeError('an overlay has a side');
  checkNames(group, context);
  const flood = floodOf(group, context);
  const members = membersOf(group, flood, context);
  checkAddresses(members, context);
  const notes: string[] = [];
  const options = new Map<Option, YamlValue>(mergeOptions(group, context));
  if (flood.option !== undefined) options.set('flood', flood.option);
  if (flood.remotes.length > 0) options.set('remotes', flood.remotes);
  const macs = sourceMacs(members, first.link.name, context, notes);
  const statics = staticNeighbours(group, members, macs, context);
  if (statics.neighbours) options.set('neighbours', 'static');
  if (statics.macs.size > 0) options.set('mac', statics.macs);
  const rows = macsOf(group, members, statics.covered, context);
  if (rows.size > 0) options.set('macs', rows);
  for (const [name, value] of bridgeOf(group, context)) options.set(name, value);
  const routes = routesOf(group, members, context);
  if (routes.length > 0) options.set('routes', routes);
  noteFlood(group, flood, notes);
  noteState(group, notes);
  return {
    name: first.link.name,
    vni: first.link.vni,
    members: new Map(members.map(({ name, addresses }) => [name, addresses])),
    options,
    from: group.map(({ link }) => at(link.place)).join(', '),
    notes,
  };
}

function checkNames([first, ...rest]: Group, { problems }: Context): void {
  for (const side of rest) {
    if (first === undefined || side.link.name === first.link.name) continue;
    const message = `${first.link.name} of ${first.host.name} and ${side.link.name} of ${side.host.name} are one overlay, and in a fabric it has one name`;
    const hint = `give them the same name: ip link set ${side.link.name} name ${first.link.name}`;
    const also = [{ message: `${side.link.name} on ${side.host.name}`, place: side.link.place }];
    problems.push(importProblem('import-name', message, { hint, place: first.link.place, also }));
  }
}

interface Flood {
  /** undefined: `peers`, the default. */
  readonly option: 'none' | IpAddress | undefined;
  /** VTEPs beside the members. */
  readonly remotes: readonly IpAddress[];
}

function floodOf(group: Group, { problems }: Context): Flood {
  const groups = new Set(group.map((side) => side.group));
  const [first, ...rest] = group;
  const [multicast] = groups;
  if (first !== undefined && groups.size > 1) {
    for (const side of rest.filter((other) => other.group !== first.group)) {
      const message = `${first.link.name} floods to ${first.group ?? 'its peers'} on ${first.host.name} and to ${side.group ?? 'its peers'} on ${side.host.name}`;
      const also = [{ message: `on ${side.host.name}`, place: placeOf(side, 'remote') }];
      problems.push(importProblem('import-differs', message, { place: placeOf(first, 'remote'), also }));
    }
  }
  if (multicast !== undefined && multicast !== null) return { option: multicast, remotes: remotesOf(group, problems) };
  const silent = group.every(({ peers }) => peers.size === 0);
  const alone = group.length === 1 && group.every(({ link }) => link.macs.size === 0);
  return { option: silent && !alone ? 'none' : undefined, remotes: [] };
}

/** Beside a multicast group, rows of the flooding list are VTEPs outside the fabric. */
function remotesOf(group: Group, problems: Problem[]): IpAddress[] {
  const remotes = new Set(group.flatMap(({ peers }) => [...peers]));
  for (const side of group) {
    const { underlay } = side.host;
    if (underlay === null || !remotes.delete(underlay)) continue;
    const from = group.find((other) => points(other, side.host));
    const message = `${side.link.name} floods to ${side.host.name} beside its multicast group; the file cannot say that of a member`;
    problems.push(
      importProblem('import-unsaid', message, from === undefined ? {} : { place: peerPlace(from, underlay) }),
    );
  }
  return [...remotes];
}

function membersOf(group: Group, flood: Flood, context: Context): Member[] {
  const members: Member[] = group.flatMap((side) => {
    const { underlay, name } = side.host;
    return underlay === null ? [] : [{ name, underlay, side, addresses: addressesOf(side, context) }];
  });
  if (flood.option === undefined) checkPeers(group, context);
  const peers = group.flatMap((side) => (flood.option === undefined ? [...side.peers] : neighbourVteps(side)));
  const known = new Set(members.map(({ underlay }) => underlay));
  for (const peer of new Set(peers)) {
    if (!known.has(peer)) members.push({ name: context.hostAt(peer), underlay: peer, side: null, addresses: [] });
  }
  return members;
}

/** Where the permanent neighbours are: without flooding to peers, nothing else tells who the others are. */
function neighbourVteps({ link }: Side): IpAddress[] {
  const macs = new Set(link.neighbours.values());
  return [...link.macs].flatMap(([mac, vtep]) => (macs.has(mac) ? [vtep] : []));
}

function addressesOf(side: Side, { problems }: Context): readonly Prefix[] {
  return side.link.addresses.filter((prefix) => {
    if (!isLinkLocal6(addressOf(prefix))) return true;
    const message = `${prefix} is left out: the kernel makes link-local addresses itself, and the file takes none`;
    problems.push(importProblem('import-unsaid', message, { place: placeOf(side, `address ${prefix}`) }));
    return false;
  });
}

/** In a fabric every member's peers are all others: each side must send to all that any of them sends to. */
function checkPeers(group: Group, { problems }: Context): void {
  const names = new Map<IpAddress, HostDraft>();
  for (const { host } of group) if (host.underlay !== null) names.set(host.underlay, host);
  const all = new Set([...names.keys(), ...group.flatMap(({ peers }) => [...peers])]);
  const told = new Set<string>();
  const missing: Problem[] = [];
  const strange: Problem[] = [];
  for (const side of group) {
    const own = side.host.underlay;
    if (own !== null && side.peers.has(own)) {
      const message = `${side.link.name} of ${side.host.name} points at ${own}, which is ${side.host.name} itself`;
      missing.push(importProblem('import-peer', message, { place: peerPlace(side, own) }));
    }
    for (const address of all) {
      if (address === own || side.peers.has(address)) continue;
      const host = names.get(address);
      const from = group.find((other) => other.host === host);
      const found = from === undefined ? strangePeer(group, side, address) : missingPeer(side, from, told);
      if (found !== null) (from === undefined ? strange : missing).push(found);
    }
  }
  // Who points elsewhere than at a member points at a stranger: that is one mistake.
  problems.push(...(missing.length > 0 ? missing : strange));
}

/** `side` does not send to `from`. */
function missingPeer(side: Side, from: Side, told: Set<string>): Problem | null {
  const pair = [side.host.name, from.host.name].toSorted().join(' ');
  const { name } = side.link;
  const where = side.peers.size === 0 ? 'nowhere' : `at ${[...side.peers].join(', ')}`;
  const also = [{ message: `and ${side.host.name} points ${where}`, place: peersPlace(side) }];
  if (points(from, side.host)) {
    const own = side.host.underlay;
    const message = `${name} of ${from.host.name} points at ${side.host.name} (${own}), but that of ${side.host.name} does not point back at ${from.host.name} (${from.host.underlay})`;
    const place = own === null ? from.link.place : peerPlace(from, own);
    const hint = `if ${from.host.name} or ${side.host.name} is reached under another address, say it with --underlay`;
    return importProblem('import-peer-back', message, { place, also, hint });
  }
  if (told.has(pair)) return null;
  told.add(pair);
  const message = `${name} of ${from.host.name} and ${side.host.name} do not send to each other, as members of one overlay do`;
  return importProblem('import-peers-differ', message, { place: peersPlace(from), also });
}

/** `side` does not send to a VTEP of which nothing but the address is known, and another member does. */
function strangePeer(group: Group, side: Side, address: IpAddress): Problem | null {
  const from = group.find(({ peers }) => peers.has(address));
  if (from === undefined) return null;
  const message = `${side.link.name} of ${from.host.name} sends to ${address}, and that of ${side.host.name} does not, as members of one overlay do`;
  const also = [{ message: `on ${side.host.name}`, place: peersPlace(side) }];
  return importProblem('import-peers-differ', message, { place: peerPlace(from, address), also });
}

function checkAddresses(members: readonly Member[], { problems }: Context): void {
  const owners = new Map<IpAddress, { side: Side; prefix: Prefix }>();
  const settled: Side[] = [];
  for (const { side, addresses } of members) {
    if (side === null) continue;
    for (const prefix of addresses) {
      const owner = owners.get(addressOf(prefix));
      if (owner === undefined) {
        owners.set(addressOf(prefix), { side, prefix });
        continue;
      }
      if (owner.side === side) continue;
      const message = `${owner.side.host.name} and ${side.host.name} both have ${addressOf(prefix)} on ${side.link.name}`;
      const also = [{ message: `on ${side.host.name}`, place: placeOf(side, `address ${prefix}`) }];
      const place = placeOf(owner.side, `address ${owner.prefix}`);
      problems.push(importProblem('import-address-twice', message, { place, also }));
    }
    const stranger = settled.find((other) => isApart(other.link.addresses, addresses));
    if (stranger !== undefined) {
      const message = `${side.link.name} of ${stranger.host.name} and ${side.host.name} have no network in common: ${stranger.link.addresses.join(', ')} and ${addresses.join(', ')}`;
      const also = [{ message: `on ${side.host.name}`, place: placeOf(side, `address ${addresses[0]}`) }];
      const place = placeOf(stranger, `address ${stranger.link.addresses[0]}`);
      problems.push(importProblem('import-subnets', message, { place, also }));
    } else settled.push(side);
  }
}

function isApart(a: readonly Prefix[], b: readonly Prefix[]): boolean {
  const networks = new Set(a.map(networkOf));
  return a.length > 0 && b.length > 0 && !b.some((prefix) => networks.has(networkOf(prefix)));
}

/** Where the fabric does the same by other means. */
function noteFlood(group: Group, { option }: Flood, notes: string[]): void {
  if (option !== undefined) return;
  for (const { link, peers, vxlan, host } of group) {
    if (peers.size === 1 && vxlan.remote === null) {
      notes.push(`On ${host.name} the one peer of ${link.name} becomes its \`remote\`; apply changes that in place.`);
    } else if (peers.size > 1 && vxlan.remote !== null) {
      notes.push(
        `On ${host.name} the \`remote\` of ${link.name} joins the flooding list; apply changes that in place.`,
      );
    }
  }
}

function noteState(group: Group, notes: string[]): void {
  for (const { link, host } of group) {
    if (link.up === false) notes.push(`On ${host.name} ${link.name} is down; apply sets it up.`);
    if (link.mtu === null && host.device === null) {
      notes.push(
        `On ${host.name} ${link.name} names no device, so the kernel gives it an MTU of 1500; everlan leaves room for the outer headers.`,
      );
    }
  }
}
