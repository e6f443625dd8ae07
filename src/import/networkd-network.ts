/** What a .network file gives to an overlay's link, or to its bridge: addresses, routes, rows. */
import {
  type Family,
  familyOf,
  type IpAddress,
  isUnicast,
  networkOf,
  type Prefix,
  parseIp,
  parsePrefix,
} from '../model/address.ts';
import { isGroupMac, type Mac, ZERO_MAC } from '../model/mac.ts';
import type { Place } from '../model/problem.ts';
import { quote } from '../text/words.ts';
import type { ImportedRoute } from './found.ts';
import type { Entry, Section } from './networkd-ini.ts';
import type { Unit } from './networkd-units.ts';
import { readBoolean, readMac, readUnsigned } from './networkd-values.ts';
import type { Report } from './report.ts';

export interface Given {
  readonly addresses: readonly Prefix[];
  readonly routes: readonly ImportedRoute[];
  readonly flood: readonly IpAddress[];
  readonly macs: ReadonlyMap<Mac, IpAddress>;
  readonly neighbours: ReadonlyMap<IpAddress, Mac>;
  readonly places: ReadonlyMap<string, Place>;
}

interface Draft {
  readonly addresses: Set<Prefix>;
  readonly routes: ImportedRoute[];
  readonly flood: Set<IpAddress>;
  readonly macs: Map<Mac, IpAddress>;
  readonly neighbours: Map<IpAddress, Mac>;
  readonly places: Map<string, Place>;
}

type Read = (section: Section, draft: Draft, context: Context) => void;

interface Context {
  readonly unit: Unit;
  readonly report: Report;
  /** null: the file is the bridge's. */
  readonly vni: number | null;
}

const no = (value: string): boolean => readBoolean(value) === false;
const always = (): boolean => true;

/** Settings that change nothing that everlan looks after, and those that are read elsewhere. */
const HARMLESS: Readonly<Record<string, (value: string) => boolean>> = {
  'Network.Description': always,
  'Network.DHCP': (value) => no(value) || value === 'none',
  'Network.DHCPServer': no,
  'Network.IPv6AcceptRA': no,
  'Network.LinkLocalAddressing': (value) => value === 'ipv6' || no(value),
  'Network.ConfigureWithoutCarrier': always,
  'Network.IgnoreCarrierLoss': always,
  'Network.BindCarrier': (value) => value === '',
  'Network.KeepConfiguration': always,
  'Network.LLDP': always,
  'Network.EmitLLDP': always,
  'Network.Bridge': always,
  'Address.PreferredLifetime': (value) => /^(?:forever|infinity|)$/.test(value),
  // As everlan's own addresses are: nothing is asked beforehand, and they have no broadcast address.
  'Address.Broadcast': no,
  'Address.DuplicateAddressDetection': always,
  'Address.Scope': (value) => value === 'global',
  'Link.MTUBytes': always,
  'Link.MACAddress': always,
  'Link.ActivationPolicy': always,
  'Link.Unmanaged': always,
  'Link.RequiredForOnline': always,
  'Link.RequiredFamilyForOnline': always,
};

const SECTIONS: Readonly<Record<string, Read>> = {
  Match: () => {},
  Link: (section, _draft, context) => reportRest(section, context, []),
  Network: readNetwork,
  Address: readAddressSection,
  Route: readRoute,
  Neighbor: readNeighbour,
  BridgeFDB: readRow,
};

/** @param vni of the link, to which rows belong that name no other. */
export function readGiven(unit: Unit | undefined, vni: number | null, report: Report): Given {
  const draft: Draft = {
    addresses: new Set(),
    routes: [],
    flood: new Set(),
    macs: new Map(),
    neighbours: new Map(),
    places: new Map(),
  };
  for (const section of unit?.sections ?? []) {
    if (unit === undefined) break;
    const read = SECTIONS[section.name];
    if (read === undefined)
      leftOut(section.place, `[${section.name}] is left out: everlan has no words for it`, report);
    else read(section, draft, { unit, report, vni });
  }
  return { ...draft, addresses: [...draft.addresses], flood: [...draft.flood] };
}

/** Addresses of a link that is no overlay; what is wrong with them is not ours to say. */
export function addressesOf(unit: Unit): readonly Prefix[] {
  const entries = [...unit.entries('Network', 'Address'), ...unit.entries('Address', 'Address')];
  return [...new Set(entries.flatMap(({ value }) => parsePrefix(value) ?? []))];
}

function leftOut(place: Place, message: string, report: Report): void {
  report.add('source-left-out', place, message);
}

function reportRest(section: Section, { report }: Context, known: readonly string[]): void {
  for (const { key, value, place } of section.entries) {
    if (known.includes(key) || HARMLESS[`${section.name}.${key}`]?.(value) === true) continue;
    leftOut(place, `${key}= of [${section.name}] is left out: everlan has no word for it`, report);
  }
}

function readNetwork(section: Section, draft: Draft, context: Context): void {
  for (const entry of section.entries) {
    if (entry.key === 'Address') readAddress(entry, draft, context);
    else if (entry.key === 'Gateway') {
      const via = parseIp(entry.value);
      if (via === null) wrong(entry, 'an IPv4 or IPv6 address', context);
      else addRoute(everything(familyOf(via)), via, entry.place, draft);
    }
  }
  reportRest(section, context, ['Address', 'Gateway']);
}

function wrong({ key, value, place }: Entry, wanted: string, { report }: Context): undefined {
  const message = `${key}= must be ${wanted}, not ${quote(value)}: networkd reads past it`;
  return report.add('source-accepted', place, message);
}

function readAddress(entry: Entry, draft: Draft, context: Context): void {
  const prefix = parsePrefix(entry.value);
  if (prefix === null) {
    const bare = parseIp(entry.value) !== null;
    wrong(entry, bare ? 'an address with its prefix length' : 'an address such as 10.0.0.1/24', context);
  } else if (/^(?:0\.0\.0\.0|::)\//.test(prefix)) {
    leftOut(entry.place, `${prefix} is left out: networkd chooses an address from its pool`, context.report);
  } else {
    draft.addresses.add(prefix);
    draft.places.set(`address ${prefix}`, entry.place);
  }
}

function last(section: Section, ...keys: readonly string[]): Entry | undefined {
  return section.entries.findLast(({ key }) => keys.includes(key));
}

/** What is said of one address stays with it: a peer makes another kind of it. */
function readAddressSection(section: Section, draft: Draft, context: Context): void {
  const entry = last(section, 'Address');
  const peer = last(section, 'Peer');
  if (entry === undefined || peer !== undefined) {
    const why = peer === undefined ? 'without Address=' : 'with Peer=';
    leftOut(peer?.place ?? section.place, `an [Address] ${why} is left out`, context.report);
    return;
  }
  readAddress(entry, draft, context);
  for (const { key, value, place } of section.entries) {
    if (key === 'Address' || HARMLESS[`Address.${key}`]?.(value) === true) continue;
    leftOut(place, `${key}= of ${entry.value} is left out: everlan has no word for it`, context.report);
  }
}

const everything = (family: Family): Prefix => (family === 4 ? '0.0.0.0/0' : '::/0') as Prefix;

function addRoute(to: Prefix, via: IpAddress, place: Place, draft: Draft): void {
  draft.routes.push({ to, via });
  draft.places.set(`route ${to}`, place);
}

/** With or without its length; host bits are cut off as networkd does. */
function readDestination(text: string): Prefix | null {
  const address = parseIp(text);
  const prefix = parsePrefix(address === null ? text : `${text}/${familyOf(address) === 4 ? 32 : 128}`);
  return prefix === null ? null : networkOf(prefix);
}

function readRoute(section: Section, draft: Draft, context: Context): void {
  const gateway = last(section, 'Gateway');
  const destination = last(section, 'Destination');
  const strange = section.entries.find(({ key }) => key !== 'Gateway' && key !== 'Destination');
  const via = parseIp(gateway?.value ?? '');
  if (via === null || strange !== undefined) {
    const why = strange === undefined ? 'it has no Gateway=' : `everlan has no word for its ${strange.key}=`;
    leftOut((strange ?? gateway ?? section).place, `a [Route] is left out: ${why}`, context.report);
    return;
  }
  const to = destination === undefined ? everything(familyOf(via)) : readDestination(destination.value);
  if (to === null) wrong(destination ?? { key: 'Destination', value: '', place: section.place }, 'a network', context);
  else addRoute(to, via, destination?.place ?? section.place, draft);
}

function readNeighbour(section: Section, draft: Draft, context: Context): void {
  if (context.vni === null) {
    leftOut(section.place, 'a [Neighbor] of the bridge is left out: everlan has no words for it', context.report);
    return;
  }
  const address = last(section, 'Address');
  const layer = last(section, 'LinkLayerAddress', 'MACAddress');
  const ip = parseIp(address?.value ?? '');
  const mac = readMac(layer?.value ?? '');
  if (ip === null || mac === null) {
    const message = 'a [Neighbor] needs Address= and LinkLayerAddress=: networkd reads past it';
    context.report.add('source-accepted', (ip === null ? address : layer)?.place ?? section.place, message);
    return;
  }
  draft.neighbours.set(ip, mac);
}

/** A row of the link's own forwarding database. Without a MAC address it is all zeros, as in networkd. */
function readRow(section: Section, draft: Draft, context: Context): void {
  if (context.vni === null) {
    leftOut(section.place, 'a [BridgeFDB] of the bridge is left out: everlan has no words for it', context.report);
    return;
  }
  const strange = section.entries.find((entry) => isStrange(entry, context.vni));
  if (strange !== undefined) {
    leftOut(strange.place, `a [BridgeFDB] is left out: everlan has no word for its ${strange.key}=`, context.report);
    return;
  }
  const destination = last(section, 'Destination');
  const layer = last(section, 'MACAddress');
  const vtep = parseIp(destination?.value ?? '');
  const mac = layer === undefined ? ZERO_MAC : readMac(layer.value);
  if (vtep === null || mac === null || !isUnicast(vtep)) {
    const entry = mac === null ? layer : destination;
    const message =
      'a [BridgeFDB] of an overlay needs Destination=, the address of a VTEP, and a MAC address that is one';
    context.report.add('source-accepted', entry?.place ?? section.place, message);
  } else if (mac === ZERO_MAC) {
    draft.flood.add(vtep);
    draft.places.set(`flood ${vtep}`, (destination ?? section).place);
  } else if (isGroupMac(mac)) {
    leftOut(
      (layer ?? section).place,
      `the row of the group ${mac} is left out: everlan has no word for it`,
      context.report,
    );
  } else {
    draft.macs.set(mac, vtep);
    draft.places.set(`macs ${mac}`, (layer ?? section).place);
  }
}

function isStrange({ key, value }: Entry, vni: number | null): boolean {
  if (key === 'MACAddress' || key === 'Destination') return false;
  if (key === 'AssociatedWith') return value !== 'self';
  return key !== 'VNI' || readUnsigned(value) !== vni;
}
