/** MAC addresses as canonical lower-case text, and the stable ones that everlan derives. */
import { sha256 } from './sha256.ts';

declare const mac: unique symbol;

/** Six bytes as `02:00:5e:00:53:01`. */
export type Mac = string & { readonly [mac]: true };

/** The destination of the rows that carry broadcast and unknown frames (head-end replication). */
export const ZERO_MAC = '00:00:00:00:00:00' as Mac;

const MAC = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/;

/** Canonical text, or null when the text is no MAC address. */
export function parseMac(text: string): Mac | null {
  const lower = text.toLowerCase();
  return MAC.test(lower) ? (lower as Mac) : null;
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));

/** Text of the six bytes at `offset`. Bulk reads of 100,000 rows pass here: a table, no loop. */
export function formatMac(b: Uint8Array, offset = 0): Mac {
  return `${HEX[b[offset] as number]}:${HEX[b[offset + 1] as number]}:${HEX[b[offset + 2] as number]}:${HEX[b[offset + 3] as number]}:${HEX[b[offset + 4] as number]}:${HEX[b[offset + 5] as number]}` as Mac;
}

/** Whether the group bit is set (IEEE 802, the lowest bit of the first byte): multicast and broadcast. */
export function isGroupMac(address: Mac): boolean {
  const digit = address.charCodeAt(1);
  // Digits 1 3 5 7 9 have odd codes, letters b d f even ones. No parsing: bulk rows pass here.
  return (digit & 1) === (digit < 0x3a ? 1 : 0);
}

/**
 * The MAC of one host on one overlay: the first six bytes of SHA-256 over `fabric/overlay/host`, made
 * locally administered and unicast. The same on every machine and after every reboot, so a peer's ARP
 * entry stays true. By hand: `printf article/vxlan0/alpha | sha256sum`.
 */
export function stableMac(fabric: string, overlay: string, host: string): Mac {
  const digest = sha256(`${fabric}/${overlay}/${host}`);
  const first = (Number.parseInt(digest.slice(0, 2), 16) & 0xfc) | 0x02;
  return `${HEX[first]}:${digest.slice(2, 4)}:${digest.slice(4, 6)}:${digest.slice(6, 8)}:${digest.slice(8, 10)}:${digest.slice(10, 12)}` as Mac;
}
