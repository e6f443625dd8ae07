/**
 * Messages that a real dbus-daemon sent (scripts/capture-dbus-vectors.ts), of sd-bus, libdbus, GLib, systemd-networkd and
 * itself: we read in them what busctl printed of them, and write them in the same bytes.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeMessage, type Header, measure, readBody, readHeader } from './message.ts';
import { parseSignature, type Type } from './signature.ts';
import { isList, isVariant, type Value } from './wire.ts';

interface Vector {
  /** JSON of busctl. */
  readonly printed: string;
  readonly hex: string;
}

const VECTORS: readonly Vector[] = JSON.parse(readFileSync(join(import.meta.dirname, 'vectors.json'), 'utf8'));

/** Integers that a double cannot hold stay what they are. */
function exactly(text: string): unknown {
  return JSON.parse(text, (_, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
      ? BigInt(context?.source ?? value)
      : value,
  );
}

/** A value as busctl prints it. */
function printed(value: Value): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (value instanceof Uint8Array) return [...value];
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, each]) => [key, printed(each)]));
  if (isList(value)) return value.map(printed);
  if (isVariant(value)) return { type: value.signature, data: printed(value.value) };
  return value;
}

const KIND = { call: 'method_call', return: 'method_return', error: 'error', signal: 'signal', other: '' } as const;

/** A message as busctl prints it. */
function messagePrinted(bytes: Buffer, header: Header, body: readonly Value[]): object {
  const fields = {
    type: KIND[header.kind],
    endian: String.fromCharCode(bytes[0] ?? 0),
    flags: header.flags,
    version: bytes[3],
    cookie: header.serial,
    reply_cookie: header.replySerial,
    sender: header.sender,
    destination: header.destination,
    path: header.path,
    interface: header.interface,
    member: header.member,
    error_name: header.errorName,
  };
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
  return { ...given, payload: { type: header.signature, data: body.map(printed) } };
}

for (const { printed: text, hex } of VECTORS) {
  const { type, member, error_name, payload } = JSON.parse(text);
  test(`${type} ${member ?? error_name ?? ''} ${payload.type}`, () => {
    const bytes = Buffer.from(hex, 'hex');
    assert.equal(measure(bytes, 0).total, bytes.length);
    const header = readHeader(bytes, 0);
    const body = readBody(bytes, 0, header);
    assert.deepEqual(messagePrinted(bytes, header, body), exactly(text));
    // Everybody puts the header's fields into an order of its own: the body is the same, and the fields in their sum.
    const { kind } = header;
    assert.ok(kind !== 'other');
    const again = encodeMessage({ ...header, kind, body });
    assert.equal(again.length, bytes.length);
    assert.deepEqual(again.subarray(measure(again, 0).header), bytes.subarray(measure(bytes, 0).header));
    assert.deepEqual(readHeader(again, 0), header);
  });
}

test('the vectors have every type', () => {
  const seen = new Set<string>();
  const collect = (type: Type): void => {
    seen.add(type.code);
    if (type.code === 'a') collect(type.of);
    if (type.code === 'map') [type.key, type.value].forEach(collect);
    if (type.code === 'struct') type.fields.forEach(collect);
  };
  for (const { hex } of VECTORS) parseSignature(readHeader(Buffer.from(hex, 'hex'), 0).signature).forEach(collect);
  assert.deepEqual([...seen].sort(), [...'abdginoqstuvxy', 'map', 'struct'].sort());
});
