/** Strict reverse path filters on the real kernel: named exactly where it drops a peer's packets. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { homeHazards } from '../src/agent/home-hazards.ts';
import { parseFabric } from '../src/fabric/parse.ts';
import { resolve } from '../src/fabric/resolve.ts';
import { echo } from '../src/kernel/echo.ts';
import { rpFilter } from '../src/kernel/rp-filter.ts';
import { type IpAddress, parseIp } from '../src/model/address.ts';
import type { Problem } from '../src/model/problem.ts';
import { inNamespace, writeSysctl } from '../src/sys/netns.ts';
import { needsRoot, type TestHost, testHost } from './support/host.ts';

const SKIP = { skip: needsRoot };

function ip(text: string): IpAddress {
  const address = parseIp(text);
  assert.ok(address !== null, text);
  return address;
}

function filter(host: TestHost, device: string, value: number): void {
  inNamespace(host.fd, () => writeSysctl(`/proc/sys/net/ipv4/conf/${device}/rp_filter`, value));
}

interface Net {
  readonly alpha: TestHost;
  readonly beta: TestHost;
}

/** Two wires; beta's underlay address 10.10.0.4 is behind both, its packets come to alpha by the first. */
function net(t: TestContext): Net {
  const [alpha, beta] = [testHost(t), testHost(t)];
  for (const i of [0, 1]) {
    alpha.ip(`link add up${i} type veth peer name p${i} netns ${beta.name}`);
    alpha.ip(`addr add 10.2${i}.0.1/24 dev up${i}`);
    alpha.ip(`link set up${i} up`);
    beta.ip(`link set p${i} up`);
  }
  beta.ip('addr add 10.10.0.4/32 dev lo');
  beta.ip('addr add 10.21.0.4/24 dev p1');
  beta.ip('route add 10.20.0.0/24 dev p0 src 10.10.0.4');
  for (const device of ['all', 'p0', 'p1']) filter(beta, device, 0);
  for (const device of ['all', 'up0', 'up1']) filter(alpha, device, 0);
  return { alpha, beta };
}

const PEERS = [ip('10.10.0.4')];

function found({ alpha }: Net, peers = PEERS, device = 'up0'): Problem | null {
  const { facts } = alpha.kernel.look();
  return rpFilter(facts, { device, local: ip('10.20.0.1'), peers }, alpha.fd);
}

async function answers({ beta }: Net): Promise<boolean> {
  const target = { link: 'p0', address: ip('10.20.0.1'), size: 64 };
  const [result] = await echo([target], { netns: beta.fd, timeoutMs: 500, attempts: 3 });
  return result?.ok === true;
}

/** How alpha's answers to beta leave, and what it filters: [all, up0]. */
const CASES: readonly { name: string; route: string; filters: readonly [number, number]; drops: boolean }[] = [
  { name: 'strict, back by the other wire', route: 'via 10.21.0.4', filters: [0, 1], drops: true },
  { name: 'strict for all', route: 'via 10.21.0.4', filters: [1, 0], drops: true },
  { name: 'loose on the device, strict for all', route: 'via 10.21.0.4', filters: [1, 2], drops: false },
  { name: 'loose', route: 'via 10.21.0.4', filters: [0, 2], drops: false },
  { name: 'none', route: 'via 10.21.0.4', filters: [0, 0], drops: false },
  { name: 'strict, back by the same wire', route: 'dev up0', filters: [0, 1], drops: false },
  {
    name: 'strict, back by either wire',
    route: 'nexthop dev up0 nexthop via 10.21.0.4 dev up1',
    filters: [1, 1],
    drops: false,
  },
];

for (const { name, route, filters, drops } of CASES) {
  test(`rp_filter: ${name}`, SKIP, async (t) => {
    const both = net(t);
    both.alpha.ip(`route add 10.10.0.4/32 ${route}`);
    for (const [i, device] of ['all', 'up0'].entries()) filter(both.alpha, device, filters[i] ?? 0);
    assert.equal(await answers(both), !drops);
    assert.equal(found(both) !== null, drops);
  });
}

test('what it says, and that the cure helps', SKIP, async (t) => {
  const both = net(t);
  both.alpha.ip('route add 10.10.0.4/32 via 10.21.0.4');
  filter(both.alpha, 'up0', 1);
  assert.deepEqual(found(both, [...PEERS, ip('10.21.0.4'), ip('10.20.0.9'), ip('fd00::4')]), {
    code: 'rp-filter',
    severity: 'warning',
    message:
      'up0 filters reverse paths strictly, and the way back to 10.10.0.4 and 1 more is by up1: packets from there that come in by up0 are dropped',
    hint: '`sysctl net.ipv4.conf.up0.rp_filter=2`',
  });
  filter(both.alpha, 'up0', 2);
  assert.ok(await answers(both));
});

test('not a matter of the filter: no route, a device that is not there, the loopback device', SKIP, (t) => {
  const both = net(t);
  filter(both.alpha, 'all', 1);
  assert.equal(found(both, [ip('192.0.2.1')]), null);
  both.alpha.ip('route add 10.10.0.4/32 via 10.21.0.4');
  assert.equal(found(both, PEERS, 'gone0'), null);
  assert.equal(found(both, PEERS, 'lo'), null);
  assert.notEqual(found(both), null);
});

const FABRIC = (device: string): string => `fabric: article
hosts:
  alpha: {underlay: 10.20.0.1${device}}
  beta: 10.10.0.4
overlays:
  vxlan0: {vni: 77, hosts: {alpha: 169.254.0.1/24, beta: 169.254.0.2/24}}
  vxlan1: {vni: 78, hosts: {alpha: 169.254.1.1/24, beta: 169.254.1.2/24}}
`;

for (const device of ['', ', device: none']) {
  test(`as a hazard of a fabric, told once for all its overlays${device}`, SKIP, (t) => {
    const both = net(t);
    both.alpha.ip('route add 10.10.0.4/32 via 10.21.0.4');
    filter(both.alpha, 'up0', 1);
    const { facts } = both.alpha.kernel.look();
    const parsed = parseFabric(Buffer.from(FABRIC(device)), 'fabric.yaml');
    assert.ok(parsed.ok);
    const hazards = homeHazards(facts, resolve(parsed.fabric, 'alpha', facts), both.alpha.fd);
    assert.deepEqual(
      hazards.map(({ code }) => code),
      ['rp-filter'],
    );
  });
}
