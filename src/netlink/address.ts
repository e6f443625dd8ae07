/** Addresses: struct ifaddrmsg and IFA_* (<linux/if_addr.h>). */
import { ip, lifetimes, text, u8, u32 } from './codecs.ts';
import { NetlinkError, type Reader, readAttributes, type Values, type Writer, writeAttributes } from './wire.ts';

/** IFA_*. `local` is the address on the link; `address` the same, or the far end of a point-to-point link. */
export const ADDRESS = {
  address: [1, ip],
  local: [2, ip],
  label: [3, text],
  broadcast: [4, ip],
  lifetimes: [6, lifetimes],
  flags: [8, u32],
  priority: [9, u32],
  /** IFA_PROTO, from Linux 5.18; older kernels pass it over. */
  protocol: [11, u8],
} as const;

/** IFA_F_* */
export const IFA_F = {
  SECONDARY: 0x01,
  NODAD: 0x02,
  OPTIMISTIC: 0x04,
  DADFAILED: 0x08,
  HOMEADDRESS: 0x10,
  DEPRECATED: 0x20,
  TENTATIVE: 0x40,
  PERMANENT: 0x80,
  MANAGETEMPADDR: 0x100,
  NOPREFIXROUTE: 0x200,
  MCAUTOJOIN: 0x400,
  STABLE_PRIVACY: 0x800,
} as const;

export interface AddressMessage {
  /** AF_INET or AF_INET6. */
  readonly family: number;
  readonly length: number;
  /** RT_SCOPE_* */
  readonly scope: number;
  readonly index: number;
  readonly attributes: Values<typeof ADDRESS>;
}

/** Writes struct ifaddrmsg and its attributes. */
export function writeAddress(to: Writer, message: AddressMessage): void {
  const at = to.take(8);
  to.bytes[at] = message.family;
  to.bytes[at + 1] = message.length;
  to.bytes[at + 3] = message.scope;
  to.view.setUint32(at + 4, message.index, true);
  writeAttributes(to, ADDRESS, message.attributes);
}

/** @throws NetlinkError */
export function readAddress(from: Reader, start: number, end: number): AddressMessage {
  if (end - start < 8) throw new NetlinkError(`address message of ${end - start} bytes`);
  return {
    family: from.u8(start),
    length: from.u8(start + 1),
    scope: from.u8(start + 3),
    index: from.u32(start + 4),
    attributes: readAttributes(from, start + 8, end, ADDRESS),
  };
}
