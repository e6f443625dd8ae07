/** Whatever the bytes are: the only error is NetlinkError, and nothing outside the message is looked at. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readAddress } from './address.ts';
import { readLink } from './link.ts';
import { NLM_F, NLMSG, RTM } from './message.ts';
import { readNeighbour } from './neighbour.ts';
import { readRoute } from './route.ts';
import { anyMessage, u8, u16, u32 } from './vectors/arbitraries.ts';
import { acknowledgement, contained, type Read } from './vectors/canary.ts';
import { decodeDatagram, encodeDatagram } from './vectors/datagram.ts';
import { capturedVectors } from './vectors/files.ts';
import { Reader, Writer } from './wire.ts';

// Tens of thousands of errors are made here, and none of their stacks is looked at.
Error.stackTraceLimit = 0;

const VECTORS = capturedVectors();

/** Reads a datagram from a view onto a larger buffer. */
const containedDatagram = (bytes: Uint8Array): string =>
  contained(bytes, (from, start, end) => decodeDatagram(from.bytes.subarray(start, end)));

const ACK_FLAGS = [0, NLM_F.CAPPED, NLM_F.ACK_TLVS, NLM_F.CAPPED | NLM_F.ACK_TLVS];
const READERS: Readonly<Record<string, Read>> = {
  readLink,
  readAddress,
  readNeighbour,
  readRoute,
  ...Object.fromEntries(
    [NLMSG.ERROR, NLMSG.DONE].flatMap((type) =>
      ACK_FLAGS.map((flags) => [`readAcknowledgement ${type} ${flags}`, acknowledgement(type, flags)]),
    ),
  ),
};

test('the reading of vectors depends on nothing around them', () => {
  for (const { bytes } of VECTORS) {
    assert.equal(containedDatagram(bytes), JSON.stringify(decodeDatagram(bytes)));
  }
});

test('every truncation of every vector is an error of ours, or a shorter list of messages', () => {
  for (const { file, name, bytes } of VECTORS) {
    const messages = decodeDatagram(bytes).map((each) => JSON.stringify(each));
    for (let length = 0; length < bytes.length; length++) {
      const got = containedDatagram(bytes.subarray(0, length));
      if (got.startsWith('NetlinkError')) continue;
      const count = JSON.parse(got).length;
      assert.equal(got, `[${messages.slice(0, count).join(',')}]`, `${file}: ${name}, cut to ${length}`);
    }
  }
});

test('every truncation of every vector’s body, by every reader', () => {
  // Bodies of links are mostly counters and sysctl values: the small vectors have all else.
  for (const { bytes } of VECTORS.filter(({ bytes: { length } }) => length <= 400)) {
    for (let end = 16; end <= bytes.length; end++) {
      const body = bytes.subarray(16, end);
      for (const read of Object.values(READERS)) contained(body, read);
    }
  }
});

test('lying lengths: every two bytes of the vectors say something else', () => {
  const lies = [0, 3, 5, 0x7fff, 0xffff];
  const small = VECTORS.filter(({ bytes }) => bytes.length <= 300);
  const port = VECTORS.filter(({ name }) => name === 'show a bridge port with options: answer');
  assert.equal(port.length, 1);
  for (const { bytes } of [...small, ...port]) {
    const truth = new Reader(bytes);
    for (let at = 0; at + 2 <= bytes.length; at += 2) {
      // No length is zero: in the large vector most are counters.
      if (bytes.length > 300 && truth.u16(at) === 0) continue;
      for (const lie of [...lies, bytes.length - at, bytes.length - at + 1]) {
        const lying = bytes.slice();
        new DataView(lying.buffer).setUint16(at, lie, true);
        containedDatagram(lying);
      }
    }
  }
});

test('bits flipped in vectors', () => {
  const flips = fc.array(fc.tuple(fc.nat(), fc.nat(7)), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(fc.constantFrom(...VECTORS), flips, ({ bytes }, places) => {
      const flipped = bytes.slice();
      for (const [place, bit] of places) {
        const at = place % flipped.length;
        flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
      }
      containedDatagram(flipped);
    }),
    { numRuns: 1500 },
  );
});

test('bits flipped in messages made from the tables', () => {
  fc.assert(
    fc.property(anyMessage, fc.nat(), u8, (message, place, value) => {
      const bytes = encodeDatagram([message]);
      bytes[place % bytes.length] = value;
      containedDatagram(bytes);
    }),
    { numRuns: 600 },
  );
});

test('random bytes, by every reader', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
      containedDatagram(bytes);
      for (const read of Object.values(READERS)) contained(bytes, read);
    }),
    { numRuns: 600 },
  );
});

/** Attributes whose ids are often known and whose lengths mostly fit, nested some levels deep. */
const attribute = fc.letrec<{ list: Uint8Array; one: Uint8Array }>((tie) => ({
  list: fc.array(tie('one'), { maxLength: 5 }).map((all) => new Uint8Array(Buffer.concat(all))),
  one: fc
    .record({
      id: fc.oneof({ weight: 9, arbitrary: fc.nat(36) }, { weight: 1, arbitrary: u16 }),
      payload: fc.oneof(
        { maxDepth: 4 },
        fc.uint8Array({ maxLength: 20 }),
        fc.constantFrom('vxlan', 'bridge', 'veth').map((kind) => new Uint8Array(Buffer.from(kind))),
        tie('list'),
      ),
      lie: fc.oneof(
        { weight: 9, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.integer({ min: -9, max: 9 }) },
      ),
    })
    .map(({ id, payload, lie }) => {
      const to = new Writer(64);
      const at = to.openAttribute(id);
      to.raw(payload);
      to.closeAttribute(at);
      to.view.setUint16(at, Math.max(0, 4 + payload.length + lie), true);
      return to.written().slice();
    }),
})).list;

test('random attributes in messages of every type', () => {
  const types = fc.constantFrom(...Object.values(RTM), NLMSG.ERROR, NLMSG.DONE);
  const header = fc.constantFrom(4, 8, 12, 16, 20);
  let understood = 0;
  fc.assert(
    fc.property(types, u16, u32, header, attribute, (type, flags, sequence, size, attributes) => {
      const to = new Writer(64);
      const at = to.openMessage(type, flags, sequence);
      to.take(size);
      to.raw(attributes);
      to.closeMessage(at);
      if (!containedDatagram(to.written()).startsWith('NetlinkError')) understood++;
    }),
    { numRuns: 1500 },
  );
  // Else the property would only ever see the first check fail.
  assert.ok(understood > 150, `${understood} understood`);
});

test('links nested in links until an attribute is full', () => {
  const nest = (depth: number): Uint8Array => {
    const to = new Writer(1 << 17);
    to.take(16);
    const open: number[] = [];
    for (let i = 0; i < depth; i++) {
      open.push(to.openAttribute(18));
      const kind = to.openAttribute(1);
      to.raw(Buffer.from('veth'));
      to.closeAttribute(kind);
      open.push(to.openAttribute(2), to.openAttribute(1));
      to.take(16);
    }
    for (const at of open.reverse()) to.closeAttribute(at);
    return to.written().slice();
  };
  assert.ok(contained(nest(1), readLink).startsWith('{'));
  for (const depth of [2, 100, 1800]) {
    assert.equal(contained(nest(depth), readLink), 'NetlinkError: a veth peer inside a veth peer');
  }
});

const HEADERS = { readLink: 16, readAddress: 8, readNeighbour: 12, readRoute: 12 };
for (const [name, size] of Object.entries(HEADERS)) {
  test(`${name}: a header alone is enough, one byte less is not`, () => {
    const read = READERS[name];
    assert.ok(read);
    assert.match(contained(new Uint8Array(size), read), /"attributes":{}/);
    assert.match(
      contained(new Uint8Array(size - 1), read),
      new RegExp(`^NetlinkError: \\w+ message of ${size - 1} bytes$`),
    );
  });
}
