/** Message types and flags, and how a buffer of messages is walked (<linux/netlink.h>, <linux/rtnetlink.h>). */
import { text, u32 } from './codecs.ts';
import { align, NetlinkError, type Reader, readAttributes } from './wire.ts';

export const NLMSG = { NOOP: 1, ERROR: 2, DONE: 3, OVERRUN: 4 } as const;

export const NLM_F = {
  REQUEST: 0x1,
  MULTI: 0x2,
  ACK: 0x4,
  /** In a dump: the table changed meanwhile, read it again. */
  DUMP_INTR: 0x10,
  CAPPED: 0x100,
  ACK_TLVS: 0x200,
  DUMP: 0x300,
  REPLACE: 0x100,
  EXCL: 0x200,
  CREATE: 0x400,
  APPEND: 0x800,
} as const;

export const RTM = {
  NEWLINK: 16,
  DELLINK: 17,
  GETLINK: 18,
  SETLINK: 19,
  NEWADDR: 20,
  DELADDR: 21,
  GETADDR: 22,
  NEWROUTE: 24,
  DELROUTE: 25,
  GETROUTE: 26,
  NEWNEIGH: 28,
  DELNEIGH: 29,
  GETNEIGH: 30,
} as const;

/** RTNLGRP_*: numbers for NETLINK_ADD_MEMBERSHIP. */
export const GROUP = { LINK: 1, NEIGH: 3, IPV4_IFADDR: 5, IPV4_ROUTE: 7, IPV6_IFADDR: 9, IPV6_ROUTE: 11 } as const;

export const AF = { UNSPEC: 0, INET: 2, BRIDGE: 7, INET6: 10, NETLINK: 16 } as const;

export interface Header {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** Offsets of the payload in the buffer. */
  readonly start: number;
  readonly end: number;
}

/**
 * Calls `visit` for each message of a received buffer, or of its part from `start` to `end`, until one returns false.
 * @throws NetlinkError when a message's length does not fit the buffer.
 */
export function forEachMessage(
  from: Reader,
  visit: (header: Header) => boolean | undefined,
  start = 0,
  end = from.bytes.length,
): void {
  let at = start;
  while (at < end) {
    if (end - at < 16) throw new NetlinkError(`${end - at} bytes where a message header has 16`);
    const length = from.u32(at);
    if (length < 16 || length > end - at) {
      throw new NetlinkError(`message of ${length} bytes at ${at}, where ${end - at} are left`);
    }
    const header: Header = {
      type: from.u16(at + 4),
      flags: from.u16(at + 6),
      sequence: from.u32(at + 8),
      start: at + 16,
      end: at + length,
    };
    if (visit(header) === false) return;
    at += align(length);
  }
}

/** An acknowledgement: errno 0 is success. */
export interface Acknowledgement {
  /** Positive errno, 0 for success. */
  readonly errno: number;
  /** The kernel's own words (NLMSGERR_ATTR_MSG), when it said any. */
  readonly message: string | undefined;
  /** Offset in the request at which the fault lies (NLMSGERR_ATTR_OFFS). */
  readonly offset: number | undefined;
}

const EXTENDED_ACK = { message: [1, text], offset: [2, u32] } as const;

/** Reads the payload of NLMSG_ERROR, or of NLMSG_DONE with an errno. */
export function readAcknowledgement(from: Reader, header: Header): Acknowledgement {
  const size = header.end - header.start;
  if (size < 4) throw new NetlinkError(`acknowledgement of ${size} bytes`);
  // Not a bare minus: success would be -0.
  const errno = 0 - from.i32(header.start);
  const none = { errno, message: undefined, offset: undefined };
  if ((header.flags & NLM_F.ACK_TLVS) === 0) return none;
  let at = header.start + 4;
  if (header.type === NLMSG.ERROR) {
    if (size < 20) throw new NetlinkError(`acknowledgement of ${size} bytes, without the request's header`);
    // The request follows: only its header when capped, else all of it.
    const request = (header.flags & NLM_F.CAPPED) !== 0 ? 16 : from.u32(at);
    if (request < 16 || request > header.end - at) throw new NetlinkError('acknowledgement with a cut request');
    at += align(request);
  }
  const values = readAttributes(from, at, header.end, EXTENDED_ACK);
  return { errno, message: values.message, offset: values.offset };
}
