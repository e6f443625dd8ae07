import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FindFiles, Imported, SourceFile } from './found.ts';
import { importer } from './ifupdown.ts';

const NOTHING: FindFiles = () => [];

function read(text: string, find = NOTHING): Imported {
  return importer.read([{ path: 'interfaces', text }], find);
}

const UNDERLAY = 'auto eth0\niface eth0 inet static\n  address 10.0.0.4\n  netmask 255.255.255.0\n';

test('ifupdown: ip lines, in the order in which ifup runs them', () => {
  const { links, underlays, problems } = read(`${UNDERLAY}
# a comment \\
iface vxlan0 inet static
    pre-up ip link add $IFACE type vxlan id 77 \\
        remote 10.10.0.4 dstport 4789 dev eth0 || true
    address 169.254.0.1/24
    hwaddress ether 02:00:00:00:00:01
    up ip link set $IFACE mtu 1300
    mtu 1400
    gateway 169.254.0.2
    post-down ip link del $IFACE

iface vxlan0 inet6 static
    address fd00:77::1
    netmask 64
`);
  assert.deepEqual(problems, []);
  assert.deepEqual([...underlays], [['eth0', ['10.0.0.4/24']]]);
  const [link, ...more] = links;
  assert.deepEqual(more, []);
  assert.equal(link?.vni, 77);
  assert.deepEqual(link.attributes, { remote: '10.10.0.4', port: 4789, device: 'eth0' });
  assert.deepEqual(link.addresses, ['169.254.0.1/24', 'fd00:77::1/64']);
  assert.deepEqual(link.routes, [{ to: '0.0.0.0/0', via: '169.254.0.2' }]);
  // Of both, the command runs last.
  assert.equal(link.mtu, 1300);
  assert.equal(link.mac, '02:00:00:00:00:01');
  assert.equal(link.up, true);
  assert.equal(link.place.line, 8);
});

test('ifupdown2: its keys, its port, and a bridge', () => {
  const { links, problems } = read(`iface base
    vxlan-local-tunnelip 10.0.0.4/32
    vxlan-ageing 600
    vxlan-learning no

iface vx10 inherits base
    vxlan-id 10
    vxlan-remoteip 10.0.0.5 10.0.0.6
    vxlan-remoteip 10.0.0.7
    vxlan-ttl 12

iface vx11
    vxlan-id 11
    vxlan-mcastgrp 239.1.1.1
    vxlan-physdev eth0
    vxlan-port 8472

auto br0
iface br0
    bridge-ports eth1 vx10
    address 10.1.0.1/24
`);
  assert.deepEqual(problems, []);
  const [ten, eleven] = links;
  assert.deepEqual(ten?.attributes, { port: 4789, local: '10.0.0.4', ageing: 600, learning: false, ttl: 12 });
  assert.deepEqual(ten.flood, ['10.0.0.5', '10.0.0.6', '10.0.0.7']);
  assert.deepEqual(ten.bridge, { name: 'br0', ports: ['eth1'] });
  assert.deepEqual(ten.addresses, ['10.1.0.1/24']);
  assert.deepEqual(eleven?.attributes, { port: 8472, remote: '239.1.1.1', device: 'eth0' });
});

test('ifupdown: files that others name', () => {
  const asked: string[] = [];
  const files: Readonly<Record<string, readonly SourceFile[]>> = {
    'interfaces.d/*': [{ path: '/d/vx', text: 'iface vx0\n  vxlan-id 7\nsource interfaces.d/*\n' }],
    'more.d/*': [
      { path: '/m/vx-1', text: 'iface vx1\n  vxlan-id 8\n' },
      { path: '/m/vx.old', text: 'iface vx2\n  vxlan-id 9\n' },
    ],
  };
  const { links, problems } = read('source interfaces.d/*\nsource-directory more.d\n', (pattern, { path }) => {
    asked.push(`${pattern} of ${path}`);
    return files[pattern] ?? [];
  });
  assert.deepEqual(problems, []);
  assert.deepEqual(
    links.map(({ name }) => name),
    ['vx0', 'vx1'],
  );
  assert.deepEqual(asked, ['interfaces.d/* of interfaces', 'interfaces.d/* of /d/vx', 'more.d/* of interfaces']);
});

const reported: readonly { name: string; in: string; want: readonly RegExp[] }[] = [
  { name: 'a VNI', in: 'iface vx0\n  vxlan-id 16777216\n', want: [/^2:3 error: vxlan-id takes a whole number/] },
  { name: 'a port', in: 'iface vx0\n vxlan-id 7\n vxlan-port x\n', want: [/^3:2 error: vxlan-port takes/] },
  { name: 'an address', in: 'iface vx0\n vxlan-id 7\n address 10.0.0.300/24\n', want: [/^3:2 error: an address/] },
  { name: 'a mask', in: 'iface vx0\n address 10.0.0.3\n netmask 255.0.255.0\n', want: [/^2:2 error: an address/] },
  { name: 'a key in no stanza', in: 'address 10.0.0.3/24\n', want: [/^1:1 error: “address” stands outside/] },
  { name: 'an unknown parent', in: 'iface vx0 inherits x\n vxlan-id 7\n', want: [/^1:1 error: there is no stanza x/] },
  {
    name: 'an ip line',
    in: 'iface vx0\n up ip link add vx0 type vxlan\n',
    want: [/^2:5 error: a VXLAN link needs its VNI/],
  },
  {
    name: 'a key without words',
    in: 'iface vx0\n vxlan-id 7\n mstpctl-bpduguard yes\n',
    want: [/^3:2 warning: .*mstpctl-bpduguard yes of vx0/],
  },
  { name: 'a key of another link', in: 'iface eth0 inet dhcp\n mstpctl-bpduguard yes\n', want: [] },
  { name: 'DHCP', in: 'iface vx0 inet dhcp\n vxlan-id 7\n', want: [/^1:1 warning: .*the method dhcp of vx0/] },
];

for (const { name, in: text, want } of reported) {
  test(`ifupdown: ${name}, reported`, () => {
    const found = read(text).problems.map(
      ({ place, severity, message }) => `${place?.line}:${place?.column} ${severity}: ${message}`,
    );
    assert.equal(found.length, want.length, found.join('\n'));
    want.forEach((pattern, i) => {
      assert.match(found[i] ?? '', pattern);
    });
  });
}
