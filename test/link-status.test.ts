/** What the kernel tells of single links, beside `ip`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LinkReader } from '../src/kernel/link-status.ts';
import { needsRoot, testHost } from './support/host.ts';

const SKIP = { skip: needsRoot };

test('names, and a link that is not there', SKIP, (t) => {
  const host = testHost(t);
  const reader = new LinkReader(host.fd);
  t.after(() => reader.close());
  const rows: { ifindex: number; ifname: string }[] = JSON.parse(host.ip('-j link show'));
  assert.deepEqual(reader.names(), new Map(rows.map(({ ifindex, ifname }) => [ifindex, ifname])));
  const [first] = rows;
  assert.equal(first && reader.name(first.ifindex), first?.ifname);
  assert.equal(reader.name(123_456), null);
  assert.equal(reader.status(123_456), null);
});

test('all of a link, as ip shows it', SKIP, (t) => {
  const host = testHost(t);
  const reader = new LinkReader(host.fd);
  t.after(() => reader.close());
  for (const line of [
    'link property add dev eth0 altname other-name',
    'link property add dev eth0 altname another',
    'link set eth0 mtu 1400',
    'link set eth0 addrgenmode none',
    'addr add 10.0.0.9/32 dev eth0 metric 50',
    'addr add 192.168.0.9 peer 192.168.0.10/32 dev eth0',
    'addr add 10.1.0.1/24 dev far0',
    'route add default via 10.0.0.254 dev eth0 metric 200',
    'route add default via 10.0.0.253 dev eth0 metric 100',
    'route add default via 10.1.0.254 dev far0 metric 1',
    'route add 203.0.113.0/24 via 10.0.0.250 dev eth0',
    'route add default via 10.0.0.249 dev eth0 table 77',
    '-6 route add default via fd00::fe dev eth0',
  ]) {
    host.ip(line);
  }
  const [row]: {
    ifindex: number;
    address: string;
    qdisc: string;
    num_tx_queues: number;
    num_rx_queues: number;
    min_mtu: number;
    max_mtu: number;
  }[] = JSON.parse(host.ip('-j -d link show dev eth0'));
  assert.ok(row !== undefined);
  const found = reader.status(row.ifindex);
  assert.ok(found !== null);
  const { addresses, alternativeNames, ...rest } = found;
  assert.deepEqual(rest, {
    index: row.ifindex,
    name: 'eth0',
    kind: 'veth',
    hardwareType: 1,
    mac: row.address,
    mtu: 1400,
    minimumMtu: row.min_mtu,
    maximumMtu: row.max_mtu,
    qdisc: row.qdisc,
    queues: { tx: row.num_tx_queues, rx: row.num_rx_queues },
    addressGeneration: 'none',
    gateways: ['10.0.0.253', '10.0.0.254', 'fd00::fe'],
  });
  assert.deepEqual(new Set(alternativeNames), new Set(['other-name', 'another']));
  const texts = addresses.map(({ address, metric }) => `${address} ${metric}`);
  assert.deepEqual(
    new Set(texts.filter((text) => !text.startsWith('fe80'))),
    new Set(['10.0.0.1 0', '10.0.0.9 50', '192.168.0.9 0', 'fd00::1 0']),
  );
});

test('the loopback', SKIP, (t) => {
  const host = testHost(t);
  const reader = new LinkReader(host.fd);
  t.after(() => reader.close());
  const lo = reader.status(1);
  assert.equal(lo?.hardwareType, 772);
  assert.equal(lo?.mac, '00:00:00:00:00:00');
  assert.deepEqual(
    lo?.addresses.map(({ address }) => address),
    ['127.0.0.1', '::1'],
  );
});
