/**
 * D-Bus values from bytes (D-Bus specification, Marshaling), in either byte order. Bounds, padding, booleans, UTF-8 and
 * nesting are checked, so that bytes of any origin give a value or a WireError.
 */
import { isUtf8 } from 'node:buffer';
import { parseSignature, parseSingle, type Type, WireError } from './signature.ts';
import { checkDepth, MAX_ARRAY, objectPath, signatureText, type Value, type Variant } from './wire.ts';

/** Reads values from `bytes` between `at` and `end`; alignment counts from `base`, where the message begins. */
export class Reader {
  readonly bytes: Buffer;
  readonly little: boolean;
  readonly base: number;
  at: number;
  end: number;
  readonly #view: DataView;

  constructor(bytes: Buffer, start: number, end: number, little = true, base = start) {
    this.bytes = bytes;
    this.little = little;
    this.base = base;
    this.at = start;
    this.end = end;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The offset of the next `size` bytes. @throws WireError when there are fewer. */
  take(size: number): number {
    const at = this.at;
    if (size > this.end - at)
      throw new WireError(`${size} bytes at ${at - this.base}, where ${this.end - at} are left`);
    this.at = at + size;
    return at;
  }

  align(size: number): void {
    while ((this.at - this.base) % size !== 0) {
      if (this.bytes[this.take(1)] !== 0) throw new WireError(`padding at ${this.at - 1 - this.base} is not zero`);
    }
  }

  u8(): number {
    return this.#view.getUint8(this.take(1));
  }

  u32(): number {
    this.align(4);
    return this.#view.getUint32(this.take(4), this.little);
  }

  /** @throws WireError for a string without its NUL, with one inside, or that is not UTF-8. */
  string(length: number): string {
    const at = this.take(length + 1);
    const end = at + length;
    if (this.bytes[end] !== 0) throw new WireError(`no NUL after the string at ${at - this.base}`);
    if (this.#isPlain(at, end)) return this.bytes.toString('latin1', at, end);
    const bytes = this.bytes.subarray(at, end);
    if (bytes.includes(0) || !isUtf8(bytes)) throw new WireError(`the string at ${at - this.base} is not UTF-8 text`);
    return bytes.toString('utf8');
  }

  /** ASCII without NUL, as nearly every string is: told without a call out of JavaScript. */
  #isPlain(at: number, end: number): boolean {
    for (let i = at; i < end; i++) {
      const byte = this.bytes[i] ?? 0;
      if (byte === 0 || byte > 0x7f) return false;
    }
    return true;
  }

  signature(): string {
    return this.string(this.u8());
  }

  value(type: Type, depth = 0): Value {
    checkDepth(depth);
    this.align(type.alignment);
    switch (type.code) {
      case 'y':
        return this.u8();
      case 'b':
        return this.#boolean();
      case 'n':
        return this.#view.getInt16(this.take(2), this.little);
      case 'q':
        return this.#view.getUint16(this.take(2), this.little);
      case 'i':
        return this.#view.getInt32(this.take(4), this.little);
      case 'u':
        return this.u32();
      case 'x':
        return this.#view.getBigInt64(this.take(8), this.little);
      case 't':
        return this.#view.getBigUint64(this.take(8), this.little);
      case 'd':
        return this.#view.getFloat64(this.take(8), this.little);
      case 's':
        return this.string(this.u32());
      case 'o':
        return objectPath(this.string(this.u32()));
      case 'g':
        return signatureText(this.signature());
      case 'v':
        return this.#variant(depth + 1);
      case 'a':
        return type.of.code === 'y' ? this.#bytes() : this.#array(type.of, depth + 1);
      case 'map':
        return this.#map(type.key, type.value, depth + 1);
      case 'struct':
        return type.fields.map((field) => this.value(field, depth + 1));
      default:
        return type satisfies never;
    }
  }

  #boolean(): boolean {
    const number = this.u32();
    if (number > 1) throw new WireError(`${number} is no boolean`);
    return number === 1;
  }

  #variant(depth: number): Variant {
    const signature = this.signature();
    return { signature, value: this.value(parseSingle(signature), depth) };
  }

  /** Where an array with elements of that alignment ends. */
  #arrayEnd(alignment: number): number {
    const length = this.u32();
    if (length > MAX_ARRAY) throw new WireError(`an array of ${length} bytes, where ${MAX_ARRAY} are allowed`);
    this.align(alignment);
    const end = this.at + length;
    if (end > this.end) throw new WireError(`an array of ${length} bytes, where ${this.end - this.at} are left`);
    return end;
  }

  #bytes(): Uint8Array {
    const end = this.#arrayEnd(1);
    const copy = new Uint8Array(end - this.at);
    copy.set(this.bytes.subarray(this.at, end));
    this.at = end;
    return copy;
  }

  /** Calls `each` until the array's bytes are used up; elements do not reach beyond. */
  elements(alignment: number, each: () => void): void {
    const outer = this.end;
    this.end = this.#arrayEnd(alignment);
    while (this.at < this.end) each();
    this.end = outer;
  }

  #array(of: Type, depth: number): Value[] {
    const list: Value[] = [];
    this.elements(of.alignment, () => list.push(this.value(of, depth)));
    return list;
  }

  #map(key: Type, value: Type, depth: number): Map<Value, Value> {
    const map = new Map<Value, Value>();
    this.elements(8, () => {
      this.align(8);
      const name = this.value(key, depth + 1);
      map.set(name, this.value(value, depth + 1));
    });
    return map;
  }
}

/** Reads the values of a whole signature. @throws WireError, also for bytes that are left over. */
export function readValues(reader: Reader, signature: string): Value[] {
  const values = parseSignature(signature).map((type) => reader.value(type));
  if (reader.at !== reader.end) throw new WireError(`${reader.end - reader.at} bytes more than ${signature} has`);
  return values;
}
