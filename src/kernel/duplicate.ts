/**
 * Whether another machine has one of our underlay addresses: for IPv4 by a probe as of RFC 5227 (an ARP request that asks for the
 * address and names no sender, so that it disturbs nobody), for IPv6 by what the kernel's own detection found (RFC 4862).
 */
import { bytesOf, familyOf, type IpAddress } from '../model/address.ts';
import { formatMac, type Mac } from '../model/mac.ts';
import { type Problem, warning } from '../model/problem.ts';
import type { LinkFacts } from '../model/state.ts';
import { IFA_F } from '../netlink/address.ts';
import { hasCode } from '../sys/errno.ts';
import { check, libc } from '../sys/libc.ts';
import { close, onReadable, openSocket, receive, sendTo } from '../sys/socket.ts';
import { Rtnetlink } from './rtnetlink.ts';
import { readAddresses, readLinks } from './tables.ts';

const AF_PACKET = 17; // <linux/socket.h>
const SOCK_DGRAM = 2; // <linux/net.h>
const ETH_P_ARP = 0x0806; // <linux/if_ether.h>
/** As socket(2) wants it, in network order. */
const PROTOCOL_ARP = 0x0608;
const ARPHRD_ETHER = 1; // <linux/if_arp.h>
const ARPOP_REQUEST = 1;
const ETH_P_IP = 0x0800;
const PACKET_BYTES = 28;
/** A machine that has the address answers in a millisecond; a busy one in a few. */
const PATIENCE_MS = 500;

/** struct sockaddr_ll to everybody (packet(7)). */
function everybody(index: number): Uint8Array {
  const bytes = new Uint8Array(20);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, ETH_P_ARP);
  view.setInt32(4, index, true);
  bytes[11] = 6;
  bytes.fill(0xff, 12, 18);
  return bytes;
}

/** An ARP probe: who has `address`? From our MAC, and no address. */
function probe(address: IpAddress, mac: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(PACKET_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, ARPHRD_ETHER);
  view.setUint16(2, ETH_P_IP);
  bytes.set([6, 4], 4);
  view.setUint16(6, ARPOP_REQUEST);
  bytes.set(mac, 8);
  bytes.set(bytesOf(address), 24);
  return bytes;
}

const bytesOfMac = (mac: Mac): Uint8Array => Uint8Array.from(mac.split(':'), (byte) => Number.parseInt(byte, 16));

/** Whose MAC says that it has the address; null: the packet says something else. */
function holder(packet: Uint8Array, address: IpAddress): Mac | null {
  const wanted = bytesOf(address);
  if (packet.length < PACKET_BYTES || !wanted.every((byte, i) => packet[14 + i] === byte)) return null;
  return formatMac(packet.slice(8, 14));
}

export type UnderlayDevice = Pick<LinkFacts, 'name' | 'index'>;

const hint = 'give one of the two machines another address: with both, packets go now here, now there';

/** Index → MAC of every link here: two of our own on one wire answer for each other. */
function macs(netns: number | undefined): ReadonlyMap<number, Mac> {
  const socket = new Rtnetlink(netns);
  try {
    const found = new Map<number, Mac>();
    for (const { index, attributes } of readLinks(socket)) {
      if (attributes.address !== undefined && attributes.address !== null) found.set(index, attributes.address);
    }
    return found;
  } finally {
    socket.close();
  }
}

/** @returns the MAC of another machine that answers for the address, or null after half a second of silence. */
async function askAround(device: UnderlayDevice, address: IpAddress, netns: number | undefined): Promise<Mac | null> {
  const own = macs(netns);
  const mac = own.get(device.index);
  const all = new Set(own.values());
  // A device without Ethernet, such as a tunnel, has no neighbours who could answer.
  if (mac === undefined) return null;
  const fd = openSocket(AF_PACKET, SOCK_DGRAM, PROTOCOL_ARP, { netns });
  try {
    const to = everybody(device.index);
    check('bind', libc.bind(fd, to, to.length));
    const { promise, resolve, reject } = Promise.withResolvers<Mac | null>();
    const buffer = new Uint8Array(64);
    const watch = onReadable(fd, () => {
      try {
        for (let length = receive(fd, buffer); length >= 0; length = receive(fd, buffer)) {
          const found = holder(buffer.subarray(0, Math.min(length, buffer.length)), address);
          if (found !== null && !all.has(found)) resolve(found);
        }
      } catch (error) {
        reject(error);
      }
    });
    const timer = setTimeout(() => resolve(null), PATIENCE_MS);
    try {
      sendTo(fd, probe(address, bytesOfMac(mac)), to);
      return await promise;
    } finally {
      clearTimeout(timer);
      watch.close();
    }
  } finally {
    close(fd);
  }
}

/** IPv6 addresses that the kernel does not use because somebody else has them. */
function failed6(address: IpAddress, netns: number | undefined): boolean {
  const socket = new Rtnetlink(netns);
  try {
    return readAddresses(socket).some(
      ({ attributes: { address: found, flags = 0 } }) => found === address && (flags & IFA_F.DADFAILED) !== 0,
    );
  } finally {
    socket.close();
  }
}

/**
 * @param netns an open namespace; without it, our own.
 * @returns a warning `duplicate-address`, or null: nobody else was heard, or without CAP_NET_RAW nobody could be asked.
 */
export async function duplicate(address: IpAddress, device: UnderlayDevice, netns?: number): Promise<Problem | null> {
  if (familyOf(address) === 6) {
    if (!failed6(address, netns)) return null;
    const message = `another machine on ${device.name} has ${address}, the underlay address of this host, so the kernel does not use it here`;
    return warning('duplicate-address', message, { hint });
  }
  try {
    const other = await askAround(device, address, netns);
    if (other === null) return null;
    const message = `another machine on ${device.name}, with the MAC ${other}, has ${address} as well, the underlay address of this host`;
    return warning('duplicate-address', message, { hint });
  } catch (error) {
    // No right to ask, or the device went down meanwhile.
    if (hasCode(error, 'EPERM', 'EACCES', 'ENETDOWN', 'ENODEV', 'ENXIO', 'ENOBUFS')) return null;
    throw error;
  }
}
