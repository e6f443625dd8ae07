/**
 * The state of one host, as wanted (Desired) and as found (Observed): one type, so that a difference is the
 * only thing between them.
 */
import type { IpAddress, Prefix } from './address.ts';
import { isGroupMac, type Mac, ZERO_MAC } from './mac.ts';
import type { VxlanState } from './vxlan.ts';

/**
 * `vxlan` and `bridge` are made by us (or adopted); `port` is somebody's link of which only the bridge it
 * is in concerns us; `joined` is a stranger's bridge that an overlay joins and never owns; `other` is any
 * other link that stands in the place of one of ours.
 */
export type LinkKind = 'vxlan' | 'bridge' | 'port' | 'joined' | 'other';

/** Who put a thing on a link: us, or somebody else. What the kernel makes itself is never listed. */
export type Origin = 'ours' | 'foreign';

/** Attributes that every link has; all of them are changed in place. */
export interface LinkAttributes {
  /** IFLA_IFALIAS, '' when there is none. Ours: `everlan:<fabric>/<overlay>`. */
  readonly alias: string;
  readonly group: number;
  readonly up: boolean;
  readonly mtu: number;
  readonly mac: Mac;
  /** Transmit checksum offload (ETHTOOL_GTXCSUM). */
  readonly txChecksum: boolean;
}

export interface LinkState extends LinkAttributes {
  readonly name: string;
  /** The kernel's index, 0 for a link that does not exist yet. Never compared. */
  readonly index: number;
  readonly kind: LinkKind;
  /** The overlay that it belongs to, as the alias names it; null for a stranger's. */
  readonly overlay: string | null;
  /** The bridge that it is in, or null. */
  readonly master: string | null;
  /** Only on kind `vxlan`. */
  readonly vxlan: VxlanState | null;
  readonly addresses: ReadonlyMap<Prefix, AddressState>;
  /** By `fdbKey`. Rows that the kernel keeps for `remote`, and learned ones, are not listed. */
  readonly fdb: ReadonlyMap<string, FdbRow>;
  readonly neighbours: ReadonlyMap<IpAddress, NeighbourState>;
  /** By `routeKey`. */
  readonly routes: ReadonlyMap<string, RouteState>;
}

export interface AddressState {
  readonly prefix: Prefix;
  readonly origin: Origin;
  /** IFA_PROTO; kept so that a stranger's address can be put back as it was. */
  readonly protocol: number;
  /** IFA_FLAGS that were asked for (noprefixroute and the like), without the kernel's own. */
  readonly flags: number;
  /** Seconds; 0xffffffff is forever. */
  readonly validLifetime: number;
  readonly preferredLifetime: number;
  /** RT_SCOPE_*: 0 global, 253 link, 254 host. */
  readonly scope: number;
  readonly broadcast: IpAddress | null;
  /** A stranger's address may name the far end of a point-to-point link, or have an IPv4 label; ours have neither. */
  readonly peer?: IpAddress;
  readonly label?: string;
}

/** A permanent row of the link's own forwarding database: frames to `mac` go to the VTEP `vtep`. */
export interface FdbRow {
  readonly mac: Mac;
  readonly vtep: IpAddress;
  readonly origin: Origin;
  /** A stranger's row may name its own UDP port, VNI and outgoing link; ours have none. Part of the row's value. */
  readonly special?: { readonly port?: number; readonly vni?: number; readonly via?: number };
}

export interface NeighbourState {
  readonly address: IpAddress;
  readonly mac: Mac;
  readonly origin: Origin;
  readonly protocol: number;
}

export interface RouteState {
  readonly to: Prefix;
  /** null: directly on the link. */
  readonly via: IpAddress | null;
  readonly origin: Origin;
  readonly protocol: number;
  readonly metric: number;
}

/** Every link that is ours, is wanted, or stands where one is wanted; by name. */
export interface HostState {
  readonly links: ReadonlyMap<string, LinkState>;
}

/** What a host has, as far as finding ourselves and the underlay needs it. */
export interface HostFacts {
  /** The machine's hostname; '' inside a namespace given with --netns. */
  readonly hostname: string;
  readonly links: ReadonlyMap<string, LinkFacts>;
}

export interface LinkFacts {
  readonly name: string;
  readonly index: number;
  /** IFLA_INFO_KIND: `vxlan`, `bridge`, `veth`, or '' for a device without one. */
  readonly kind: string;
  readonly up: boolean;
  readonly mtu: number;
  readonly addresses: readonly Prefix[];
}

/**
 * Key of a forwarding row. A unicast MAC has one VTEP, so its MAC alone is the key and a new VTEP replaces the old;
 * the all-zeros MAC and group MACs have one row for each VTEP.
 */
export function fdbKey(mac: Mac, vtep: IpAddress): string {
  return isGroupMac(mac) || mac === ZERO_MAC ? `${mac} ${vtep}` : mac;
}

/** What the kernel gives an IPv6 route without a metric (IP6_RT_PRIO_USER). */
const IPV6_METRIC = 1024;

/** Key of a route: its destination, and with a metric of its own this as well: such routes stand beside each other. */
export function routeKey({ to, metric }: RouteState): string {
  return metric === 0 || (metric === IPV6_METRIC && to.includes(':')) ? to : `${to} metric ${metric}`;
}
