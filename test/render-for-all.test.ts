/** The script for all hosts finds itself as everlan does, and then does what the host's own script does. */
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { test } from 'node:test';
import { identify } from '../src/fabric/identify.ts';
import { parseFabricOrThrow } from '../src/fabric/parse.ts';
import { EverlanError } from '../src/model/problem.ts';
import { scriptForAll } from '../src/render/script-for-all.ts';
import { needsRoot, testHost } from './support/host.ts';
import { runs } from './support/process.ts';
import { type Ran, ran, temporaryFile } from './support/program.ts';
import { CONTEXT, hostOf } from './support/render.ts';

const FILE = `fabric: test
hosts:
  alpha: 10.0.0.1
  beta: {underlay: 10.0.0.2, device: eth0, hostname: Beta.example.net}
  gamma: {underlay: 10.0.0.3, hostname: gw.tokyo.example.net}
  delta: {underlay: 10.0.0.4, hostname: gw.osaka.example.net}
  solo: 10.0.0.5
overlays:
  vx0: {vni: 77, hosts: {alpha: 192.0.2.1/24, beta: 192.0.2.2/24, gamma: 192.0.2.3/24}}
  vx1: {vni: 78, hosts: {gamma: 192.0.3.3/24, delta: 192.0.3.4/24}}
`;

const SKIP = { skip: needsRoot || (runs('shellcheck') ? false : 'needs shellcheck: package shellcheck') };

const { fabric } = parseFabricOrThrow(Buffer.from(FILE), 'fabric.yaml');
const hosts = [...fabric.hosts.keys()].map((name) => hostOf(FILE, name));

/** Of a namespace whose link eth0 has 10.0.0.1. */
const machines = [
  'alpha',
  'ALPHA',
  'alpha.example.net',
  'beta',
  'beta.example.net',
  'beta.example.org',
  'gw.tokyo.example.net',
  'gw',
  'solo',
  'nobody',
  'alphabet',
] as const;

for (const machine of machines) {
  test(`a machine of the name ${machine}`, SKIP, (t) => {
    const host = testHost(t);
    const [first] = hosts;
    assert(first !== undefined);
    const { text, mode } = scriptForAll(first, hosts, { ...CONTEXT, text: FILE });
    const path = temporaryFile(t, text, 'script');
    chmodSync(path, mode);
    const checked = ran('shellcheck', [path]);
    assert.equal(checked.code, 0, checked.out);
    const named = 'echo "$1" >/proc/sys/kernel/hostname; shift; exec "$@"';
    const run = (word: string): Ran =>
      ran('ip', ['netns', 'exec', host.name, 'unshare', '-u', 'sh', '-c', named, 'sh', machine, path, word]);

    let expected: string;
    try {
      expected = identify(fabric, { hostname: machine, links: host.kernel.look().facts.links });
    } catch (error) {
      assert(error instanceof EverlanError);
      const { code, err } = run('up');
      assert.equal(code, 1);
      assert.match(err, /^everlan-test: error: this machine could be each of these hosts: gamma delta\n$/);
      return;
    }
    const links = [...fabric.overlays.values()].filter(({ members }) => members.has(expected)).map(({ name }) => name);
    const { code, err } = run('up');
    // Only alpha's underlay address is here: the others get as far as to miss theirs.
    if (expected === 'alpha' || expected === 'beta') assert.equal(code, 0, err);
    else assert.match(err, new RegExp(`no link has the underlay address ${fabric.hosts.get(expected)?.underlay}\n`));
    if (code === 0) assert.match(run('status').err, /^$/);
    const there = host.ip('-o link show type vxlan').match(/(?<=: )vx\d/g) ?? [];
    assert.deepEqual(there, code === 0 ? links : []);
    assert.equal(run('down').code, 0);
    assert.equal(host.ip('-o link show type vxlan'), '');
  });
}

test('a machine that is no host of the fabric', { skip: needsRoot }, (t) => {
  const host = testHost(t);
  host.ip('addr del 10.0.0.1/24 dev eth0');
  const [first] = hosts;
  assert(first !== undefined);
  const path = temporaryFile(t, scriptForAll(first, hosts, { ...CONTEXT, text: FILE }).text, 'script');
  const named = 'echo other >/proc/sys/kernel/hostname; exec sh "$@"';
  const { code, err } = ran('ip', ['netns', 'exec', host.name, 'unshare', '-u', 'sh', '-c', named, 'sh', path, 'up']);
  assert.equal(code, 1);
  assert.match(err, /^everlan-test: error: this machine is no host of the fabric: its hostname is other, and /);
});
