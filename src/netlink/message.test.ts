import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLink } from './link.ts';
import { forEachMessage, NLMSG, readAcknowledgement } from './message.ts';
import { acknowledgement, contained } from './vectors/canary.ts';
import { Reader, Writer } from './wire.ts';

const TLV = (id: number, payload: Uint8Array): number[] => {
  const to = new Writer(64);
  const at = to.openAttribute(id);
  to.raw(payload);
  to.closeAttribute(at);
  return [...to.written()];
};

const words = TLV(1, Buffer.from('no\0'));
const u32Bytes = (value: number) => [...new Uint8Array(new Uint32Array([value]).buffer)];
const requestOf = (length: number, size: number) => [...u32Bytes(length), ...new Uint8Array(size - 4)];

const lengthsOf = (bytes: Uint8Array): number[] => {
  const lengths: number[] = [];
  forEachMessage(new Reader(bytes), ({ start, end }) => {
    lengths.push(end - start);
    return true;
  });
  return lengths;
};

test('messages are walked in steps of four bytes, the last need not be padded', () => {
  const first = [...u32Bytes(17), ...new Uint8Array(16)];
  const last = [...u32Bytes(18), ...new Uint8Array(14)];
  assert.deepEqual(lengthsOf(Uint8Array.from([...first, ...last])), [1, 2]);
});

test('a visitor that returns false ends the walk before what is broken', () => {
  const bytes = Uint8Array.from([...u32Bytes(16), ...new Uint8Array(12), 1, 2, 3]);
  let visits = 0;
  forEachMessage(new Reader(bytes), () => {
    visits++;
    return false;
  });
  assert.equal(visits, 1);
  assert.throws(() => lengthsOf(bytes), { name: 'NetlinkError', message: '3 bytes where a message header has 16' });
});

test('a flag in an attribute’s id (NLA_F_NESTED, NLA_F_NET_BYTEORDER) does not hide it', () => {
  for (const mark of [0x8000, 0x4000, 0xc000]) {
    const body = Uint8Array.from([...new Uint8Array(16), ...TLV(mark | 4, Uint8Array.from(u32Bytes(1450)))]);
    assert.match(contained(body, readLink), /"attributes":{"mtu":1450}/);
  }
});

const acknowledgements = [
  { name: 'nothing', type: NLMSG.ERROR, flags: 0, body: [], want: /^NetlinkError: acknowledgement of 0 bytes$/ },
  {
    name: 'three bytes',
    type: NLMSG.DONE,
    flags: 0,
    body: [0, 0, 0],
    want: /^NetlinkError: acknowledgement of 3 bytes$/,
  },
  { name: 'the number alone', type: NLMSG.ERROR, flags: 0, body: u32Bytes(0), want: /^{"errno":0}$/ },
  {
    name: 'words after a capped request',
    type: NLMSG.ERROR,
    flags: 0x300,
    body: [...u32Bytes(-17), ...requestOf(900, 16), ...words],
    want: /^{"errno":17,"message":"no"}$/,
  },
  {
    name: 'words after a whole request',
    type: NLMSG.ERROR,
    flags: 0x200,
    body: [...u32Bytes(-17), ...requestOf(18, 20), ...words],
    want: /^{"errno":17,"message":"no"}$/,
  },
  {
    name: 'words at the end of a dump',
    type: NLMSG.DONE,
    flags: 0x200,
    body: [...u32Bytes(-2), ...words],
    want: /^{"errno":2,"message":"no"}$/,
  },
  {
    name: 'a request longer than the message',
    type: NLMSG.ERROR,
    flags: 0x200,
    body: [...u32Bytes(-17), ...requestOf(0xffffffff, 16), ...words],
    want: /^NetlinkError: acknowledgement with a cut request$/,
  },
  {
    name: 'a request shorter than its header',
    type: NLMSG.ERROR,
    flags: 0x200,
    body: [...u32Bytes(-17), ...requestOf(15, 16), ...words],
    want: /^NetlinkError: acknowledgement with a cut request$/,
  },
  {
    name: 'a request that ends unaligned with the message',
    type: NLMSG.ERROR,
    flags: 0x200,
    body: [...u32Bytes(-17), ...requestOf(17, 17)],
    want: /^{"errno":17}$/,
  },
  {
    name: 'words that are no UTF-8',
    type: NLMSG.DONE,
    flags: 0x200,
    body: [...u32Bytes(-2), ...TLV(1, Uint8Array.of(0xff, 0x41))],
    want: /^{"errno":2,"message":"\ufffdA"}$/,
  },
  {
    name: 'an offset of two bytes',
    type: NLMSG.DONE,
    flags: 0x200,
    body: [...u32Bytes(-2), ...TLV(2, new Uint8Array(2))],
    want: /^NetlinkError: attribute offset has 2 bytes, needs 4$/,
  },
];

for (const { name, type, flags, body, want } of acknowledgements) {
  test(`acknowledgement: ${name}`, () => {
    assert.match(contained(Uint8Array.from(body), acknowledgement(type, flags)), want);
  });
}

test('success is 0, not -0', () => {
  const { errno } = readAcknowledgement(new Reader(new Uint8Array(4)), {
    type: 2,
    flags: 0,
    sequence: 0,
    start: 0,
    end: 4,
  });
  assert.ok(Object.is(errno, 0));
});
