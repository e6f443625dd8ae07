import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseFabricOrThrow } from '../fabric/parse.ts';
import { FABRIC_NAME, HOST_NAME } from '../fabric/patterns.ts';
import { EverlanError } from '../model/problem.ts';
import { namespaceOf, namespacesOf, neighboursOf, type Topology, topologyOf } from './topology.ts';

/** A topology from hosts and overlays in the short forms of YAML. */
function made(hosts: string, overlays = '{}', fabric = 'lab'): Topology {
  const text = `fabric: ${fabric}\nhosts: ${hosts}\noverlays: ${overlays}\n`;
  return topologyOf(parseFabricOrThrow(Buffer.from(text), 'test.yaml').fabric);
}

const many = (count: number, first: number) =>
  `{${Array.from({ length: count }, (_, i) => `h${i}: 10.0.0.${first + i}`).join(', ')}}`;

describe('segments', () => {
  const cases = [
    {
      name: 'the article: two, with a router between',
      in: '{a: 10.0.0.4, b: 10.10.0.4}',
      want: ['10.0.0.1/24', '10.10.0.1/24'],
    },
    { name: 'a shared /24 is one', in: '{a: 10.0.0.4, b: 10.0.0.200}', want: ['10.0.0.1/24'] },
    { name: 'the router takes no address of a host', in: '{a: 10.0.0.1, b: 10.0.0.2}', want: ['10.0.0.3/24'] },
    {
      name: 'a /64 is one',
      in: '{a: "2001:db8::4", b: "2001:db8::ffff:1", c: "2001:db8:0:1::4"}',
      want: ['2001:db8::1/64', '2001:db8:0:1::1/64'],
    },
    { name: 'a host at the edge of its /24', in: '{a: 10.0.0.255, b: 10.0.0.7}', want: ['10.0.0.1/32'] },
    { name: 'all addresses taken, and nowhere to go', in: many(254, 1), want: [null] },
  ];
  for (const { name, in: hosts, want } of cases) {
    test(name, () => {
      assert.deepEqual(
        made(hosts).segments.map(({ gateway }) => gateway),
        want,
      );
    });
  }

  test('a VTEP outside the fabric keeps its address', () => {
    const overlays = '{v: {vni: 1, remotes: [10.0.0.1], hosts: {a: null}}}';
    assert.deepEqual(made('{a: 10.0.0.4}', overlays).segments[0]?.gateway, '10.0.0.2/24');
  });

  test('a full network that must lead somewhere', () => {
    const hosts = many(254, 1).replace('}', ', far: 10.9.0.1}');
    assert.throws(
      () => made(hosts),
      (error) => error instanceof EverlanError && error.problems[0]?.code === 'lab-segment-full',
    );
  });

  test('hosts at the edge stand alone, with the network beside them', () => {
    const { hosts } = made('{a: 10.0.0.255, b: 10.0.0.7, c: 10.0.1.7}');
    assert.deepEqual(
      hosts.map(({ address, segment }) => [address, segment.alone, segment.network]),
      [
        ['10.0.0.255/32', true, '10.0.0.0/24'],
        ['10.0.0.7/32', true, '10.0.0.0/24'],
        ['10.0.1.7/24', false, '10.0.1.0/24'],
      ],
    );
  });
});

describe('devices', () => {
  const overlay = (name: string, more: string) => `{${name}: {vni: 1, hosts: {a: 10.5.0.1/24}, ${more}}}`;
  const cases = [
    { name: 'the one that the file names', in: ['{a: {underlay: 10.0.0.4, device: bond0}}', '{}'], want: 'bond0' },
    { name: 'eth0 where none is named', in: ['{a: 10.0.0.4}', '{}'], want: 'eth0' },
    { name: 'eth0 where the file says none', in: ['{a: {underlay: 10.0.0.4, device: none}}', '{}'], want: 'eth0' },
    {
      name: 'not a port of a bridge',
      in: ['{a: 10.0.0.4}', overlay('v', 'bridge: br0, ports: [eth0, eth1]')],
      want: 'eth2',
    },
    { name: 'not an overlay', in: ['{a: 10.0.0.4}', overlay('eth0', 'mtu: 1400')], want: 'eth1' },
  ] as const;
  for (const {
    name,
    in: [hosts, overlays],
    want,
  } of cases) {
    test(name, () => assert.equal(made(hosts, overlays).hosts[0]?.device.name, want));
  }

  test('large enough for the overlay with the largest MTU', () => {
    assert.equal(made('{a: 10.0.0.4}', overlay('v', 'mtu: 1300')).mtu, 1500);
    assert.equal(made('{a: 10.0.0.4}', overlay('v', 'mtu: 8950')).mtu, 9000);
    assert.equal(made('{a: "fd00::4"}', '{v: {vni: 1, mtu: 8950, hosts: {a: null}}}').mtu, 9020);
    assert.equal(made('{a: 10.0.0.4}', overlay('v', 'mtu: 65535')).mtu, 65535);
  });
});

test('ports are made on the members, once, each with a far end of its own', () => {
  const lan = (name: string, vni: number, hosts: string) =>
    `${name}: {vni: ${vni}, bridge: br${vni}, ports: [eth${vni}], hosts: {${hosts}}}`;
  const topology = made(
    '{a: 10.0.0.4, b: 10.0.0.5, c: 10.0.0.6}',
    `{${lan('v', 1, 'a: null, b: null')}, ${lan('w', 2, 'b: null')}}`,
  );
  assert.deepEqual(
    topology.hosts.map(({ ports }) => ports.map(({ near, far }) => [near.name, near.index, far.name, far.index])),
    [
      [['eth1', 3, 'p0', 2]],
      [
        ['eth1', 3, 'p1', 3],
        ['eth2', 4, 'p2', 4],
      ],
      [],
    ],
  );
  assert.equal(topology.outside, 'lab.outside');
  assert.equal(made('{a: 10.0.0.4}').outside, null);
});

test('neighbours are written down where there are too many to be learned', () => {
  assert.equal(made(many(20, 10)).crowded, false);
  const crowd = made(many(21, 10));
  assert.equal(crowd.crowded, true);
  const [first] = crowd.hosts;
  assert.ok(first);
  const known = neighboursOf(crowd, first).map(({ address }) => address);
  assert.equal(known.length, 21);
  assert.ok(known.includes('10.0.0.1' as never) && !known.includes('10.0.0.10' as never));
  assert.equal(neighboursOf(crowd, null).length, 21);
});

test('MACs are unicast, each of its own, and the same every time', () => {
  const ends = ({ hosts, segments }: Topology) => [
    ...segments.map(({ mac }) => mac),
    ...hosts.flatMap(({ device, plug, ports }) => [
      device.mac,
      plug.mac,
      ...ports.flatMap(({ near, far }) => [near.mac, far.mac]),
    ]),
  ];
  const overlays = '{v: {vni: 1, bridge: br0, ports: [eth1], hosts: {a: null, b: null}}}';
  const macs = ends(made('{a: 10.0.0.4, b: 10.1.0.4}', overlays));
  assert.equal(new Set(macs).size, 10);
  for (const mac of macs) assert.match(mac, /^.[26ae]:/);
  assert.deepEqual(ends(made('{a: 10.0.0.4, b: 10.1.0.4}', overlays)), macs);
});

test('names of namespaces fit, and none is another’s', () => {
  const name = (pattern: RegExp) => fc.stringMatching(pattern);
  fc.assert(
    fc.property(name(FABRIC_NAME), fc.uniqueArray(name(HOST_NAME), { minLength: 1, maxLength: 6 }), (fabric, hosts) => {
      // In quotes: YAML has words of its own, such as no.
      const file = hosts.map((host, i) => `"${host}": 10.0.0.${i + 4}`).join(', ');
      const names = namespacesOf(
        made(`{${file}}`, `{v: {vni: 1, bridge: br0, ports: [eth1], hosts: {"${hosts[0]}": null}}}`, `"${fabric}"`),
      );
      assert.equal(new Set(names).size, hosts.length + 2);
      for (const one of names) assert.ok(Buffer.byteLength(one) <= 255 && !/[/\s]/.test(one) && !one.startsWith('-'));
      // Nor any host's of any other fabric: those have no dots.
      assert.ok(names.slice(0, 2).every((one) => one.includes('.')));
      assert.deepEqual(
        names.slice(2),
        hosts.map((host) => namespaceOf(fabric, host)),
      );
      assert.ok(names.slice(2).every((one) => !one.includes('.')));
    }),
    { numRuns: 100 },
  );
});
