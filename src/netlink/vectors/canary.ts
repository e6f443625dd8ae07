/** Reading in the middle of a larger buffer, to see that nothing outside the message is looked at. */
import assert from 'node:assert/strict';
import { readAcknowledgement } from '../message.ts';
import { NetlinkError, Reader } from '../wire.ts';

/** Room around a message, filled with each of these in turn: what looks like attributes, all ones. */
const MARGIN = 256;
const CANARIES = [0x08, 0xff];

export type Read = (from: Reader, start: number, end: number) => unknown;

const ROOM = new Uint8Array(1 << 17);

/** The bytes in the middle of a larger buffer. Valid until the next call. */
function embed(bytes: Uint8Array, canary: number): Uint8Array {
  const room = ROOM.subarray(0, bytes.length + 2 * MARGIN);
  room.fill(canary);
  room.set(bytes, MARGIN);
  return room;
}

/** What came out, as text: a value, or the words of a NetlinkError. Any other error goes on. */
function outcome(read: () => unknown): string {
  try {
    return JSON.stringify(read());
  } catch (error) {
    if (error instanceof NetlinkError) return `NetlinkError: ${error.message}`;
    throw error;
  }
}

/**
 * Reads from inside a larger buffer, and from one that ends where the bytes do; asserts that what is around makes no
 * difference.
 * @returns the value as JSON, or `NetlinkError: ` and its message
 */
export function contained(bytes: Uint8Array, read: Read): string {
  const end = MARGIN + bytes.length;
  const tight = outcome(() => read(new Reader(embed(bytes, 0).subarray(0, end)), MARGIN, end));
  for (const canary of CANARIES) {
    const around = outcome(() => read(new Reader(embed(bytes, canary)), MARGIN, end));
    assert.equal(around, tight, `among bytes of ${canary}`);
  }
  return tight;
}

/** Reads bytes as the payload of NLMSG_ERROR or NLMSG_DONE. */
export const acknowledgement =
  (type: number, flags: number): Read =>
  (from, start, end) =>
    readAcknowledgement(from, { type, flags, sequence: 0, start, end });
