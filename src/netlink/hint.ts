/** What changed, read from the kernel's notification just as far as needed to tell whether it concerns anybody. */
import { formatMac, type Mac } from '../model/mac.ts';
import { AF, RTM } from './message.ts';
import { NUD } from './neighbour.ts';
import { RTM_PROTOCOL_OFFSET } from './route.ts';
import { ATTRIBUTE_ID, align, type Reader } from './wire.ts';

export type HintKind = 'link' | 'address' | 'neighbour' | 'fdb' | 'route';

export interface Hint {
  readonly kind: HintKind;
  /** It is not there any more. */
  readonly removed: boolean;
  /** Of the link that it is, or that it stands on; 0: not told, as of a route with several next hops. */
  readonly index: number;
  /** Neighbours and FDB rows: NUD_*; else 0. */
  readonly state: number;
  /** Routes: RTPROT_*, who made it; else 0. */
  readonly protocol: number;
  /**
   * The port id of the socket that asked for the change, which for a program's first socket is its process id, as seen
   * in its own PID namespace. 0: the kernel changed it, or does not tell who did. It tells for IPv4 addresses, neighbours and
   * routes; of links only to those who asked with NLM_F_ECHO, of FDB rows and IPv6 addresses never (seen on Linux 6.18).
   */
  readonly pid: number;
  /** Of a link (IFLA_IFNAME); else null. */
  readonly name: string | null;
  /** Of an FDB row that is not permanent, as it may stand in the place of one that was (NDA_LLADDR); else null. */
  readonly mac: Mac | null;
}

/** One object for any number of hints. */
export type MutableHint = { -readonly [K in keyof Hint]: Hint[K] };

export function blankHint(): MutableHint {
  return { kind: 'link', removed: false, index: 0, state: 0, protocol: 0, pid: 0, name: null, mac: null };
}

const NDA_LLADDR = 2; // <linux/neighbour.h>
const MAC_BYTES = 6;
const IFLA_IFNAME = 3; // <linux/if_link.h>
const RTA_OIF = 4; // <linux/rtnetlink.h>

/** Offset of the attribute's payload, or -1. A cut message has those attributes that are whole. */
function findAttribute(from: Reader, start: number, end: number, id: number): number {
  for (let at = start; at + 4 <= end; ) {
    const length = from.u16(at);
    if (length < 4 || at + length > end) return -1;
    if ((from.u16(at + 2) & ATTRIBUTE_ID) === id) return at + 4;
    at += align(length);
  }
  return -1;
}

function nameAt(from: Reader, at: number, end: number): string | null {
  if (at < 0) return null;
  const stop = from.bytes.indexOf(0, at);
  return from.bytes.toString('utf8', at, stop < 0 || stop > end ? end : stop);
}

function macAt(from: Reader, at: number, end: number): Mac | null {
  return at < 0 || at + MAC_BYTES > end ? null : formatMac(from.bytes, at);
}

/** Bytes of the structure after the header: struct ifinfomsg, ifaddrmsg, ndmsg, rtmsg. */
const FIXED = { link: 16, address: 8, neighbour: 12, fdb: 12, route: 12 } as const satisfies Record<HintKind, number>;

/**
 * Reads the message that starts at `at` and of which there is something up to `end`.
 * @returns false, with `into` as it was or half written, for a message of another type and one that is too short.
 */
export function readHint(from: Reader, at: number, end: number, into: MutableHint): boolean {
  const type = from.u16(at + 4);
  const body = at + 16;
  into.pid = from.u32(at + 12);
  into.state = 0;
  into.protocol = 0;
  into.name = null;
  into.mac = null;
  switch (type) {
    case RTM.NEWLINK:
    case RTM.DELLINK:
      if (body + FIXED.link > end) return false;
      into.kind = 'link';
      // With AF_BRIDGE it is the bridge's port that went; the link is still there.
      into.removed = type === RTM.DELLINK && from.u8(body) === AF.UNSPEC;
      into.index = from.i32(body + 4);
      into.name = nameAt(from, findAttribute(from, body + FIXED.link, end, IFLA_IFNAME), end);
      return true;
    case RTM.NEWNEIGH:
    case RTM.DELNEIGH:
      if (body + FIXED.neighbour > end) return false;
      into.kind = from.u8(body) === AF.BRIDGE ? 'fdb' : 'neighbour';
      into.removed = type === RTM.DELNEIGH;
      into.index = from.i32(body + 4);
      into.state = from.u16(body + 8);
      if (into.kind === 'fdb' && (into.state & (NUD.PERMANENT | NUD.NOARP)) === 0) {
        into.mac = macAt(from, findAttribute(from, body + FIXED.fdb, end, NDA_LLADDR), end);
      }
      return true;
    case RTM.NEWADDR:
    case RTM.DELADDR:
      if (body + FIXED.address > end) return false;
      into.kind = 'address';
      into.removed = type === RTM.DELADDR;
      into.index = from.i32(body + 4);
      return true;
    case RTM.NEWROUTE:
    case RTM.DELROUTE: {
      if (body + FIXED.route > end) return false;
      into.kind = 'route';
      into.removed = type === RTM.DELROUTE;
      const link = findAttribute(from, body + FIXED.route, end, RTA_OIF);
      into.index = link < 0 || link + 4 > end ? 0 : from.i32(link);
      into.protocol = from.u8(body + RTM_PROTOCOL_OFFSET);
      return true;
    }
    default:
      return false;
  }
}
