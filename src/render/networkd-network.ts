/** The .network and .link files of systemd (systemd.network(5), systemd.link(5)), in sections. */
import { addressOf, familyOf } from '../model/address.ts';
import type { AddressState, FdbRow, LinkState, NeighbourState, RouteState } from '../model/state.ts';
import type { Part } from './part.ts';
import { type Entry, linkPattern, type Section } from './unit-file.ts';

/** The least MTU of a link that speaks IPv6 (RFC 8200, section 5). */
const IPV6_MTU = 1280;

/** networkd uses an address of 169.254.0.0/16 on its link alone, and only after it has asked for some seconds who else has it. */
const isLinkLocal4 = ({ prefix }: AddressState): boolean => addressOf(prefix).startsWith('169.254.');

function addressSection(address: AddressState): Section {
  const entries: Entry[] = [['Address', address.prefix]];
  // networkd would make up a broadcast address.
  if (familyOf(address.prefix) === 4) entries.push(['Broadcast', 'no']);
  if (isLinkLocal4(address)) entries.push(['DuplicateAddressDetection', 'none'], ['Scope', 'global']);
  return { name: 'Address', entries };
}

function routeSection({ to, via }: RouteState): Section {
  const gateway: Entry[] = via === null ? [] : [['Gateway', via]];
  return { name: 'Route', entries: [['Destination', to], ...gateway] };
}

function fdbSection({ mac, vtep }: FdbRow): Section {
  const entries: Entry[] = [
    ['MACAddress', mac],
    ['Destination', vtep],
    ['AssociatedWith', 'self'],
  ];
  return { name: 'BridgeFDB', entries };
}

function neighbourSection({ address, mac }: NeighbourState): Section {
  const entries: Entry[] = [
    ['Address', address],
    ['LinkLayerAddress', mac],
  ];
  return { name: 'Neighbor', entries };
}

function rowSections({ fdb, neighbours }: LinkState): readonly Section[] {
  return [...[...fdb.values()].map(fdbSection), ...[...neighbours.values()].map(neighbourSection)];
}

/** What netplan has no words for: forwarding rows, neighbours, and how an address of 169.254.0.0/16 is used like any other. */
export function beyondNetplan(link: LinkState): readonly Section[] {
  return [...[...link.addresses.values()].filter(isLinkLocal4).map(addressSection), ...rowSections(link)];
}

function networkEntries({ mtu }: Part, { master }: LinkState): readonly Entry[] {
  if (master !== null) return portEntries(master);
  return [
    // A link that cannot speak IPv6 must not wait for an address of it.
    ['LinkLocalAddressing', mtu !== null && mtu < IPV6_MTU ? 'no' : 'ipv6'],
    // Without it, networkd takes the link for configured only after it has waited for a router.
    ['ConfigureWithoutCarrier', 'yes'],
  ];
}

const portEntries = (bridge: string): readonly Entry[] => [
  ['Bridge', bridge],
  ['LinkLocalAddressing', 'no'],
];

const match = (name: string): Section => ({ name: 'Match', entries: [['Name', linkPattern(name)]] });

/**
 * Neither our link group nor our protocol number is in it: links that networkd makes are networkd's, and everlan must not take
 * them for its own.
 */
export function networkSections(part: Part, link: LinkState): readonly Section[] {
  // A bridge takes its ports' MTU until it is told one, and forgets what it was told when it was made.
  const mtu: Section[] =
    link.kind === 'bridge' && part.mtu !== null ? [{ name: 'Link', entries: [['MTUBytes', String(part.mtu)]] }] : [];
  return [
    match(link.name),
    ...mtu,
    { name: 'Network', entries: networkEntries(part, link) },
    ...[...link.addresses.values()].map(addressSection),
    ...[...link.routes.values()].map(routeSection),
    ...rowSections(link),
  ];
}

export function portSections(port: string, bridge: string): readonly Section[] {
  return [match(port), { name: 'Network', entries: portEntries(bridge) }];
}

/** What udev does when it sees the link. Nothing else is in it, so its name and MAC stay. */
export function offloadSections({ name }: LinkState): readonly Section[] {
  return [
    { name: 'Match', entries: [['OriginalName', linkPattern(name)]] },
    { name: 'Link', entries: [['TransmitChecksumOffload', 'no']] },
  ];
}
