import assert from 'node:assert/strict';
import { BlockList, isIP, isIPv6, SocketAddress } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  addressOf,
  bytesOf,
  contains,
  familyOf,
  formatIp,
  type IpAddress,
  ipBytes,
  isLinkLocal6,
  isMulticast,
  isUnicast,
  lengthOf,
  networkOf,
  type Prefix,
  parseIp,
  parsePrefix,
} from './address.ts';

function ip(text: string): IpAddress {
  const address = parseIp(text);
  assert.ok(address, text);
  return address;
}

function prefixOf(text: string): Prefix {
  const prefix = parsePrefix(text);
  assert.ok(prefix, text);
  return prefix;
}

const canonical = [
  { name: 'article', in: '10.10.0.4', want: '10.10.0.4' },
  { name: 'all zeros', in: '0.0.0.0', want: '0.0.0.0' },
  { name: 'all ones', in: '255.255.255.255', want: '255.255.255.255' },
  // RFC 5952, sections 1 and 2: spellings of one address.
  {
    name: 'RFC 5952, 2.1: leading zeros',
    in: '2001:db8:aaaa:bbbb:cccc:dddd:eeee:0001',
    want: '2001:db8:aaaa:bbbb:cccc:dddd:eeee:1',
  },
  {
    name: 'RFC 5952, 2.2: one group shortened',
    in: '2001:db8:aaaa:bbbb:cccc:dddd::1',
    want: '2001:db8:aaaa:bbbb:cccc:dddd:0:1',
  },
  { name: 'RFC 5952, 2.2: as many as there are', in: '2001:db8::0:1', want: '2001:db8::1' },
  {
    name: 'RFC 5952, 2.3: capitals',
    in: '2001:DB8:AAAA:BBBB:CCCC:DDDD:EEEE:AAAA',
    want: '2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaaa',
  },
  { name: 'RFC 5952, 4.1', in: '2001:0db8::0001', want: '2001:db8::1' },
  { name: 'RFC 5952, 4.2.1', in: '2001:db8:0:0:0:0:2:1', want: '2001:db8::2:1' },
  { name: 'RFC 5952, 4.2.2', in: '2001:db8::1:1:1:1:1', want: '2001:db8:0:1:1:1:1:1' },
  { name: 'RFC 5952, 4.2.3: the longest run', in: '2001:0:0:1:0:0:0:1', want: '2001:0:0:1::1' },
  { name: 'RFC 5952, 4.2.3: the first of two', in: '2001:db8:0:0:1:0:0:1', want: '2001:db8::1:0:0:1' },
  { name: 'RFC 5952, 5: mapped', in: '::FFFF:C0A8:0001', want: '::ffff:192.168.0.1' },
  { name: 'mapped, dotted', in: '0:0:0:0:0:ffff:192.0.2.1', want: '::ffff:192.0.2.1' },
  { name: 'dotted tail of another prefix', in: '64:ff9b::192.0.2.33', want: '64:ff9b::c000:221' },
  { name: 'unspecified', in: '0:0:0:0:0:0:0:0', want: '::' },
  { name: 'loopback', in: '0::1', want: '::1' },
  { name: 'run at the end', in: 'fd00:77:0:0:0:0:0:0', want: 'fd00:77::' },
  { name: 'one group at the end', in: '1:2:3:4:5:6:7::', want: '1:2:3:4:5:6:7:0' },
  { name: 'one group at the start', in: '::2:3:4:5:6:7:8', want: '0:2:3:4:5:6:7:8' },
];

for (const { name, in: text, want } of canonical) {
  test(`canonical text: ${name}`, () => {
    assert.equal(parseIp(text), want);
    assert.equal(parseIp(want), want);
  });
}

const refused = [
  ...[
    '',
    '.',
    ':',
    ':::',
    ' 10.0.0.1',
    '10.0.0.1 ',
    '10.0.0.1\n',
    '10.0.0',
    '10.0.0.0.1',
    '10.0.0.',
    '.10.0.0',
    '10..0.1',
  ],
  ...[
    '010.0.0.1',
    '10.0.0.01',
    '00.0.0.0',
    '256.0.0.1',
    '1.2.3.1000',
    '0x0a.0.0.1',
    '167772161',
    '+1.2.3.4',
    '-1.2.3.4',
    '1e1.0.0.1',
  ],
  ...['１.2.3.4', '10,0,0,1', '10.0.0.1/24', '10.0.0.4:80', 'example.net'],
  ...[
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    ':1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:',
    '::1:2:3:4:5:6:7:8',
    '1:2:3:4:5:6:7:8::',
  ],
  ...[
    '12345::',
    '::g',
    'fe80::1%eth0',
    '[::1]',
    '::1.2.3',
    '::1.2.3.256',
    '::01.2.3.4',
    '1.2.3.4::',
    '1:2:3:4:5:6:7:1.2.3.4',
    '::1.2.3.4:5',
  ],
];

for (const text of refused) {
  test(`no address: ${JSON.stringify(text)}`, () => {
    assert.equal(ipBytes(text), null);
    assert.equal(parseIp(text), null);
  });
}

/** Text that is now and then an address. */
const addressLike = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEF:.'), maxLength: 40 }),
  fc
    .array(fc.constantFrom('0', '1', '00', 'ffff', '12345', '255', '256', '', '1.2.3.4'), { maxLength: 9 })
    .map((g) => g.join(':')),
  fc
    .array(fc.constantFrom('0', '1', '01', '255', '256', ''), { minLength: 3, maxLength: 5 })
    .map((parts) => parts.join('.')),
);

test('what is an address is what Node takes for one', () => {
  fc.assert(
    fc.property(addressLike, (text) => {
      assert.equal(ipBytes(text)?.length ?? 0, { 0: 0, 4: 4, 6: 16 }[isIP(text)]);
    }),
    { numRuns: 3000 },
  );
});

const bytes4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
/** Groups of zeros are what matters. */
const bytes16 = fc
  .array(fc.oneof(fc.constant([0, 0]), fc.tuple(fc.nat(255), fc.nat(255))), { minLength: 8, maxLength: 8 })
  .map((groups) => Uint8Array.from(groups.flat()));
const anyBytes = fc.oneof(bytes4, bytes16);

test('bytes to text and back', () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      const text = formatIp(bytes);
      assert.deepEqual(bytesOf(text), bytes);
      assert.equal(parseIp(text), text);
    }),
    { numRuns: 1000 },
  );
});

test('IPv6 text is what inet_ntop makes', () => {
  fc.assert(
    fc.property(bytes16, (bytes) => {
      // inet_ntop writes the long dead form ::a.b.c.d with dots, RFC 5952 does not ask for it.
      fc.pre(bytes.subarray(0, 12).some((byte) => byte !== 0));
      const text = formatIp(bytes);
      const full = (Buffer.from(bytes).toString('hex').match(/.{4}/g) ?? []).join(':');
      assert.ok(isIPv6(text));
      assert.equal(text, new SocketAddress({ address: full, family: 'ipv6' }).address);
    }),
    { numRuns: 1000 },
  );
});

test('every spelling of an address has one canonical text', () => {
  const spelling = fc.tuple(bytes16, fc.nat(0xff), fc.boolean());
  fc.assert(
    fc.property(spelling, ([bytes, mask, capitals]) => {
      const groups = (Buffer.from(bytes).toString('hex').match(/.{4}/g) ?? []).map((group, i) =>
        ((mask >> i) & 1) === 1 ? group : group.replace(/^0{1,3}/, ''),
      );
      const text = groups.join(':');
      assert.equal(parseIp(capitals ? text.toUpperCase() : text), formatIp(bytes));
    }),
  );
});

test('bytes of another length are no address', () => {
  for (const length of [0, 1, 3, 5, 8, 15, 17]) {
    assert.throws(() => formatIp(new Uint8Array(length)), {
      name: 'TypeError',
      message: `an IP address has 4 or 16 bytes, not ${length}`,
    });
  }
});

const prefixes = [
  { in: '169.254.0.1/24', want: '169.254.0.1/24' },
  { in: '0.0.0.0/0', want: '0.0.0.0/0' },
  { in: '10.0.0.1/32', want: '10.0.0.1/32' },
  { in: 'FD00:77:0::2/64', want: 'fd00:77::2/64' },
  { in: '::/0', want: '::/0' },
  { in: '::1/128', want: '::1/128' },
  ...[
    '10.0.0.1',
    '10.0.0.1/',
    '/24',
    '10.0.0.1/33',
    '::/129',
    '10.0.0.1/024',
    '10.0.0.1/-1',
    '10.0.0.1/+8',
    '10.0.0.1/8.0',
  ].map((text) => ({ in: text, want: null })),
  ...['10.0.0.1/8/8', '10.0.0.1/ 8', ' 10.0.0.1/8', '10.0.0.1/8 ', '10.0.0.1/255.0.0.0', '10.0.0/8', '::1/1e1'].map(
    (text) => ({ in: text, want: null }),
  ),
];

for (const { in: text, want } of prefixes) {
  test(`prefix: ${JSON.stringify(text)}`, () => assert.equal(parsePrefix(text), want));
}

const parts = [
  { in: '169.254.7.1/16', address: '169.254.7.1', length: 16, family: 4, network: '169.254.0.0/16' },
  { in: '10.255.255.255/9', address: '10.255.255.255', length: 9, family: 4, network: '10.128.0.0/9' },
  { in: '10.1.2.3/0', address: '10.1.2.3', length: 0, family: 4, network: '0.0.0.0/0' },
  { in: '10.1.2.3/32', address: '10.1.2.3', length: 32, family: 4, network: '10.1.2.3/32' },
  { in: 'fd00:77::2/64', address: 'fd00:77::2', length: 64, family: 6, network: 'fd00:77::/64' },
  { in: '2001:db8:ffff::1/35', address: '2001:db8:ffff::1', length: 35, family: 6, network: '2001:db8:e000::/35' },
] as const;

for (const { in: text, address, length, family, network } of parts) {
  test(`the parts of ${text}`, () => {
    const prefix = prefixOf(text);
    assert.equal(addressOf(prefix), address);
    assert.equal(lengthOf(prefix), length);
    assert.equal(familyOf(prefix), family);
    assert.equal(networkOf(prefix), network);
  });
}

test('a prefix contains what Node’s BlockList says', () => {
  const near = fc.tuple(anyBytes, fc.nat(128), fc.nat(128), fc.nat(7)).map(([bytes, size, at, bit]) => {
    const length = size % (bytes.length * 8 + 1);
    const other = bytes.slice();
    const index = at % bytes.length;
    other[index] = (other[index] ?? 0) ^ (1 << bit);
    return { address: formatIp(bytes), length, other: formatIp(other) };
  });
  fc.assert(
    fc.property(near, ({ address, length, other }) => {
      const prefix = prefixOf(`${address}/${length}`);
      const family = familyOf(address) === 4 ? 'ipv4' : 'ipv6';
      // BlockList takes a mapped address for the IPv4 one, which a prefix does not.
      fc.pre(!address.startsWith('::ffff:') && !other.startsWith('::ffff:'));
      const list = new BlockList();
      list.addSubnet(addressOf(networkOf(prefix)), length, family);
      assert.equal(contains(prefix, other), list.check(other, family));
      assert.ok(contains(prefix, address));
      assert.equal(networkOf(networkOf(prefix)), networkOf(prefix));
    }),
    { numRuns: 1000 },
  );
});

test('a prefix contains nothing of the other family', () => {
  assert.equal(contains(prefixOf('0.0.0.0/0'), ip('::1')), false);
  assert.equal(contains(prefixOf('::/0'), ip('10.0.0.1')), false);
});

const kinds = [
  { in: '10.0.0.4', multicast: false, linkLocal: false, unicast: true },
  { in: '169.254.0.1', multicast: false, linkLocal: false, unicast: true },
  { in: '223.255.255.255', multicast: false, linkLocal: false, unicast: true },
  { in: '224.0.0.0', multicast: true, linkLocal: false, unicast: false },
  { in: '239.255.255.255', multicast: true, linkLocal: false, unicast: false },
  { in: '240.0.0.1', multicast: false, linkLocal: false, unicast: true },
  { in: '255.255.255.255', multicast: false, linkLocal: false, unicast: false },
  { in: '255.255.255.254', multicast: false, linkLocal: false, unicast: true },
  { in: '0.0.0.0', multicast: false, linkLocal: false, unicast: false },
  { in: '0.1.2.3', multicast: false, linkLocal: false, unicast: false },
  { in: '127.0.0.1', multicast: false, linkLocal: false, unicast: false },
  { in: '128.0.0.1', multicast: false, linkLocal: false, unicast: true },
  { in: 'fd00::4', multicast: false, linkLocal: false, unicast: true },
  { in: 'ff02::1', multicast: true, linkLocal: false, unicast: false },
  { in: 'feff::1', multicast: false, linkLocal: false, unicast: true },
  { in: 'fe80::1', multicast: false, linkLocal: true, unicast: true },
  { in: 'febf:ffff::1', multicast: false, linkLocal: true, unicast: true },
  { in: 'fec0::1', multicast: false, linkLocal: false, unicast: true },
  { in: 'fe7f::1', multicast: false, linkLocal: false, unicast: true },
  { in: '::', multicast: false, linkLocal: false, unicast: false },
  { in: '::1', multicast: false, linkLocal: false, unicast: false },
  { in: '::1:0:0:1', multicast: false, linkLocal: false, unicast: true },
];

for (const { in: text, multicast, linkLocal, unicast } of kinds) {
  test(`what kind of address ${text} is`, () => {
    const address = ip(text);
    assert.deepEqual(
      { multicast: isMulticast(address), linkLocal: isLinkLocal6(address), unicast: isUnicast(address) },
      { multicast, linkLocal, unicast },
    );
  });
}
