/** `everlan render systemd` on a real host with systemd, rebooted for real. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemd } from '../src/render/systemd.ts';
import { BY_ADDRESS, FABRIC, hasLink, install, NETWORK, planned, works } from './render-boot.testing.ts';
import { otherHost } from './support/article.ts';
import { needsRealHost, realHost } from './support/real-host.ts';

const UNIT = 'everlan-article.service';

for (const { name, text } of [
  { name: 'the device by its name', text: FABRIC },
  { name: 'the device by its address', text: BY_ADDRESS },
]) {
  test(`a oneshot unit, ${name}: there after the boot and after a reboot`, { skip: needsRealHost }, async (t) => {
    const host = await realHost(t, 'unit');
    install(host, systemd, text);
    host.write('/etc/systemd/network/10-eth0.network', NETWORK);
    host.chroot('systemctl', '--quiet', 'enable', UNIT);
    otherHost(host);
    await host.boot();
    await works(host, text);
    assert.equal(host.run('systemctl', 'is-active', UNIT), 'active\n');
    assert.equal(host.run('systemd-analyze', 'verify', `/etc/systemd/system/${UNIT}`), '');

    host.run('ip', 'link', 'delete', 'vxlan0');
    host.run('systemctl', 'reload', UNIT);
    assert.deepEqual(planned(host, text), []);

    host.run('systemctl', 'stop', UNIT);
    assert.equal(hasLink(host), false);
    host.run('systemctl', 'start', UNIT);
    await works(host, text);

    const before = host.bootId;
    await host.reboot();
    assert.notEqual(host.bootId, before);
    await works(host, text);
    await host.powerOff();
  });
}
