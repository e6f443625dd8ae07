import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Prefix } from '../model/address.ts';
import type { Desired } from '../model/desired.ts';
import type { Fabric } from '../model/fabric.ts';
import { stableMac } from '../model/mac.ts';
import { OPTION_NAMES, OPTIONS } from '../model/options.ts';
import { groupOf } from '../model/ownership.ts';
import { EverlanError } from '../model/problem.ts';
import type { HostFacts, LinkFacts, LinkState } from '../model/state.ts';
import { VXLAN_DEFAULTS, type VxlanAttribute } from '../model/vxlan.ts';
import { parseFabric } from './parse.ts';
import { resolve } from './resolve.ts';

function fabricOf(text: string): Fabric {
  const result = parseFabric(new TextEncoder().encode(text), 'f.yaml');
  assert.ok(result.ok, result.ok ? '' : result.problems.map((p) => p.message).join('\n'));
  return result.fabric;
}

function link(name: string, mtu: number, ...addresses: string[]): LinkFacts {
  return { name, index: 5, kind: '', up: true, mtu, addresses: addresses as Prefix[] };
}

function factsOf(...links: LinkFacts[]): HostFacts {
  return { hostname: '', links: new Map([link('lo', 65536, '127.0.0.1/8'), ...links].map((l) => [l.name, l])) };
}

const HOSTS = 'fabric: t\nhosts: {a: 10.0.0.1, b: 10.0.0.2, c: 10.0.0.3}\n';
const ETH0 = link('eth0', 1500, '10.0.0.1/24');

/** Resolves the overlay `v` with two members, or those given, on host `a`. */
function one(options: string, members = 'a: 10.7.0.1/24, b: 10.7.0.2/24', facts = factsOf(ETH0)): Desired {
  return resolve(fabricOf(`${HOSTS}overlays:\n  v: {vni: 7, hosts: {${members}}, ${options}}\n`), 'a', facts);
}

function named(desired: Desired, name: string): LinkState {
  const found = desired.state.links.get(name);
  assert.ok(found !== undefined, `no link ${name}`);
  return found;
}

const v = (desired: Desired): LinkState => named(desired, 'v');
const MEMBERS3 = 'a: 10.7.0.1/24, b: 10.7.0.2/24, c: [10.7.0.3/24, "fd00::3/64"]';
const MAC_B = stableMac('t', 'v', 'b');
const MAC_C = stableMac('t', 'v', 'c');

test('the article’s overlay', () => {
  const text = readFileSync(new URL('../../examples/article.yaml', import.meta.url), 'utf8');
  const desired = resolve(fabricOf(text), 'alpha', factsOf(link('eth0', 1500, '10.0.0.4/24')));
  assert.deepEqual([...desired.state.links.keys()], ['vxlan0']);
  const { vxlan, addresses, ...rest } = named(desired, 'vxlan0');
  assert.deepEqual(vxlan, {
    ...VXLAN_DEFAULTS,
    vni: 77,
    port: 4789,
    remote: '10.10.0.4',
    local: '10.0.0.4',
    device: 'eth0',
  });
  assert.deepEqual(rest, {
    name: 'vxlan0',
    index: 0,
    kind: 'vxlan',
    overlay: 'vxlan0',
    alias: 'everlan:article/vxlan0',
    group: groupOf('article'),
    up: true,
    mtu: 1450,
    mac: stableMac('article', 'vxlan0', 'alpha'),
    txChecksum: true,
    master: null,
    fdb: new Map(),
    neighbours: new Map(),
    routes: new Map(),
  });
  assert.deepEqual(
    [...addresses.values()],
    [
      {
        prefix: '169.254.0.1/24',
        origin: 'ours',
        protocol: 119,
        flags: 0,
        validLifetime: 0xffffffff,
        preferredLifetime: 0xffffffff,
        scope: 0,
        broadcast: null,
      },
    ],
  );
  assert.deepEqual(desired.overlays, [
    {
      name: 'vxlan0',
      vni: 77,
      addressed: 'vxlan0',
      peers: [{ host: 'beta', underlay: '10.10.0.4', addresses: ['169.254.0.2'] }],
    },
  ]);
});

test('a host that is in no overlay has nothing to do, whatever it lacks', () => {
  const desired = one('mtu: auto', 'b: , c: ', factsOf());
  assert.deepEqual([...desired.state.links], []);
  assert.deepEqual(desired.overlays, []);
});

const attributes: { name: string; in: string; want: Partial<Record<VxlanAttribute, unknown>> }[] = [
  { name: 'nothing said', in: '', want: {} },
  {
    name: 'numbers',
    in: 'port: 8472, ageing: 30, limit: 9, type-of-service: 1, port-range: [5, 9]',
    want: { port: 8472, ageing: 30, limit: 9, tos: 1, portLow: 5, portHigh: 9 },
  },
  { name: 'ttl', in: 'ttl: 64', want: { ttl: 64 } },
  { name: 'ttl inherit', in: 'ttl: inherit', want: { ttlInherit: true } },
  { name: 'do-not-fragment true', in: 'do-not-fragment: true', want: { df: 1 } },
  { name: 'do-not-fragment inherit', in: 'do-not-fragment: inherit', want: { df: 2 } },
  { name: 'do-not-fragment off', in: 'do-not-fragment: off', want: { df: 0 } },
  {
    name: 'switches',
    in: 'mac-learning: no, arp-proxy: yes, short-circuit: on, neighbours: static',
    want: { learning: false, proxy: true, rsc: true },
  },
  { name: 'notifications', in: 'notifications: [l3-miss]', want: { l3miss: true } },
  {
    name: 'a list of checksums is complete',
    in: 'checksums: [zero-udp6-rx, remote-tx]',
    want: { udpCsum: false, udpZeroCsum6Rx: true, remcsumTx: true },
  },
  { name: 'no checksums at all', in: 'checksums: []', want: { udpCsum: false } },
  { name: 'extensions', in: 'extensions: [group-policy]', want: { gbp: true } },
  { name: 'no local', in: 'local: none', want: { local: null } },
  { name: 'a group', in: 'flood: 239.0.0.1', want: { remote: '239.0.0.1' } },
  { name: 'no flooding', in: 'flood: none, neighbours: static', want: { remote: null } },
];

for (const row of attributes) {
  test(`attributes: ${row.name}`, () => {
    const said = { vni: 7, port: 4789, remote: '10.0.0.2', local: '10.0.0.1', device: 'eth0' };
    assert.deepEqual(v(one(row.in)).vxlan, { ...VXLAN_DEFAULTS, ...said, ...row.want });
  });
}

test('an option sets only the attributes that its row names', () => {
  const values: Record<string, string> = {
    ageing: '5',
    limit: '5',
    ttl: '5',
    'type-of-service': '5',
    'do-not-fragment': 'yes',
    'mac-learning': 'no',
    'arp-proxy': 'yes',
    'short-circuit': 'yes',
    'port-range': '[1, 2]',
    notifications: '[l2-miss]',
    checksums: '[remote-rx]',
    extensions: '[group-policy]',
    port: '5',
  };
  const plain: Record<string, unknown> = { ...v(one('')).vxlan };
  for (const option of OPTION_NAMES) {
    const value = values[option];
    if (value === undefined) continue;
    const changed = Object.entries(v(one(`${option}: ${value}`)).vxlan ?? {}).filter(([key, it]) => it !== plain[key]);
    assert.ok(changed.length > 0, option);
    for (const [key] of changed)
      assert.ok((OPTIONS[option].attributes as readonly string[]).includes(key), `${option} ${key}`);
  }
});

const fdb: { name: string; in: [string, string?]; want: string[]; remote?: string | null }[] = [
  { name: 'one peer: no row', in: [''], want: [], remote: '10.0.0.2' },
  {
    name: 'two peers: a row each',
    in: ['', MEMBERS3],
    want: ['00:00:00:00:00:00 10.0.0.2', '00:00:00:00:00:00 10.0.0.3'],
    remote: null,
  },
  {
    name: 'a remote is a peer',
    in: ['remotes: [10.9.9.9]'],
    want: ['00:00:00:00:00:00 10.0.0.2', '00:00:00:00:00:00 10.9.9.9'],
    remote: null,
  },
  { name: 'alone with a remote', in: ['remotes: [10.9.9.9]', 'a: '], want: [], remote: '10.9.9.9' },
  { name: 'alone', in: ['', 'a: '], want: [], remote: null },
  { name: 'no flooding: no row', in: ['flood: none, remotes: [10.9.9.9]', MEMBERS3], want: [], remote: null },
  {
    name: 'a group, and rows for remotes',
    in: ['flood: 239.0.0.1, remotes: [10.9.9.9]'],
    want: ['00:00:00:00:00:00 10.9.9.9'],
    remote: '239.0.0.1',
  },
  {
    name: 'macs, not on the host that has them',
    in: [
      'macs: {"02:00:00:00:00:01": b, "02:00:00:00:00:02": 10.9.9.9, "02:00:00:00:00:03": a, "02:00:00:00:00:04": 10.0.0.1}',
    ],
    want: ['02:00:00:00:00:01 10.0.0.2', '02:00:00:00:00:02 10.9.9.9'],
  },
  {
    name: 'static neighbours',
    in: ['neighbours: static, flood: none', MEMBERS3],
    want: [`${MAC_B} 10.0.0.2`, `${MAC_C} 10.0.0.3`],
  },
  {
    name: 'macs win over static neighbours',
    in: [`neighbours: static, macs: {"${MAC_B}": c}`, MEMBERS3],
    want: ['00:00:00:00:00:00 10.0.0.2', '00:00:00:00:00:00 10.0.0.3', `${MAC_B} 10.0.0.3`, `${MAC_C} 10.0.0.3`],
  },
  { name: 'static neighbours with a bridge: nothing', in: ['neighbours: static, bridge: br0'], want: [] },
];

for (const row of fdb) {
  test(`fdb: ${row.name}`, () => {
    const link = v(one(...row.in));
    assert.deepEqual(
      [...link.fdb.values()].map(({ mac, vtep }) => `${mac} ${vtep}`),
      row.want,
    );
    assert.ok([...link.fdb.values()].every(({ origin }) => origin === 'ours'));
    if (row.remote !== undefined) assert.equal(link.vxlan?.remote, row.remote);
  });
}

test('static neighbours: the others’ addresses with their MACs', () => {
  const given = 'neighbours: static, mac: {c: "02:00:00:00:00:0c"}';
  const rows = [...v(one(given, MEMBERS3)).neighbours.values()].map(({ address, mac, protocol }) => [
    address,
    mac,
    protocol,
  ]);
  assert.deepEqual(rows, [
    ['10.7.0.2', MAC_B, 119],
    ['10.7.0.3', '02:00:00:00:00:0c', 119],
    ['fd00::3', '02:00:00:00:00:0c', 119],
  ]);
});

test('a given MAC is the link’s and the bridge’s', () => {
  const desired = one('mac: {a: "02:00:00:00:00:0A"}, bridge: br0');
  assert.equal(v(desired).mac, '02:00:00:00:00:0a');
  assert.equal(named(desired, 'br0').mac, '02:00:00:00:00:0a');
});

test('a bridge carries addresses and routes; ports are copied but for their bridge', () => {
  const eth1 = { ...link('eth1', 9000), up: false };
  const text = 'bridge: br0, ports: [eth1], routes: [{to: 192.168.0.0/16, via: b}], tx-checksum-offload: no';
  const desired = one(text, undefined, factsOf(ETH0, eth1));
  assert.deepEqual([...desired.state.links.keys()], ['v', 'br0', 'eth1']);
  const [vx, bridge, port] = ['v', 'br0', 'eth1'].map((name) => named(desired, name));
  assert.ok(vx !== undefined && bridge !== undefined && port !== undefined);
  assert.deepEqual([vx.master, vx.addresses.size, vx.routes.size, vx.txChecksum], ['br0', 0, 0, false]);
  assert.deepEqual(
    [bridge.kind, bridge.master, bridge.alias, bridge.mtu, bridge.vxlan, bridge.txChecksum],
    ['bridge', null, 'everlan:t/v', 1450, null, true],
  );
  assert.deepEqual([...bridge.addresses.keys()], ['10.7.0.1/24']);
  assert.deepEqual(
    [...bridge.routes.values()],
    [{ to: '192.168.0.0/16', via: '10.7.0.2', origin: 'ours', protocol: 119, metric: 0 }],
  );
  assert.deepEqual(
    [port.kind, port.master, port.overlay, port.up, port.mtu, port.group],
    ['port', 'br0', null, false, 9000, 0],
  );
  assert.equal(desired.overlays[0]?.addressed, 'br0');
});

const routes: { name: string; in: string; want: string[] }[] = [
  {
    name: 'over a member, by the family of the network',
    in: '{to: 192.168.0.0/16, via: c}, {to: "fd01::/64", via: c}',
    want: ['192.168.0.0/16 10.7.0.3', 'fd01::/64 fd00::3'],
  },
  { name: 'not on the member that is the way', in: '{to: 192.168.0.0/16, via: a}', want: [] },
  { name: 'nor by its address', in: '{to: 192.168.0.0/16, via: 10.7.0.1}', want: [] },
  { name: 'over an address', in: '{to: 0.0.0.0/0, via: 10.7.0.99}', want: ['0.0.0.0/0 10.7.0.99'] },
];

for (const row of routes) {
  test(`routes: ${row.name}`, () => {
    const members = 'a: [10.7.0.1/24, "fd00::1/64"], b: , c: [10.7.0.3/24, "fd00::3/64"]';
    const got = [...v(one(`routes: [${row.in}]`, members)).routes.values()].map(({ to, via }) => `${to} ${via}`);
    assert.deepEqual(got, row.want);
  });
}

test('a member without addresses gets no routes', () => {
  assert.equal(v(one('routes: [{to: 192.168.0.0/16, via: b}]', 'a: , b: 10.7.0.2/24')).routes.size, 0);
});

const six = 'fabric: t\nhosts: {a: fd99::1, b: fd99::2}\noverlays: {v: {vni: 7, hosts: {a: , b: }}}\n';

const underlays: { name: string; in: [string, HostFacts, string?]; want: [string | null, number] }[] = [
  { name: 'the link with the address', in: ['', factsOf(link('eth9', 9000), ETH0)], want: ['eth0', 1450] },
  { name: 'a jumbo device', in: ['', factsOf(link('eth0', 9000, '10.0.0.1/24'))], want: ['eth0', 8950] },
  {
    name: 'a named device that has another address',
    in: ['', factsOf(link('lo', 65536, '10.0.0.1/32'), link('bond0', 1500)), 'device: bond0'],
    want: ['bond0', 1450],
  },
  {
    name: 'no device: the MTU of the link with the address',
    in: ['', factsOf(ETH0), 'device: none'],
    want: [null, 1450],
  },
  {
    name: 'no device, the address on lo, the MTU said',
    in: ['mtu: 1400', factsOf(link('lo', 65536, '10.0.0.1/32')), 'device: none'],
    want: [null, 1400],
  },
  { name: 'an MTU said', in: ['mtu: 1450', factsOf(ETH0)], want: ['eth0', 1450] },
  {
    name: 'behind a NAT',
    in: ['local: none', factsOf(link('eth0', 1500, '192.168.0.5/24')), 'device: eth0'],
    want: ['eth0', 1450],
  },
];

for (const row of underlays) {
  test(`underlay: ${row.name}`, () => {
    const [options, facts, device] = row.in;
    const host = device === undefined ? '10.0.0.1' : `{underlay: 10.0.0.1, ${device}}`;
    const text = `fabric: t\nhosts: {a: ${host}, b: 10.0.0.2}\noverlays: {v: {vni: 7, hosts: {a: , b: }, ${options}}}\n`;
    const { vxlan, mtu } = v(resolve(fabricOf(text), 'a', facts));
    assert.deepEqual([vxlan?.device, mtu], row.want);
  });
}

test('an IPv6 underlay takes 70 bytes', () => {
  assert.equal(v(resolve(fabricOf(six), 'a', factsOf(link('eth0', 1500, 'fd99::1/64')))).mtu, 1430);
});

const bad: { name: string; in: [string, HostFacts, string?]; want: string[] }[] = [
  { name: 'no such address', in: ['', factsOf(link('eth0', 1500, '10.0.0.11/24'))], want: ['underlay-absent'] },
  { name: 'no such address, no device', in: ['', factsOf(), 'device: none'], want: ['underlay-absent'] },
  { name: 'the address on lo', in: ['', factsOf(link('lo', 65536, '10.0.0.1/32'))], want: ['underlay-loopback'] },
  {
    name: 'the address on lo, no device, no MTU',
    in: ['', factsOf(link('lo', 65536, '10.0.0.1/32')), 'device: none'],
    want: ['underlay-loopback'],
  },
  {
    name: 'the address on two links',
    in: ['', factsOf(ETH0, link('eth1', 1500, '10.0.0.1/16'))],
    want: ['underlay-many'],
  },
  {
    name: 'the address on the overlay only',
    in: ['', factsOf(link('v', 1450, '10.0.0.1/24'))],
    want: ['underlay-absent'],
  },
  { name: 'no such device', in: ['', factsOf(ETH0), 'device: eth7'], want: ['device-absent'] },
  { name: 'an MTU of one too many', in: ['mtu: 1451', factsOf(ETH0)], want: ['mtu-device'] },
  { name: 'an MTU of one too many, no device', in: ['mtu: 1451', factsOf(ETH0), 'device: none'], want: ['mtu-device'] },
  { name: 'a device too narrow', in: ['', factsOf(link('eth0', 100, '10.0.0.1/24'))], want: ['mtu-device'] },
  {
    name: 'no such port',
    in: ['bridge: br0, ports: [eth1, eth2]', factsOf(ETH0, link('eth2', 1500))],
    want: ['port-absent'],
  },
  { name: 'the device as port', in: ['bridge: br0, ports: [eth0]', factsOf(ETH0)], want: ['port-is-device'] },
  {
    name: 'all at once',
    in: ['bridge: br0, ports: [eth1, eth2], mtu: 1500', factsOf(ETH0)],
    want: ['mtu-device', 'port-absent', 'port-absent'],
  },
];

for (const row of bad) {
  test(`resolve refuses: ${row.name}`, () => {
    const [options, facts, device] = row.in;
    const host = device === undefined ? '10.0.0.1' : `{underlay: 10.0.0.1, ${device}}`;
    const text = `fabric: t\nhosts: {a: ${host}, b: 10.0.0.2}\noverlays: {v: {vni: 7, hosts: {a: , b: }, ${options}}}\n`;
    assert.throws(
      () => resolve(fabricOf(text), 'a', facts),
      (error) => {
        assert.ok(error instanceof EverlanError);
        assert.equal(error.exitCode, 1);
        assert.deepEqual(
          error.problems.map(({ code }) => code),
          row.want,
        );
        return true;
      },
    );
  });
}

test('IPv6 addresses need room for 1280 bytes', () => {
  const narrow = factsOf(link('eth0', 1329, '10.0.0.1/24'));
  assert.throws(() => one('', 'a: "fd00::1/64", b: ', narrow), /needs an MTU of 1280/);
  assert.equal(v(one('', 'a: 10.7.0.1/24, b: "fd00::2/64"', narrow)).mtu, 1279);
});

test('every member of every example resolves', () => {
  const folder = new URL('../../examples/', import.meta.url);
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.yaml'))) {
    const fabric = fabricOf(readFileSync(new URL(file, folder), 'utf8'));
    for (const host of fabric.hosts.values()) {
      const length = host.underlay.includes(':') ? 64 : 24;
      const ports = [...fabric.overlays.values()].flatMap(({ options }) => options.ports);
      const links = [
        link(host.device ?? 'eth0', 1500, `${host.underlay}/${length}`),
        ...ports.map((port) => link(port, 1500)),
      ];
      const desired = resolve(fabric, host.name, factsOf(...links));
      const mine = [...fabric.overlays.values()]
        .filter(({ members }) => members.has(host.name))
        .map(({ name }) => name);
      assert.deepEqual(
        desired.overlays.map(({ name }) => name),
        mine,
        `${file} ${host.name}`,
      );
      for (const name of mine) assert.ok(desired.state.links.has(name));
    }
  }
});
