/** Whatever the bytes are: the only error is WireError, and nothing outside the message is looked at. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { anyBody } from './arbitrary.testing.ts';
import { Frames } from './frames.ts';
import { encodeMessage, type Header, measure, PREAMBLE, readBody, readHeader } from './message.ts';
import { WireError } from './signature.ts';
import type { Value } from './wire.ts';

// Tens of thousands of errors are made here, and none of their stacks is looked at.
Error.stackTraceLimit = 0;

const VECTORS: readonly Buffer[] = JSON.parse(readFileSync(join(import.meta.dirname, 'vectors.json'), 'utf8')).map(
  ({ hex }: { hex: string }) => Buffer.from(hex, 'hex'),
);

const known = { kind: 'signal', path: '/', interface: 'a.b', member: 'c', sender: ':1.1' } as const;

const MARGIN = 64;
/** What is around a message: the beginning of another one, all ones. */
const CANARIES = [0x6c, 0xff];

/** What came out as text: a header and its body, or the words of a WireError. Any other error goes on. */
function outcome(bytes: Buffer, at: number, length: number): string {
  try {
    if (length < PREAMBLE || measure(bytes, at).total > length) return 'not whole';
    const header = readHeader(bytes, at);
    return inspect([header, readBody(bytes, at, header)], { depth: 70 });
  } catch (error) {
    if (error instanceof WireError) return error.message;
    throw error;
  }
}

/** Reads a message among canaries; they make no difference. */
function contained(bytes: Buffer): string {
  const alone = outcome(bytes, 0, bytes.length);
  for (const canary of CANARIES) {
    const room = Buffer.alloc(bytes.length + 2 * MARGIN, canary);
    bytes.copy(room, MARGIN);
    assert.equal(outcome(room, MARGIN, bytes.length), alone, `among bytes of ${canary}`);
  }
  return alone;
}

test('every vector with any one byte changed', () => {
  let refused = 0;
  for (const vector of VECTORS) {
    for (let at = 0; at < vector.length; at++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const bytes = Buffer.from(vector);
        bytes[at] = (bytes[at] ?? 0) ^ flip;
        if (!contained(bytes).startsWith('[')) refused++;
      }
    }
  }
  assert.ok(refused > 1000, `only ${refused} were refused`);
});

test('every vector cut short, with lengths that say so', () => {
  for (const vector of VECTORS) {
    const { header } = measure(vector, 0);
    for (let length = header; length < vector.length; length++) {
      const bytes = Buffer.from(vector.subarray(0, length));
      bytes.writeUInt32LE(length - header, 4);
      assert.doesNotMatch(contained(bytes), /^\[|^not whole/);
    }
  }
});

test('a random body behind a good header', () => {
  const outcomes = new Map<string, number>();
  fc.assert(
    fc.property(anyBody, fc.uint8Array({ maxLength: 80 }), ({ signature, body }, random) => {
      const good = encodeMessage({ ...known, serial: 1, signature, body });
      const bytes = Buffer.concat([good.subarray(0, measure(good, 0).header), random]);
      bytes.writeUInt32LE(random.length, 4);
      const kind = contained(bytes).startsWith('[') ? 'read' : 'refused';
      outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
    }),
    { numRuns: 3000 },
  );
  assert.deepEqual([...outcomes.keys()].sort(), ['read', 'refused']);
});

test('random bytes from the start', () => {
  fc.assert(
    fc.property(fc.constantFrom(0x6c, 0x42, 0), fc.uint8Array({ minLength: 15, maxLength: 100 }), (order, rest) => {
      contained(Buffer.concat([Buffer.from([order]), rest]));
    }),
    { numRuns: 3000 },
  );
});

test('a stream gives the same messages however it is cut', () => {
  const message = fc
    .tuple(anyBody, fc.nat(300))
    .map(([body, padding]) =>
      encodeMessage({ ...known, serial: 1, ...body, destination: `:1.${'9'.repeat(padding % 40)}` }),
    );
  fc.assert(
    fc.property(fc.array(message, { maxLength: 12 }), fc.array(fc.integer({ min: 1, max: 400 })), (messages, cuts) => {
      const stream = Buffer.concat(messages);
      const got: string[] = [];
      const frames = new Frames(1 << 20, {
        wants: () => true,
        message: (_, bytes, at) => got.push(bytes.subarray(at, at + measure(bytes, at).total).toString('hex')),
        oversized: () => assert.fail('nothing is too large'),
      });
      let at = 0;
      for (const cut of [...cuts, stream.length]) {
        // What was handed over may be overwritten at once, as a socket's buffer is.
        const chunk = Buffer.from(stream.subarray(at, at + cut));
        frames.push(chunk);
        chunk.fill(0xee);
        at += cut;
      }
      assert.deepEqual(
        got,
        messages.map((each) => each.toString('hex')),
      );
    }),
  );
});

/** Feeds a stream in pieces of `size`. @returns what happened, and the most bytes that were held */
function feed(largest: number, size: number, stream: Buffer, wants: (header: Header) => boolean): string[] {
  const events: string[] = [];
  const frames = new Frames(largest, {
    wants,
    message: (header) => events.push(`message ${header.serial}`),
    oversized: (header) => events.push(`oversized ${header.serial}`),
  });
  for (let at = 0; at < stream.length; at += size) frames.push(stream.subarray(at, at + size));
  return events;
}

test('what is too large or unwanted is passed over, and the next message is found', () => {
  const body = (bytes: number): { signature: string; body: readonly Value[] } => ({
    signature: 'ay',
    body: [new Uint8Array(bytes)],
  });
  const small = encodeMessage({ ...known, serial: 1, ...body(10) });
  const large = encodeMessage({ ...known, serial: 2, ...body(100_000) });
  const longHeader = encodeMessage({ ...known, serial: 3, path: `/${'a'.repeat(70_000)}` });
  const last = encodeMessage({ ...known, serial: 4 });
  const cases: readonly { name: string; in: readonly Buffer[]; wants?: (header: Header) => boolean; want: string[] }[] =
    [
      { name: 'large, allowed', in: [small, large, last], want: ['message 1', 'message 2', 'message 4'] },
      { name: 'a header of 70,000 bytes', in: [small, longHeader, last], want: ['message 1', 'message 4'] },
      {
        name: 'unwanted',
        in: [small, large, last],
        wants: ({ serial }) => serial === 4,
        want: ['message 4'],
      },
    ];
  for (const { name, in: messages, wants = () => true, want } of cases) {
    for (const size of [1, 17, 1000, 16384, 1 << 20]) {
      assert.deepEqual(feed(1 << 20, size, Buffer.concat(messages), wants), want, `${name}, by ${size}`);
    }
  }
  for (const size of [1, 1000, 1 << 20]) {
    const stream = Buffer.concat([small, large, last]);
    assert.deepEqual(
      feed(50_000, size, stream, () => true),
      ['message 1', 'oversized 2', 'message 4'],
      `by ${size}`,
    );
  }
});

test('streams that are none', () => {
  const good = encodeMessage({ ...known, serial: 1 });
  const broken = (at: number, byte: number): Buffer => {
    const bytes = Buffer.from(good);
    bytes[at] = byte;
    return bytes;
  };
  const cases: readonly { name: string; in: Buffer; want: RegExp }[] = [
    { name: 'byte order', in: broken(0, 0x78), want: /byte order/ },
    { name: 'type 0', in: broken(1, 0), want: /type 0/ },
    { name: 'version 2', in: broken(3, 2), want: /version 2/ },
    { name: 'a body of 2 GiB', in: broken(7, 0x7f), want: /a message of/ },
    { name: 'header fields of 2 GiB', in: broken(15, 0x7f), want: /header fields of/ },
    { name: 'serial 0', in: broken(8, 0), want: /serial 0/ },
    { name: 'a field with code 0', in: broken(16, 0), want: /code 0/ },
    { name: 'a field of another type', in: broken(16, 5), want: /replySerial/ },
    { name: 'no path', in: broken(16, 10), want: /without path/ },
  ];
  for (const { name, in: bytes, want } of cases) {
    assert.throws(
      () => feed(1 << 20, 7, bytes, () => true),
      (error) => error instanceof WireError && want.test(error.message),
      name,
    );
  }
});

test('a type that is not known yet is passed on as other', () => {
  const bytes = encodeMessage({ ...known, serial: 1 });
  bytes[1] = 9;
  assert.equal(readHeader(bytes, 0).kind, 'other');
});
