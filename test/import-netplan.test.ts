/** Which netplan files the real netplan takes, beside what the import says of them; and what networkd makes of them then. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { filesOf, NETPLAN_CASES } from '../src/import/netplan.cases.testing.ts';
import { importer } from '../src/import/netplan.ts';
import { importer as networkd } from '../src/import/networkd.ts';
import type { VxlanState } from '../src/model/vxlan.ts';
import { madeByNetworkd, needsTools, plainLinks } from './import.testing.ts';

/** What `netplan generate` runs, without the start of Python. */
const GENERATE = ['/usr/libexec/netplan/generate', '/lib/netplan/generate'].find((path) => existsSync(path));
const needsNetplan: string | false = GENERATE === undefined ? 'needs netplan: package netplan.io' : false;

type Files = Readonly<Record<string, string>>;

function generate(t: TestContext, files: Files): { taken: boolean; said: string; made: Files } {
  const root = mkdtempSync(join(tmpdir(), 'evtest-netplan-'));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'etc/netplan'), { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, 'etc/netplan', name);
    writeFileSync(path, text);
    chmodSync(path, 0o600);
  }
  const { status, stdout, stderr } = spawnSync(GENERATE ?? '', ['--root-dir', root], { encoding: 'utf8' });
  const folder = join(root, 'run/systemd/network');
  const made = existsSync(folder)
    ? readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')])
    : [];
  return { taken: status === 0, said: stdout + stderr, made: Object.fromEntries(made) };
}

const sourcesOf = (files: Files) => Object.entries(files).map(([path, text]) => ({ path, text }));
const read = (files: Files) => importer.read(sourcesOf(files), () => []);

for (const row of NETPLAN_CASES) {
  test(`netplan generate: ${row.name}`, { skip: needsNetplan }, (t) => {
    const files = filesOf(row.in);
    const { taken, said } = generate(t, files);
    assert.equal(taken, row.netplan, said);
    const wrong = read(files).problems.some(({ severity }) => severity === 'error');
    if (!taken) assert.ok(wrong, `netplan refuses it, and the import says nothing: ${said}`);
  });
}

const ETH0 = 'ethernets: {eth0: {addresses: [10.0.0.1/24, "fd00::1/64"]}}';
const network = (...lines: string[]): string =>
  ['network:', ...[ETH0, ...lines].map((line) => `  ${line}`), ''].join('\n');
const vx0 = (keys: string): string => network(`tunnels: {vx0: {mode: vxlan, id: 77, ${keys}}}`);

const EVERY_KEY = [
  ...['link: eth0', 'local: 10.0.0.1', 'remote: 10.0.0.2', 'port: 4790', 'ttl: 64', 'type-of-service: 4'],
  ...['do-not-fragment: yes', 'mac-learning: OFF', 'arp-proxy: y', 'short-circuit: on', 'port-range: [4000, 5000]'],
  ...['notifications: [l2-miss, L3-MISS]', 'checksums: [udp, zero-udp6-tx, zero-udp6-rx, remote-tx, remote-rx]'],
  ...['extensions: [group-policy]', 'limit: 10', 'ageing: 60', 'mtu: 1400', 'macaddress: 02:00:5e:00:53:01'],
  ...['addresses: [10.9.0.1/24, "fd00:77::1/64"]', 'routes: [{to: 10.8.0.7/16, via: 10.9.0.2}]', 'dhcp4: false'],
].join(', ');

/** Good files: what networkd makes of netplan's output, and what both imports read. */
const MADE: readonly { name: string; links: readonly string[]; files: Files }[] = [
  { name: 'the least', links: ['vx0'], files: { 'a.yaml': vx0('') } },
  { name: 'every key', links: ['vx0'], files: { 'a.yaml': vx0(EVERY_KEY) } },
  { name: 'some checksums', links: ['vx0'], files: { 'a.yaml': vx0('link: eth0, checksums: [remote-tx]') } },
  {
    name: 'IPv6',
    links: ['vx0'],
    files: { 'a.yaml': vx0('local: "fd00::1", remote: "fd00::2", flow-label: 5, addresses: ["fd00:77::1/64"]') },
  },
  { name: 'a group', links: ['vx0'], files: { 'a.yaml': vx0('remote: 239.0.0.1, link: eth0, port: 4789') } },
  {
    name: 'a bridge',
    links: ['vx0', 'br0'],
    files: {
      'a.yaml': network(
        'tunnels: {vx0: {mode: vxlan, id: 77, link: eth0}}',
        'bridges: {br0: {interfaces: [vx0], addresses: [10.9.0.1/24], routes: [{to: default, via: 10.9.0.2}]}}',
      ),
    },
  },
  {
    name: 'files that add to each other',
    links: ['vx0'],
    files: {
      '10.yaml': vx0('link: eth0, ttl: 9, local: 10.0.0.1, ageing: 60, addresses: [10.9.0.1/24], mac-learning: no'),
      '20.yaml':
        'network: {tunnels: {vx0: {id: 78, remote: 10.0.0.2, addresses: [10.9.1.1/24, 10.9.0.1/24], mtu: 1300}}}',
    },
  },
];

for (const { name, files, links } of MADE) {
  test(`netplan and networkd make what is imported: ${name}`, { skip: needsNetplan || needsTools }, async (t) => {
    const { made: units, said } = generate(t, files);
    const imported = read(files);
    assert.deepEqual(imported.problems, [], said);
    const host = await madeByNetworkd(t, units, links);
    const want = plainLinks(host.links, host.links);
    assert.deepEqual(plainLinks(imported.links, host.links), want);
    const second = networkd.read(sourcesOf(units), () => []);
    assert.deepEqual(plainLinks(second.links, host.links), want);
    assert.deepEqual(second.underlays, imported.underlays);
  });
}

/** What netplan takes in silence; null: no link is made. */
const OTHERWISE: readonly { keys: string; want: Partial<VxlanState> | null }[] = [
  { keys: 'port: 65536', want: { port: 8472 } },
  { keys: 'port: 0', want: { port: 8472 } },
  { keys: 'port-range: [0, 10]', want: { portLow: 0, portHigh: 0 } },
  { keys: 'port-range: [10, 70000]', want: { portLow: 0, portHigh: 0 } },
  { keys: 'port-range: [20, 10]', want: { portLow: 10, portHigh: 20 } },
  { keys: 'ageing: 0', want: { ageing: 300 } },
  { keys: 'limit: 2147483648', want: { limit: 0 } },
  { keys: 'ttl: 0', want: { ttl: 0 } },
  { keys: 'type-of-service: 300', want: { tos: 44 } },
  { keys: 'local: 239.0.0.1', want: { local: null } },
  { keys: 'remote: 239.0.0.1', want: null },
  { keys: 'remote: 10.0.0.2, flow-label: 5', want: null },
  { keys: 'extensions: [generic-protocol]', want: null },
];

for (const { keys, want } of OTHERWISE) {
  test(`what becomes of ${keys}`, { skip: needsNetplan || needsTools }, async (t) => {
    const files = {
      'a.yaml': network(`tunnels: {vx0: {mode: vxlan, id: 77, ${keys}}, zz: {mode: vxlan, id: 78, port: 5}}`),
    };
    assert.ok(read(files).problems.some(({ severity }) => severity === 'error'));
    const { made } = generate(t, files);
    const { links } = await madeByNetworkd(t, made, want === null ? ['zz'] : ['vx0', 'zz']);
    const found = links.find(({ name }) => name === 'vx0')?.attributes ?? null;
    assert.deepEqual(found === null ? null : { ...found, ...want }, found);
    assert.equal(found === null, want === null);
  });
}
