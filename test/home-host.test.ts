/** A real host with systemd, systemd-networkd and NetworkManager, both of which would like to have our links. */
import assert from 'node:assert/strict';
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from './dispatcher.testing.ts';
import { needsRealHost, type RealHost, realHost } from './support/real-host.ts';

const TOP = join(import.meta.dirname, '..');
const EVERLAN = '/usr/lib/everlan/bin/everlan';

/** From the sources, with what they load. */
function install(host: RealHost): void {
  const parts = ['src', 'bin', 'package.json', 'node_modules/koffi', 'node_modules/@koromix', 'node_modules/commander'];
  for (const part of [...parts, 'node_modules/js-yaml', 'node_modules/argparse']) {
    cpSync(join(TOP, part), `${host.root}/usr/lib/everlan/${part}`, { recursive: true });
  }
  cpSync(process.execPath, `${host.root}/usr/lib/everlan/node_modules/node-linux-${process.arch}/bin/node`);
}

const FABRIC = `fabric: article
hosts:
  alpha: 10.10.0.5
  beta: 10.10.0.4
overlays:
  vxlan0: {vni: 77, hosts: {alpha: 169.254.0.1/24, beta: 169.254.0.2/24}}
  "v*":
    vni: 78
    bridge: br0
    hosts: {alpha: 169.254.1.1/24, beta: 169.254.1.2/24}
`;

const ETH0 = '[Match]\nName=eth0\n\n[Network]\nAddress=10.10.0.5/24\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n';
/** Takes every link but the wire, and lets it have this address alone. */
const HOSTILE =
  '[Match]\nName=!eth0 lo\n\n[Network]\nAddress=10.9.9.9/24\nLinkLocalAddressing=no\nKeepConfiguration=no\n';
const QUIET = '[main]\nno-auto-default=*\n\n[keyfile]\nunmanaged-devices+=interface-name:eth0\n';
/** As many a guide has it: without `+`, so that lists of others are gone. */
const OVERRIDE = '[keyfile]\nunmanaged-devices=interface-name:eth0\n';

/** A connection for a link of this name: NetworkManager makes it if it is not there. */
const connection = (name: string, vni: number): string => `[connection]
id=${name}
type=vxlan
interface-name=${name}

[vxlan]
id=${vni}
local=10.10.0.5
remote=10.10.0.4
destination-port=4789

[ipv4]
method=manual
address1=192.168.130.1/24

[ipv6]
method=disabled
`;

interface Row {
  readonly ifname: string;
  readonly ifindex: number;
  readonly addr_info: readonly { readonly family: string; readonly local: string }[];
}

function addresses(host: RealHost, name: string): string {
  const rows: Row[] = JSON.parse(host.run('ip', '-j', 'address', 'show'));
  const row = rows.find(({ ifname }) => ifname === name);
  const inet = row?.addr_info.filter(({ family }) => family === 'inet');
  return inet?.map(({ local }) => local).join(' ') ?? 'no link';
}

/** What both say of a link. */
function managed(host: RealHost, name: string): string {
  const links: { Interfaces: { Name: string; AdministrativeState: string }[] } = JSON.parse(
    host.run('networkctl', '--json=short', 'list'),
  );
  const networkd = links.Interfaces.find(({ Name }) => Name === name)?.AdministrativeState ?? 'none';
  const manager = host.run('nmcli', '-g', 'GENERAL.STATE', 'device', 'show', name).trim();
  return `${networkd}, ${manager}`;
}

const LEFT_ALONE = 'unmanaged, 10 (unmanaged)';
const FILES = ['/run/systemd/network/00-everlan-article.network', '/run/NetworkManager/conf.d/90-everlan-article.conf'];

/** As the host sees it: its /run is its own. */
const exists = (host: RealHost, path: string): boolean => existsSync(`/proc/${host.init}/root${path}`);

function made(host: RealHost, name: string, vni: number): void {
  host.run('ip', 'link', 'add', 'name', name, 'type', 'vxlan', 'id', String(vni), 'dstport', '4789');
  host.run('ip', 'address', 'add', '172.16.0.1/24', 'dev', name);
  host.run('ip', 'link', 'set', 'dev', name, 'up');
}

/** Both have met this link, which is nobody's, by the end, and so those before it. */
async function bothPassed(host: RealHost, name: string, vni: number): Promise<void> {
  made(host, name, vni);
  await until(() => managed(host, name) === 'configured, 100 (connected (externally))');
  host.run('networkctl', 'reconfigure', name);
  await until(() => addresses(host, name) === '10.9.9.9');
}

async function ready(host: RealHost): Promise<void> {
  await until(() => addresses(host, 'eth0') === '10.10.0.5');
  await until(() => host.run('nmcli', '-g', 'RUNNING', 'general').trim() === 'running');
}

const OVERLAYS = [
  ['vxlan0', '169.254.0.1'],
  ['br0', '169.254.1.1'],
  ['v*', ''],
] as const;

function untouched(host: RealHost, when: string): void {
  const found = OVERLAYS.map(([name]) => [name, addresses(host, name), managed(host, name)]);
  assert.deepEqual(
    found,
    OVERLAYS.map(([name, address]) => [name, address, LEFT_ALONE]),
    when,
  );
}

const rejects = (work: () => unknown, says: RegExp): void =>
  assert.throws(work, (error) => error instanceof Error && 'stderr' in error && says.test(String(error.stderr)));

test('networkd and NetworkManager leave our links alone, from apply to down', { skip: needsRealHost }, async (t) => {
  const host = await realHost(t, 'alpha', ['network-manager']);
  install(host);
  host.write('/etc/everlan/fabric.yaml', FABRIC);
  host.write('/etc/systemd/network/10-eth0.network', ETH0);
  host.write('/etc/systemd/network/20-all.network', HOSTILE);
  host.write('/etc/NetworkManager/conf.d/10-quiet.conf', QUIET);
  const keyfile = '/etc/NetworkManager/system-connections/vxlan0.nmconnection';
  await host.boot();
  await ready(host);

  assert.match(host.run(EVERLAN, 'apply', '--host', 'alpha'), /verified/);
  for (const path of FILES) assert.ok(exists(host, path), path);
  await bothPassed(host, 'canary0', 900);
  untouched(host, 'after apply');

  host.run('networkctl', 'reconfigure', 'vxlan0');
  host.run('systemctl', 'restart', 'systemd-networkd', 'NetworkManager');
  await ready(host);
  await bothPassed(host, 'canary1', 901);
  untouched(host, 'both restarted');

  // A connection that is made for vxlan0 and starts by itself.
  host.write(keyfile, connection('vxlan0', 77), 0o600);
  host.run('nmcli', 'connection', 'reload');
  rejects(() => host.run('nmcli', 'connection', 'up', 'vxlan0'), /unmanaged/);
  await bothPassed(host, 'canary2', 902);
  untouched(host, 'a connection of its own');
  host.run('nmcli', 'connection', 'delete', 'vxlan0');
  // One for a link that is not ours: taken over.
  host.write(keyfile.replace('vxlan0', 'canary2'), connection('canary2', 902), 0o600);
  host.run('nmcli', 'connection', 'reload');
  host.run('nmcli', 'connection', 'up', 'canary2');
  await until(() => managed(host, 'canary2').endsWith('100 (connected)'));

  // The list of unmanaged devices is another's: our second way holds for links that are made then.
  host.run('ip', 'link', 'delete', 'vxlan0');
  host.write('/etc/NetworkManager/conf.d/20-override.conf', OVERRIDE);
  host.run('systemctl', 'restart', 'NetworkManager');
  await ready(host);
  host.run(EVERLAN, 'apply', '--host', 'alpha');
  await bothPassed(host, 'canary3', 903);
  untouched(host, 'without our list');

  host.run(EVERLAN, 'down');
  for (const path of FILES) assert.ok(!exists(host, path), path);
  await bothPassed(host, 'vxlan0', 77);
  await host.powerOff();
});

test('in another namespace nothing is said to those of this one', { skip: needsRealHost }, async (t) => {
  const host = await realHost(t, 'beta', ['network-manager']);
  install(host);
  host.write('/etc/everlan/fabric.yaml', FABRIC);
  await host.boot();
  host.run('ip', 'netns', 'add', 'other');
  host.run('ip', '-n', 'other', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'far0');
  host.run('ip', '-n', 'other', 'address', 'add', '10.10.0.5/24', 'dev', 'eth0');
  host.run('ip', '-n', 'other', 'link', 'set', 'eth0', 'up');
  const ways = [
    [EVERLAN, '--netns', 'other', 'apply', '--host', 'alpha'],
    ['ip', 'netns', 'exec', 'other', EVERLAN, 'apply', '--host', 'alpha'],
  ];
  for (const way of ways) {
    assert.match(host.run(...way), /verified/);
    for (const path of FILES) assert.ok(!exists(host, path), path);
    host.run('ip', 'netns', 'exec', 'other', EVERLAN, 'down');
  }
  await host.powerOff();
});
