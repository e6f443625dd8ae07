/** `[VXLAN]` of a .netdev file → attributes, as systemd-networkd 252 hands them to the kernel (netdev/vxlan.c). */
import { familyOf, type IpAddress, isMulticast, isUnicast, parseIp } from '../model/address.ts';
import type { Place } from '../model/problem.ts';
import type { VxlanState } from '../model/vxlan.ts';
import { didYouMean, quote } from '../text/words.ts';
import type { Entry } from './networkd-ini.ts';
import type { Unit } from './networkd-units.ts';
import { readBoolean, readRange, readTimeSpan, readUnsigned } from './networkd-values.ts';
import type { Report } from './report.ts';

export interface Vxlan {
  /** undefined: none that can be one. */
  readonly vni: number | undefined;
  /** Without `vni` and `device`. */
  readonly attributes: Partial<VxlanState>;
  /** It needs no device to be made. */
  readonly independent: boolean;
  readonly places: ReadonlyMap<string, Place>;
}

type Attributes = { -readonly [K in keyof VxlanState]?: VxlanState[K] };

/** While the lines are read, the later ones over the earlier ones. */
interface Draft {
  vni?: number;
  independent: boolean;
  group: IpAddress | null;
  remote: IpAddress | null;
  readonly attributes: Attributes;
}

/** undefined: taken; else what the value must be, and what becomes of another. */
type Read = (value: string, draft: Draft) => string | undefined;

interface Row {
  readonly read: Read;
  /** Name of its place. */
  readonly name: string;
}

const PAST = 'networkd reads past it';

const row = (name: string, read: Read): Row => ({ name, read });

function boolean(name: keyof VxlanState & BooleanAttribute): Row {
  return row(name, (value, { attributes }) => {
    const on = readBoolean(value);
    if (on === undefined) return `yes or no: ${PAST}`;
    attributes[name] = on;
    return undefined;
  });
}

type BooleanAttribute = { [K in keyof VxlanState]: VxlanState[K] extends boolean ? K : never }[keyof VxlanState];
type NumberAttribute = { [K in keyof VxlanState]: VxlanState[K] extends number ? K : never }[keyof VxlanState];

function number(name: NumberAttribute, min: number, max: number, otherwise: string): Row {
  return row(name, (value, { attributes }) => {
    const said = readUnsigned(value);
    if (said === undefined || said < min || said > max) return `a whole number from ${min} to ${max}: ${otherwise}`;
    attributes[name] = said;
    return undefined;
  });
}

/** Empty, or all zeros: none. */
function address(name: 'local' | 'remote' | 'group', what: string, good: (address: IpAddress) => boolean): Row {
  return row(name === 'group' ? 'remote' : name, (value, draft) => {
    const said = parseIp(value);
    const none = value === '' || said === '0.0.0.0' || said === '::';
    if (!none && (said === null || !good(said))) return `${what}: ${PAST}`;
    const given = none ? null : said;
    if (name === 'local') draft.attributes.local = given;
    else draft[name] = given;
    return undefined;
  });
}

const isPlain = (said: IpAddress): boolean => !(said.startsWith('::ffff:') && said.includes('.')) && isUnicast(said);

const ROWS: Readonly<Record<string, Row>> = {
  VNI: row('vni', (value, draft) => {
    const said = readUnsigned(value);
    // networkd takes 0; RFC 7348 does not forbid it, but no fabric has it.
    if (said === undefined || said < 1 || said > 16777215) return 'a whole number from 1 to 16777215';
    draft.vni = said;
    return undefined;
  }),
  Remote: address('remote', 'the address of one host', isPlain),
  Group: address('group', 'a multicast group', isMulticast),
  Local: address('local', 'the address of one host', isPlain),
  TOS: number('tos', 0, 255, 'networkd cuts it to its low 8 bits'),
  TTL: row('ttl', (value, { attributes }) => {
    // Once said, a later number does not take it back.
    if (value === 'inherit') attributes.ttlInherit = true;
    const said = value === 'inherit' ? 0 : readUnsigned(value);
    if (said === undefined || said > 255) return `a whole number from 0 to 255, or inherit: ${PAST}`;
    if (value !== 'inherit') attributes.ttl = said;
    return undefined;
  }),
  MacLearning: boolean('learning'),
  ReduceARPProxy: boolean('proxy'),
  L2MissNotification: boolean('l2miss'),
  L3MissNotification: boolean('l3miss'),
  RouteShortCircuit: boolean('rsc'),
  UDPChecksum: boolean('udpCsum'),
  UDP6ZeroChecksumTx: boolean('udpZeroCsum6Tx'),
  UDP6ZeroChecksumRx: boolean('udpZeroCsum6Rx'),
  RemoteChecksumTx: boolean('remcsumTx'),
  RemoteChecksumRx: boolean('remcsumRx'),
  FDBAgeingSec: row('ageing', (value, { attributes }) => {
    const seconds = readTimeSpan(value);
    // 0 is not handed over. Parts of seconds are cut; the kernel makes 300 of 0 and keeps seconds × HZ in 32 bits.
    if (seconds === 0) delete attributes.ageing;
    else if (seconds === undefined || seconds < 1 || seconds >= 4294968) return 'a time span from 1s to 4294967s';
    else attributes.ageing = Math.floor(seconds);
    return undefined;
  }),
  GroupPolicyExtension: boolean('gbp'),
  GenericProtocolExtension: boolean('gpe'),
  MaximumFDBEntries: number('limit', 0, 4294967295, PAST),
  PortRange: row('portLow', (value, { attributes }) => {
    const range = readRange(value);
    if (range === undefined || range[0] < 1 || range[1] > 65535 || range[0] > range[1]) {
      return `LOW-HIGH with whole numbers from 1 to 65535: ${PAST}`;
    }
    [attributes.portLow, attributes.portHigh] = range;
    return undefined;
  }),
  DestinationPort: row('port', (value, { attributes }) => {
    const port = value === '' ? 8472 : readUnsigned(value);
    if (port === undefined || port < 1 || port > 65535) {
      return `a whole number from 1 to 65535: ${PAST}, and the kernel takes 8472`;
    }
    attributes.port = port;
    return undefined;
  }),
  FlowLabel: number('label', 0, 1048575, PAST),
  IPDoNotFragment: row('df', (value, { attributes }) => {
    const on = value === 'inherit' ? 2 : readBoolean(value); // enum ifla_vxlan_df
    if (on === undefined) return `yes, no or inherit: ${PAST}`;
    attributes.df = Number(on);
    return undefined;
  }),
  Independent: row('independent', (value, draft) => {
    const on = readBoolean(value);
    if (on === undefined) return `yes or no: ${PAST}`;
    draft.independent = on;
    return undefined;
  }),
};

/** Older spellings (netdev/netdev-gperf.gperf). */
const ALIASES: Readonly<Record<string, string>> = {
  Id: 'VNI',
  ARPProxy: 'ReduceARPProxy',
  UDPCheckSum: 'UDPChecksum',
  UDP6ZeroCheckSumTx: 'UDP6ZeroChecksumTx',
  UDP6ZeroCheckSumRx: 'UDP6ZeroChecksumRx',
};

/** `Local=` by what the device will have; nobody knows it beforehand. */
const LOCAL_LATER = new Set(['ipv4_link_local', 'ipv6_link_local', 'dhcp4', 'dhcp6', 'slaac']);

export function readVxlan(unit: Unit, report: Report): Vxlan {
  // networkd switches UDP checksums off unless it is told otherwise, and without a port the kernel takes 8472.
  const draft: Draft = { independent: false, group: null, remote: null, attributes: { port: 8472, udpCsum: false } };
  const places = new Map<string, Place>();
  for (const { entries } of unit.named('VXLAN')) for (const entry of entries) readEntry(entry, draft, places, report);
  const { attributes, remote, group } = draft;
  if (remote !== null && group !== null) {
    const message = 'Group= and Remote= stand both: networkd does not make the link';
    report.add('source-conflict', places.get('remote'), message, 'keep one');
  }
  if (draft.vni === undefined && !places.has('vni')) {
    report.add('source-missing', unit.place, `${unit.name} has no VNI=: networkd does not make the link`);
  }
  const outer = group ?? remote;
  if (outer !== null) attributes.remote = outer;
  if (attributes.ttlInherit === true) delete attributes.ttl;
  checkFamilies(attributes, places, report);
  if (attributes.gpe === true) {
    const message = 'the kernel takes GenericProtocolExtension= only on external links, so this one is not made';
    report.add('source-accepted', places.get('gpe'), message);
  }
  return { vni: draft.vni, attributes, independent: draft.independent, places };
}

function readEntry({ key, value, place }: Entry, draft: Draft, places: Map<string, Place>, report: Report): void {
  const name = ALIASES[key] ?? key;
  const row = ROWS[name];
  if (row === undefined) {
    const hint = didYouMean(key, [...Object.keys(ROWS), ...Object.keys(ALIASES)]);
    report.add('source-left-out', place, `${key}= is left out: networkd 252 does not know it`, hint);
    return;
  }
  if (name === 'Local' && LOCAL_LATER.has(value)) {
    const hint = 'name the host’s underlay address';
    report.add('source-left-out', place, `Local=${value} is left out: the address is known on the host only`, hint);
    return;
  }
  places.set(row.name, place);
  const wanted = row.read(value, draft);
  if (wanted === undefined) return;
  report.add(
    'source-accepted',
    place,
    `${key}= must be ${value === '' ? 'there, ' : ''}${wanted}, not ${quote(value)}`,
  );
}

function checkFamilies({ local, remote, label }: Attributes, places: ReadonlyMap<string, Place>, report: Report): void {
  const outer = remote ?? local ?? null;
  if (local && remote && familyOf(local) !== familyOf(remote)) {
    report.add(
      'source-conflict',
      places.get('local'),
      'Local= and Remote= are of two families: the kernel refuses the link',
    );
  } else if (label !== undefined && label > 0 && (outer === null || familyOf(outer) === 4)) {
    const message = 'FlowLabel= is part of the IPv6 header, and the kernel refuses it over IPv4';
    report.add('source-accepted', places.get('label'), message);
  }
}
