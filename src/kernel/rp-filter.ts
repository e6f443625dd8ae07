/**
 * Strict reverse path filtering (RFC 3704; rp_filter in the kernel's ip-sysctl): the underlay's packets from a peer are
 * dropped, in silence, where the answer to that peer would leave by another device than they came in by.
 */
import { readFileSync } from 'node:fs';
import { familyOf, type IpAddress } from '../model/address.ts';
import { type Problem, warning } from '../model/problem.ts';
import type { HostFacts } from '../model/state.ts';
import { ip, u32 } from '../netlink/codecs.ts';
import { AF, type Header, RTM } from '../netlink/message.ts';
import { type Codec, type Reader, readAttributes, type Writer, writeAttributes } from '../netlink/wire.ts';
import { SysError } from '../sys/errno.ts';
import { inNamespace } from '../sys/netns.ts';
import { Rtnetlink } from './rtnetlink.ts';

const STRICT = 1;
/** RTM_F_FIB_MATCH: the route itself, not the one next hop that a flow would take (<linux/rtnetlink.h>). */
const RTM_F_FIB_MATCH = 0x2000;
const RTMSG_BYTES = 12;
const IPV4_BITS = 32;

/** RTA_MULTIPATH: struct rtnexthop (length u16, flags u8, hops u8, index i32) and its attributes, again and again. */
const outputLinks: Codec<readonly number[]> = {
  size: 8,
  write: () => undefined,
  read: (from, at, length) => {
    const found: number[] = [];
    for (let next = at; next + 8 <= at + length; ) {
      found.push(from.u32(next + 4));
      const size = from.u16(next);
      if (size < 8) break;
      next += (size + 3) & ~3;
    }
    return found;
  },
};

const QUESTION = { destination: [1, ip], source: [2, ip] } as const;
const ANSWER = { outputLink: [4, u32], multipath: [9, outputLinks] } as const;

function writeQuestion(to: Writer, local: IpAddress, peer: IpAddress): void {
  const at = to.take(RTMSG_BYTES);
  to.bytes[at] = AF.INET;
  to.bytes[at + 1] = IPV4_BITS;
  to.bytes[at + 2] = IPV4_BITS;
  to.view.setUint32(at + 8, RTM_F_FIB_MATCH, true);
  writeAttributes(to, QUESTION, { destination: peer, source: local });
}

function readAnswer(from: Reader, { start, end }: Header): readonly number[] {
  const { outputLink, multipath } = readAttributes(from, start + RTMSG_BYTES, end, ANSWER);
  return multipath ?? (outputLink === undefined ? [] : [outputLink]);
}

/** The devices by which an answer to the peer may leave; none when there is no way to it. */
function devicesTo(socket: Rtnetlink, local: IpAddress, peer: IpAddress): readonly number[] {
  try {
    return socket.get(RTM.GETROUTE, (to) => writeQuestion(to, local, peer), readAnswer) ?? [];
  } catch (error) {
    // Unreachable, prohibited, or an address that is not here: not a matter of this filter.
    if (error instanceof SysError) return [];
    throw error;
  }
}

/** What the kernel goes by: the stricter of the device's own setting and that of all (IN_DEV_RPFILTER). */
function isStrict(device: string): boolean {
  const values = ['all', device].map((name) => {
    try {
      return Number(readFileSync(`/proc/sys/net/ipv4/conf/${name}/rp_filter`, 'utf8'));
    } catch {
      return 0;
    }
  });
  return Math.max(...values) === STRICT;
}

export interface Underlay {
  /** The device that the peers' packets come in by. */
  readonly device: string;
  readonly local: IpAddress;
  readonly peers: readonly IpAddress[];
}

/**
 * @param netns an open namespace; without it, our own.
 * @returns a warning `rp-filter`, or null: nothing is dropped. IPv6 has no such filter. Not asked for a loopback or dummy
 *   device: the packets for its address come in by others.
 */
export function rpFilter(facts: HostFacts, { device, local, peers }: Underlay, netns?: number): Problem | null {
  const link = facts.links.get(device);
  if (link === undefined || device === 'lo' || link.kind === 'dummy' || familyOf(local) !== 4) return null;
  const strict = netns === undefined ? isStrict(device) : inNamespace(netns, () => isStrict(device));
  if (!strict) return null;
  const nameOf = (index: number): string =>
    [...facts.links.values()].find((each) => each.index === index)?.name ?? `link ${index}`;
  const socket = new Rtnetlink(netns);
  try {
    const dropped = peers.flatMap((peer) => {
      if (familyOf(peer) !== 4) return [];
      const devices = devicesTo(socket, local, peer);
      return devices.length === 0 || devices.includes(link.index) ? [] : [{ peer, by: devices.map(nameOf).join(', ') }];
    });
    const [first] = dropped;
    if (first === undefined) return null;
    const more = dropped.length === 1 ? '' : ` and ${dropped.length - 1} more`;
    const message =
      `${device} filters reverse paths strictly, and the way back to ${first.peer}${more} is by ${first.by}: ` +
      `packets from there that come in by ${device} are dropped`;
    const hint = `\`sysctl net.ipv4.conf.${device.replaceAll('.', '/')}.rp_filter=2\``;
    return warning('rp-filter', message, { hint });
  } finally {
    socket.close();
  }
}
