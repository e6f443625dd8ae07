/** D-Bus values as bytes (D-Bus specification, Marshaling). */
import { parseSignature, parseSingle, type Type, WireError } from './signature.ts';
import { checkDepth, isList, isVariant, MAX_ARRAY, MAX_MESSAGE, objectPath, type Value, type Variant } from './wire.ts';

/** Of each integer type that fits a number: bytes, least, most. */
const INTEGERS = {
  y: [1, 0, 0xff],
  n: [2, -0x8000, 0x7fff],
  q: [2, 0, 0xffff],
  i: [4, -0x80000000, 0x7fffffff],
  u: [4, 0, 0xffffffff],
} as const;

/** Builds values in one growing buffer; alignment counts from its start. */
export class Writer {
  bytes: Buffer;
  length = 0;
  readonly little: boolean;
  #view: DataView;

  constructor(little = true, capacity = 256) {
    this.little = little;
    this.bytes = Buffer.alloc(capacity);
    this.#view = new DataView(this.bytes.buffer, this.bytes.byteOffset, capacity);
  }

  written(): Buffer {
    return this.bytes.subarray(0, this.length);
  }

  /** The offset of `size` zeroed bytes, in what `bytes` is from then on. @throws WireError beyond the largest message. */
  take(size: number): number {
    const at = this.length;
    const end = at + size;
    if (end > MAX_MESSAGE) throw new WireError(`a message of more than ${MAX_MESSAGE} bytes`);
    if (end > this.bytes.length) {
      const grown = Buffer.alloc(Math.max(end, this.bytes.length * 2));
      grown.set(this.bytes.subarray(0, at));
      this.bytes = grown;
      this.#view = new DataView(grown.buffer, grown.byteOffset, grown.length);
    }
    this.length = end;
    return at;
  }

  align(size: number): void {
    this.take((size - (this.length % size)) % size);
  }

  u8(value: number): void {
    const at = this.take(1);
    this.#view.setUint8(at, value);
  }

  u32(value: number): void {
    this.align(4);
    const at = this.take(4);
    this.#view.setUint32(at, value, this.little);
  }

  setU32(at: number, value: number): void {
    this.#view.setUint32(at, value, this.little);
  }

  string(text: string): void {
    this.u32(Buffer.byteLength(text));
    this.#text(text);
  }

  signature(text: string): void {
    parseSignature(text);
    this.u8(text.length);
    this.#text(text);
  }

  #text(text: string): void {
    if (!text.isWellFormed() || text.includes('\0')) throw new WireError(`${JSON.stringify(text)} cannot be sent`);
    const length = Buffer.byteLength(text);
    const at = this.take(length + 1);
    this.bytes.write(text, at, length, 'utf8');
  }

  /** @throws WireError for a value that is not of this type. */
  value(kind: Type, value: Value, depth = 0): void {
    checkDepth(depth);
    this.align(kind.alignment);
    switch (kind.code) {
      case 'y':
      case 'n':
      case 'q':
      case 'i':
      case 'u':
        this.#integer(kind.code, value);
        break;
      case 'b':
        this.u32(Number(expect('b', value, typeof value === 'boolean' ? value : undefined)));
        break;
      case 'x':
      case 't':
        this.#long(kind.code, value);
        break;
      case 'd':
        this.#double(expect('d', value, typeof value === 'number' ? value : undefined));
        break;
      case 's':
        this.string(text('s', value));
        break;
      case 'o':
        this.string(objectPath(text('o', value)));
        break;
      case 'g':
        this.signature(text('g', value));
        break;
      case 'v':
        this.#variant(expect('v', value, isVariant(value) ? value : undefined), depth + 1);
        break;
      case 'a':
        if (kind.of.code === 'y') this.#bytes(value);
        else this.#array(kind.of, expect('a', value, isList(value) ? value : undefined), depth + 1);
        break;
      case 'map':
        this.#map(kind.key, kind.value, expect('a{}', value, value instanceof Map ? value : undefined), depth + 1);
        break;
      case 'struct':
        this.#struct(kind.fields, expect('()', value, isList(value) ? value : undefined), depth + 1);
        break;
      default: {
        kind satisfies never;
      }
    }
  }

  #double(value: number): void {
    const at = this.take(8);
    this.#view.setFloat64(at, value, this.little);
  }

  #variant({ signature, value }: Variant, depth: number): void {
    const type = parseSingle(signature);
    this.signature(signature);
    this.value(type, value, depth);
  }

  #array(of: Type, list: readonly Value[], depth: number): void {
    this.array(of.alignment, () => {
      for (const each of list) this.value(of, each, depth);
    });
  }

  #map(key: Type, value: Type, map: ReadonlyMap<Value, Value>, depth: number): void {
    this.array(8, () => {
      for (const [name, each] of map) {
        this.align(8);
        this.value(key, name, depth + 1);
        this.value(value, each, depth + 1);
      }
    });
  }

  #struct(fields: readonly Type[], list: readonly Value[], depth: number): void {
    for (const [field, value] of pairs(fields, list)) this.value(field, value, depth);
  }

  #integer(code: keyof typeof INTEGERS, value: Value): void {
    const [size, least, most] = INTEGERS[code];
    const fits = typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
    const number = expect(code, value, fits ? value : undefined);
    // Two's complement: the bytes of a negative number are those of its unsigned counterpart.
    const at = this.take(size);
    if (size === 1) this.#view.setUint8(at, number);
    else if (size === 2) this.#view.setInt16(at, number, this.little);
    else this.#view.setInt32(at, number, this.little);
  }

  #long(code: 'x' | 't', value: Value): void {
    const wrap = code === 'x' ? BigInt.asIntN : BigInt.asUintN;
    const number = expect(code, value, typeof value === 'bigint' && wrap(64, value) === value ? value : undefined);
    const at = this.take(8);
    this.#view.setBigUint64(at, BigInt.asUintN(64, number), this.little);
  }

  #bytes(value: Value): void {
    const bytes = expect('ay', value, value instanceof Uint8Array ? value : undefined);
    this.array(1, () => {
      const at = this.take(bytes.length);
      this.bytes.set(bytes, at);
    });
  }

  /** The length, padding and elements of an array; `write` writes the elements. */
  array(alignment: number, write: () => void): void {
    this.u32(0);
    const length = this.length - 4;
    this.align(alignment);
    const start = this.length;
    write();
    if (this.length - start > MAX_ARRAY) throw new WireError(`an array of more than ${MAX_ARRAY} bytes`);
    this.setU32(length, this.length - start);
  }
}

function expect<T>(code: string, value: Value, fitting: T | undefined): T {
  if (fitting === undefined) throw new WireError(`${typeof value} ${String(value).slice(0, 40)} is no ${code}`);
  return fitting;
}

const text = (code: string, value: Value): string => expect(code, value, typeof value === 'string' ? value : undefined);

/** Each type with its value. @throws WireError when there are more of one than of the other. */
function pairs(types: readonly Type[], values: readonly Value[]): (readonly [Type, Value])[] {
  if (types.length !== values.length) throw new WireError(`${values.length} values for ${types.length} types`);
  return types.flatMap((type, i) => {
    const value = values[i];
    return value === undefined ? [] : [[type, value] as const];
  });
}

/** @throws WireError when the values do not fit the signature. */
export function writeValues(writer: Writer, signature: string, values: readonly Value[]): void {
  for (const [type, value] of pairs(parseSignature(signature), values)) writer.value(type, value);
}
