/**
 * IP addresses and prefixes as canonical text (RFC 5952 for IPv6), and their bytes.
 * Canonical text makes equality a string comparison everywhere else.
 */
declare const ip: unique symbol;
declare const prefix: unique symbol;

/** An IPv4 or IPv6 address in canonical text, such as `10.0.0.4` or `fd00::1`. */
export type IpAddress = string & { readonly [ip]: true };

/** An address with its prefix length, canonical: `169.254.0.1/24`. Host bits may be set. */
export type Prefix = string & { readonly [prefix]: true };

export type Family = 4 | 6;

const OCTET = /^(?:0|[1-9]\d{0,2})$/;
const GROUP = /^[0-9a-f]{1,4}$/i;

function parseIpv4(text: string): Uint8Array | null {
  // Thousands of addresses of one file pass here: no pieces of text are made.
  if (text.length < 7 || text.length > 15) return null;
  const bytes = new Uint8Array(4);
  let part = 0;
  let digits = 0;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 46) {
      if (digits === 0 || part === 3) return null;
      bytes[part++] = value;
      digits = 0;
      value = 0;
      continue;
    }
    // A leading zero reads as octal in some tools: refuse what two readers would read differently.
    if (code < 48 || code > 57 || (digits > 0 && value === 0)) return null;
    digits++;
    value = value * 10 + code - 48;
    if (value > 255) return null;
  }
  if (digits === 0 || part !== 3) return null;
  bytes[3] = value;
  return bytes;
}

function parseGroups(text: string): number[] | null {
  if (text === '') return [];
  const out: number[] = [];
  const groups = text.split(':');
  for (const [i, group] of groups.entries()) {
    if (i === groups.length - 1 && group.includes('.')) {
      const tail = parseIpv4(group);
      if (tail === null) return null;
      out.push(...tail);
    } else {
      if (!GROUP.test(group)) return null;
      const value = Number.parseInt(group, 16);
      out.push(value >> 8, value & 255);
    }
  }
  return out;
}

function parseIpv6(text: string): Uint8Array | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0] ?? '');
  const tail = parseGroups(halves[1] ?? '');
  if (head === null || tail === null) return null;
  // An IPv4 tail may only stand at the very end: `1.2.3.4::` is not an address.
  if (halves.length === 2 && (halves[0] ?? '').includes('.')) return null;
  const gap = 16 - head.length - tail.length;
  if (halves.length === 1 ? gap !== 0 : gap < 2) return null;
  const bytes = new Uint8Array(16);
  bytes.set(head, 0);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

/** The 4 or 16 bytes of an address in network order, or null when the text is no address. */
export function ipBytes(text: string): Uint8Array | null {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** The bytes of an address that is known to be one. */
export function bytesOf(address: IpAddress): Uint8Array {
  const bytes = ipBytes(address);
  if (bytes === null) throw new TypeError(`not an IP address: ${address}`);
  return bytes;
}

/** Canonical text of 4 or 16 bytes in network order (RFC 5952, section 4). */
export function formatIp(bytes: Uint8Array): IpAddress {
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}` as IpAddress;
  if (bytes.length !== 16) throw new TypeError(`an IP address has 4 or 16 bytes, not ${bytes.length}`);
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0));
  // The mapped form is written with a dotted tail (RFC 5952, section 5), as `ip` does.
  if (groups.slice(0, 5).every((g) => g === 0) && groups[5] === 0xffff) {
    return `::ffff:${formatIp(bytes.subarray(12))}` as IpAddress;
  }
  let start = -1;
  let length = 1; // a single zero group is not shortened
  for (let i = 0; i < 8; i++) {
    let run = 0;
    while (i + run < 8 && groups[i + run] === 0) run++;
    if (run > length) {
      start = i;
      length = run;
    }
  }
  const hex = groups.map((g) => g.toString(16));
  if (start < 0) return hex.join(':') as IpAddress;
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}` as IpAddress;
}

/** Canonical text, or null when the text is no address. */
export function parseIp(text: string): IpAddress | null {
  const bytes = ipBytes(text);
  // An IPv4 address has one form.
  return bytes === null ? null : bytes.length === 4 ? (text as IpAddress) : formatIp(bytes);
}

/** Canonical `address/length`, or null. A bare address is not a prefix. */
export function parsePrefix(text: string): Prefix | null {
  const slash = text.indexOf('/');
  if (slash < 0) return null;
  const address = parseIp(text.slice(0, slash));
  const length = text.slice(slash + 1);
  if (address === null || !OCTET.test(length)) return null;
  if (Number(length) > (familyOf(address) === 4 ? 32 : 128)) return null;
  return `${address}/${length}` as Prefix;
}

export function familyOf(address: IpAddress | Prefix): Family {
  return address.includes(':') ? 6 : 4;
}

export function addressOf(prefix: Prefix): IpAddress {
  return prefix.slice(0, prefix.indexOf('/')) as IpAddress;
}

export function lengthOf(prefix: Prefix): number {
  return Number(prefix.slice(prefix.indexOf('/') + 1));
}

/** The prefix with its host bits cleared: `169.254.0.1/24` → `169.254.0.0/24`. */
export function networkOf(prefix: Prefix): Prefix {
  const length = lengthOf(prefix);
  const bytes = bytesOf(addressOf(prefix));
  for (let i = 0; i < bytes.length; i++) {
    const kept = Math.min(8, Math.max(0, length - i * 8));
    bytes[i] = (bytes[i] ?? 0) & (0xff00 >> kept);
  }
  return `${formatIp(bytes)}/${length}` as Prefix;
}

/** Whether `address` lies in the network of `prefix`. */
export function contains(prefix: Prefix, address: IpAddress): boolean {
  if (familyOf(prefix) !== familyOf(address)) return false;
  return networkOf(prefix) === networkOf(`${address}/${lengthOf(prefix)}` as Prefix);
}

/** 224.0.0.0/4 (RFC 5771) or ff00::/8 (RFC 4291). */
export function isMulticast(address: IpAddress): boolean {
  const first = bytesOf(address)[0] ?? 0;
  return familyOf(address) === 4 ? first >= 224 && first <= 239 : first === 0xff;
}

/** fe80::/10 (RFC 4291): the kernel makes these itself. */
export function isLinkLocal6(address: IpAddress): boolean {
  if (familyOf(address) !== 6) return false;
  const bytes = bytesOf(address);
  return bytes[0] === 0xfe && ((bytes[1] ?? 0) & 0xc0) === 0x80;
}

/** Whether an address can be the outer or inner address of one host: not ::, 0.0.0.0/8, multicast, loopback or broadcast. */
export function isUnicast(address: IpAddress): boolean {
  const bytes = bytesOf(address);
  if (isMulticast(address)) return false;
  if (bytes.length === 4) return bytes[0] !== 0 && bytes[0] !== 127 && !bytes.every((b) => b === 255);
  return !bytes.subarray(0, 15).every((b) => b === 0);
}
