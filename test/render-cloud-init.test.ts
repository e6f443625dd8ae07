/** `everlan render cloud-init` on a real host with Debian's cloud-init, from a seed of its data source NoCloud. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { cloudInit } from '../src/render/cloud-init.ts';
import { BY_ADDRESS, FABRIC, NETWORK, works } from './render-boot.testing.ts';
import { otherHost } from './support/article.ts';
import { temporaryFolder } from './support/program.ts';
import { needsRealHost, type RealHost, realHost } from './support/real-host.ts';
import { CONTEXT, hostOf } from './support/render.ts';

const SEED = '/var/lib/cloud/seed/nocloud';
const UNIT = 'everlan-article.service';

/** Here are the data, the network is there already, and ssh, locales and the like are not. */
const CONFIG = `datasource_list: [NoCloud]
network: {config: disabled}
cloud_init_modules: [write_files, set_hostname]
cloud_config_modules: [runcmd]
cloud_final_modules: [package_update_upgrade_install, scripts_user]
`;

async function seeded(t: TestContext, hostname: string, userData: string): Promise<RealHost> {
  const host = await realHost(t, 'cloud', ['cloud-init', 'curl']);
  host.write(`${SEED}/meta-data`, `instance-id: one\nlocal-hostname: ${hostname}\n`);
  host.write(`${SEED}/user-data`, userData);
  host.write('/etc/cloud/cloud.cfg.d/99-test.cfg', CONFIG);
  host.write('/etc/systemd/network/10-eth0.network', NETWORK);
  otherHost(host);
  return host;
}

/** It took everything, without a word. */
function settled(host: RealHost): void {
  host.run('cloud-init', 'status', '--wait');
  const told = host.run('cloud-init', 'schema', '--config-file', `${SEED}/user-data`);
  assert.match(told, /Valid (cloud-config|schema)/);
  assert.match(host.run('cloud-init', 'status', '--long'), /^status: done$/m);
}

/** What --all-hosts writes. */
function forAll(text: string): string {
  const hosts = ['alpha', 'beta'].map((name) => hostOf(text, name));
  return cloudInit.renderAll?.(hosts, { ...CONTEXT, text }).files[0]?.text ?? '';
}

function forAlpha(text: string, packageUrl: string | null = null): string {
  return cloudInit.render(hostOf(text, 'alpha'), { ...CONTEXT, text, packageUrl }).files[0]?.text ?? '';
}

const cases = [
  { name: 'for one host', hostname: 'any', userData: forAlpha(FABRIC), text: FABRIC },
  { name: 'for all hosts, told by the hostname', hostname: 'Alpha', userData: forAll(FABRIC), text: FABRIC },
  { name: 'for all hosts, told by the address', hostname: 'other', userData: forAll(BY_ADDRESS), text: BY_ADDRESS },
];

for (const { name, hostname, userData, text } of cases) {
  test(`${name}: the link is there after the first boot and after a reboot`, { skip: needsRealHost }, async (t) => {
    const host = await seeded(t, hostname, userData);
    await host.boot();
    settled(host);
    await works(host, text);
    assert.equal(host.run('systemctl', 'is-active', UNIT), 'active\n');
    const before = host.bootId;
    await host.reboot();
    assert.notEqual(host.bootId, before);
    await works(host, text);
    await host.powerOff();
  });
}

/** A package with a unit of the agent's name, which tells what it found. */
function dummyPackage(t: TestContext): Buffer {
  const folder = temporaryFolder(t);
  const tree = join(folder, 'tree');
  const put = (path: string, text: string): void => {
    mkdirSync(join(tree, path, '..'), { recursive: true });
    writeFileSync(join(tree, path), text);
  };
  put(
    'DEBIAN/control',
    'Package: everlan\nVersion: 0\nArchitecture: all\nMaintainer: a <a@example.net>\nDescription: x\n',
  );
  const start = 'ExecStart=/bin/cp /etc/everlan/fabric.yaml /run/found';
  const unit = `[Service]\nType=oneshot\nRemainAfterExit=yes\n${start}\n\n[Install]\nWantedBy=multi-user.target\n`;
  put('lib/systemd/system/everlan.service', unit);
  chmodSync(tree, 0o755);
  const deb = join(folder, 'everlan.deb');
  execFileSync('dpkg-deb', ['--root-owner-group', '--build', tree, deb], { stdio: 'ignore' });
  return readFileSync(deb);
}

const URL = 'file:///root/everlan.deb';

test('--package-url: fetched, checked, installed, started', { skip: needsRealHost }, async (t) => {
  const deb = dummyPackage(t);
  const sha256 = createHash('sha256').update(deb).digest('hex');
  const host = await seeded(t, 'any', forAlpha(FABRIC, `${URL}#sha256=${sha256}`));
  host.write('/root/everlan.deb', deb);
  await host.boot();
  settled(host);
  assert.equal(host.run('systemctl', 'is-enabled', 'everlan.service'), 'enabled\n');
  assert.equal(host.run('cat', '/run/found'), FABRIC);
  await host.powerOff();
});

test('--package-url: another package than the one that was meant is not installed', {
  skip: needsRealHost,
}, async (t) => {
  const host = await seeded(t, 'any', forAlpha(FABRIC, `${URL}#sha256=${'0'.repeat(64)}`));
  host.write('/root/everlan.deb', dummyPackage(t));
  await host.boot();
  assert.throws(() => host.run('cloud-init', 'status', '--wait'));
  assert.match(host.run('cat', '/var/log/cloud-init-output.log'), /everlan\.deb is not the package that it should be/);
  assert.throws(() => host.run('dpkg', '-s', 'everlan'));
  await host.powerOff();
});
