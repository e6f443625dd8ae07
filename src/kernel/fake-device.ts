/** What stands on a link of the fake kernel, and what the kernel does with it beside what it is asked to. */
import {
  contains,
  type Family,
  familyOf,
  type IpAddress,
  isLinkLocal6,
  networkOf,
  type Prefix,
} from '../model/address.ts';
import { ZERO_MAC } from '../model/mac.ts';
import {
  type AddressState,
  type FdbRow,
  fdbKey,
  type LinkState,
  type NeighbourState,
  type RouteState,
  routeKey,
} from '../model/state.ts';
import type { VxlanState } from '../model/vxlan.ts';

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export interface Device
  extends Mutable<Omit<LinkState, 'addresses' | 'fdb' | 'neighbours' | 'routes' | 'vxlan' | 'overlay'>> {
  vxlan: Mutable<VxlanState> | null;
  /** Of the outer packets, settled when the link is made. */
  family: Family;
  /** Whether the flooding list has the row that stands for `remote`. */
  remoteRow: boolean;
  /** A bridge's MTU follows its smallest port until somebody sets it. */
  followsPorts: boolean;
  /** In the order of their making: the first of an IPv4 subnet is its primary. */
  readonly addresses: Map<Prefix, AddressState>;
  readonly fdb: Map<string, FdbRow>;
  readonly neighbours: Map<IpAddress, NeighbourState>;
  readonly routes: Map<string, RouteState>;
}

/** The kernel's answer to a request that it does not carry out. */
export class Refusal extends Error {
  readonly errno: number;

  /** @param errno positive; see errno(3) */
  constructor(errno: number, message: string) {
    super(message);
    this.errno = errno;
  }
}

export const ENOENT = 2;
export const ESRCH = 3;
export const EEXIST = 17;
export const ENODEV = 19;
export const EINVAL = 22;
const ENOSPC = 28;
export const EOPNOTSUPP = 95;
const EAFNOSUPPORT = 97;
export const EADDRNOTAVAIL = 99;
const ENETDOWN = 100;
const ENETUNREACH = 101;
const EHOSTUNREACH = 113;

/** The least MTU of a link that speaks IPv6 (RFC 8200, section 5). */
export const IPV6_MTU = 1280;

export function familyOfLink(link: LinkState): Family {
  const endpoint = link.vxlan?.remote ?? link.vxlan?.local ?? link.fdb.values().next().value?.vtep;
  return endpoint === undefined ? 4 : familyOf(endpoint);
}

/** A row with its own port, VNI or link stands beside the plain one. */
export function rowKey(row: FdbRow): string {
  return row.special === undefined ? fdbKey(row.mac, row.vtep) : `${fdbKey(row.mac, row.vtep)} special`;
}

function noIpv6(device: Device, family: Family, message: string): void {
  if (family === 6 && device.mtu < IPV6_MTU) throw new Refusal(EINVAL, message);
}

function loseRoutes({ routes }: Device, family: Family): void {
  for (const [key, { to }] of [...routes]) if (familyOf(to) === family) routes.delete(key);
}

export function loseIpv6(device: Device): void {
  for (const table of [device.addresses, device.neighbours]) {
    for (const key of [...table.keys()]) if (familyOf(key) === 6) (table as Map<string, unknown>).delete(key);
  }
  loseRoutes(device, 6);
}

export function addAddress(device: Device, address: AddressState): void {
  noIpv6(device, familyOf(address.prefix), 'Invalid argument');
  device.addresses.set(address.prefix, address);
}

/** @param promote whether a secondary address becomes primary instead of going too */
export function removeAddress(device: Device, { prefix }: AddressState, promote: boolean): void {
  if (!device.addresses.has(prefix)) throw new Refusal(EADDRNOTAVAIL, 'Address not found');
  if (familyOf(prefix) === 6) {
    device.addresses.delete(prefix);
    return;
  }
  const network = networkOf(prefix);
  const subnet = [...device.addresses.keys()].filter((other) => networkOf(other) === network);
  device.addresses.delete(prefix);
  if (subnet[0] === prefix && !promote) for (const secondary of subnet) device.addresses.delete(secondary);
  if ([...device.addresses.keys()].some((other) => familyOf(other) === 4)) return;
  loseRoutes(device, 4);
  for (const at of [...device.neighbours.keys()]) if (familyOf(at) === 4) device.neighbours.delete(at);
}

export function addRow(device: Device, row: FdbRow): void {
  if (device.vxlan === null) throw new Refusal(EOPNOTSUPP, 'Operation not supported');
  if (familyOf(row.vtep) !== device.family) throw new Refusal(EAFNOSUPPORT, 'Address family not supported by protocol');
  const { limit, remote, device: underlay } = device.vxlan;
  // Without a device the kernel's own row for `remote` is this one.
  if (row.mac === ZERO_MAC && device.remoteRow && row.vtep === remote && underlay === null) return;
  const key = rowKey(row);
  // A unicast MAC has one row: it is replaced, whatever it said.
  if (fdbKey(row.mac, row.vtep) === row.mac) {
    device.fdb.delete(row.mac);
    device.fdb.delete(`${row.mac} special`);
  }
  if (limit > 0 && !device.fdb.has(key) && device.fdb.size >= limit)
    throw new Refusal(ENOSPC, 'No space left on device');
  device.fdb.set(key, row);
}

export function removeRow(device: Device, row: FdbRow): void {
  if (!device.fdb.delete(rowKey(row))) throw new Refusal(ENOENT, 'No such file or directory');
}

export function addNeighbour(device: Device, neighbour: NeighbourState): void {
  noIpv6(device, familyOf(neighbour.address), 'IPv6 is disabled on this device.');
  device.neighbours.set(neighbour.address, neighbour);
}

export function removeNeighbour(device: Device, { address }: NeighbourState): void {
  if (!device.neighbours.delete(address)) throw new Refusal(ENOENT, 'No such file or directory');
}

/** @param others the other links: one table holds the routes of all */
export function addRoute(device: Device, route: RouteState, others: Iterable<Device>): void {
  const { via } = route;
  if (!device.up) throw new Refusal(ENETDOWN, 'Device for nexthop is not up.');
  noIpv6(device, familyOf(route.to), 'IPv6 is disabled on this device.');
  const key = routeKey(route);
  for (const { routes } of [device, ...others]) if (routes.has(key)) throw new Refusal(EEXIST, 'File exists');
  const near =
    via === null || isLinkLocal6(via) || [...device.addresses.keys()].some((prefix) => contains(prefix, via));
  if (!near) {
    if (familyOf(route.to) === 4) throw new Refusal(ENETUNREACH, 'Nexthop has invalid gateway.');
    throw new Refusal(EHOSTUNREACH, 'No route to host');
  }
  device.routes.set(key, route);
}

export function removeRoute(device: Device, route: RouteState): void {
  if (!device.routes.delete(routeKey(route))) throw new Refusal(ESRCH, 'No such process');
}
