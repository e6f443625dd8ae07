/** Sockets that send echo requests by chosen links and receive the answers. */
import { bytesOf, type Family, familyOf, type IpAddress } from '../model/address.ts';
import { hasCode, SysError } from '../sys/errno.ts';
import { libc } from '../sys/libc.ts';
import { close, openSocket, receiveFrom, sendTo, setOption, setOptionBytes } from '../sys/socket.ts';
import { answerTypes } from './icmp.ts';

const FAMILIES = {
  // <linux/socket.h>, <linux/in.h>, <linux/in6.h>, <linux/icmp.h>, <linux/icmpv6.h>
  4: { domain: 2, protocol: 1, level: 0, mtuDiscover: 10, recvErr: 11, unicastIf: 50, filterLevel: 255, filter: 1 },
  6: { domain: 10, protocol: 58, level: 41, mtuDiscover: 23, recvErr: 25, unicastIf: 76, filterLevel: 58, filter: 1 },
} as const;
/** Don't fragment, and do not believe a remembered path MTU. */
const PMTUDISC_PROBE = 3;

const SOCK_DGRAM = 2; // <linux/net.h>
const SOCK_RAW = 3;
const SOL_SOCKET = 1; // <asm-generic/socket.h>
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SIOCGIFINDEX = 0x8933; // <linux/sockios.h>
/** sin6_scope_id in struct sockaddr_in6. */
const SCOPE_AT = 24;

export interface Channel {
  readonly family: Family;
  readonly fd: number;
  /** Raw sockets receive everybody's answers; ping sockets only their own, and no errors. */
  readonly raw: boolean;
  /** Index of the link that packets leave by now. */
  link: number;
}

/** struct sockaddr_in or sockaddr_in6. */
export function socketAddress(address: IpAddress): Uint8Array {
  const family = familyOf(address);
  const bytes = new Uint8Array(family === 4 ? 16 : 28);
  bytes[0] = FAMILIES[family].domain;
  bytes.set(bytesOf(address), family === 4 ? 4 : 8);
  return bytes;
}

/**
 * A socket for echoes in the namespace, or our own: raw, or without CAP_NET_RAW a ping socket (icmp(7)).
 * @throws SysError EPERM when neither can be had, EAFNOSUPPORT when the kernel has no such family.
 */
export function openChannel(family: Family, netns: number | undefined): Channel {
  const { domain, protocol, level, mtuDiscover, filterLevel, filter } = FAMILIES[family];
  let fd: number;
  let raw = true;
  try {
    fd = openSocket(domain, SOCK_RAW, protocol, { netns });
  } catch (error) {
    if (!hasCode(error, 'EPERM')) throw error;
    try {
      fd = openSocket(domain, SOCK_DGRAM, protocol, { netns });
    } catch {
      throw error;
    }
    raw = false;
  }
  try {
    setOption(fd, level, mtuDiscover, PMTUDISC_PROBE);
    if (raw) setOptionBytes(fd, filterLevel, filter, typeFilter(family));
  } catch (error) {
    close(fd);
    throw error;
  }
  return { family, fd, raw, link: 0 };
}

/** ICMP_FILTER is one word and ICMP6_FILTER eight; a set bit blocks that type. */
function typeFilter(family: Family): Uint32Array {
  const words = new Uint32Array(family === 4 ? 1 : 8).fill(0xffffffff);
  for (const type of answerTypes(family)) words[type >> 5] = (words[type >> 5] ?? 0) & ~(1 << (type & 31));
  return words;
}

/** Room for all packets at once: those to peers that are not there stay in the buffer for seconds. */
export function enlargeBuffers(fd: number, bytes: number): void {
  const size = Math.min(Math.max(bytes * 2, 1 << 20), 1 << 28);
  for (const [force, plain] of [
    [SO_SNDBUFFORCE, SO_SNDBUF],
    [SO_RCVBUFFORCE, SO_RCVBUF],
  ] as const) {
    try {
      setOption(fd, SOL_SOCKET, force, size);
    } catch (error) {
      // Without CAP_NET_ADMIN: as much as anybody may have.
      if (!hasCode(error, 'EPERM')) throw error;
      setOption(fd, SOL_SOCKET, plain, size);
    }
  }
}

/** By the name, in the socket's own namespace. */
export function linkIndex(fd: number, name: string): number | null {
  const request = Buffer.alloc(40); // struct ifreq: the name, then ifr_ifindex
  if (name === '' || Buffer.byteLength(name) >= 16) return null;
  request.write(name);
  return libc.ioctl(fd, SIOCGIFINDEX, request) === 0 ? request.readInt32LE(16) : null;
}

/**
 * Makes the next packet leave by the link: by IP_UNICAST_IF, which, unlike SO_BINDTODEVICE, lets one socket receive from
 * all links meanwhile. A link-local destination names the link itself.
 */
export function leaveBy(channel: Channel, destination: Uint8Array, link: number): void {
  const { level, unicastIf } = FAMILIES[channel.family];
  if (channel.family === 6) new DataView(destination.buffer).setUint32(SCOPE_AT, link, true);
  if (channel.link === link) return;
  const networkOrder = new Uint8Array(4);
  new DataView(networkOrder.buffer).setUint32(0, link);
  setOptionBytes(channel.fd, level, unicastIf, networkOrder);
  channel.link = link;
}

/**
 * Sends by the link that the channel is set to. Without IP_RECVERR a raw socket says nothing of a packet that was
 * thrown away before it left this host (raw(7)). The option is on for the call only, since errors of routers come as
 * packets too; off again, it drops what came twice.
 * @throws SysError EAGAIN: the socket is full; ENOBUFS: a queue or the table of neighbours is; EINVAL: that table again,
 * over IPv6 and in kernels before 6.5; EMSGSIZE, ENETUNREACH and others.
 */
export function sendOn(channel: Channel, message: Uint8Array, destination: Uint8Array): void {
  const { level, recvErr } = FAMILIES[channel.family];
  setOption(channel.fd, level, recvErr, 1);
  try {
    afterPending(() => sendTo(channel.fd, message, destination));
  } finally {
    setOption(channel.fd, level, recvErr, 0);
  }
}

/** Length of the next message, -1 when there is none yet; its sender's struct sockaddr is put into `sender`. */
export function receiveOn(channel: Channel, buffer: Uint8Array, sender: Uint8Array): number {
  return afterPending(() => receiveFrom(channel.fd, buffer, sender));
}

/** A socket's pending error (SO_ERROR, socket(7)) is about an earlier packet, and gone once a call has told it. */
function afterPending<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof SysError) return call();
    throw error;
  }
}
