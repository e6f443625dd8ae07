/** The codecs of attribute payloads (NLA_U8, NLA_STRING and so on, <net/netlink.h>). */
import { bytesOf, formatIp, type IpAddress } from '../model/address.ts';
import { formatMac, type Mac } from '../model/mac.ts';
import {
  type Codec,
  NetlinkError,
  type Reader,
  readAttributes,
  type Table,
  type Values,
  type Writer,
  writeAttributes,
} from './wire.ts';

export const u8: Codec<number> = {
  size: 1,
  write: (to, value) => to.u8(value),
  read: (from, at) => from.u8(at),
};

export const u16: Codec<number> = {
  size: 2,
  write: (to, value) => to.u16(value),
  read: (from, at) => from.u16(at),
};

export const u32: Codec<number> = {
  size: 4,
  write: (to, value) => to.u32(value),
  read: (from, at) => from.u32(at),
};

export const be16: Codec<number> = {
  size: 2,
  write: (to, value) => to.be16(value),
  read: (from, at) => from.be16(at),
};

export const be32: Codec<number> = {
  size: 4,
  write: (to, value) => to.be32(value),
  read: (from, at) => from.be32(at),
};

/** A u8 that is 0 or 1. */
export const bool: Codec<boolean> = {
  size: 1,
  write: (to, value) => to.u8(value ? 1 : 0),
  read: (from, at) => from.u8(at) !== 0,
};

/** Present or absent; it cannot be taken back, so `false` must not be written. */
export const flag: Codec<true> = {
  size: 0,
  write: () => undefined,
  read: () => true,
};

/**
 * Written as a flag, read as a u8 (the kernel answers so for some flags, and without a payload for others). `false` is
 * written as the kernel answers it: it refuses a flag with a payload, where an empty one would mean `true`.
 */
export const flagOrU8: Codec<boolean> = {
  size: 0,
  write: (to, value) => {
    if (!value) to.u8(0);
  },
  read: (from, at, length) => length === 0 || from.u8(at) !== 0,
};

/** UTF-8 with an end mark on the wire. */
export const text: Codec<string> = {
  size: 0,
  write: (to, value) => {
    to.raw(Buffer.from(value, 'utf8'));
    to.u8(0);
  },
  read: (from, at, length) => {
    let end = at;
    while (end < at + length && from.bytes[end] !== 0) end++;
    return from.bytes.toString('utf8', at, end);
  },
};

/**
 * UTF-8 without an end mark, as `ip` writes kinds and aliases: the kernel counts the mark as a byte of an alias, of
 * which there are 255, and takes an empty alias away only when it is really empty.
 */
export const bareText: Codec<string> = {
  size: 0,
  write: (to, value) => to.raw(Buffer.from(value, 'utf8')),
  read: text.read,
};

export const raw: Codec<Uint8Array> = {
  size: 0,
  write: (to, value) => to.raw(value),
  read: (from, at, length) => new Uint8Array(from.bytes.subarray(at, at + length)),
};

const HEX_DIGIT = new Uint8Array(128);
for (let i = 0; i < 16; i++) HEX_DIGIT[i.toString(16).charCodeAt(0)] = i;

function byteOf(address: Mac, i: number): number {
  return ((HEX_DIGIT[address.charCodeAt(i * 3)] ?? 0) << 4) | (HEX_DIGIT[address.charCodeAt(i * 3 + 1)] ?? 0);
}

/** Whether the six bytes at `at` are this address. */
export function isMacAt(bytes: Uint8Array, at: number, address: Mac): boolean {
  for (let i = 0; i < 6; i++) if (bytes[at + i] !== byteOf(address, i)) return false;
  return true;
}

/** Six bytes; left out when the link's addresses have another length (a tun link's have none, a tunnel's 4 or 16). */
export const mac: Codec<Mac> = {
  size: 0,
  write: (to, value) => {
    const at = to.take(6);
    // Canonical text: two digits and a colon, six times.
    for (let i = 0; i < 6; i++) to.bytes[at + i] = byteOf(value, i);
  },
  read: (from, at, length) => (length === 6 ? formatMac(from.bytes, at) : undefined),
};

/** A link-layer address: six bytes on Ethernet, null for anything else (tunnels have 4 or 16). */
export const hardwareAddress: Codec<Mac | null> = {
  size: 0,
  write: (to, value) => {
    if (value !== null) mac.write(to, value);
  },
  read: (from, at, length) => (length === 6 ? formatMac(from.bytes, at) : null),
};

/** Bulk messages repeat few addresses: 100,000 rows may name ten VTEPs. */
const IP_CACHE_SIZE = 4096;
const bytesByIp = new Map<IpAddress, Uint8Array>();

function cachedBytes(address: IpAddress): Uint8Array {
  let bytes = bytesByIp.get(address);
  if (bytes === undefined) {
    if (bytesByIp.size >= IP_CACHE_SIZE) bytesByIp.clear();
    bytes = bytesOf(address);
    bytesByIp.set(address, bytes);
  }
  return bytes;
}

const ip4ByNumber = new Map<number, IpAddress>();

function readIp4(from: Reader, at: number): IpAddress {
  const number = from.be32(at);
  let address = ip4ByNumber.get(number);
  if (address === undefined) {
    if (ip4ByNumber.size >= IP_CACHE_SIZE) ip4ByNumber.clear();
    address = formatIp(from.bytes.subarray(at, at + 4));
    ip4ByNumber.set(number, address);
  }
  return address;
}

/** Four or sixteen bytes; the length tells the family. */
export const ip: Codec<IpAddress> = {
  size: 4,
  write: (to, value) => to.raw(cachedBytes(value)),
  read: (from, at, length) => {
    if (length === 4) return readIp4(from, at);
    if (length === 16) return formatIp(from.bytes.subarray(at, at + 16));
    throw new NetlinkError(`an IP address of ${length} bytes`);
  },
};

/** Sixteen bytes. */
export const ip6: Codec<IpAddress> = {
  size: 16,
  write: ip.write,
  read: (from, at) => formatIp(from.bytes.subarray(at, at + 16)),
};

/** Two big-endian ports, low and high (struct ifla_vxlan_port_range). */
export const portRange: Codec<readonly [number, number]> = {
  size: 4,
  write: (to, [low, high]) => {
    to.be16(low);
    to.be16(high);
  },
  read: (from, at) => [from.be16(at), from.be16(at + 2)],
};

/** struct ifa_cacheinfo: preferred and valid lifetime in seconds, then two time stamps that only the kernel sets. */
export const lifetimes: Codec<{ readonly preferred: number; readonly valid: number }> = {
  size: 16,
  write: (to, value) => {
    to.u32(value.preferred);
    to.u32(value.valid);
    to.u32(0);
    to.u32(0);
  },
  read: (from, at) => ({ preferred: from.u32(at), valid: from.u32(at + 4) }),
};

/** Attributes inside an attribute. */
export function nested<T extends Table>(table: T): Codec<Values<T>> {
  return {
    size: 0,
    write: (to: Writer, value) => writeAttributes(to, table, value),
    read: (from, at, length) => readAttributes(from, at, at + length, table),
  };
}
