/** Against the real `ip` in test/lab-show.test.ts; here one link that was captured from it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LinkDetails } from '../kernel/link-details.ts';
import type { IpAddress } from '../model/address.ts';
import type { Mac } from '../model/mac.ts';
import { showLink } from './show.ts';

const link: LinkDetails = {
  index: 3,
  name: 'vxlan0',
  flags: 0x11043,
  mtu: 1450,
  mac: '5a:4c:7c:3e:0a:e5' as Mac,
  broadcast: 'ff:ff:ff:ff:ff:ff' as Mac,
  group: 0,
  alias: '',
  master: null,
  device: 'eth0',
  queueing: 'noqueue',
  operState: 0,
  linkMode: 0,
  queueLength: 1000,
  promiscuity: 0,
  allMulticast: 0,
  minMtu: 68,
  maxMtu: 65535,
  families: { inet6: { addressMode: 0 } },
  txQueues: 1,
  rxQueues: 1,
  gsoMaxSize: 65536,
  gsoMaxSegments: 65535,
  tsoMaxSize: 524280,
  tsoMaxSegments: 65535,
  groMaxSize: 65536,
  vxlan: {
    vni: 77,
    group: '10.10.0.4' as IpAddress,
    portRange: [0, 0],
    port: 4789,
    learning: true,
    ttl: 0,
    ageing: 300,
    udpCsum: true,
    udpZeroCsum6Tx: false,
    udpZeroCsum6Rx: false,
  },
};

test('the article’s link', () => {
  assert.deepEqual(showLink(link), [
    '3: vxlan0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1000',
    '    link/ether 5a:4c:7c:3e:0a:e5 brd ff:ff:ff:ff:ff:ff promiscuity 0  allmulti 0 minmtu 68 maxmtu 65535 ',
    '    vxlan id 77 remote 10.10.0.4 dev eth0 srcport 0 0 dstport 4789 ttl auto ageing 300 udpcsum noudp6zerocsumtx noudp6zerocsumrx addrgenmode eui64 numtxqueues 1 numrxqueues 1 gso_max_size 65536 gso_max_segs 65535 tso_max_size 524280 tso_max_segs 65535 gro_max_size 65536 ',
  ]);
});

test('in a bridge, without carrier, with an alias', () => {
  const lines = showLink({ ...link, flags: 0x1003, master: 'br0', group: 5, alias: 'everlan:f/v' });
  assert.match(
    lines[0] ?? '',
    /<NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1450 qdisc noqueue master br0 state UNKNOWN mode DEFAULT group 5 /,
  );
  assert.equal(lines.at(-1), '    alias everlan:f/v');
});
