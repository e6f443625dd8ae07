import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bytesOf, type Family, type IpAddress } from '../model/address.ts';
import { answerTypes, checksum, readIcmp, skipIpv4Header, writeEchoRequest } from './icmp.ts';

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

const sums: readonly { name: string; in: string; want: number }[] = [
  // RFC 1071, section 3: the sum is ddf2.
  { name: 'the example of RFC 1071', in: '0001 f203 f4f5 f6f7', want: ~0xddf2 & 0xffff },
  { name: 'nothing', in: '', want: 0xffff },
  { name: 'an odd length', in: '0001 f2', want: ~0xf201 & 0xffff },
  { name: 'carries twice', in: 'ffff ffff 0001', want: ~0x0001 & 0xffff },
];
for (const { name, in: bytes, want } of sums) {
  test(`checksum: ${name}`, () => assert.equal(checksum(hex(bytes)), want));
}

test('a request has a right checksum, and only IPv4 needs one from us', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(0xffff), fc.nat(0xffff), (payload, identifier, sequence) => {
      const message = new Uint8Array(8 + payload.length);
      message.set(payload, 8);
      writeEchoRequest(message, 4, identifier, sequence);
      assert.equal(checksum(message), 0);
      assert.deepEqual([message[0], message[1]], [8, 0]);
      writeEchoRequest(message, 6, identifier, sequence);
      assert.deepEqual([...message.subarray(0, 4)], [128, 0, 0, 0]);
    }),
  );
});

test('a request comes back as a reply, on a slice of a larger buffer too', () => {
  for (const family of [4, 6] as const) {
    const message = new Uint8Array(40).subarray(7, 27);
    message.fill(9, 8);
    writeEchoRequest(message, family, 0x1234, 0xfedc);
    message[0] = family === 4 ? 0 : 129;
    const read = readIcmp(message, family);
    const want = { kind: 'reply', identifier: 0x1234, sequence: 0xfedc, payload: new Uint8Array(12).fill(9) };
    assert.deepEqual(read, want);
  }
});

/** An error that quotes an echo request to the address, with identifier 0x1234 and sequence 7. */
function errorMessage(family: Family, head: string, to: string, payload = 'aabb'): Uint8Array {
  const ipHeader = Buffer.alloc(family === 4 ? 20 : 40);
  ipHeader[0] = family === 4 ? 0x45 : 0x60;
  ipHeader[family === 4 ? 9 : 6] = family === 4 ? 1 : 58;
  ipHeader.set(bytesOf(to as IpAddress), family === 4 ? 16 : 24);
  const request = hex(`${family === 4 ? '08' : '80'}00 0000 1234 0007 ${payload}`);
  return Uint8Array.from(Buffer.concat([hex(head), ipHeader, request]));
}

const errors: readonly { name: string; family: Family; in: string; want: readonly [string, string] }[] = [
  {
    name: 'fragmentation needed',
    family: 4,
    in: '0304 0000 0000 0578',
    want: ['message too long', 'fragmentation needed, the next hop carries 1400 bytes'],
  },
  { name: 'host unreachable', family: 4, in: '0301 0000 0000 0000', want: ['unreachable', 'host unreachable'] },
  {
    name: 'prohibited',
    family: 4,
    in: '030d 0000 0000 0000',
    want: ['prohibited', 'communication administratively prohibited'],
  },
  {
    name: 'a code of the future',
    family: 4,
    in: '0363 0000 0000 0000',
    want: ['unreachable', 'destination unreachable'],
  },
  { name: 'time exceeded', family: 4, in: '0b00 0000 0000 0000', want: ['unreachable', 'time to live exceeded'] },
  { name: 'parameter problem', family: 4, in: '0c00 0000 0000 0000', want: ['refused', 'parameter problem'] },
  {
    name: 'packet too big',
    family: 6,
    in: '0200 0000 0000 0500',
    want: ['message too long', 'packet too big, the next hop carries 1280 bytes'],
  },
  { name: 'no route', family: 6, in: '0100 0000 0000 0000', want: ['unreachable', 'no route to destination'] },
  { name: 'address unreachable', family: 6, in: '0103 0000 0000 0000', want: ['unreachable', 'address unreachable'] },
];
for (const { name, family, in: head, want } of errors) {
  test(`error over IPv${family}: ${name}`, () => {
    const destination = family === 4 ? '169.254.0.2' : 'fd00:77::2';
    const [trouble, detail] = want;
    const quoted = { destination, identifier: 0x1234, sequence: 7 };
    assert.deepEqual(readIcmp(errorMessage(family, head, destination), family), {
      kind: 'error',
      trouble,
      detail,
      ...quoted,
      payload: hex('aabb'),
    });
  });
}

test('an error about something else, or cut before it says about what, is none', () => {
  const whole = errorMessage(4, '0301 0000 0000 0000', '10.0.0.1', '');
  assert.notEqual(readIcmp(whole, 4), null);
  for (let length = 0; length < whole.length; length++) assert.equal(readIcmp(whole.subarray(0, length), 4), null);
  assert.equal(readIcmp(whole.with(8 + 9, 17), 4), null, 'about UDP');
  assert.equal(readIcmp(whole.with(8 + 20, 0), 4), null, 'about a reply');
  assert.equal(readIcmp(whole.with(8, 0x4f), 4), null, 'a quoted header longer than what is there');
  assert.equal(readIcmp(whole.with(8, 0x42), 4), null, 'a quoted header of 8 bytes');
  assert.equal(readIcmp(whole.with(0, 8), 4), null, 'a request of somebody');
});

test('any bytes are read or not, without an error', () => {
  const types = fc.constantFrom(...answerTypes(4), ...answerTypes(6), 8, 128);
  fc.assert(
    fc.property(types, fc.uint8Array({ maxLength: 120 }), fc.constantFrom<Family>(4, 6), (type, rest, family) => {
      const message = Uint8Array.from([type, ...rest]);
      const read = readIcmp(message, family);
      if (read !== null) assert.ok(read.payload.length <= message.length);
      skipIpv4Header(message);
    }),
    { numRuns: 2000 },
  );
});
