/** What a script is told: networkd-dispatcher's variables. Pure. */
import type { LinkAddress, LinkStatus } from '../kernel/link-status.ts';
import { bytesOf, familyOf, type IpAddress } from '../model/address.ts';
import type { Described } from './describe.ts';
import { type JsonValue, jsonObject } from './python.ts';

export interface States {
  /** The one that the script runs for. */
  readonly state: string;
  readonly administrative: string;
  readonly operational: string;
}

/** All that is known of a link. */
export interface LinkFacts {
  readonly name: string;
  /** As networkctl shows it: `ether`, `loopback`, `wlan`, `vxlan`, … */
  readonly type: string;
  /** null: the kernel has it no longer. */
  readonly status: LinkStatus | null;
  readonly described: Described | null;
  /** Properties of udev's database. */
  readonly udev: ReadonlyMap<string, string>;
}

/** Variables that are about us, not about the script: whoever has them may speak for the service to systemd. */
const KEPT_BACK = [
  'NOTIFY_SOCKET',
  'WATCHDOG_PID',
  'WATCHDOG_USEC',
  'LISTEN_FDS',
  'LISTEN_FDNAMES',
  'LISTEN_PID',
  'LISTEN_PIDFDID',
  'FDSTORE',
  // The script's output goes to us; where ours goes is not its business.
  'JOURNAL_STREAM',
] as const;

type Environment = Readonly<Record<string, string | undefined>>;

/** The service's own environment, as scripts get it. INVOCATION_ID stays: it finds the run's lines in the journal. */
export function inheritedEnvironment(own: Environment): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(own)) {
    if (value !== undefined && !KEPT_BACK.some((other) => other === name)) kept[name] = value;
  }
  return kept;
}

const IFA_F_DEPRECATED = 0x20;
const IFA_F_TENTATIVE = 0x40;

function compareBytes(a: IpAddress, b: IpAddress): number {
  return Buffer.compare(bytesOf(a), bytesOf(b));
}

/** As networkctl lists them: usable ones, IPv4 first, then by scope, metric and value; each once. */
export function listedAddresses(addresses: readonly LinkAddress[]): IpAddress[] {
  const usable = addresses.filter(({ flags }) => (flags & (IFA_F_DEPRECATED | IFA_F_TENTATIVE)) === 0);
  usable.sort(
    (a, b) =>
      familyOf(a.address) - familyOf(b.address) ||
      a.scope - b.scope ||
      a.metric - b.metric ||
      compareBytes(a.address, b.address),
  );
  return [...new Set(usable.map(({ address }) => address))];
}

const UNLIMITED = 0xffffffff;

/** `1500 (min: 68, max: 65535)` */
function mtuText({ mtu, minimumMtu, maximumMtu }: LinkStatus): string {
  const limits = [
    ...(minimumMtu === 0 ? [] : [`min: ${minimumMtu}`]),
    ...(maximumMtu === 0 || maximumMtu === UNLIMITED ? [] : [`max: ${maximumMtu}`]),
  ];
  return limits.length === 0 ? String(mtu) : `${mtu} (${limits.join(', ')})`;
}

function hardwareText({ mac }: LinkStatus, udev: ReadonlyMap<string, string>): string[] {
  if (mac === null) return [];
  const vendor = udev.get('ID_OUI_FROM_DATABASE');
  return [vendor === undefined ? mac : `${mac} (${vendor})`];
}

const some = (value: string | null | undefined): string[] => (value ? [value] : []);
const yesNo = (value: boolean | null | undefined): string[] =>
  value === null || value === undefined ? [] : [value ? 'yes' : 'no'];

type Source = (status: LinkStatus, described: Described | null, udev: ReadonlyMap<string, string>) => readonly string[];

/** The keys that are arrays, as `networkctl status` names them, and where each comes from. */
const ARRAYS: Readonly<Record<string, Source>> = {
  'Activation Policy': (_, described) => some(described?.activationPolicy),
  Address: ({ addresses }) => listedAddresses(addresses),
  'Alternative Names': ({ alternativeNames }) => alternativeNames,
  DNS: (_, described) => described?.dns ?? [],
  Driver: (_, __, udev) => some(udev.get('ID_NET_DRIVER')),
  Gateway: ({ gateways }) => gateways,
  'Hardware Address': (status, _, udev) => hardwareText(status, udev),
  'IPv6 Address Generation Mode': ({ addressGeneration }) => some(addressGeneration),
  Kind: ({ kind }) => some(kind),
  'Link File': (_, described, udev) => [udev.get('ID_NET_LINK_FILE') ?? described?.linkFile ?? 'n/a'],
  MTU: (status) => (status.mtu === 0 ? [] : [mtuText(status)]),
  Model: (_, __, udev) => some(udev.get('ID_MODEL_FROM_DATABASE') ?? udev.get('ID_MODEL')),
  NTP: (_, described) => described?.ntp ?? [],
  'Network File': (_, described) => [described?.networkFile ?? 'n/a'],
  'Number of Queues (Tx/Rx)': ({ queues }) => (queues === null ? [] : [`${queues.tx}/${queues.rx}`]),
  'Online state': (_, described) => [described?.onlineState ?? 'unknown'],
  Path: (_, __, udev) => some(udev.get('ID_PATH')),
  QDisc: ({ qdisc }) => some(qdisc),
  'Required For Online': (_, described) => yesNo(described?.requiredForOnline),
  'Route Domains': (_, described) => described?.routeDomains ?? [],
  'Search Domains': (_, described) => described?.searchDomains ?? [],
  Vendor: (_, __, udev) => some(udev.get('ID_VENDOR_FROM_DATABASE') ?? udev.get('ID_VENDOR')),
};

function jsonOf({ name, type, status, described, udev }: LinkFacts, states: States, essid: string): string {
  const values: Record<string, JsonValue> = {
    AdministrativeState: states.administrative,
    InterfaceName: name,
    OperationalState: states.operational,
    State: `${states.operational} (${states.administrative})`,
    Type: type,
  };
  if (essid !== '') values.ESSID = essid;
  if (status !== null) {
    for (const [key, source] of Object.entries(ARRAYS)) {
      const items = source(status, described, udev);
      if (items.length > 0) values[key] = items;
    }
  }
  return jsonObject(values);
}

/** The variables, to be put over those that the script inherits. */
export function hookVariables(facts: LinkFacts, states: States): Record<string, string> {
  const addresses = facts.status === null ? [] : listedAddresses(facts.status.addresses);
  const essid = facts.type === 'wlan' ? (facts.described?.ssid ?? '') : '';
  const ofFamily = (family: 4 | 6, but: string): string =>
    addresses.filter((address) => familyOf(address) === family && !address.startsWith(but)).join(' ');
  return {
    ADDR: addresses[0] ?? '',
    ESSID: essid,
    IP_ADDRS: ofFamily(4, '127.'),
    IP6_ADDRS: ofFamily(6, 'fe80:'),
    IFACE: facts.name,
    STATE: states.state,
    AdministrativeState: states.administrative,
    OperationalState: states.operational,
    json: jsonOf(facts, states, essid),
  };
}
