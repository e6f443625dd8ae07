/** `everlan render networkd-dispatcher` on a real host, with Debian's networkd-dispatcher and with ours, rebooted for real. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { networkdDispatcher } from '../src/render/networkd-dispatcher.ts';
import { until } from './dispatcher.testing.ts';
import { BY_ADDRESS, FABRIC, hasLink, install, NETWORK, works } from './render-boot.testing.ts';
import { otherHost } from './support/article.ts';
import { needsRealHost, type RealHost, realHost } from './support/real-host.ts';

const TOP = join(import.meta.dirname, '..');
const UNIT = 'networkd-dispatcher.service';

/** everlan in the place of networkd-dispatcher, as its package puts it. */
function installOurs(host: RealHost): void {
  const copy = (from: string, to: string): void => cpSync(from, host.root + to, { recursive: true });
  for (const folder of ['dist', 'bin']) copy(join(TOP, folder), `/usr/lib/everlan/${folder}`);
  copy(process.execPath, `/usr/lib/everlan/node_modules/node-linux-${process.arch}/bin/node`);
  symlinkSync('../lib/everlan/bin/networkd-dispatcher', `${host.root}/usr/bin/networkd-dispatcher`);
  const packaging = join(TOP, 'packaging/networkd-dispatcher');
  copy(join(packaging, UNIT), `/usr/lib/systemd/system/${UNIT}`);
  copy(join(packaging, 'networkd-dispatcher.default'), '/etc/default/networkd-dispatcher');
}

const built = existsSync(join(TOP, 'dist/everlan.mjs')) ? false : 'needs the release: make build';

const dispatchers = [
  { name: 'Debian’s', skip: needsRealHost, text: FABRIC, packages: ['networkd-dispatcher'], put: () => undefined },
  { name: 'ours', skip: needsRealHost || built, text: BY_ADDRESS, packages: [], put: installOurs },
] as const;

for (const { name, skip, text, packages, put } of dispatchers) {
  test(`the article’s way with ${name}: up, down, up, rebooted`, { skip }, async (t) => {
    const host = await realHost(t, 'hooks', packages);
    put(host);
    install(host, networkdDispatcher, text);
    host.write('/etc/systemd/network/10-eth0.network', NETWORK);
    host.chroot('systemctl', '--quiet', 'enable', UNIT);
    otherHost(host);
    await host.boot();
    await works(host, text);

    host.run('ip', 'link', 'set', 'eth0', 'down');
    await until(() => !hasLink(host));
    host.run('ip', 'link', 'set', 'eth0', 'up');
    await works(host, text);
    // A second time, with everything there.
    host.run('env', 'IFACE=eth0', '/etc/networkd-dispatcher/routable.d/50-ifup-hooks');
    host.run('env', 'IFACE=lo', '/etc/networkd-dispatcher/off.d/50-ifdown-hooks');
    await works(host, text);

    const before = host.bootId;
    await host.reboot();
    assert.notEqual(host.bootId, before);
    await works(host, text);
    await host.powerOff();
  });
}
