import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { IpAddress, Prefix } from '../model/address.ts';
import type { Mac } from '../model/mac.ts';
import { aliasOf, groupOf, PROTOCOL } from '../model/ownership.ts';
import { fdbKey, type HostFacts, type LinkState } from '../model/state.ts';
import type { AttributeChange, Step } from '../model/step.ts';
import { VXLAN_DEFAULTS, type VxlanState } from '../model/vxlan.ts';
import { FakeKernel, Killed } from './fake.ts';

const ip = (text: string): IpAddress => text as IpAddress;
const mac = (text: string): Mac => text as Mac;
const ZERO = '00:00:00:00:00:00';
const SCOPE = { fabric: 'article', wanted: new Map() };

function link(name: string, vxlan: Partial<VxlanState> | null = {}, more: Partial<LinkState> = {}): LinkState {
  return {
    name,
    index: 0,
    kind: vxlan === null ? 'bridge' : 'vxlan',
    overlay: name,
    alias: aliasOf('article', name),
    group: groupOf('article'),
    up: true,
    mtu: 1450,
    mac: mac('02:00:00:00:00:0a'),
    txChecksum: true,
    master: null,
    vxlan: vxlan === null ? null : { ...VXLAN_DEFAULTS, vni: 77, port: 4789, ...vxlan },
    addresses: new Map(),
    fdb: new Map(),
    neighbours: new Map(),
    routes: new Map(),
    ...more,
  };
}

const add = (to: LinkState): Step => ({ kind: 'link', action: 'add', link: to.name, to });
const drop = (from: LinkState): Step => ({ kind: 'link', action: 'remove', link: from.name, from });
function change(from: LinkState, to: LinkState, ...attributes: AttributeChange['attribute'][]): Step {
  const changes = attributes.map((attribute) => ({ attribute, from: null, to: null }));
  return { kind: 'link', action: 'change', link: from.name, from, to, changes };
}
function address(action: 'add' | 'remove', text: string): Step {
  const state = {
    prefix: text as Prefix,
    origin: 'ours',
    protocol: PROTOCOL,
    flags: 0,
    validLifetime: 0xffffffff,
    preferredLifetime: 0xffffffff,
    scope: 0,
    broadcast: null,
  } as const;
  return { kind: 'address', action, link: 'vx', address: state };
}
const row = (action: 'add' | 'change' | 'remove', text: string, vtep: string): Step => ({
  kind: 'fdb',
  action,
  link: 'vx',
  row: { mac: mac(text), vtep: ip(vtep), origin: 'ours' },
});
const neighbour = (action: 'add' | 'remove', at: string): Step => ({
  kind: 'neighbour',
  action,
  link: 'vx',
  neighbour: { address: ip(at), mac: mac('02:00:00:00:00:01'), origin: 'ours', protocol: PROTOCOL },
});
const route = (action: 'add' | 'remove', to: string, via: string | null = null): Step => ({
  kind: 'route',
  action,
  link: 'vx',
  route: { to: to as Prefix, via: via === null ? null : ip(via), origin: 'ours', protocol: PROTOCOL, metric: 0 },
});

/** `errno message` of each refusal. */
function run(kernel: FakeKernel, ...steps: Step[]): string[] {
  return kernel.run(steps).failures.map(({ errno, message }) => `${errno} ${message}`);
}

function see(kernel: FakeKernel, name = 'vx'): LinkState {
  const found = kernel.look().state(SCOPE).links.get(name);
  assert.ok(found !== undefined);
  return found;
}

describe('what the kernel refuses', () => {
  const vx = link('vx', { local: ip('10.0.0.4') });
  const to = (said: Partial<VxlanState>): LinkState => link('vx', { ...vx.vxlan, ...said });
  const cases: readonly { name: string; steps: Step[]; want: string[] }[] = [
    { name: 'a name that is taken', steps: [add(vx), add(link('vx', { vni: 5 }))], want: ['17 File exists'] },
    {
      name: 'a VNI and port that are taken',
      steps: [add(vx), add(link('vy'))],
      want: ['17 A VXLAN device with the specified VNI already exists.'],
    },
    { name: 'not the same VNI on another port', steps: [add(vx), add(link('vy', { port: 4790 }))], want: [] },
    {
      name: 'not the same VNI over the other family',
      steps: [add(vx), add(link('vy', { local: ip('fd00::4') }))],
      want: [],
    },
    { name: 'another VNI', steps: [add(vx), change(vx, to({ vni: 5 }), 'vni')], want: ['95 Cannot change VNI.'] },
    {
      name: 'another limit',
      steps: [add(vx), change(vx, to({ limit: 5 }), 'limit')],
      want: ['95 Cannot change limit.'],
    },
    {
      name: 'a local address of the other family',
      steps: [add(vx), change(vx, to({ local: ip('fd00::4') }), 'local')],
      want: ['95 New local address family does not match old.'],
    },
    {
      name: 'a remote of the other family',
      steps: [add(vx), change(vx, to({ remote: ip('fd00::5') }), 'remote')],
      want: ['95 New group address family does not match old group.'],
    },
    {
      name: 'a row of the other family',
      steps: [add(vx), row('add', ZERO, 'fd00::5')],
      want: ['97 Address family not supported by protocol'],
    },
    {
      name: 'rows beyond the limit',
      steps: [add(to({ limit: 1 })), row('add', ZERO, '10.0.0.5'), row('add', ZERO, '10.0.0.6')],
      want: ['28 No space left on device'],
    },
    {
      name: 'things on a link that is not there',
      steps: [address('add', '169.254.0.1/24')],
      want: ['19 No such device'],
    },
    {
      name: 'a port in what is no bridge',
      steps: [add(vx), add(link('vy', { vni: 5 })), { kind: 'bridge-port', action: 'add', link: 'vy', bridge: 'vx' }],
      want: ['95 Device does not allow enslaving.'],
    },
    {
      name: 'IPv6 on a link with a small MTU',
      steps: [add(link('vx', {}, { mtu: 1200 })), address('add', 'fd00::1/64'), neighbour('add', 'fd00::2')],
      want: ['22 Invalid argument'],
    },
    {
      name: 'a route on a link that is down',
      steps: [add(link('vx', {}, { up: false })), route('add', '10.1.0.0/16')],
      want: ['100 Device for nexthop is not up.'],
    },
    {
      name: 'a next hop out of reach',
      steps: [add(vx), address('add', '169.254.0.1/24'), route('add', '10.1.0.0/16', '192.0.2.1')],
      want: ['101 Nexthop has invalid gateway.'],
    },
    {
      name: 'a route that is there',
      steps: [add(vx), route('add', '10.1.0.0/16'), route('add', '10.1.0.0/16')],
      want: ['17 File exists'],
    },
    {
      name: 'nothing that is gone already',
      steps: [
        drop(vx),
        add(vx),
        address('remove', '169.254.0.1/24'),
        row('remove', ZERO, '10.0.0.5'),
        route('remove', '10.1.0.0/16'),
      ],
      want: [],
    },
    {
      name: 'an MTU above what the device carries, on a live link',
      steps: [add(link('vx', { device: 'eth0' })), change(vx, link('vx', { device: 'eth0' }, { mtu: 1451 }), 'mtu')],
      want: ['22 mtu greater than device maximum'],
    },
    {
      name: 'a device that is not there',
      steps: [add(link('vx', { device: 'eth9' }))],
      want: ['19 Invalid local interface, device not found.'],
    },
  ];
  const eth0 = { name: 'eth0', index: 2, kind: '', up: true, mtu: 1500, addresses: [] };
  const facts: HostFacts = { hostname: 'alpha', links: new Map([['eth0', eth0]]) };
  for (const { name, steps, want } of cases)
    test(name, () => assert.deepEqual(run(new FakeKernel({ facts }), ...steps), want));

  test('not an MTU above it at creation: it is cut in silence', () => {
    const kernel = new FakeKernel({ facts });
    assert.deepEqual(run(kernel, add(link('vx', { device: 'eth0' }, { mtu: 1500 }))), []);
    assert.equal(see(kernel).mtu, 1450);
  });
});

describe('what the kernel does beside what it is asked to', () => {
  const vx = link('vx', { remote: ip('10.0.0.5'), device: 'eth0' });
  const bare = link('vx', { device: 'eth0' });
  const rows = (kernel: FakeKernel): string[] => [...see(kernel).fdb.keys()];

  test('an index is given at creation and kept by a change', () => {
    const kernel = new FakeKernel();
    run(kernel, add(vx), add(link('vy', { vni: 5 })));
    assert.deepEqual([see(kernel).index, see(kernel, 'vy').index], [1, 2]);
    run(kernel, change(vx, link('vx', vx.vxlan, { mtu: 1400 }), 'mtu'));
    assert.equal(see(kernel).index, 1);
    run(kernel, { kind: 'link', action: 'recreate', link: 'vx', from: vx, to: vx, changes: [] });
    assert.equal(see(kernel).index, 3);
  });

  test('the row of `remote` is its own, and goes with it', () => {
    const kernel = new FakeKernel();
    run(kernel, add(vx), row('add', ZERO, '10.0.0.6'));
    assert.deepEqual(rows(kernel), [`${ZERO} 10.0.0.6`]);
    run(kernel, change(vx, bare, 'remote'), row('add', ZERO, '10.0.0.5'));
    assert.deepEqual(rows(kernel), [`${ZERO} 10.0.0.6`, `${ZERO} 10.0.0.5`]);
  });

  test('a `remote` set beside its own row on a link with a device sends each frame twice', () => {
    const kernel = new FakeKernel();
    run(kernel, add(bare), row('add', ZERO, '10.0.0.5'), change(bare, vx, 'remote'));
    assert.deepEqual(rows(kernel), [`${ZERO} 10.0.0.5`]);
    assert.equal(see(kernel).vxlan?.remote, '10.0.0.5');
  });

  test('a change of the device alone leaves the row of `remote` with the old one', () => {
    const kernel = new FakeKernel();
    run(kernel, add(vx), change(vx, link('vx', { ...vx.vxlan, device: 'eth1' }), 'device'));
    assert.deepEqual(rows(kernel), [`${ZERO} 10.0.0.5 special`]);
  });

  test('a device is not taken away, a ttl not set on a link made with ttl inherit', () => {
    const kernel = new FakeKernel();
    const inherit = link('vx', { device: 'eth0', ttlInherit: true });
    assert.deepEqual(
      run(kernel, add(inherit), change(inherit, link('vx', { ttl: 5, ttlInherit: true }), 'device', 'ttl')),
      [],
    );
    const { device, ttl } = see(kernel).vxlan ?? {};
    assert.deepEqual({ device, ttl }, { device: 'eth0', ttl: 0 });
  });

  test('a unicast MAC has one VTEP, the others have many', () => {
    const kernel = new FakeKernel();
    const unicast = '02:00:00:00:00:01';
    run(kernel, add(bare), row('add', unicast, '10.0.0.5'), row('change', unicast, '10.0.0.6'));
    run(kernel, row('add', ZERO, '10.0.0.5'), row('add', ZERO, '10.0.0.6'));
    assert.deepEqual(
      [...see(kernel).fdb.values()].map((each) => each.vtep),
      ['10.0.0.6', '10.0.0.5', '10.0.0.6'],
    );
  });

  const full = [address('add', '169.254.0.1/24'), address('add', 'fd00:7::1/64'), neighbour('add', '169.254.0.2')];
  const stands = [...full, neighbour('add', 'fd00:7::2'), route('add', '10.1.0.0/16'), route('add', 'fd01::/64')];
  const losses: readonly { name: string; step: Step; left: string[] }[] = [
    {
      name: 'a new MAC wipes the neighbours',
      step: change(bare, link('vx', bare.vxlan, { mac: mac('02:00:00:00:00:0b') }), 'mac'),
      left: ['169.254.0.1/24', 'fd00:7::1/64', '10.1.0.0/16', 'fd01::/64'],
    },
    {
      name: 'going down loses neighbours, routes and IPv6 addresses',
      step: change(bare, link('vx', bare.vxlan, { up: false }), 'up'),
      left: ['169.254.0.1/24'],
    },
    {
      name: 'an MTU below 1280 loses IPv6',
      step: change(bare, link('vx', bare.vxlan, { mtu: 1279 }), 'mtu'),
      left: ['169.254.0.1/24', '169.254.0.2', '10.1.0.0/16'],
    },
    {
      name: 'the last IPv4 address takes the IPv4 routes and neighbours along',
      step: address('remove', '169.254.0.1/24'),
      left: ['fd00:7::1/64', 'fd00:7::2', 'fd01::/64'],
    },
  ];
  for (const { name, step, left } of losses) {
    test(name, () => {
      const kernel = new FakeKernel();
      assert.deepEqual(run(kernel, add(bare), ...stands, step), []);
      const { addresses, neighbours, routes } = see(kernel);
      assert.deepEqual([...addresses.keys(), ...neighbours.keys(), ...routes.keys()], left);
    });
  }

  for (const promote of [false, true]) {
    test(`the primary address ${promote ? 'leaves its secondaries with promote_secondaries' : 'takes its secondaries along'}`, () => {
      const kernel = new FakeKernel({ promote });
      const list = ['169.254.0.1/24', '169.254.0.2/24', '10.9.0.1/24'];
      run(kernel, add(bare), ...list.map((each) => address('add', each)), address('remove', '169.254.0.1/24'));
      assert.deepEqual(
        [...see(kernel).addresses.keys()],
        promote ? ['169.254.0.2/24', '10.9.0.1/24'] : ['10.9.0.1/24'],
      );
    });
  }

  test('a bridge that goes frees its ports; a device that goes takes its links along', () => {
    const kernel = new FakeKernel();
    const br = link('br', null);
    run(kernel, add(br), add(bare), add(link('vy', { vni: 5, device: 'br' })));
    run(kernel, { kind: 'bridge-port', action: 'add', link: 'vx', bridge: 'br' });
    assert.equal(see(kernel).master, 'br');
    run(kernel, drop(br));
    assert.equal(see(kernel).master, null);
    assert.deepEqual([...kernel.look().facts.links.keys()], ['vx']);
  });

  test('the MTU of a bridge follows its smallest port until it is set', () => {
    const kernel = new FakeKernel();
    const br = link('br', null, { mtu: 1400 });
    const port = (action: 'add' | 'remove'): Step => ({ kind: 'bridge-port', action, link: 'vx', bridge: 'br' });
    run(kernel, add(br), add(bare));
    assert.equal(see(kernel, 'br').mtu, 1400);
    run(kernel, port('add'));
    assert.equal(see(kernel, 'br').mtu, 1450);
    run(kernel, port('remove'));
    assert.equal(see(kernel, 'br').mtu, 1500);
    run(kernel, change(br, br, 'mtu'), port('add'));
    assert.equal(see(kernel, 'br').mtu, 1400);
  });

  test('consecutive link steps take turns, so VNIs may change places', () => {
    const kernel = new FakeKernel();
    const [one, two] = [link('vx', { vni: 1 }), link('vy', { vni: 2 })];
    run(kernel, add(one), add(two));
    const swap = (from: LinkState, vni: number): Step => {
      const to = link(from.name, { vni });
      return { kind: 'link', action: 'recreate', link: from.name, from, to, changes: [] };
    };
    assert.deepEqual(run(kernel, swap(one, 2), swap(two, 1)), []);
  });
});

describe('faults', () => {
  const steps = [
    add(link('vx')),
    address('add', '169.254.0.1/24'),
    address('add', '169.254.0.2/24'),
    address('add', '10.9.0.1/24'),
  ];
  const left = (kernel: FakeKernel): string[] => [...see(kernel).addresses.keys()];

  test('a step refused stops what comes after its batch', () => {
    const kernel = new FakeKernel({ fail: { act: 2, errno: 12, message: 'Out of memory' }, batch: 3 });
    assert.deepEqual(run(kernel, ...steps), ['12 Out of memory']);
    assert.deepEqual(left(kernel), ['169.254.0.2/24']);
    assert.deepEqual(run(kernel, ...steps.slice(1)), []);
  });

  test('killed before a step, what was done stays', () => {
    const kernel = new FakeKernel({ kill: 3 });
    assert.throws(() => kernel.run(steps), Killed);
    assert.deepEqual(left(kernel), ['169.254.0.1/24']);
  });

  test('progress counts steps', () => {
    const seen: number[] = [];
    new FakeKernel({ batch: 3 }).run(steps, { progress: (done) => seen.push(done) });
    assert.deepEqual(seen, [3, 4]);
  });
});

describe('what is shown', () => {
  const scope = (names: Record<string, LinkState['kind']> = {}) => ({
    fabric: 'article',
    wanted: new Map(Object.entries(names)),
  });
  const state = {
    links: new Map(
      [
        link('vx', {}, { index: 4 }),
        link('br', null, { alias: '', group: 0 }),
        link('vz', { vni: 9 }, { alias: '', group: 0 }),
        link('eth1', null, { kind: 'other', alias: '', group: 0, master: 'br', index: 9 }),
      ].map((each) => [each.name, each]),
    ),
  };

  test('ours, and strangers’ links by what is wanted in their place', () => {
    const links = new FakeKernel({ state }).look().state(scope({ br: 'bridge', vz: 'vxlan', eth1: 'port' })).links;
    assert.deepEqual(
      Array.from(links.values(), ({ name, kind }) => [name, kind]),
      [
        ['vx', 'vxlan'],
        ['br', 'joined'],
        ['vz', 'vxlan'],
        ['eth1', 'port'],
      ],
    );
    assert.deepEqual([...new FakeKernel({ state }).look().state(scope()).links.keys()], ['vx']);
  });

  test('a port that we put into its bridge, from memory', () => {
    const eth1 = { index: 9, alias: '', fdb: new Set<string>(), addresses: new Set<string>(), master: 'br' };
    const remembered = { links: new Map([['eth1', eth1]]) };
    const links = new FakeKernel({ state }).look().state({ ...scope(), remembered }).links;
    assert.deepEqual([links.get('eth1')?.kind, links.get('eth1')?.master], ['port', 'br']);
  });

  test('rows are ours by memory, which holds for one index and alias', () => {
    const kernel = new FakeKernel({ state });
    run(kernel, row('add', ZERO, '10.0.0.5'), row('add', ZERO, '10.0.0.6'));
    const key = fdbKey(mac(ZERO), ip('10.0.0.5'));
    const origins = (index: number): (string | undefined)[] => {
      const memory = {
        index,
        alias: aliasOf('article', 'vx'),
        fdb: new Set([key]),
        addresses: new Set<string>(),
        master: null,
      };
      const { links } = kernel.look().state({ ...scope(), remembered: { links: new Map([['vx', memory]]) } });
      return Array.from(links.get('vx')?.fdb.values() ?? [], (each) => each.origin);
    };
    assert.deepEqual(origins(4), ['ours', 'foreign']);
    assert.deepEqual(origins(5), ['foreign', 'foreign']);
  });

  test('a view is one moment', () => {
    const kernel = new FakeKernel({ state });
    const before = kernel.look();
    run(kernel, row('add', ZERO, '10.0.0.5'), drop(link('br', null)));
    assert.equal(before.state(scope()).links.get('vx')?.fdb.size, 0);
    assert.ok(before.facts.links.has('br'));
  });
});
