/** `everlan import` as a user runs it: the file that it prints changes nothing on the hosts that it comes from. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { needsRoot, type TestHost, testHost } from './support/host.ts';
import { everlan, temporaryFile, temporaryFolder } from './support/program.ts';

const skip = needsRoot;

/** The article's script of one host, and its three commands of the other. */
const HOOK = `#!/bin/sh

if [ "$IFACE" = "eth0" ]; then
  ip link add vxlan0 type vxlan id 77 remote 10.10.0.4 dstport 4789 dev eth0
  ip link set up vxlan0
  ip address add 169.254.0.1/24 dev vxlan0
fi
`;
const COMMANDS = `ip link add vxlan0 type vxlan id 77 remote 10.0.0.4 dstport 4789 dev eth0
ip link set up vxlan0
ip address add 169.254.0.2/24 dev vxlan0
`;

interface Step {
  readonly action: string;
  readonly kind: string;
  readonly link: string;
  readonly changes?: readonly { readonly attribute: string }[];
}

/** The steps that would take the links over, in words. */
function planned(host: TestHost, file: string, name: string): readonly string[] {
  const { code, out, err } = everlan(['plan', '--adopt', '--json', '-f', file, '--host', name, '--netns', host.name]);
  assert.equal(code, 0, err);
  const { steps, foreign } = JSON.parse(out) as { steps: readonly Step[]; foreign: readonly unknown[] };
  assert.deepEqual(foreign, []);
  return steps.map(({ action, kind, link, changes = [] }) =>
    [action, kind, link, ...changes.map(({ attribute }) => attribute)].join(' '),
  );
}

/** A host with another underlay address, on which these lines ran. */
function hostWith(t: TestContext, underlay: string, lines: string): TestHost {
  const host = testHost(t);
  host.ip('addr flush dev eth0');
  host.ip(`addr add ${underlay}/24 dev eth0`);
  for (const line of lines.split('\n')) if (/^ *ip /.test(line)) host.ip(line.trim().slice(3));
  return host;
}

function good(...args: readonly string[]): string {
  const { code, out, err } = everlan(['import', ...args]);
  assert.equal(code, 0, err);
  return out;
}

test('the article’s two scripts', { skip }, (t) => {
  const folder = temporaryFolder(t);
  const [a, b, file] = ['vxlan', 'vxlan.sh', 'fabric.yaml'].map((name) => join(folder, name));
  assert.ok(a && b && file);
  writeFileSync(a, HOOK);
  writeFileSync(b, COMMANDS);
  const out = good('--host', 'alpha', 'script', a, '--host', 'beta', 'script', b, '--name', 'article', '-o', file);
  assert.equal(out, '');
  const alpha = hostWith(t, '10.0.0.4', HOOK);
  const beta = hostWith(t, '10.10.0.4', COMMANDS);
  // What the file’s comment announces: whose they are, and a MAC that lasts.
  for (const [host, name] of [
    [alpha, 'alpha'],
    [beta, 'beta'],
  ] as const) {
    assert.deepEqual(planned(host, file, name), ['change link vxlan0 alias group mac']);
  }
  assert.match(readFileSync(file, 'utf8'), /leaves the MAC on alpha, beta to chance/);
  const applied = everlan(['apply', '--adopt', '-f', file, '--host', 'alpha', '--netns', alpha.name]);
  assert.equal(applied.code, 0, applied.err);
  assert.deepEqual(planned(alpha, file, 'alpha'), []);
});

test('what runs: a stranger’s links, and then everlan’s own', { skip }, (t) => {
  const host = hostWith(
    t,
    '10.0.0.4',
    `${HOOK}
ip link add br0 type bridge
ip link add eth1 type veth peer name far1
ip link set eth1 master br0
ip link add vx9 mtu 1400 type vxlan id 9 local 10.0.0.4 dev eth0 ttl 7 nolearning dstport 4789
ip link set vx9 master br0
ip link set vx9 up
ip link set br0 up
ip addr add 10.9.0.1/24 dev br0
ip link add vx10 address 02:00:00:00:00:01 type vxlan id 10 local 10.0.0.4 dev eth0
ip link set vx10 up
ip neigh add 169.254.0.7 lladdr 02:00:00:00:00:07 dev vxlan0
ip route add 10.77.0.0/16 via 169.254.0.2`,
  );
  for (const vtep of ['10.0.0.5', '10.0.0.6']) host.bridge(`fdb append 00:00:00:00:00:00 dev vx9 dst ${vtep}`);
  host.bridge('fdb add 02:00:00:00:00:05 dev vx9 dst 10.0.0.5');
  const { code, out, err } = everlan(['import', 'kernel', '--netns', host.name, '--host', 'alpha']);
  assert.equal(code, 0, err);
  // The one thing that a file cannot say.
  assert.match(err, /^kernel of \S+:\d+:1: warning: the permanent neighbours of vxlan0 on alpha are left out/);
  assert.equal(err.match(/warning/g)?.length, 1, err);
  const file = temporaryFile(t, out);
  host.ip('neigh del 169.254.0.7 dev vxlan0');
  assert.deepEqual(planned(host, file, 'alpha').toSorted(), [
    'change link vx10 alias group',
    'change link vx9 alias group',
    'change link vxlan0 alias group',
  ]);
  const applied = everlan(['apply', '--adopt', '-f', file, '--host', 'alpha', '--netns', host.name]);
  assert.equal(applied.code, 0, applied.err);
  const again = everlan(['import', 'kernel', '--netns', host.name, '--host', 'alpha']);
  assert.equal(again.err, '');
  assert.match(again.out, /^(?:#.*\n)+\nfabric: imported\n/);
  const plan = everlan([
    'plan',
    '--exit-code',
    '-f',
    temporaryFile(t, again.out),
    '--netns',
    host.name,
    '--host',
    'alpha',
  ]);
  assert.equal(plan.code, 0, plan.out + plan.err);
});

test('a host without overlays', { skip }, (t) => {
  const { code, out, err } = everlan(['import', 'kernel', '--netns', testHost(t).name]);
  assert.deepEqual([code, out], [2, '']);
  assert.match(err, /no VXLAN link/);
});

const BAD: readonly { name: string; source: string; text: string | Uint8Array; says: RegExp }[] = [
  {
    name: 'a script',
    source: 'script',
    text: 'ip link add vxlan0 type vxlan id 77 remot 10.10.0.4 dstport 70000 dev eth0\n',
    says: /^\S+:1:61: error: dstport takes a whole number up to 65535, not “70000”\n {4}ip link add .*\n {4} +\^{5}$/m,
  },
  {
    name: 'an interfaces file',
    source: 'ifupdown',
    text: 'iface vx0 inet static\n  vxlan-id 0\n',
    says: /^\S+:2:3: error: vxlan-id takes a whole number from 1 to 16777215, not “0”\n/,
  },
  {
    name: 'bytes that are no text',
    source: 'script',
    text: Uint8Array.of(0x69, 0xff),
    says: /byte 0xff .* is not UTF-8/,
  },
];

for (const { name, source, text, says } of BAD) {
  test(`${name} that is wrong: exit 2, nothing written`, (t) => {
    const file = temporaryFile(t, text, 'a.sh');
    const output = join(temporaryFolder(t), 'out.yaml');
    const { code, out, err } = everlan(['import', source, file, '-o', output]);
    assert.deepEqual([code, out], [2, ''], err);
    assert.match(err, says);
    assert.doesNotMatch(err, /internal error/);
    assert.equal(existsSync(output), false);
  });
}

test('nothing is overwritten', (t) => {
  const script = temporaryFile(t, HOOK, 'vxlan');
  const file = temporaryFile(t, 'mine', 'fabric.yaml');
  const { code, err } = everlan(['import', '--underlay', '10.0.0.4', 'script', script, '-o', file]);
  assert.equal(code, 1);
  assert.match(err, /fabric\.yaml exists already/);
  assert.equal(readFileSync(file, 'utf8'), 'mine');
});

test('folders, standard input, and files that others name', (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'vxlan'), HOOK);
  writeFileSync(join(folder, 'vxlan.dpkg-old'), 'ip link add vxlan0 type vxlan\n');
  assert.match(good('--underlay', '10.0.0.4', 'script', folder), /\n {2}vxlan0: # \S+\/vxlan:4\n/);

  const { code, out, err } = everlan(['import', '--underlay=10.0.0.4', 'script', '-'], { input: HOOK });
  assert.equal(code, 0, err);
  assert.match(out, /\n {2}vxlan0: # standard input:4\n/);

  mkdirSync(join(folder, 'interfaces.d'));
  writeFileSync(
    join(folder, 'interfaces'),
    'source interfaces.d/*\nauto eth0\niface eth0 inet static\n address 10.0.0.4/24\n',
  );
  writeFileSync(
    join(folder, 'interfaces.d', 'vxlan'),
    'iface vxlan0 inet static\n pre-up ip link add $IFACE type vxlan id 77 remote 10.10.0.4 dev eth0\n address 169.254.0.1/24\n',
  );
  assert.match(
    good('ifupdown', join(folder, 'interfaces')),
    /\n {2}host1: 10\.0\.0\.4\n(?:.*\n)*\n?overlays:\n(?:.*\n)* {2}vxlan0: # \S+\/interfaces\.d\/vxlan:2\n/,
  );
});

const usage: readonly { line: string; says: RegExp }[] = [
  { line: '', says: /missing required argument 'SOURCE'/ },
  { line: 'nope', says: /there is no source “nope”/ },
  { line: 'script', says: /there is nothing to import/ },
  { line: 'script /does/not/exist', says: /\/does\/not\/exist does not exist/ },
  { line: 'kernel a.sh', says: /kernel reads no files/ },
  { line: 'script a.sh --netns x', says: /--netns says where to look at the kernel/ },
  { line: 'kernel --netns no-such-namespace', says: /there is no network namespace/ },
  { line: 'script /dev/null --frob', says: /unknown option '--frob'/ },
  { line: 'script /dev/null --name', says: /--name needs a value/ },
  { line: 'script /dev/null --name a --name b', says: /--name is given twice/ },
  { line: 'script /dev/null --underlay x', says: /--underlay takes an IPv4 or IPv6 address/ },
  { line: 'script /dev/null --underlay 224.0.0.1', says: /address of one host/ },
  { line: 'script /dev/null --output=', says: /--output takes a name/ },
  { line: '--host a script /dev/null --host a script /dev/null', says: /two hosts are called a/ },
  { line: '--host a script /dev/null --host b', says: /--host b needs a source/ },
  { line: '--file x script /dev/null', says: /import reads no fabric file/ },
  { line: '--json script /dev/null', says: /no JSON/ },
];

for (const { line, says } of usage) {
  test(`everlan import ${line}: exit 2`, () => {
    const { code, out, err } = everlan(['import', ...line.split(' ').filter((word) => word !== '')]);
    assert.deepEqual([code, out], [2, ''], err);
    assert.match(err, says);
  });
}
