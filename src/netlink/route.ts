/** Routes: struct rtmsg and RTA_* (<linux/rtnetlink.h>). */
import { ip, u32 } from './codecs.ts';
import { NetlinkError, type Reader, readAttributes, type Values, type Writer, writeAttributes } from './wire.ts';

export const ROUTE = {
  destination: [1, ip],
  outputLink: [4, u32],
  gateway: [5, ip],
  metric: [6, u32],
  preferredSource: [7, ip],
  table: [15, u32],
} as const;

export const RT_TABLE_MAIN = 254;
/** RTN_UNICAST: a gateway or direct route. */
export const RTN_UNICAST = 1;
export const RT_SCOPE = { UNIVERSE: 0, LINK: 253, HOST: 254, NOWHERE: 255 } as const;
/** RTPROT_*: who made a route. Those of the kernel itself are redirect, kernel and ra. */
export const RTPROT = { REDIRECT: 1, KERNEL: 2, BOOT: 3, STATIC: 4, RA: 9 } as const;
/** Offset of rtm_protocol in struct rtmsg, for readers that sort routes out before reading them. */
export const RTM_PROTOCOL_OFFSET = 5;

export interface RouteMessage {
  /** AF_INET or AF_INET6. */
  readonly family: number;
  readonly length: number;
  readonly table: number;
  readonly protocol: number;
  readonly scope: number;
  /** RTN_* */
  readonly type: number;
  readonly attributes: Values<typeof ROUTE>;
}

/** Writes struct rtmsg and its attributes. */
export function writeRoute(to: Writer, message: RouteMessage): void {
  const at = to.take(12);
  to.bytes[at] = message.family;
  to.bytes[at + 1] = message.length;
  to.bytes[at + 4] = message.table;
  to.bytes[at + RTM_PROTOCOL_OFFSET] = message.protocol;
  to.bytes[at + 6] = message.scope;
  to.bytes[at + 7] = message.type;
  writeAttributes(to, ROUTE, message.attributes);
}

/** @throws NetlinkError */
export function readRoute(from: Reader, start: number, end: number): RouteMessage {
  if (end - start < 12) throw new NetlinkError(`route message of ${end - start} bytes`);
  return {
    family: from.u8(start),
    length: from.u8(start + 1),
    table: from.u8(start + 4),
    protocol: from.u8(start + RTM_PROTOCOL_OFFSET),
    scope: from.u8(start + 6),
    type: from.u8(start + 7),
    attributes: readAttributes(from, start + 12, end, ROUTE),
  };
}
