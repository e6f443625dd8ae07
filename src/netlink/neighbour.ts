/** Neighbours and FDB rows: struct ndmsg and NDA_* (<linux/neighbour.h>). */
import { be16, ip, mac, u8, u16, u32 } from './codecs.ts';
import { NetlinkError, type Reader, readAttributes, type Values, type Writer, writeAttributes } from './wire.ts';

/**
 * NDA_*. Of a neighbour (ARP, NDP) `destination` is the address and `mac` its link-layer address; of an FDB row on a
 * VXLAN link `mac` is the frame's destination and `destination` the VTEP.
 */
export const NEIGHBOUR = {
  destination: [1, ip],
  mac: [2, mac],
  vlan: [5, u16],
  port: [6, be16],
  vni: [7, u32],
  via: [8, u32],
  master: [9, u32],
  sourceVni: [11, u32],
  protocol: [12, u8],
  flagsExt: [15, u32],
} as const;

/** NUD_*: states, a mask. */
export const NUD = { REACHABLE: 0x02, STALE: 0x04, NOARP: 0x40, PERMANENT: 0x80 } as const;

/** NTF_*: `SELF` is the link's own table, `MASTER` the one of the bridge it is in. */
export const NTF = { SELF: 0x02, MASTER: 0x04, PROXY: 0x08, EXT_LEARNED: 0x10, ROUTER: 0x80 } as const;

export interface NeighbourMessage {
  /** AF_INET, AF_INET6, or AF_BRIDGE for an FDB row. */
  readonly family: number;
  readonly index: number;
  /** NUD_* */
  readonly state: number;
  /** NTF_* */
  readonly flags: number;
  readonly attributes: Values<typeof NEIGHBOUR>;
}

/** Writes struct ndmsg and its attributes. */
export function writeNeighbour(to: Writer, message: NeighbourMessage): void {
  const at = to.take(12);
  to.bytes[at] = message.family;
  to.view.setInt32(at + 4, message.index, true);
  to.view.setUint16(at + 8, message.state, true);
  to.bytes[at + 10] = message.flags;
  writeAttributes(to, NEIGHBOUR, message.attributes);
}

/** @throws NetlinkError */
export function readNeighbour(from: Reader, start: number, end: number): NeighbourMessage {
  if (end - start < 12) throw new NetlinkError(`neighbour message of ${end - start} bytes`);
  return {
    family: from.u8(start),
    index: from.i32(start + 4),
    state: from.u16(start + 8),
    flags: from.u8(start + 10),
    attributes: readAttributes(from, start + 12, end, NEIGHBOUR),
  };
}
