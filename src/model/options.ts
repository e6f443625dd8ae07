/**
 * The option table: one row for each key that an overlay may have beside `vni` and `hosts`. Checks, the JSON
 * Schema, help texts, renderers and importers all go through these rows; a new option starts here.
 */
import type { IpAddress, Prefix } from './address.ts';
import type { Mac } from './mac.ts';
import type { VxlanAttribute } from './vxlan.ts';

/** What a value may look like in the file. */
export type ValueType =
  | { readonly kind: 'integer'; readonly min: number; readonly max: number; readonly unit?: string }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'word'; readonly words: readonly string[] }
  /** A list without duplicates of the given words. */
  | { readonly kind: 'words'; readonly words: readonly string[]; readonly refused?: Readonly<Record<string, string>> }
  /** `[low, high]`, low ≤ high. */
  | { readonly kind: 'range'; readonly min: number; readonly max: number }
  | { readonly kind: 'link-name' }
  | { readonly kind: 'link-names' }
  | { readonly kind: 'unicast-list' }
  | { readonly kind: 'multicast' }
  | { readonly kind: 'host-macs' }
  | { readonly kind: 'static-macs' }
  | { readonly kind: 'routes' }
  | { readonly kind: 'any-of'; readonly types: readonly ValueType[] };

/** A route over the overlay; `via` is a member's name or an address. */
export interface OverlayRoute {
  readonly to: Prefix;
  readonly via: string | IpAddress;
}

/** Static MAC → a host's name or a VTEP's address. */
export type StaticMacs = ReadonlyMap<Mac, string | IpAddress>;

/** The values after the checks. null stands for "nothing said: the kernel's default". */
export interface OverlayOptions {
  readonly port: number;
  readonly ageing: number | null;
  readonly limit: number | null;
  readonly ttl: number | 'inherit' | null;
  readonly 'type-of-service': number | null;
  readonly 'flow-label': number | null;
  readonly 'do-not-fragment': boolean | 'inherit' | null;
  readonly 'mac-learning': boolean | null;
  readonly 'arp-proxy': boolean | null;
  readonly 'short-circuit': boolean | null;
  readonly 'port-range': readonly [number, number] | null;
  readonly notifications: readonly string[] | null;
  readonly checksums: readonly string[] | null;
  readonly extensions: readonly string[] | null;
  readonly local: 'underlay' | 'none';
  readonly mtu: number | 'auto';
  /** 'auto' or the MAC of some hosts by name; hosts not named are 'auto'. */
  readonly mac: 'auto' | ReadonlyMap<string, Mac>;
  readonly flood: 'peers' | 'none' | IpAddress;
  readonly remotes: readonly IpAddress[];
  readonly macs: StaticMacs;
  readonly bridge: string | null;
  readonly ports: readonly string[];
  readonly routes: readonly OverlayRoute[];
  readonly neighbours: 'learned' | 'static';
  readonly 'tx-checksum-offload': boolean;
}

export type Option = keyof OverlayOptions;

export interface OptionRow {
  /** Other spellings that the file may use. */
  readonly aliases?: readonly string[];
  readonly type: ValueType;
  readonly default: unknown;
  /** The VXLAN attributes that this option sets; their rows say whether a change is live or a recreate. */
  readonly attributes: readonly VxlanAttribute[];
  /** One line for the schema and the manual. */
  readonly help: string;
}

const bool: ValueType = { kind: 'boolean' };
const integer = (min: number, max: number, unit?: string): ValueType =>
  unit === undefined ? { kind: 'integer', min, max } : { kind: 'integer', min, max, unit };
const words = (...list: string[]): ValueType => ({ kind: 'words', words: list });
const word = (...list: string[]): ValueType => ({ kind: 'word', words: list });
const anyOf = (...types: ValueType[]): ValueType => ({ kind: 'any-of', types });

const EMPTY: ReadonlyMap<string, never> = new Map<string, never>();

export const OPTIONS = {
  port: {
    type: integer(1, 65535),
    default: 4789,
    attributes: ['port'],
    help: 'UDP destination port (4789 is IANA’s, RFC 7348)',
  },
  ageing: {
    aliases: ['aging'],
    // The kernel turns 0 into 300 in silence, and keeps seconds × HZ in 32 bits.
    type: integer(1, 4294967, 'seconds'),
    default: null,
    attributes: ['ageing'],
    help: 'seconds until a learned FDB row is forgotten (kernel: 300)',
  },
  limit: {
    type: integer(1, 4294967295),
    default: null,
    attributes: ['limit'],
    help: 'most FDB rows on the link (kernel: no limit)',
  },
  ttl: {
    type: anyOf(integer(1, 255), word('inherit')),
    default: null,
    attributes: ['ttl', 'ttlInherit'],
    help: 'TTL of the outer packet, or inherit to copy the inner one',
  },
  'type-of-service': {
    type: integer(0, 255),
    default: null,
    attributes: ['tos'],
    help: 'TOS byte of the outer packet; 1 copies the inner one',
  },
  'flow-label': {
    type: integer(0, 1048575),
    default: null,
    attributes: ['label'],
    help: 'IPv6 flow label of the outer packet; needs an IPv6 underlay',
  },
  'do-not-fragment': {
    type: anyOf(bool, word('inherit')),
    default: null,
    attributes: ['df'],
    help: 'don’t-fragment bit of the outer IPv4 header, or inherit to copy the inner one',
  },
  'mac-learning': { type: bool, default: null, attributes: ['learning'], help: 'learn FDB rows from arriving frames' },
  'arp-proxy': {
    type: bool,
    default: null,
    attributes: ['proxy'],
    help: 'answer ARP and neighbour solicitations from known neighbours',
  },
  'short-circuit': {
    type: bool,
    default: null,
    attributes: ['rsc'],
    help: 'route short circuit: send straight to the final VTEP',
  },
  'port-range': {
    type: { kind: 'range', min: 1, max: 65535 },
    default: null,
    attributes: ['portLow', 'portHigh'],
    help: 'UDP source ports, [low, high]',
  },
  notifications: {
    type: words('l2-miss', 'l3-miss'),
    default: null,
    attributes: ['l2miss', 'l3miss'],
    help: 'misses that the kernel reports over netlink',
  },
  checksums: {
    type: words('udp', 'zero-udp6-tx', 'zero-udp6-rx', 'remote-tx', 'remote-rx'),
    default: null,
    attributes: ['udpCsum', 'udpZeroCsum6Tx', 'udpZeroCsum6Rx', 'remcsumTx', 'remcsumRx'],
    help: 'checksums of the outer packet; a list given is complete (kernel: udp)',
  },
  extensions: {
    type: {
      kind: 'words',
      words: ['group-policy'],
      refused: { 'generic-protocol': 'the kernel takes it only on external links, which everlan does not make' },
    },
    default: null,
    attributes: ['gbp'],
    help: 'VXLAN extensions',
  },
  local: {
    type: word('underlay', 'none'),
    default: 'underlay',
    attributes: ['local'],
    help: 'outer source address: the host’s underlay address, or none to leave it to the route',
  },
  mtu: {
    type: anyOf(word('auto'), integer(68, 65535, 'bytes')),
    default: 'auto',
    attributes: [],
    help: 'MTU of the overlay; auto: the device’s minus 50 (IPv4 underlay) or 70 (IPv6)',
  },
  mac: {
    type: anyOf(word('auto'), { kind: 'host-macs' }),
    default: 'auto',
    attributes: [],
    help: 'auto: stable, derived from fabric, overlay and host; or a map host → MAC',
  },
  flood: {
    type: anyOf(word('peers', 'none'), { kind: 'multicast' }),
    default: 'peers',
    attributes: ['remote'],
    help: 'how broadcast and unknown frames find the others: peers, a multicast group, or none',
  },
  remotes: {
    type: { kind: 'unicast-list' },
    default: [],
    attributes: [],
    help: 'VTEPs outside the fabric, such as a switch',
  },
  macs: { type: { kind: 'static-macs' }, default: EMPTY, attributes: [], help: 'static MAC → host or VTEP' },
  bridge: {
    type: { kind: 'link-name' },
    default: null,
    attributes: [],
    help: 'bridge to put the link into; the addresses then go on the bridge',
  },
  ports: { type: { kind: 'link-names' }, default: [], attributes: [], help: 'local links to put into the bridge' },
  routes: {
    type: { kind: 'routes' },
    default: [],
    attributes: [],
    help: 'routes over the overlay: {to, via}, via a member or an address',
  },
  neighbours: {
    type: word('learned', 'static'),
    default: 'learned',
    attributes: [],
    help: 'static: members’ MACs and addresses become permanent FDB rows and neighbours',
  },
  'tx-checksum-offload': {
    type: bool,
    default: true,
    attributes: [],
    help: 'false switches it off on the link, for NICs that spoil encapsulated packets',
  },
} as const satisfies Record<Option, OptionRow>;

export const OPTION_NAMES = Object.keys(OPTIONS) as readonly Option[];

/** What an overlay has that says nothing but its VNI and hosts. */
export const OPTION_DEFAULTS: OverlayOptions = Object.fromEntries(
  OPTION_NAMES.map((name) => [name, OPTIONS[name].default]),
) as unknown as OverlayOptions;
