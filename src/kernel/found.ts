/** What the kernel's messages say, in the words of the model. */
import { addressOf, familyOf, type IpAddress, isLinkLocal6, type Prefix } from '../model/address.ts';
import { type Mac, ZERO_MAC } from '../model/mac.ts';
import { PROTOCOL } from '../model/ownership.ts';
import type { AddressState, FdbRow, LinkKind, NeighbourState, Origin, RouteState } from '../model/state.ts';
import { type AddressMessage, IFA_F } from '../netlink/address.ts';
import { AF } from '../netlink/message.ts';
import { type NeighbourMessage, NTF, NUD } from '../netlink/neighbour.ts';
import type { RouteMessage } from '../netlink/route.ts';

const FOREVER = 0xffffffff;
/** IFAPROT_KERNEL_LO, _RA, _LL (<linux/if_addr.h>): addresses that the kernel made itself. */
const KERNEL_ADDRESS_PROTOCOLS = new Set([1, 2, 3]);
/** Flags of an address that somebody asked for; the others are the kernel's own bookkeeping. */
const ASKED_FLAGS = IFA_F.NODAD | IFA_F.HOMEADDRESS | IFA_F.MANAGETEMPADDR | IFA_F.NOPREFIXROUTE | IFA_F.MCAUTOJOIN;
/** What the kernel gives an IPv6 route that was asked for without a metric (IP6_RT_PRIO_USER). */
const IPV6_DEFAULT_METRIC = 1024;
export function prefixOf(message: AddressMessage): Prefix | null {
  const address = message.attributes.local ?? message.attributes.address;
  return address === undefined ? null : (`${address}/${message.length}` as Prefix);
}

/** EUI-64 of a MAC (RFC 4291, appendix A): how the kernel makes fe80::. */
function isEui64(address: IpAddress, mac: Mac): boolean {
  const hex = mac.split(':');
  const first = (Number.parseInt(hex[0] ?? '0', 16) ^ 2).toString(16).padStart(2, '0');
  const groups = [`${first}${hex[1]}`, `${hex[2]}ff`, `fe${hex[3]}`, `${hex[4]}${hex[5]}`];
  return address === `fe80::${groups.map((g) => g.replace(/^0{1,3}/, '')).join(':')}`;
}

/** Whether the kernel made it itself: by its protocol (Linux 5.18), else by what it looks like. */
export function isKernelAddress(message: AddressMessage, prefix: Prefix, mac: Mac): boolean {
  const protocol = message.attributes.protocol ?? 0;
  if (KERNEL_ADDRESS_PROTOCOLS.has(protocol)) return true;
  if (familyOf(prefix) === 4 || protocol !== 0) return false;
  const flags = message.attributes.flags ?? 0;
  if ((flags & (IFA_F.SECONDARY | IFA_F.STABLE_PRIVACY)) !== 0) return true;
  return isLinkLocal6(addressOf(prefix)) && isEui64(addressOf(prefix), mac);
}

export function addressState(message: AddressMessage, prefix: Prefix, origin: Origin): AddressState {
  const { attributes } = message;
  const { local, address, label } = attributes;
  return {
    prefix,
    origin,
    protocol: attributes.protocol ?? 0,
    flags: (attributes.flags ?? 0) & ASKED_FLAGS,
    validLifetime: attributes.lifetimes?.valid ?? FOREVER,
    preferredLifetime: attributes.lifetimes?.preferred ?? FOREVER,
    scope: message.scope,
    broadcast: attributes.broadcast ?? null,
    ...(local === undefined || address === undefined || local === address ? {} : { peer: address }),
    // Without a colon it is the link's name, which the kernel gives by itself.
    ...(label?.includes(':') === true ? { label } : {}),
  };
}

/** The row that the kernel keeps for `remote`; it names the underlay device as well. */
export function isFloodingRow({ attributes }: NeighbourMessage, remote: IpAddress | null): boolean {
  const { mac, destination, port, vni } = attributes;
  return mac === ZERO_MAC && destination === remote && port === undefined && vni === undefined;
}

/** A permanent or static row of a VXLAN link's own table; null for what the kernel learned, and for other tables' rows. */
export function fdbRow(message: NeighbourMessage): Omit<FdbRow, 'origin'> | null {
  const { mac, destination, port, vni, via } = message.attributes;
  if ((message.flags & NTF.SELF) === 0 || (message.state & (NUD.PERMANENT | NUD.NOARP)) === 0) return null;
  if (mac === undefined || destination === undefined) return null;
  if (port === undefined && vni === undefined && via === undefined) return { mac, vtep: destination };
  const special = {
    ...(port === undefined ? {} : { port }),
    ...(vni === undefined ? {} : { vni }),
    ...(via === undefined ? {} : { via }),
  };
  return { mac, vtep: destination, special };
}

export function neighbourState(message: NeighbourMessage): NeighbourState | null {
  const { destination, mac, protocol } = message.attributes;
  if ((message.state & NUD.PERMANENT) === 0 || (message.flags & NTF.PROXY) !== 0) return null;
  if (destination === undefined || mac === undefined) return null;
  const origin = protocol === PROTOCOL ? 'ours' : 'foreign';
  return { address: destination, mac, origin, protocol: protocol ?? 0 };
}

export function routeState(message: RouteMessage): RouteState {
  const { destination, gateway, metric } = message.attributes;
  const six = message.family === AF.INET6;
  const to = `${destination ?? (six ? '::' : '0.0.0.0')}/${message.length}` as Prefix;
  return {
    to,
    via: gateway ?? null,
    origin: message.protocol === PROTOCOL ? 'ours' : 'foreign',
    protocol: message.protocol,
    metric: six && metric === IPV6_DEFAULT_METRIC ? 0 : (metric ?? 0),
  };
}

/** The kind of a link of our own. */
export function ownKind(found: string): LinkKind {
  return found === 'vxlan' || found === 'bridge' ? found : 'other';
}

/** What a stranger's link is to us, by what is wanted in its place. */
export function strangerKind(found: string, wanted: LinkKind | undefined): LinkKind {
  if (wanted === 'port') return 'port';
  if (found === 'bridge') return wanted === 'bridge' || wanted === 'joined' ? 'joined' : 'other';
  return found === 'vxlan' ? 'vxlan' : 'other';
}
