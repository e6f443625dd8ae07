/**
 * The bytes of netlink: messages, attributes, and the codecs that attribute tables are made of
 * (<linux/netlink.h>; RFC 3549). Numbers are in host order, which is little-endian on every machine that everlan
 * supports, unless a codec says big-endian.
 */

/** The only error that reading a message throws: the bytes are not what netlink promises. */
export class NetlinkError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NetlinkError';
  }
}

const LITTLE_ENDIAN = true;

/** Lengths are padded to four bytes (NLMSG_ALIGNTO, NLA_ALIGNTO). */
export const align = (length: number): number => (length + 3) & ~3;

/** Builds messages in one growing buffer; a batch is one `send` of its bytes. */
export class Writer {
  bytes: Uint8Array;
  view: DataView;
  length = 0;

  constructor(capacity = 65536) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  reset(): void {
    this.length = 0;
  }

  /** What was written since `reset`; valid until the next write. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** Makes room and returns the offset of `size` zeroed bytes. */
  take(size: number): number {
    const at = this.length;
    const end = at + size;
    if (end > this.bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.bytes.length * 2));
      grown.set(this.bytes.subarray(0, at));
      this.bytes = grown;
      this.view = new DataView(grown.buffer);
    } else {
      this.bytes.fill(0, at, end);
    }
    this.length = end;
    return at;
  }

  u8(value: number): void {
    const at = this.take(1);
    this.bytes[at] = value;
  }

  u16(value: number): void {
    const at = this.take(2);
    this.view.setUint16(at, value, LITTLE_ENDIAN);
  }

  u32(value: number): void {
    const at = this.take(4);
    this.view.setUint32(at, value, LITTLE_ENDIAN);
  }

  be16(value: number): void {
    const at = this.take(2);
    this.view.setUint16(at, value);
  }

  be32(value: number): void {
    const at = this.take(4);
    this.view.setUint32(at, value);
  }

  raw(bytes: Uint8Array): void {
    const at = this.take(bytes.length);
    this.bytes.set(bytes, at);
  }

  /** Starts an attribute; `closeAttribute` with the returned offset fixes its length. */
  openAttribute(id: number): number {
    const at = this.take(4);
    this.view.setUint16(at + 2, id, LITTLE_ENDIAN);
    return at;
  }

  /** @throws RangeError for a payload longer than an attribute can say. */
  closeAttribute(at: number): void {
    const length = this.length - at;
    if (length > 0xffff) throw new RangeError(`an attribute of ${length} bytes, where 65535 fit`);
    this.view.setUint16(at, length, LITTLE_ENDIAN);
    this.take(align(this.length) - this.length);
  }

  /** Starts a message; `closeMessage` with the returned offset fixes its length. */
  openMessage(type: number, flags: number, sequence: number): number {
    const at = this.take(16);
    this.view.setUint16(at + 4, type, LITTLE_ENDIAN);
    this.view.setUint16(at + 6, flags, LITTLE_ENDIAN);
    this.view.setUint32(at + 8, sequence, LITTLE_ENDIAN);
    return at;
  }

  closeMessage(at: number): void {
    this.view.setUint32(at, this.length - at, LITTLE_ENDIAN);
  }

  /** Adds flags to a message that is already closed. */
  addFlags(at: number, flags: number): void {
    this.view.setUint16(at + 6, this.view.getUint16(at + 6, LITTLE_ENDIAN) | flags, LITTLE_ENDIAN);
  }
}

/** A buffer to read from; `view` covers exactly `bytes`. */
export class Reader {
  readonly bytes: Buffer;
  readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(at: number): number {
    return this.view.getUint8(at);
  }

  u16(at: number): number {
    return this.view.getUint16(at, LITTLE_ENDIAN);
  }

  u32(at: number): number {
    return this.view.getUint32(at, LITTLE_ENDIAN);
  }

  i32(at: number): number {
    return this.view.getInt32(at, LITTLE_ENDIAN);
  }

  be16(at: number): number {
    return this.view.getUint16(at);
  }

  be32(at: number): number {
    return this.view.getUint32(at);
  }
}

/** How one attribute's payload is written and read. `read` gets a payload of at least `size` bytes. */
export interface Codec<T> {
  /** Fewest bytes that `read` needs. */
  readonly size: number;
  write(to: Writer, value: T): void;
  /** undefined: a payload that is no such value but may well come, to be left out. */
  read(from: Reader, at: number, length: number): T | undefined;
}

/** An attribute table: name → [attribute id, codec]. The types of messages are inferred from it. */
export type Table = Readonly<Record<string, readonly [id: number, codec: Codec<unknown>]>>;

/** The values of a table's attributes, each of them optional. */
export type Values<T extends Table> = {
  -readonly [K in keyof T]?: T[K] extends readonly [number, Codec<infer V>] ? V : never;
};

interface Row {
  readonly name: string;
  readonly codec: Codec<unknown>;
}

const rowsById = new WeakMap<Table, readonly (Row | undefined)[]>();

function rowsOf(table: Table): readonly (Row | undefined)[] {
  let rows = rowsById.get(table);
  if (rows === undefined) {
    const made: (Row | undefined)[] = [];
    for (const [name, [id, codec]] of Object.entries(table)) made[id] = { name, codec };
    // No holes: a dense array reads faster.
    rows = Array.from(made, (row) => row);
    rowsById.set(table, rows);
  }
  return rows;
}

/** Writes the attributes that `values` has, in its own key order. */
export function writeAttributes<T extends Table>(to: Writer, table: T, values: Values<T>): void {
  for (const name in values) {
    const value = values[name];
    if (value === undefined) continue;
    const row = table[name];
    if (row === undefined) throw new TypeError(`no attribute named ${name}`);
    const at = to.openAttribute(row[0]);
    row[1].write(to, value);
    to.closeAttribute(at);
  }
}

/** NLA_F_NESTED and NLA_F_NET_BYTEORDER are flags in the id's upper two bits. */
export const ATTRIBUTE_ID = 0x3fff;

/**
 * Reads the attributes between two offsets. Unknown ones are passed over, as every netlink reader must.
 * @throws NetlinkError when a length does not fit.
 */
export function readAttributes<T extends Table>(from: Reader, start: number, end: number, table: T): Values<T> {
  const rows = rowsOf(table);
  const values: Record<string, unknown> = {};
  let at = start;
  while (at + 4 <= end) {
    const length = from.u16(at);
    if (length < 4 || at + length > end) {
      throw new NetlinkError(`attribute of ${length} bytes at ${at}, where ${end - at} are left`);
    }
    const row = rows[from.u16(at + 2) & ATTRIBUTE_ID];
    if (row !== undefined) {
      if (length - 4 < row.codec.size) {
        throw new NetlinkError(`attribute ${row.name} has ${length - 4} bytes, needs ${row.codec.size}`);
      }
      const value = row.codec.read(from, at + 4, length - 4);
      if (value !== undefined) values[row.name] = value;
    }
    at += align(length);
  }
  return values as Values<T>;
}
