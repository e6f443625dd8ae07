import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatMac, isGroupMac, parseMac, stableMac, ZERO_MAC } from './mac.ts';

const texts = [
  { in: '02:00:5e:00:53:01', want: '02:00:5e:00:53:01' },
  { in: 'AA:BB:CC:DD:EE:FF', want: 'aa:bb:cc:dd:ee:ff' },
  { in: '00:00:00:00:00:00', want: ZERO_MAC },
  ...[
    '',
    '02-00-5e-00-53-01',
    '0200.5e00.5301',
    '02005e005301',
    '2:0:5e:0:53:1',
    '02:00:5e:00:53',
    '02:00:5e:00:53:01:02',
  ].map((text) => ({ in: text, want: null })),
  ...[' 02:00:5e:00:53:01', '02:00:5e:00:53:01\n', '02:00:5e:00:53:0g', '02:00:5e:00:53:0١'].map((text) => ({
    in: text,
    want: null,
  })),
];

for (const { in: text, want } of texts) {
  test(`a MAC address: ${JSON.stringify(text)}`, () => assert.equal(parseMac(text), want));
}

const six = fc.uint8Array({ minLength: 6, maxLength: 6 });

test('six bytes as text', () => {
  fc.assert(
    fc.property(six, fc.nat(20), (bytes, offset) => {
      const buffer = Uint8Array.from([...new Uint8Array(offset).fill(0xee), ...bytes, 0xee]);
      const text = formatMac(buffer, offset);
      assert.equal(text, (Buffer.from(bytes).toString('hex').match(/../g) ?? []).join(':'));
      assert.equal(parseMac(text.toUpperCase()), text);
    }),
  );
});

test('the group bit is the lowest of the first byte', () => {
  for (let first = 0; first < 256; first++) {
    assert.equal(isGroupMac(formatMac(Uint8Array.of(first, 0, 0, 0, 0, 0))), first % 2 === 1, `first byte ${first}`);
  }
});

// By hand: printf article/vxlan0/alpha | sha256sum
const stable = [
  { fabric: 'article', overlay: 'vxlan0', host: 'alpha', want: '8a:66:8e:51:63:5c' },
  { fabric: 'article', overlay: 'vxlan0', host: 'beta', want: '02:4a:d2:13:33:cb' },
  { fabric: 'f', overlay: 'überlagert', host: 'höst', want: 'c2:1f:c8:20:34:f6' },
];

for (const { fabric, overlay, host, want } of stable) {
  test(`the stable MAC of ${fabric}/${overlay}/${host}`, () => {
    assert.equal(stableMac(fabric, overlay, host), want);
  });

  test(`the stable MAC of ${fabric}/${overlay}/${host} is what sha256sum says`, () => {
    const { stdout, status } = spawnSync('sha256sum', { input: `${fabric}/${overlay}/${host}`, encoding: 'utf8' });
    assert.equal(status, 0);
    const [first = '', ...rest] = stdout.slice(0, 12).match(/../g) ?? [];
    // Locally administered (bit 1 set), unicast (bit 0 clear).
    const local = Number.parseInt(first, 16) - (Number.parseInt(first, 16) % 4) + 2;
    assert.equal(want, [local.toString(16).padStart(2, '0'), ...rest].join(':'));
  });
}

test('a stable MAC is canonical, unicast and locally administered', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (fabric, overlay, host) => {
      const mac = stableMac(fabric, overlay, host);
      assert.equal(parseMac(mac), mac);
      assert.equal(isGroupMac(mac), false);
      assert.equal(Number.parseInt(mac.slice(0, 2), 16) & 3, 2);
      assert.notEqual(mac, ZERO_MAC);
    }),
  );
});
