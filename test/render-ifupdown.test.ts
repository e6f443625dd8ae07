/** `everlan render ifupdown` on a real host with Debian's ifupdown: at boot, by hand, twice, rebooted for real. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ifupdown } from '../src/render/ifupdown.ts';
import { FABRIC, hasLink, install, planned, works } from './render-boot.testing.ts';
import { otherHost } from './support/article.ts';
import { needsRealHost, realHost } from './support/real-host.ts';

/** As Debian's installer leaves it: the other files come first. */
const INTERFACES = `source /etc/network/interfaces.d/*

auto lo
iface lo inet loopback

auto eth0
iface eth0 inet static
    address 10.10.0.5/24
`;

test('ifup, ifdown, each twice, boot and reboot', { skip: needsRealHost }, async (t) => {
  const host = await realHost(t, 'stanza', ['ifupdown']);
  install(host, ifupdown, FABRIC);
  host.write('/etc/network/interfaces', INTERFACES);
  host.chroot('systemctl', '--quiet', 'disable', 'systemd-networkd', 'systemd-networkd.socket');
  host.chroot('systemctl', '--quiet', 'enable', 'networking');
  otherHost(host);
  await host.boot();
  assert.equal(host.run('systemctl', 'is-active', 'networking'), 'active\n');
  await works(host, FABRIC);

  host.run('ifup', '--force', 'vxlan0');
  assert.deepEqual(planned(host, FABRIC), []);
  host.run('ifdown', 'vxlan0');
  assert.equal(hasLink(host), false);
  host.run('ifdown', '--force', 'vxlan0');
  host.run('ifup', 'vxlan0');
  host.run('ifup', 'vxlan0');
  await works(host, FABRIC);

  const before = host.bootId;
  await host.reboot();
  assert.notEqual(host.bootId, before);
  await works(host, FABRIC);
  await host.powerOff();
});
