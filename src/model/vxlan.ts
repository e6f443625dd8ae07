/**
 * The attributes of a VXLAN link, one row each: what the kernel takes when nothing is said, and whether it
 * changes on a live link. The bytes of each row stand in netlink (`satisfies Record<VxlanAttribute, …>`).
 * Whether a row is live or needs a recreate is settled by test/attributes.test.ts against the real kernel.
 */
import type { IpAddress } from './address.ts';

/** `live`: changed in place. `recreate`: the kernel refuses or ignores it on a live link, so traffic stops for a moment. */
export type Change = 'live' | 'recreate';

interface Row<T> {
  /** What the kernel does when the attribute is not given at creation. */
  readonly default: T;
  readonly change: Change;
}

const row = <T>(value: T, change: Change): Row<T> => ({ default: value, change });

export const VXLAN_ATTRIBUTES = {
  /** VXLAN network identifier, 1..16777215 (RFC 7348). */
  vni: row<number>(0, 'recreate'),
  /** UDP destination port. The kernel's own default is 8472, so we always say it. */
  port: row<number>(8472, 'recreate'),
  /** The one peer, or the multicast group; null: none, flooding by FDB rows. */
  remote: row<IpAddress | null>(null, 'live'),
  /** Outer source address; null: the route chooses. */
  local: row<IpAddress | null>(null, 'live'),
  /** Name of the underlay device; null: any. */
  device: row<string | null>(null, 'live'),
  /** Outer TTL, 0: the kernel's choice (`auto`). */
  ttl: row<number>(0, 'live'),
  /** Copy the inner TTL. */
  ttlInherit: row<boolean>(false, 'recreate'),
  /** Outer TOS byte; 1: copied from the inner packet. */
  tos: row<number>(0, 'live'),
  /** Don't-fragment bit of the outer IPv4 header: 0 unset, 1 set, 2 copied (enum ifla_vxlan_df). */
  df: row<number>(0, 'live'),
  /** IPv6 flow label, 20 bits. */
  label: row<number>(0, 'live'),
  learning: row<boolean>(true, 'live'),
  /** Seconds until a learned FDB row is forgotten. */
  ageing: row<number>(300, 'live'),
  /** Most FDB rows; 0: no limit. */
  limit: row<number>(0, 'recreate'),
  /** UDP source ports, 0..0: the host's local port range. */
  portLow: row<number>(0, 'recreate'),
  portHigh: row<number>(0, 'recreate'),
  proxy: row<boolean>(false, 'recreate'),
  rsc: row<boolean>(false, 'recreate'),
  l2miss: row<boolean>(false, 'recreate'),
  l3miss: row<boolean>(false, 'recreate'),
  udpCsum: row<boolean>(true, 'recreate'),
  udpZeroCsum6Tx: row<boolean>(false, 'recreate'),
  udpZeroCsum6Rx: row<boolean>(false, 'recreate'),
  remcsumTx: row<boolean>(false, 'recreate'),
  remcsumRx: row<boolean>(false, 'recreate'),
  remcsumNoPartial: row<boolean>(false, 'recreate'),
  gbp: row<boolean>(false, 'recreate'),
  gpe: row<boolean>(false, 'recreate'),
  external: row<boolean>(false, 'recreate'),
  vnifilter: row<boolean>(false, 'recreate'),
  localbypass: row<boolean>(true, 'live'),
} as const satisfies Record<string, Row<unknown>>;

export type VxlanAttribute = keyof typeof VXLAN_ATTRIBUTES;

type ValueOf<K extends VxlanAttribute> = (typeof VXLAN_ATTRIBUTES)[K] extends Row<infer T> ? T : never;

/** Every VXLAN attribute of one link. */
export type VxlanState = { readonly [K in VxlanAttribute]: ValueOf<K> };

export const VXLAN_ATTRIBUTE_NAMES = Object.keys(VXLAN_ATTRIBUTES) as readonly VxlanAttribute[];

/** A link of which nothing was said. */
export const VXLAN_DEFAULTS: VxlanState = Object.fromEntries(
  VXLAN_ATTRIBUTE_NAMES.map((name) => [name, VXLAN_ATTRIBUTES[name].default]),
) as unknown as VxlanState;
