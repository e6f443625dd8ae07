/** `everlan render script`: the script in one namespace, `everlan apply` in another, and the kernel has the same. */
import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { lookAt } from '../src/apply/converge.ts';
import { memoryStore } from '../src/apply/store.ts';
import { parseFabricOrThrow } from '../src/fabric/parse.ts';
import { diff } from '../src/plan/diff.ts';
import { explain } from '../src/plan/explain.ts';
import { script } from '../src/render/script.ts';
import { applier } from './support/apply.ts';
import { needsRoot, type TestHost, testHost } from './support/host.ts';
import { runs } from './support/process.ts';
import { type Ran, ran, temporaryFile } from './support/program.ts';
import { renderedFor } from './support/render.ts';

const missing = ['ethtool', 'shellcheck'].filter((program) => !runs(program));
const SKIP = { skip: needsRoot || (missing.length === 0 ? false : `needs the packages ${missing.join(' and ')}`) };

const EXAMPLES = new URL('../examples/', import.meta.url);

interface Script {
  (...args: string[]): Ran;
  readonly path: string;
}

/** The file's script for a host, run in the namespace. */
function scriptIn(t: TestContext, host: TestHost, text: string, as: string): Script {
  const [file] = renderedFor(script, text, as).files;
  const path = temporaryFile(t, file?.text ?? '', 'script');
  chmodSync(path, file?.mode ?? 0);
  const run = (...args: string[]): Ran => ran('ip', ['netns', 'exec', host.name, path, ...args]);
  return Object.assign(run, { path });
}

/** A namespace that has what the host of the file needs: its underlay address, its device, the ports of its bridges. */
function hostFor(t: TestContext, text: string, as: string): TestHost {
  const { fabric } = parseFabricOrThrow(Buffer.from(text), 'test.yaml');
  const host = fabric.hosts.get(as);
  assert(host !== undefined);
  const made = testHost(t);
  const device = host.device ?? 'eth0';
  if (device !== 'eth0') made.ip(`link add ${device} up type bridge`);
  const { underlay } = host;
  // The test host has two addresses of its own.
  if (!['10.0.0.1', 'fd00::1'].includes(underlay)) {
    made.ip(
      `addr add ${underlay}/${underlay.includes(':') ? '64' : '24'} dev ${device}${underlay.includes(':') ? ' nodad' : ''}`,
    );
  }
  let far = 0;
  for (const { options, members } of fabric.overlays.values()) {
    for (const port of members.has(as) ? options.ports : [])
      made.ip(`link add ${port} type veth peer name far-${far++}`);
  }
  return made;
}

/** What apply would still do on a host of which it knows nothing: none of its own notes. */
function planned(host: TestHost, text: string, as: string): readonly string[] {
  const { desired } = applier(host, as);
  const wanted = desired(text);
  const { plan } = lookAt(host.kernel, wanted, memoryStore(wanted.fabric));
  return [...plan.steps.map(explain), ...plan.conflicts.map(({ message }) => message)];
}

/** All that the kernel tells of links, addresses, routes, neighbours and rows, less what it counts or finds out in time. */
function everything(host: TestHost): string {
  const questions = [
    '-d link show',
    'addr show',
    'route show table all',
    '-6 route show table all',
    'neigh show nud permanent',
  ];
  const lines = [...questions.map((line) => host.ip(line)), host.bridge('fdb show')].join('\n').split('\n');
  return lines
    .filter((line) => !/fe80:|ff00::|valid_lft|^33:33:/.test(line))
    .map((line) =>
      line.replace(
        /(\w+_timer|state|bridge_id|designated_root|reserved_bits) +\S+|NO-CARRIER,|,LOWER_UP|tentative/g,
        '',
      ),
    )
    .sort()
    .join('\n');
}

/** Proves all of it for one host of one file. */
function proveSame(t: TestContext, text: string, as: string): void {
  const [here, there] = [hostFor(t, text, as), hostFor(t, text, as)];
  const before = everything(here);
  const run = scriptIn(t, here, text, as);
  const checked = ran('shellcheck', [run.path]);
  assert.equal(checked.code, 0, checked.out);

  assert.equal(run('status').code, 3);
  assert.deepEqual(run('up'), { code: 0, out: '', err: '' });
  assert.deepEqual(planned(here, text, as), []);
  const applied = applier(there, as, parseFabricOrThrow(Buffer.from(text), 'test.yaml').fabric.name);
  const { after } = applied.apply(text);
  const fabric = applied.desired(text).fabric;
  const names = new Map([...after.links.values()].map(({ name, kind }) => [name, kind]));
  const made = here.kernel.look().state({ fabric, wanted: names });
  assert.deepEqual(diff(after, made, { fabric }).steps.map(explain), []);

  assert.deepEqual(run('status'), { code: 0, out: '', err: '' });
  const once = everything(here);
  assert.deepEqual(run('up'), { code: 0, out: '', err: '' });
  assert.equal(everything(here), once);

  assert.deepEqual(run('down'), { code: 0, out: '', err: '' });
  assert.equal(everything(here), before);
  assert.deepEqual(run('down'), { code: 0, out: '', err: '' });
}

for (const name of readdirSync(EXAMPLES).filter((each) => each.endsWith('.yaml'))) {
  const text = readFileSync(new URL(name, EXAMPLES), 'utf8');
  const { fabric } = parseFabricOrThrow(Buffer.from(text), name);
  test(`examples/${name}: the script makes what apply makes`, SKIP, (t) => {
    const [first = '', second = ''] = fabric.hosts.keys();
    for (const as of [first, second]) proveSame(t, text, as);
  });
}

const HOSTS = `
fabric: test
hosts:
  alpha: 10.0.0.1
  beta: 10.0.0.2
  gamma: 10.0.0.3
`;

interface Wanted {
  readonly members?: readonly string[];
  readonly options?: readonly string[];
  readonly hosts?: string;
}

/** One overlay vx0; members have 192.0.2.N/24 and an IPv6 address. */
function file({ members = ['alpha', 'beta'], options = [], hosts = HOSTS }: Wanted = {}): string {
  const addresses = members.map((name, i) => `      ${name}: [192.0.2.${i + 1}/24, "fd00:2::${i + 1}/64"]`);
  const lines = ['  vx0:', '    vni: 77', '    hosts:', ...addresses, ...options.map((line) => `    ${line}`)];
  return `${hosts}overlays:\n${lines.join('\n')}\n`;
}

const THREE = ['alpha', 'beta', 'gamma'];

/** Every option, and what it becomes on the host alpha. */
const OPTIONS: readonly Wanted[] = [
  ...[
    'port: 8472',
    'ageing: 60',
    'limit: 10',
    'ttl: 9',
    'ttl: inherit',
    'type-of-service: 16',
    'type-of-service: 1',
    'do-not-fragment: yes',
    'do-not-fragment: inherit',
    'mac-learning: off',
    'short-circuit: true',
    'port-range: [4000, 5000]',
    'notifications: [l2-miss, l3-miss]',
    'checksums: []',
    'checksums: [udp, zero-udp6-tx, remote-tx, remote-rx]',
    'extensions: [group-policy]',
    'local: none',
    'mtu: 1300',
    'mac: {alpha: "02:00:00:00:00:aa"}',
    'flood: 239.1.2.3',
    'remotes: [10.0.0.77]',
    'macs: {"02:00:00:00:00:bb": beta, "02:00:00:00:00:cc": 10.0.0.99}',
    'bridge: br0',
    'routes: [{to: 198.51.100.0/24, via: beta}, {to: 203.0.113.7/32, via: beta}, {to: "fd01::/64", via: beta}]',
    'routes: [{to: 0.0.0.0/0, via: beta}, {to: "::/0", via: beta}]',
    'neighbours: static',
    'tx-checksum-offload: false',
  ].map((option) => ({ options: [option] })),
  { options: ['arp-proxy: on', 'neighbours: static'] },
  { options: ['flood: none', 'macs: {"02:00:00:00:00:bb": beta}'] },
  { options: ['neighbours: static'], members: THREE },
  { options: ['bridge: br0', 'ports: [lan0]', 'routes: [{to: 198.51.100.0/24, via: beta}]'], members: THREE },
  { options: ['mtu: 1280'], hosts: HOSTS.replace('10.0.0.1', '{underlay: 10.0.0.1, device: none}') },
  { options: ['flood: none', 'local: none'], hosts: HOSTS.replaceAll(/10\.0\.0\.(\d)/g, '"fd00::$1"') },
  { options: ['flow-label: 77', 'ttl: 3'], members: THREE, hosts: HOSTS.replaceAll(/10\.0\.0\.(\d)/g, '"fd00::$1"') },
];

for (const wanted of OPTIONS) {
  const { options = [], members = [] } = wanted;
  test(`${options.join('; ')}${members.length > 2 ? ', three members' : ''}: the same`, SKIP, (t) =>
    proveSame(t, file(wanted), 'alpha'),
  );
}

/** The script for a file that has changed, on the same host. */
function runNew(t: TestContext, host: TestHost, text: string): void {
  assert.deepEqual(scriptIn(t, host, text, 'alpha')('up'), { code: 0, out: '', err: '' });
  assert.deepEqual(planned(host, text, 'alpha'), []);
}

test('up repairs what other hands have done', SKIP, (t) => {
  const text = file({
    members: THREE,
    options: ['neighbours: static', 'routes: [{to: 198.51.100.0/24, via: beta}]', 'tx-checksum-offload: false'],
  });
  const host = testHost(t);
  const run = scriptIn(t, host, text, 'alpha');
  run('up');
  const before = everything(host);
  const { index } = host.link('vx0');
  const spoil: readonly string[] = [
    'ip link set vx0 address 02:00:00:00:00:77',
    'ip link set vx0 down',
    'ip link set vx0 mtu 1200',
    'ip link set vx0 group 0',
    'ip link set vx0 type vxlan ttl 3',
    'ip link set vx0 type vxlan remote 10.0.0.9',
    'ip addr flush dev vx0',
    'ip route del 198.51.100.0/24',
    'ip neigh flush dev vx0 nud permanent',
    'bridge fdb del 00:00:00:00:00:00 dev vx0 dst 10.0.0.2 self',
    'bridge fdb append 00:00:00:00:00:00 dev vx0 dst 10.0.0.99 self',
    'bridge fdb append 00:00:00:00:00:00 dev vx0 dst 10.0.0.99 via eth0 port 1234 self',
    'ip neigh add 192.0.2.99 lladdr 02:00:00:00:00:99 dev vx0 nud permanent protocol 119',
    'ip route add 203.0.113.0/24 via 192.0.2.2 proto 119',
  ];
  for (const line of spoil) {
    const [tool, ...words] = line.split(' ');
    if (tool === 'ip') host.ip(words.join(' '));
    else host.bridge(words.join(' '));
    const told = run('status');
    assert.equal(told.code, 3, line);
    assert.match(told.out, /^vx0: /, line);
    assert.deepEqual(run('up'), { code: 0, out: '', err: '' }, line);
    assert.deepEqual(run('status'), { code: 0, out: '', err: '' }, line);
    assert.equal(everything(host), before, line);
  }
  assert.equal(host.link('vx0').index, index);
  ran('ip', ['netns', 'exec', host.name, 'ethtool', '-K', 'vx0', 'tx', 'on']);
  assert.equal(run('status').code, 3);
  run('up');
  assert.equal(host.link('vx0').txChecksum, false);
  host.ip('link del vx0');
  run('up');
  assert.deepEqual(planned(host, text, 'alpha'), []);
});

test('the remote’s own row is put back', SKIP, (t) => {
  const host = testHost(t);
  const run = scriptIn(t, host, file(), 'alpha');
  run('up');
  host.bridge('fdb del 00:00:00:00:00:00 dev vx0 dst 10.0.0.2 via eth0 self');
  assert.match(run('status').out, /does not flood to 10\.0\.0\.2/);
  assert.deepEqual(run('up'), { code: 0, out: '', err: '' });
  assert.deepEqual(planned(host, file(), 'alpha'), []);
});

test('the next script leads from every file to every other', SKIP, (t) => {
  const host = testHost(t);
  host.ip('link add lan0 type veth peer name far-0');
  const files = [
    file(),
    file({ members: THREE }),
    file(),
    file({ options: ['flood: 239.1.2.3'] }),
    file({ options: ['port: 8472', 'extensions: [group-policy]', 'ttl: inherit'] }),
    file({ members: THREE, options: ['neighbours: static', 'routes: [{to: 198.51.100.0/24, via: beta}]'] }),
    file({ options: ['bridge: br0', 'ports: [lan0]', 'mtu: 1300'] }),
    file({ hosts: HOSTS.replace('10.0.0.1', '{underlay: 10.0.0.1, device: none}'), options: ['mtu: 1300'] }),
    file({ hosts: HOSTS.replaceAll(/10\.0\.0\.(\d)/g, '"fd00::$1"') }),
    file({ options: ['tx-checksum-offload: false', 'local: none', 'do-not-fragment: on', 'ttl: 7'] }),
    file(),
  ];
  for (const text of files) runNew(t, host, text);
});

test('between two and three members the link stays the same', SKIP, (t) => {
  const host = testHost(t);
  runNew(t, host, file());
  const { index } = host.link('vx0');
  runNew(t, host, file({ members: THREE }));
  runNew(t, host, file());
  assert.equal(host.link('vx0').index, index);
});

test('an overlay that is no longer in the file goes', SKIP, (t) => {
  const host = testHost(t);
  runNew(t, host, file());
  const text = file().replace('vx0:', 'vx1:').replace('77', '78');
  const run = scriptIn(t, host, text, 'alpha');
  assert.deepEqual(run('status'), { code: 3, out: 'vx1: vx1 is missing\nvx0: no overlay has this name\n', err: '' });
  assert.equal(run('up').code, 0);
  assert.doesNotMatch(host.ip('link show'), /vx0/);
});

test('a stranger’s link in our place is named and left alone, also by down', SKIP, (t) => {
  const host = testHost(t);
  const run = scriptIn(t, host, file(), 'alpha');
  host.ip('link add vx0 type vxlan id 99 remote 10.0.0.9 dstport 4789 dev eth0');
  const before = everything(host);
  for (const word of ['up', 'status']) {
    const { code, err } = run(word);
    assert.equal(code, 1);
    assert.match(err, /^everlan-test: error: there is a link vx0 already, and everlan did not make it\n$/);
  }
  assert.equal(run('down').code, 0);
  assert.equal(everything(host), before);
});

test('a stranger’s bridge is joined, and left as it was', SKIP, (t) => {
  const host = testHost(t);
  for (const line of [
    'link add br0 address 02:00:00:00:00:b0 type bridge',
    'link add own0 master br0 up type veth peer name own1',
    'link set br0 up',
    'link add lan0 type veth peer name lan1',
  ]) {
    host.ip(line);
  }
  const before = everything(host);
  const text = file({ options: ['bridge: br0', 'ports: [lan0]', 'routes: [{to: 198.51.100.0/24, via: beta}]'] });
  const run = scriptIn(t, host, text, 'alpha');
  assert.deepEqual(run('up'), { code: 0, out: '', err: '' });
  assert.deepEqual(planned(host, text, 'alpha'), []);
  assert.equal(run('status').code, 0);
  assert.deepEqual(run('down'), { code: 0, out: '', err: '' });
  assert.equal(everything(host), before);
});

test('a stranger’s address and VIP survive', SKIP, (t) => {
  const host = testHost(t);
  const run = scriptIn(t, host, file(), 'alpha');
  run('up');
  host.ip('addr add 203.0.113.9/32 dev vx0');
  host.ip('neigh add 192.0.2.200 lladdr 02:00:00:00:00:98 dev vx0 nud permanent');
  host.ip('route add 198.51.100.0/24 dev vx0');
  const before = everything(host);
  assert.equal(run('status').code, 0);
  run('up');
  assert.equal(everything(host), before);
});

test('one overlay at a time', SKIP, (t) => {
  const host = testHost(t);
  const text = `${file()}  vx1: {vni: 78, hosts: {alpha: 192.0.3.1/24, beta: 192.0.3.2/24}}\n`;
  const run = scriptIn(t, host, text, 'alpha');
  assert.equal(run('up', 'vx1').code, 0);
  assert.doesNotMatch(host.ip('link show'), /vx0/);
  assert.equal(run('up', 'vx0').code, 0);
  assert.equal(run('down', 'vx1').code, 0);
  assert.match(host.ip('link show'), /vx0/);
  assert.doesNotMatch(host.ip('link show'), /vx1/);
  assert.deepEqual(run('up', 'vx9'), { code: 1, out: '', err: 'everlan-test: error: there is no overlay vx9 here\n' });
});

test('what the host lacks is said in words', SKIP, (t) => {
  const cases = [
    { hosts: HOSTS.replace('10.0.0.1', '10.0.0.77'), says: 'no link has the underlay address 10.0.0.77' },
    { hosts: HOSTS.replace('10.0.0.1', '{underlay: 10.0.0.1, device: eth7}'), says: 'there is no link eth7' },
    { options: ['mtu: 1451'], says: 'mtu 1451 of vx0 is more than 1450: eth0 has 1500' },
    { options: ['bridge: br0', 'ports: [lan9]'], says: 'there is no link lan9 to put into br0' },
    { options: ['bridge: far0'], says: 'far0 is there and is no bridge' },
  ];
  for (const { says, ...wanted } of cases) {
    const { code, err } = scriptIn(t, testHost(t), file(wanted), 'alpha')('up');
    assert.equal(code, 1);
    assert(err.includes(`everlan-test: error: ${says}\n`), err);
  }
});

test('uses tells the underlay, also when its address is gone', SKIP, (t) => {
  const host = testHost(t);
  const run = scriptIn(t, host, file(), 'alpha');
  assert.deepEqual([run('uses', 'eth0').code, run('uses', 'far0').code], [0, 1]);
  run('up');
  host.ip('addr del 10.0.0.1/24 dev eth0');
  assert.deepEqual([run('uses', 'eth0').code, run('uses', 'far0').code], [0, 1]);
});

for (const args of [[], ['sideways'], ['uses'], ['uses', 'a', 'b']]) {
  test(`wrong use: ${args.join(' ') || 'nothing'}`, SKIP, (t) => {
    const { code, err } = scriptIn(t, testHost(t), file(), 'alpha')(...args);
    assert.equal(code, 2);
    assert.match(err, /^usage: everlan-test up\|down\|status/);
  });
}
