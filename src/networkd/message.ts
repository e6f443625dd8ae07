/** D-Bus messages: the header with its fields, and where the body is (D-Bus specification, Message Format). */
import { Reader, readValues } from './reader.ts';
import { parseSingle, WireError } from './signature.ts';
import { MAX_ARRAY, MAX_MESSAGE, type Value } from './wire.ts';
import { Writer, writeValues } from './writer.ts';

export type Kind = 'call' | 'return' | 'error' | 'signal';

/** A header's fields; null where the message has none. */
export interface Fields {
  readonly path: string | null;
  readonly interface: string | null;
  readonly member: string | null;
  readonly errorName: string | null;
  readonly replySerial: number | null;
  readonly destination: string | null;
  /** The unique name of the sender, or `org.freedesktop.DBus`; the bus fills it in, so it cannot be forged. */
  readonly sender: string | null;
  /** '' without a body. */
  readonly signature: string;
}

export interface Header extends Fields {
  /** `other`: a type that a later specification may add; to be ignored. */
  readonly kind: Kind | 'other';
  readonly flags: number;
  readonly serial: number;
}

export interface Outgoing extends Partial<Fields> {
  readonly kind: Kind;
  readonly serial: number;
  readonly flags?: number;
  readonly body?: readonly Value[];
}

export const FLAG_NO_REPLY_EXPECTED = 1;
export const FLAG_NO_AUTO_START = 2;

/** The part of a header that is the same for all, and says how long the rest is. */
export const PREAMBLE = 16;
const VERSION = 1;
const KINDS: readonly Header['kind'][] = ['other', 'call', 'return', 'error', 'signal'];
const LITTLE = 'l'.charCodeAt(0);
const BIG = 'B'.charCodeAt(0);

type FieldName = keyof Fields;
/** Header fields in the order of their codes, from 1; 9 counts file descriptors, which we never agree to. */
const FIELDS: readonly { readonly name: FieldName; readonly type: 'o' | 's' | 'u' | 'g' }[] = [
  { name: 'path', type: 'o' },
  { name: 'interface', type: 's' },
  { name: 'member', type: 's' },
  { name: 'errorName', type: 's' },
  { name: 'replySerial', type: 'u' },
  { name: 'destination', type: 's' },
  { name: 'sender', type: 's' },
  { name: 'signature', type: 'g' },
];

const REQUIRED: Readonly<Record<Header['kind'], readonly FieldName[]>> = {
  call: ['path', 'member'],
  return: ['replySerial'],
  error: ['replySerial', 'errorName'],
  signal: ['path', 'interface', 'member'],
  other: [],
};

export interface Measure {
  /** Bytes of the header with its padding: where the body begins. */
  readonly header: number;
  readonly total: number;
}

const littleEndian = (bytes: Buffer, at: number): boolean => {
  const order = bytes[at];
  if (order !== LITTLE && order !== BIG) throw new WireError(`byte order ${order}`);
  return order === LITTLE;
};

/** The size of the message that begins at `at`, of which PREAMBLE bytes must be there. @throws WireError. */
export function measure(bytes: Buffer, at: number): Measure {
  const little = littleEndian(bytes, at);
  if (bytes[at + 1] === 0) throw new WireError('a message of type 0');
  if (bytes[at + 3] !== VERSION) throw new WireError(`protocol version ${bytes[at + 3]}`);
  const body = little ? bytes.readUInt32LE(at + 4) : bytes.readUInt32BE(at + 4);
  const fields = little ? bytes.readUInt32LE(at + 12) : bytes.readUInt32BE(at + 12);
  if (fields > MAX_ARRAY) throw new WireError(`header fields of ${fields} bytes`);
  const header = PREAMBLE + Math.ceil(fields / 8) * 8;
  if (header + body > MAX_MESSAGE) throw new WireError(`a message of ${header + body} bytes`);
  return { header, total: header + body };
}

/** Reads one field into its code's place. */
function readField(reader: Reader, found: Value[]): void {
  reader.align(8);
  const code = reader.u8();
  const signature = reader.signature();
  if (code === 0) throw new WireError('a header field with code 0');
  const field = FIELDS[code - 1];
  if (field !== undefined && field.type !== signature) {
    throw new WireError(`header field ${field.name} with signature ${JSON.stringify(signature)}`);
  }
  const value = signature === 's' ? reader.string(reader.u32()) : reader.value(parseSingle(signature), 2);
  if (field !== undefined) found[code] = value;
}

const text = (value: Value | undefined): string | null => (typeof value === 'string' ? value : null);

/**
 * Reads the header of the message that begins at `at` and whose header is all there.
 * @throws WireError, also when a field is missing that this type of message must have
 */
export function readHeader(bytes: Buffer, at: number): Header {
  const reader = new Reader(bytes, at, at + measure(bytes, at).header, littleEndian(bytes, at));
  reader.at = at + 8;
  const serial = reader.u32();
  if (serial === 0) throw new WireError('a message with serial 0');
  const found: Value[] = [];
  reader.elements(8, () => readField(reader, found));
  reader.align(8);
  const [, path, face, member, errorName, replySerial, destination, sender, signature] = found;
  const header: Header = {
    kind: KINDS[bytes[at + 1] ?? 0] ?? 'other',
    flags: bytes[at + 2] ?? 0,
    serial,
    path: text(path),
    interface: text(face),
    member: text(member),
    errorName: text(errorName),
    replySerial: typeof replySerial === 'number' ? replySerial : null,
    destination: text(destination),
    sender: text(sender),
    signature: text(signature) ?? '',
  };
  for (const name of REQUIRED[header.kind]) {
    if (header[name] === null) throw new WireError(`a ${header.kind} without ${name}`);
  }
  return header;
}

/** The values of the message that begins at `at` and is all there. @throws WireError. */
export function readBody(bytes: Buffer, at: number, { signature }: Header): Value[] {
  const { header, total } = measure(bytes, at);
  return readValues(new Reader(bytes, at + header, at + total, littleEndian(bytes, at)), signature);
}

/** @throws WireError when the body does not fit the signature, or a field is missing. */
export function encodeMessage(message: Outgoing, little = true): Buffer {
  const { kind, serial, flags = 0, signature = '', body = [] } = message;
  for (const name of REQUIRED[kind]) {
    if (message[name] === undefined || message[name] === null) throw new WireError(`a ${kind} without ${name}`);
  }
  const writer = new Writer(little);
  writer.u8(little ? LITTLE : BIG);
  writer.u8(KINDS.indexOf(kind));
  writer.u8(flags);
  writer.u8(VERSION);
  writer.u32(0);
  writer.u32(serial);
  writer.array(8, () => {
    FIELDS.forEach(({ name, type }, i) => {
      const value = message[name];
      if (value === undefined || value === null || value === '') return;
      writer.align(8);
      writer.u8(i + 1);
      writer.signature(type);
      writeValues(writer, type, [value]);
    });
  });
  writer.align(8);
  const start = writer.length;
  writeValues(writer, signature, body);
  writer.setU32(4, writer.length - start);
  return writer.written();
}
