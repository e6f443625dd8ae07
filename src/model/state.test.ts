import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatIp, type IpAddress, parseIp } from './address.ts';
import { formatMac, isGroupMac, type Mac, parseMac, ZERO_MAC } from './mac.ts';
import { fdbKey } from './state.ts';

function row(mac: string, vtep: string): readonly [Mac, IpAddress] {
  const known = parseMac(mac);
  const address = parseIp(vtep);
  assert.ok(known && address);
  return [known, address];
}

const keys = [
  { name: 'a unicast MAC has one VTEP', in: row('02:00:00:00:00:05', '10.0.0.4'), want: '02:00:00:00:00:05' },
  { name: 'all zeros: one row a VTEP', in: row(ZERO_MAC, '10.0.0.4'), want: `${ZERO_MAC} 10.0.0.4` },
  { name: 'IPv6', in: row(ZERO_MAC, 'FD00:0::4'), want: `${ZERO_MAC} fd00::4` },
  { name: 'multicast', in: row('01:00:5e:00:00:01', '10.0.0.4'), want: '01:00:5e:00:00:01 10.0.0.4' },
  { name: 'IPv6 multicast', in: row('33:33:00:00:00:01', '10.0.0.4'), want: '33:33:00:00:00:01 10.0.0.4' },
  { name: 'broadcast', in: row('ff:ff:ff:ff:ff:ff', '10.0.0.4'), want: 'ff:ff:ff:ff:ff:ff 10.0.0.4' },
];

for (const { name, in: args, want } of keys) {
  test(`key of a forwarding row: ${name}`, () => assert.equal(fdbKey(...args), want));
}

test('two rows have one key just when the second would replace the first', () => {
  const mac = fc
    .oneof(fc.constant(new Uint8Array(6)), fc.uint8Array({ minLength: 6, maxLength: 6 }))
    .map((bytes) => formatMac(bytes));
  const vtep = fc.uint8Array({ minLength: 4, maxLength: 4 }).map(formatIp);
  fc.assert(
    fc.property(mac, mac, vtep, vtep, (one, other, here, there) => {
      for (const second of [one, other]) {
        const manyVteps = one === ZERO_MAC || isGroupMac(one);
        const same = one === second && (here === there || !manyVteps);
        assert.equal(fdbKey(one, here) === fdbKey(second, there), same);
      }
    }),
  );
});
