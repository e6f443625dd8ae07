/** Steps as netlink requests. */
import { addressOf, bytesOf, type Family, familyOf, lengthOf } from '../model/address.ts';
import { isGroupMac, ZERO_MAC } from '../model/mac.ts';
import type { AddressState, FdbRow, LinkAttributes, LinkState, NeighbourState, RouteState } from '../model/state.ts';
import type { AttributeChange } from '../model/step.ts';
import { VXLAN_ATTRIBUTES, type VxlanAttribute } from '../model/vxlan.ts';
import { type AddressMessage, writeAddress } from '../netlink/address.ts';
import { IFF, type LinkMessage, writeLink } from '../netlink/link.ts';
import { AF, NLM_F, RTM } from '../netlink/message.ts';
import { NTF, NUD, writeNeighbour } from '../netlink/neighbour.ts';
import { type RouteMessage, RT_SCOPE, RT_TABLE_MAIN, RTN_UNICAST, writeRoute } from '../netlink/route.ts';
import type { Writer } from '../netlink/wire.ts';
import { type LinkNames, vxlanChange, vxlanCreation } from './vxlan-wire.ts';

/** One request: type, flags beside NLM_F_REQUEST, and its body. */
export interface Request {
  readonly type: number;
  readonly flags: number;
  readonly write: (to: Writer) => void;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type LinkFields = Mutable<LinkMessage['attributes']>;

const FOREVER = 0xffffffff;
/** ETH_MIN_MTU (<linux/if_ether.h>). */
const LEAST_MTU = 68;
const AF_OF: Record<Family, number> = { 4: AF.INET, 6: AF.INET6 };

function setLink(index: number, attributes: LinkFields, up?: boolean): Request {
  const flags = up === true ? IFF.UP : 0;
  const change = up === undefined ? 0 : IFF.UP;
  return { type: RTM.SETLINK, flags: 0, write: (to) => writeLink(to, { index, flags, change, attributes }) };
}

/** The family of the outer packets: by the endpoints, else by the rows that will stand on the link. */
function outerFamily(link: LinkState): Family {
  const endpoint = link.vxlan?.remote ?? link.vxlan?.local ?? link.fdb.values().next().value?.vtep;
  return endpoint === undefined ? 4 : familyOf(endpoint);
}

/**
 * Makes the link, down, under an index of our choosing, so that what follows needs no look-up. The alias is not in it: the kernel drops it there.
 */
export function createLink(link: LinkState, index: number, names: LinkNames): Request {
  const attributes: LinkFields = {
    name: link.name,
    // Not yet a bridge's own: the kernel takes the same MTU again for no change.
    mtu: link.vxlan === null ? Math.max(LEAST_MTU, link.mtu - 1) : link.mtu,
    address: link.mac,
    group: link.group,
    linkInfo:
      link.vxlan === null
        ? { kind: 'bridge' }
        : { kind: 'vxlan', vxlan: vxlanCreation(link.vxlan, names, outerFamily(link)) },
  };
  return {
    type: RTM.NEWLINK,
    flags: NLM_F.CREATE | NLM_F.EXCL,
    write: (to) => writeLink(to, { index, flags: 0, change: 0, attributes }),
  };
}

export function setAlias(index: number, alias: string): Request {
  return setLink(index, { alias });
}

/**
 * What cannot be said when a link is made: the alias, and the MTU of a bridge, which follows its ports until somebody
 * changes it. null: nothing.
 */
export function finishLink(index: number, link: LinkState): Request | null {
  const alias = link.alias === '' ? {} : { alias: link.alias };
  const mtu = link.vxlan === null ? { mtu: link.mtu } : {};
  const attributes = { ...alias, ...mtu };
  return Object.keys(attributes).length === 0 ? null : setLink(index, attributes);
}

export function setUp(index: number): Request {
  return setLink(index, {}, true);
}

export function setGroup(index: number, group: number): Request {
  return setLink(index, { group });
}

/** 0 takes the link out of its bridge. */
export function setMaster(index: number, master: number): Request {
  return setLink(index, { master });
}

export function deleteLink(index: number): Request {
  const link = { index, flags: 0, change: 0, attributes: {} };
  return { type: RTM.DELLINK, flags: 0, write: (to) => writeLink(to, link) };
}

/** Deletes every link of the group in one request: the kernel waits for its readers once, not once for each link. */
export function deleteGroup(group: number): Request {
  const link = { index: 0, flags: 0, change: 0, attributes: { group } };
  return { type: RTM.DELLINK, flags: 0, write: (to) => writeLink(to, link) };
}

function isVxlanAttribute(name: AttributeChange['attribute']): name is VxlanAttribute {
  return name in VXLAN_ATTRIBUTES;
}

/** How an attribute of every link is said in IFLA_*; `up` is a flag and checksum offload an ioctl. */
const LINK_FIELDS: Record<keyof LinkAttributes, (fields: LinkFields, link: LinkState) => void> = {
  alias: (fields, link) => {
    fields.alias = link.alias;
  },
  group: (fields, link) => {
    fields.group = link.group;
  },
  mtu: (fields, link) => {
    fields.mtu = link.mtu;
  },
  mac: (fields, link) => {
    fields.address = link.mac;
  },
  up: () => undefined,
  txChecksum: () => undefined,
};

/** The changes of VXLAN attributes; null when there are none. */
export function changeVxlan(
  changes: readonly AttributeChange[],
  from: LinkState,
  to: LinkState,
  names: LinkNames,
): Request | null {
  const attributes = changes.map(({ attribute }) => attribute).filter(isVxlanAttribute);
  if (attributes.length === 0 || from.vxlan === null || to.vxlan === null) return null;
  const linkInfo = { kind: 'vxlan', vxlan: vxlanChange(attributes, from.vxlan, to.vxlan, names) };
  // NEWLINK without CREATE: SETLINK would pass IFLA_LINKINFO over.
  return { ...setLink(from.index, { linkInfo }), type: RTM.NEWLINK };
}

/**
 * The changes of what every link has; null when netlink has nothing to say (checksum offload alone). A message of its
 * own: beside VXLAN attributes, the kernel refuses an MTU.
 */
export function changeLink(changes: readonly AttributeChange[], from: LinkState, to: LinkState): Request | null {
  const fields: LinkFields = {};
  for (const { attribute } of changes) if (!isVxlanAttribute(attribute)) LINK_FIELDS[attribute](fields, to);
  const up = changes.some(({ attribute }) => attribute === 'up') ? to.up : undefined;
  return up === undefined && Object.keys(fields).length === 0 ? null : setLink(from.index, fields, up);
}

function addressMessage(index: number, state: AddressState): Parameters<typeof writeAddress>[1] {
  const address = addressOf(state.prefix);
  const forever = state.validLifetime === FOREVER && state.preferredLifetime === FOREVER;
  return {
    family: AF_OF[familyOf(address)],
    length: lengthOf(state.prefix),
    scope: state.scope,
    index,
    attributes: {
      local: address,
      address: state.peer ?? address,
      ...(state.label === undefined ? {} : { label: state.label }),
      ...(state.broadcast === null ? {} : { broadcast: state.broadcast }),
      ...(forever ? {} : { lifetimes: { preferred: state.preferredLifetime, valid: state.validLifetime } }),
      ...(state.flags === 0 ? {} : { flags: state.flags }),
      ...(state.protocol === 0 ? {} : { protocol: state.protocol }),
    },
  };
}

/** Adding one that is there already only renews it (NLM_F_REPLACE). */
export function addAddress(index: number, state: AddressState): Request {
  const message = addressMessage(index, state);
  return { type: RTM.NEWADDR, flags: NLM_F.CREATE | NLM_F.REPLACE, write: (to) => writeAddress(to, message) };
}

export function removeAddress(index: number, state: AddressState): Request {
  const address = addressOf(state.prefix);
  const message = {
    family: AF_OF[familyOf(address)],
    length: lengthOf(state.prefix),
    scope: 0,
    index,
    attributes: { local: address, address: state.peer ?? address },
  };
  return { type: RTM.DELADDR, flags: 0, write: (to) => writeAddress(to, message) };
}

/** Removes an IPv4 or IPv6 address that was read from the kernel. */
export function removeAddressMessage({ attributes: { local, address }, ...head }: AddressMessage): Request {
  const attributes = { ...(local === undefined ? {} : { local }), ...(address === undefined ? {} : { address }) };
  return { type: RTM.DELADDR, flags: 0, write: (to) => writeAddress(to, { ...head, attributes }) };
}

/** Removes a route that was read from the kernel. */
export function removeRouteMessage(message: RouteMessage): Request {
  return { type: RTM.DELROUTE, flags: 0, write: (to) => writeRoute(to, message) };
}

function writeRow(to: Writer, index: number, row: FdbRow): void {
  writeNeighbour(to, {
    family: AF.BRIDGE,
    index,
    state: NUD.PERMANENT,
    flags: NTF.SELF,
    attributes:
      row.special === undefined
        ? { mac: row.mac, destination: row.vtep }
        : { mac: row.mac, destination: row.vtep, ...row.special },
  });
}

/** A unicast MAC's row replaces the one that is there, learned or not; rows of a group or all-zeros MAC are appended. */
export function addFdbRow(index: number, row: FdbRow): Request {
  const many = row.mac === ZERO_MAC || isGroupMac(row.mac);
  const flags = NLM_F.CREATE | (many ? NLM_F.APPEND : NLM_F.REPLACE);
  return { type: RTM.NEWNEIGH, flags, write: (to) => writeRow(to, index, row) };
}

export function removeFdbRow(index: number, row: FdbRow): Request {
  return { type: RTM.DELNEIGH, flags: 0, write: (to) => writeRow(to, index, row) };
}

function writeNeighbourState(to: Writer, index: number, { address, mac, protocol }: NeighbourState): void {
  writeNeighbour(to, {
    family: AF_OF[familyOf(address)],
    index,
    state: NUD.PERMANENT,
    flags: 0,
    attributes: { destination: address, mac, ...(protocol === 0 ? {} : { protocol }) },
  });
}

export function addNeighbour(index: number, neighbour: NeighbourState): Request {
  const flags = NLM_F.CREATE | NLM_F.REPLACE;
  return { type: RTM.NEWNEIGH, flags, write: (to) => writeNeighbourState(to, index, neighbour) };
}

export function removeNeighbour(index: number, { address }: NeighbourState): Request {
  const message = { family: AF_OF[familyOf(address)], index, state: 0, flags: 0, attributes: { destination: address } };
  return { type: RTM.DELNEIGH, flags: 0, write: (to) => writeNeighbour(to, message) };
}

/** A removal meets a route of any scope. */
function scopeOf(type: number, { to, via }: RouteState): number {
  if (familyOf(to) === 6) return RT_SCOPE.UNIVERSE;
  if (type === RTM.DELROUTE) return RT_SCOPE.NOWHERE;
  return via === null ? RT_SCOPE.LINK : RT_SCOPE.UNIVERSE;
}

function routeRequest(type: number, flags: number, index: number, route: RouteState): Request {
  const destination = addressOf(route.to);
  const message = {
    family: AF_OF[familyOf(destination)],
    length: lengthOf(route.to),
    table: RT_TABLE_MAIN,
    protocol: route.protocol,
    scope: scopeOf(type, route),
    type: RTN_UNICAST,
    attributes: {
      ...(bytesOf(destination).every((byte) => byte === 0) && lengthOf(route.to) === 0 ? {} : { destination }),
      outputLink: index,
      ...(route.via === null ? {} : { gateway: route.via }),
      ...(route.metric === 0 ? {} : { metric: route.metric }),
    },
  };
  return { type, flags, write: (to) => writeRoute(to, message) };
}

/** Never replaces a route that is there: it could be a stranger's, over another link. */
export function addRoute(index: number, route: RouteState): Request {
  return routeRequest(RTM.NEWROUTE, NLM_F.CREATE | NLM_F.EXCL, index, route);
}

export function removeRoute(index: number, route: RouteState): Request {
  return routeRequest(RTM.DELROUTE, 0, index, route);
}
