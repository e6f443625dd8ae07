import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyMessage, MESSAGES } from './vectors/arbitraries.ts';
import { decodeDatagram, encodeDatagram, type Message } from './vectors/datagram.ts';
import { align, Reader, Writer } from './wire.ts';

/** Attributes that hold attributes: id → those inside. */
interface Nests {
  readonly [id: number]: Nests;
}

interface Shape {
  readonly subject: keyof typeof MESSAGES;
  /** Bytes of the header before the attributes (struct ifinfomsg and so on). */
  readonly header: number;
  readonly nests: Nests;
}

const SHAPES: readonly Shape[] = [
  // IFLA_LINKINFO holds IFLA_INFO_DATA and IFLA_INFO_SLAVE_DATA.
  { subject: 'LINK', header: 16, nests: { 18: { 2: {}, 5: {} } } },
  { subject: 'ADDR', header: 8, nests: {} },
  { subject: 'NEIGH', header: 12, nests: {} },
  { subject: 'ROUTE', header: 12, nests: {} },
];

/**
 * Walks attributes as the kernel's nla_ok and nla_next do, knowing nothing of our tables.
 * @returns the ids found
 */
function walk(view: DataView, start: number, end: number, nests: Nests): number[] {
  const ids: number[] = [];
  let at = start;
  while (at < end) {
    const length = view.getUint16(at, true);
    const id = view.getUint16(at + 2, true);
    assert.equal(at % 4, 0, 'an attribute begins at a multiple of four');
    assert.ok(length >= 4 && at + length <= end, `attribute ${id}: ${length} bytes of ${end - at}`);
    for (let pad = at + length; pad < at + align(length); pad++) assert.equal(view.getUint8(pad), 0, 'padding is zero');
    const inside = nests[id];
    if (inside !== undefined) walk(view, at + 4, at + length, inside);
    ids.push(id);
    at += align(length);
  }
  assert.equal(at, end);
  return ids;
}

const attributesOf = (message: Message): object => {
  switch (message.kind) {
    case 'link':
      return message.link.attributes;
    case 'address':
      return message.address.attributes;
    case 'neighbour':
      return message.neighbour.attributes;
    case 'route':
      return message.route.attributes;
    case 'acknowledgement':
      return {};
    default:
      return message satisfies never;
  }
};

for (const { subject, header, nests } of SHAPES) {
  test(`${subject}: what is encoded is decoded again`, () => {
    fc.assert(
      fc.property(MESSAGES[subject], (message) => {
        assert.deepEqual(decodeDatagram(encodeDatagram([message])), [message]);
      }),
      { numRuns: 400 },
    );
  });

  test(`${subject}: lengths, alignment and padding`, () => {
    fc.assert(
      fc.property(MESSAGES[subject], (message) => {
        const bytes = encodeDatagram([message]);
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        assert.equal(view.getUint32(0, true), bytes.length);
        const ids = walk(view, 16 + header, bytes.length, nests);
        assert.equal(ids.length, Object.keys(attributesOf(message)).length);
        assert.equal(new Set(ids).size, ids.length, 'each attribute once');
      }),
    );
  });
}

test('a batch walks back to the same messages', () => {
  fc.assert(
    fc.property(fc.array(anyMessage, { maxLength: 8 }), (messages) => {
      const whole = encodeDatagram(messages);
      assert.deepEqual(decodeDatagram(whole), messages);
      assert.deepEqual(Buffer.concat(messages.map((each) => encodeDatagram([each]))), Buffer.from(whole));
    }),
  );
});

test('a writer used again leaves nothing of what it held', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(60), (noise, size) => {
      const writer = new Writer(16);
      writer.raw(noise);
      writer.reset();
      writer.take(size);
      assert.deepEqual(writer.written(), new Uint8Array(size));
    }),
  );
});

test('flags added to a closed message', () => {
  const writer = new Writer(8);
  const at = writer.openMessage(16, 0x1, 7);
  writer.closeMessage(at);
  writer.addFlags(at, 0x4);
  const reader = new Reader(writer.written());
  assert.equal(reader.u16(6), 0x5);
});

test('a payload that an attribute cannot say is refused, the longest one is not', () => {
  const write = (length: number) => () => {
    const writer = new Writer();
    const at = writer.openAttribute(20);
    writer.raw(new Uint8Array(length));
    writer.closeAttribute(at);
    return writer.written().length;
  };
  assert.equal(write(65531)(), 65536);
  assert.throws(write(65532), { name: 'RangeError', message: 'an attribute of 65536 bytes, where 65535 fit' });
});
