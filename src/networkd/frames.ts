/** A byte stream cut into messages, in bounded memory: what nobody wants is passed over without being kept. */
import { type Header, measure, PREAMBLE, readHeader } from './message.ts';

export interface FrameEvents {
  /** Asked as soon as the header is there. */
  wants(header: Header): boolean;
  /** The whole message lies at `at`; the bytes are valid during the call only. */
  message(header: Header, bytes: Buffer, at: number): void;
  /** A wanted message that is longer than allowed; its body was not kept. */
  oversized(header: Header): void;
}

/** A header is a few hundred bytes; a message with a larger one than this is passed over. */
const LARGEST_HEADER = 65536;
/** Room that is held on to: a few dozen messages of the usual size. */
const ROOM = 32768;

export class Frames {
  readonly #events: FrameEvents;
  readonly #largest: number;
  /** What came and is not handled yet, from its beginning; `#length` bytes. */
  #room = Buffer.allocUnsafeSlow(ROOM);
  #length = 0;
  /** The header of the first message there, when it is wanted and the rest is still to come. */
  #header: Header | null = null;
  /** Bytes to come that belong to a message that is passed over. */
  #skip = 0;
  #stopped = false;

  /** `largest`: bytes of the largest message to be kept. */
  constructor(largest: number, events: FrameEvents) {
    this.#largest = largest;
    this.#events = events;
  }

  /** No more events from now on, also when called from one. */
  stop(): void {
    this.#stopped = true;
  }

  /** Takes the next bytes of the stream; they may be overwritten afterwards. @throws WireError when they make no messages. */
  push(bytes: Buffer): void {
    if (this.#stopped) return;
    const end = this.#length + bytes.length;
    this.#fit(end);
    bytes.copy(this.#room, this.#length);
    const rest = this.#messages(this.#room, end);
    this.#room.copyWithin(0, rest, end);
    this.#length = end - rest;
    this.#fit(this.#length);
  }

  /** Room for `size` bytes: grown by doubling, and given back when it is no longer needed. */
  #fit(size: number): void {
    const grows = size > this.#room.length;
    if (!grows && (this.#room.length === ROOM || size > ROOM)) return;
    const room = Buffer.allocUnsafeSlow(grows ? Math.max(size, this.#room.length * 2) : ROOM);
    this.#room.copy(room, 0, 0, this.#length);
    this.#room = room;
  }

  /** Handles the messages up to `end`. @returns where the first one begins that is not whole, or `end` */
  #messages(bytes: Buffer, end: number): number {
    let at = 0;
    while (!this.#stopped) {
      const passed = Math.min(this.#skip, end - at);
      this.#skip -= passed;
      at += passed;
      if (end - at < PREAMBLE) return at;
      const size = this.#message(bytes, at, end);
      if (size === 0) return at;
      at += size;
    }
    return end;
  }

  /** @returns the bytes of the message when it was handled, else 0: what there is must be kept, or is passed over */
  #message(bytes: Buffer, at: number, end: number): number {
    const { header: headerSize, total } = measure(bytes, at);
    const large = headerSize > LARGEST_HEADER;
    if (!large && end - at < headerSize) return 0;
    const known = this.#header;
    const header = large ? null : (known ?? readHeader(bytes, at));
    const wanted = header !== null && (known !== null || this.#events.wants(header));
    if (wanted && total <= this.#largest) {
      const whole = end - at >= total;
      this.#header = whole ? null : header;
      if (!whole) return 0;
      this.#events.message(header, bytes, at);
      return total;
    }
    if (wanted) this.#events.oversized(header);
    const there = Math.min(total, end - at);
    this.#skip = total - there;
    return there;
  }
}
