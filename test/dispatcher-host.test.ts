/** The article on a real host with systemd, everlan in the place of networkd-dispatcher, rebooted for real. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from './dispatcher.testing.ts';
import { otherHost } from './support/article.ts';
import { ended, firstLine } from './support/process.ts';
import { needsRealHost, type RealHost, realHost } from './support/real-host.ts';

const TOP = join(import.meta.dirname, '..');
const SKIP = {
  skip: needsRealHost || (existsSync(join(TOP, 'dist/everlan.mjs')) ? false : 'needs the release: make build'),
};
const UNIT = 'networkd-dispatcher.service';
const NODE = `/usr/lib/everlan/node_modules/node-linux-${process.arch}/bin/node`;

const NETWORK = '[Match]\nName=eth0\n\n[Network]\nAddress=10.10.0.5/24\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n';

/** The files of everlan and of its package for networkd-dispatcher, where packages put them. */
function install(host: RealHost): void {
  const copy = (from: string, to: string): void => cpSync(from, host.root + to, { recursive: true });
  for (const folder of ['dist', 'bin']) copy(join(TOP, folder), `/usr/lib/everlan/${folder}`);
  copy(process.execPath, NODE);
  symlinkSync('../lib/everlan/bin/networkd-dispatcher', `${host.root}/usr/bin/networkd-dispatcher`);
  const packaging = join(TOP, 'packaging/networkd-dispatcher');
  copy(join(packaging, UNIT), `/usr/lib/systemd/system/${UNIT}`);
  copy(join(packaging, 'networkd-dispatcher.default'), '/etc/default/networkd-dispatcher');
  host.chroot('systemctl', '--quiet', 'enable', UNIT);
}

/** Its three scripts, unchanged. */
function article(host: RealHost): void {
  const fixture = (name: string): Buffer => readFileSync(join(import.meta.dirname, 'fixtures/article', name));
  host.write('/etc/networkd-dispatcher/routable.d/50-ifup-hooks', fixture('50-ifup-hooks'), 0o755);
  host.write('/etc/networkd-dispatcher/off.d/50-ifdown-hooks', fixture('50-ifdown-hooks'), 0o755);
  host.write('/etc/network/if-post-up.d/vxlan', fixture('vxlan'), 0o744);
}

interface Link {
  readonly flags: readonly string[];
  readonly linkinfo: { readonly info_data: { readonly id: number; readonly remote: string; readonly port: number } };
}

/** The link that the article's script makes is there, the other host answers, and the unit is as it should be. */
async function works(host: RealHost): Promise<void> {
  await until(() => host.run('ip', 'address', 'show').includes('169.254.0.1/24'));
  const [link]: Link[] = JSON.parse(host.run('ip', '-j', '-d', 'link', 'show', 'dev', 'vxlan0'));
  const data = link?.linkinfo.info_data;
  assert.deepEqual([data?.id, data?.remote, data?.port], [77, '10.10.0.4', 4789]);
  assert.ok(link?.flags.includes('UP'));
  await until(() => host.succeeds('ping', '-q', '-c', '1', '-W', '1', '169.254.0.2'));

  assert.equal(host.run('systemctl', 'is-active', UNIT), 'active\n');
  const show = (name: string): string => host.run('systemctl', 'show', '--value', '-p', name, UNIT).trim();
  // A unit of this type is active only once it has said READY.
  assert.deepEqual([show('Type'), show('NRestarts'), show('UnitFileState')], ['notify', '0', 'enabled']);
  assert.equal(host.run('readlink', `/proc/${show('MainPID')}/exe`), `${NODE}\n`);
}

test('the article on a real host: after the boot and after a reboot vxlan0 is there and answers', SKIP, async (t) => {
  const host = await realHost(t, 'alpha');
  install(host);
  article(host);
  host.write('/etc/systemd/network/10-eth0.network', NETWORK);
  otherHost(host);

  await host.boot();
  await works(host);
  const before = host.bootId;

  await host.reboot();
  assert.notEqual(host.bootId, before);
  await works(host);
  await host.powerOff();
});

test('killed: of a real host nothing is left', { skip: needsRealHost }, async () => {
  const script = `const { realHost } = await import(process.argv[1]);
    const host = await realHost({ after() {} }, 'beta');
    await host.boot();
    console.log(host.init + ' ' + host.group);
    setInterval(() => {}, 1e6);`;
  const path = join(import.meta.dirname, 'support/real-host.ts');
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [init = '', group = ''] = (await firstLine(child)).split(' ');
  const groups = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].map((top) => join(top, group));
  assert.ok(existsSync(`/proc/${init}`) && groups.some(existsSync));
  child.kill('SIGKILL');
  await ended(child);
  await until(() => !existsSync(`/proc/${init}`) && !groups.some(existsSync));
});
