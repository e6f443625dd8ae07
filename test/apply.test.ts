/** Converge on the real kernel: ownership, strangers, in place and recreate, undo. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { converge } from '../src/apply/converge.ts';
import { groupOf } from '../src/model/ownership.ts';
import { EverlanError } from '../src/model/problem.ts';
import { applier } from './support/apply.ts';
import { needsRoot, type TestHost, testHost } from './support/host.ts';

const HOSTS = `
fabric: test
hosts:
  alpha: 10.0.0.1
  beta: 10.0.0.2
  gamma: 10.0.0.3
  delta: 10.0.0.4
`;

interface Overlay {
  readonly members?: readonly string[];
  readonly options?: readonly string[];
  readonly vni?: number;
  readonly name?: string;
}

const NUMBER: Record<string, number> = { alpha: 1, beta: 2, gamma: 3, delta: 4 };

/** A file with these overlays; members have 192.0.2.N/24. */
function file(...overlays: readonly Overlay[]): string {
  const texts = overlays.map(({ members = ['alpha', 'beta'], options = [], vni = 77, name = 'vx0' }, i) =>
    [
      `  ${name}:`,
      `    vni: ${vni}`,
      '    hosts:',
      ...members.map((member) => `      ${member}: 192.0.${2 + i}.${NUMBER[member]}/24`),
      ...options.map((line) => `    ${line}`),
    ].join('\n'),
  );
  return `${HOSTS}overlays:\n${texts.join('\n')}\n`;
}

function failure(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    assert(error instanceof EverlanError, String(error));
    assert.equal(error.exitCode, 1);
    return error.message;
  }
  assert.fail('it should have failed');
}

type Json = Record<string, unknown>;

/** What is not the same twice: indexes, timers, and what the kernel finds out later by itself (carrier, DAD). */
const PASSING = new Set(
  'ifindex link_index valid_life_time preferred_life_time tentative dadfailed operstate state'.split(' '),
);
const CARRIER = new Set<unknown>(['NO-CARRIER', 'LOWER_UP']);

function lasting(value: unknown): unknown {
  if (Array.isArray(value)) {
    const linkLocal = (entry: Json): boolean => String(entry?.local ?? '').startsWith('fe80:');
    const kept = value.filter((entry) => !linkLocal(entry) && !CARRIER.has(entry)).map(lasting);
    return kept.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value as Json).filter(([key]) => !PASSING.has(key) && !key.endsWith('_timer'));
  return Object.fromEntries(entries.map(([key, inner]) => [key, lasting(inner)]));
}

/** Everything that the kernel has, for "untouched" and "put back". */
function everything(host: TestHost): unknown {
  const questions = ['-d -j link show', '-j addr show', '-j route show', '-j neigh show nud permanent'];
  const fdb = JSON.parse(host.bridge('-j fdb show')) as Json[];
  return [
    ...questions.map((question) => lasting(JSON.parse(host.ip(question)))),
    // Without what the kernel learned or joined by itself.
    lasting(fdb.filter(({ mac, state }) => state === 'permanent' && !/^(33:33|01:00:5e)/.test(String(mac)))),
  ];
}

test('two to three members and back keeps the link', { skip: needsRoot }, (t) => {
  const host = testHost(t);
  const { apply, planned } = applier(host);
  const two = file({});
  const three = file({ members: ['alpha', 'beta', 'gamma'] });
  apply(two);
  const { index } = host.link('vx0');
  assert.equal(host.link('vx0').vxlan?.remote, '10.0.0.2');
  apply(three);
  assert.equal(host.link('vx0').index, index);
  assert.match(host.bridge('fdb show dev vx0'), /00:00:00:00:00:00 dst 10\.0\.0\.2 self permanent/);
  assert.match(host.bridge('fdb show dev vx0'), /00:00:00:00:00:00 dst 10\.0\.0\.3 self permanent/);
  assert.deepEqual(planned(three), []);
  apply(two);
  assert.equal(host.link('vx0').index, index);
  assert.deepEqual(host.bridge('fdb show dev vx0').trim().split('\n'), [
    '00:00:00:00:00:00 dst 10.0.0.2 via eth0 self permanent',
  ]);
  assert.deepEqual(planned(two), []);
});

test('every option can be said, and a second plan is empty', { skip: needsRoot }, async (t) => {
  const cases: readonly string[][] = [
    ['port: 8472'],
    ['ageing: 60'],
    ['limit: 10'],
    ['ttl: 9'],
    ['ttl: inherit'],
    ['type-of-service: 16'],
    ['do-not-fragment: yes'],
    ['do-not-fragment: inherit'],
    ['mac-learning: off', 'neighbours: static'],
    ['arp-proxy: on', 'neighbours: static'],
    ['short-circuit: true'],
    ['port-range: [4000, 5000]'],
    ['notifications: [l2-miss, l3-miss]'],
    ['checksums: []'],
    ['checksums: [udp, zero-udp6-tx, zero-udp6-rx, remote-tx, remote-rx]'],
    ['extensions: [group-policy]'],
    ['local: none'],
    ['mtu: 1300'],
    ['mac: {alpha: "02:00:00:00:00:aa"}'],
    ['flood: none', 'macs: {"02:00:00:00:00:bb": beta}'],
    ['flood: 239.1.2.3'],
    ['remotes: [10.0.0.77]'],
    ['macs: {"02:00:00:00:00:bb": beta, "02:00:00:00:00:cc": 10.0.0.99}'],
    ['bridge: br0'],
    ['routes: [{to: 198.51.100.0/24, via: beta}]'],
    ['neighbours: static'],
    ['tx-checksum-offload: false'],
  ];
  for (const options of cases) {
    await t.test(options.join('; '), (t2) => {
      const host = testHost(t2);
      const { apply, planned, down } = applier(host);
      const before = everything(host);
      apply(file({ options, members: ['alpha', 'beta', 'gamma'] }));
      assert.deepEqual(planned(file({ options, members: ['alpha', 'beta', 'gamma'] })), []);
      // From it to the defaults, and from the defaults to it.
      apply(file({}));
      assert.deepEqual(planned(file({})), []);
      apply(file({ options }));
      assert.deepEqual(planned(file({ options })), []);
      down();
      assert.deepEqual(everything(host), before);
    });
  }
});

test('a stranger’s link in our place is named, not touched', { skip: needsRoot }, (t) => {
  const host = testHost(t);
  const { apply } = applier(host);
  host.ip('link add vx0 type vxlan id 99 remote 10.0.0.9 dstport 4789 dev eth0');
  const before = everything(host);
  assert.match(
    failure(() => apply(file({}))),
    /vx0 already exists and was not made by everlan/,
  );
  assert.deepEqual(everything(host), before);
  assert.match(
    failure(() => apply(file({}), { adopt: true })),
    /cannot be taken over in place.*vni/,
  );
  assert.deepEqual(everything(host), before);
});

test('--adopt takes over what can be changed in place', { skip: needsRoot }, (t) => {
  const host = testHost(t);
  const { apply, planned } = applier(host);
  host.ip('link add vx0 type vxlan id 77 remote 10.0.0.9 dstport 4789 dev eth0');
  const { index } = host.link('vx0');
  apply(file({}), { adopt: true });
  assert.equal(host.link('vx0').index, index);
  assert.equal(host.link('vx0').alias, 'everlan:test/vx0');
  assert.deepEqual(planned(file({})), []);
});

test('what strangers put on our link stays, is listed, and goes with --prune', { skip: needsRoot }, (t) => {
  const host = testHost(t);
  const { apply, plan, down } = applier(host);
  apply(file({}));
  host.ip('addr add 203.0.113.9/32 dev vx0');
  host.ip('route add 198.51.100.0/24 dev vx0');
  host.bridge('fdb add 02:00:00:00:00:99 dev vx0 dst 10.0.0.99 self permanent');
  host.ip('neigh add 192.0.2.200 lladdr 02:00:00:00:00:98 dev vx0 nud permanent');
  const { steps, foreign } = plan(file({}));
  assert.deepEqual(steps, []);
  assert.deepEqual(foreign.map(({ kind }) => kind).sort(), ['address', 'fdb', 'neighbour', 'route']);
  // Also through a change that makes the link anew.
  apply(file({ vni: 78 }));
  assert.deepEqual(
    plan(file({ vni: 78 }))
      .foreign.map(({ kind }) => kind)
      .sort(),
    ['address', 'fdb', 'neighbour', 'route'],
  );
  assert.match(host.ip('addr show vx0'), /203\.0\.113\.9\/32/);
  apply(file({ vni: 78 }), { prune: true });
  const after = plan(file({ vni: 78 }));
  assert.deepEqual([after.steps, after.foreign], [[], []]);
  down();
});

test('what was ours and is no longer wanted goes, also what the kernel cannot mark', { skip: needsRoot }, (t) => {
  const host = testHost(t);
  const { apply } = applier(host);
  apply(file({ options: ['macs: {"02:00:00:00:00:bb": beta, "02:00:00:00:00:cc": beta}'] }));
  apply(file({ options: ['macs: {"02:00:00:00:00:bb": beta}'] }));
  const fdb = host.bridge('fdb show dev vx0');
  assert.match(fdb, /02:00:00:00:00:bb/);
  assert.doesNotMatch(fdb, /02:00:00:00:00:cc/);
});

test('a keepalived VIP survives everything that changes in place', { skip: needsRoot }, (t) => {
  const host = testHost(t);
  const { apply } = applier(host);
  apply(file({}));
  host.ip('addr add 192.0.2.100/24 dev vx0');
  apply(file({ options: ['mtu: 1300', 'ageing: 60'] }));
  assert.match(host.ip('addr show vx0'), /192\.0\.2\.100\/24/);
});

test('an apply that the kernel refuses half-way is undone, in the kernel’s own words', { skip: needsRoot }, (t) => {
  const host = testHost(t);
  const { apply } = applier(host);
  apply(file({ options: ['macs: {"02:00:00:00:00:bb": beta}', 'routes: [{to: 198.51.100.0/24, via: beta}]'] }));
  host.ip('addr add 203.0.113.9/32 dev vx0');
  // A stranger has VNI 500 on our port, so the second overlay is refused after the first was changed and recreated.
  host.ip('link add theirs type vxlan id 500 remote 10.0.0.9 dstport 4789 dev eth0');
  const before = everything(host);
  const message = failure(() =>
    apply(file({ vni: 78, options: ['mtu: 1200'] }, { name: 'vx1', vni: 500 }, { name: 'vx2', vni: 501 })),
  );
  assert.match(message, /vx1.*A VXLAN device with the specified VNI already exists/);
  assert.match(message, /has been undone/);
  assert.deepEqual(everything(host), before);
});

test('a route that a stranger has over another link is refused, and all is undone', { skip: needsRoot }, (t) => {
  const host = testHost(t);
  const { apply } = applier(host);
  host.ip('route add 198.51.100.0/24 via 10.0.0.9');
  const before = everything(host);
  const message = failure(() => apply(file({ options: ['routes: [{to: 198.51.100.0/24, via: beta}]'] })));
  assert.match(message, /198\.51\.100\.0\/24.*File exists/is);
  assert.deepEqual(everything(host), before);
});

test('a stranger’s bridge is joined and never owned', { skip: needsRoot }, (t) => {
  const host = testHost(t);
  const { apply, planned, down } = applier(host);
  for (const line of [
    'link add br0 address 02:00:00:00:00:b0 type bridge',
    'link add own0 master br0 up type veth peer name own1',
    'link set own1 up',
    'link set br0 up',
    'link add lan0 type veth peer name lan1',
  ]) {
    host.ip(line);
  }
  const before = everything(host);
  const text = file({ options: ['bridge: br0', 'ports: [lan0]'] });
  apply(text);
  assert.deepEqual(planned(text), []);
  assert.match(host.ip('link show vx0'), /master br0/);
  assert.match(host.ip('link show lan0'), /master br0/);
  assert.match(host.ip('addr show br0'), /192\.0\.2\.1\/24/);
  assert.doesNotMatch(host.ip('link show br0'), /everlan/);
  down();
  assert.deepEqual(everything(host), before);
});

test('our bridge holds the link, its ports and the addresses', { skip: needsRoot }, (t) => {
  const host = testHost(t);
  const { apply, planned, down } = applier(host);
  host.ip('link add lan0 type veth peer name lan1');
  const before = everything(host);
  const plain = file({});
  const bridged = file({ options: ['bridge: br0', 'ports: [lan0]'] });
  apply(plain);
  apply(bridged);
  assert.deepEqual(planned(bridged), []);
  assert.match(host.ip('link show br0'), /everlan:test\/vx0/);
  const { mac } = host.link('vx0');
  assert.match(host.ip('link show br0'), new RegExp(mac));
  assert.doesNotMatch(host.ip('addr show vx0'), /192\.0\.2\.1/);
  apply(plain);
  assert.deepEqual(planned(plain), []);
  assert.match(host.ip('addr show vx0'), /192\.0\.2\.1\/24/);
  apply(bridged);
  down();
  assert.deepEqual(everything(host), before);
});

test('an interrupted apply left our group without an alias: it is ours', { skip: needsRoot }, (t) => {
  const host = testHost(t);
  const { apply, planned } = applier(host);
  host.ip(
    `link add vx0 group ${groupOf('test')} type vxlan id 77 remote 10.0.0.2 local 10.0.0.1 dstport 4789 dev eth0`,
  );
  host.ip(`link add gone group ${groupOf('test')} type vxlan id 78 dstport 4789`);
  apply(file({}));
  assert.deepEqual(planned(file({})), []);
  assert.doesNotMatch(host.ip('link show'), /gone/);
});

test('down removes what is ours and nothing else, many links at once', { skip: needsRoot }, (t) => {
  const host = testHost(t);
  const { apply, down } = applier(host);
  host.ip('link add other type vxlan id 5000 dstport 4789');
  host.ip(`link add grouped group ${groupOf('test')} type vxlan id 5001 dstport 4789`);
  host.ip('link set grouped alias theirs');
  const before = everything(host);
  const overlays = Array.from({ length: 80 }, (_, i) => ({ name: `vx${i}`, vni: i + 1 }));
  apply(file(...overlays));
  assert.equal(host.ip('-o link show').match(/everlan:test/g)?.length, 80);
  assert.equal(down().plan.steps.length, 80);
  assert.deepEqual(everything(host), before);
});

test('MAC, addresses and neighbours wiped by other hands come back', { skip: needsRoot }, (t) => {
  const host = testHost(t);
  const { apply, planned } = applier(host);
  const text = file({ options: ['neighbours: static', 'routes: [{to: 198.51.100.0/24, via: beta}]'] });
  apply(text);
  const before = everything(host);
  const spoil: readonly string[] = [
    'link set vx0 address 02:00:00:00:00:77',
    'link set vx0 down',
    'link set vx0 mtu 1200',
    'addr flush dev vx0',
    'neigh flush dev vx0 nud permanent',
    'link set vx0 alias nothing',
    'bridge fdb del 00:00:00:00:00:00 dev vx0 dst 10.0.0.2 via eth0 self',
    'link del vx0',
  ];
  for (const line of spoil) {
    if (line.startsWith('bridge ')) host.bridge(line.slice('bridge '.length));
    else host.ip(line);
    if (line.includes('alias')) {
      // Without our alias it is a stranger’s: taken back with --adopt alone.
      assert.match(
        failure(() => apply(text)),
        /was not made by everlan/,
      );
      apply(text, { adopt: true });
    } else {
      assert.notDeepEqual(planned(text), [], line);
      apply(text);
    }
    assert.deepEqual(planned(text), [], line);
    assert.deepEqual(everything(host), before, line);
  }
});

test('an index that somebody takes between our look and our request', { skip: needsRoot }, (t) => {
  const host = testHost(t);
  const { desired, planned, store } = applier(host);
  const overlays = Array.from({ length: 100 }, (_, i) => ({ name: `vx${i}`, vni: i + 1 }));
  const wanted = desired(file(...overlays));
  const view = host.kernel.look();
  const next = Math.max(...[...view.facts.links.values()].map(({ index }) => index)) + 1;
  host.ip(`link add thief index ${next} type bridge`);
  converge(host.kernel, wanted, store, { view });
  assert.deepEqual(planned(file(...overlays)), []);
  assert.doesNotMatch(host.ip('link show thief'), /alias/);
});

test('a name that somebody takes then, too, behind the refused request: it stays theirs', { skip: needsRoot }, (t) => {
  const host = testHost(t);
  const { desired, store } = applier(host);
  const wanted = desired(file(...Array.from({ length: 100 }, (_, i) => ({ name: `vx${i}`, vni: i + 1 }))));
  const view = host.kernel.look();
  const next = Math.max(...[...view.facts.links.values()].map(({ index }) => index)) + 1;
  host.ip(`link add thief index ${next} type bridge`);
  host.ip('link add vx90 type bridge');
  const before = everything(host);
  assert.match(
    failure(() => converge(host.kernel, wanted, store, { view })),
    /vx90.*File exists/s,
  );
  assert.deepEqual(everything(host), before);
});

for (const when of ['before the link is made', 'before the link is changed'] as const) {
  test(`a device that goes ${when}: no link without it is made instead`, { skip: needsRoot }, (t) => {
    const host = testHost(t);
    const { apply, desired, store } = applier(host);
    for (const line of ['link add eth1 type bridge', 'link set eth1 up']) host.ip(line);
    const on = (device: string): string =>
      file({}).replace('alpha: 10.0.0.1', `alpha: {underlay: 10.0.0.1, device: ${device}}`);
    if (when === 'before the link is changed') apply(on('eth0'));
    const wanted = desired(on('eth1'));
    host.ip('link del eth1');
    const before = everything(host);
    assert.match(
      failure(() => converge(host.kernel, wanted, store)),
      /vx0: .*the kernel says: there is no link eth1.*has been undone/s,
    );
    assert.deepEqual(everything(host), before);
  });
}
