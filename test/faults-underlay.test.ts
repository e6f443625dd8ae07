/** What happens to the device, the address and the path below an overlay while agents keep it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Agent, agentsOn, type Host, LIMITS, type Site, site } from './support/agent.ts';

const hosts = (alpha: string, beta: string): string => `fabric: test\nhosts: {alpha: ${alpha}, beta: ${beta}}\n`;
const OVERLAY = `overlays:
  vx0: {vni: 77, neighbours: static, hosts: {alpha: [10.7.0.1/24, "fd07::1/64"], beta: [10.7.0.2/24, "fd07::2/64"]}}
`;
const FILE = `${hosts('10.0.0.4', '10.0.0.5')}${OVERLAY}`;
const FILE6 = `${hosts('"fd00::4"', '"fd00::5"')}${OVERLAY}`;

async function answers(host: Host, address = '10.7.0.2', size?: number): Promise<void> {
  const answer = await host.echo('vx0', address, size === undefined ? {} : { size });
  assert.ok(answer.ok, JSON.stringify(answer));
}

const matches = ({ host }: Agent, { text }: Site): Promise<void> => host.until(() => host.planned(text).length === 0);

/** By its own account. */
const isWell = (agent: Agent): Promise<unknown> =>
  agent.sees(({ info, status }) => status?.converged === true && info.waiting.length + info.problems.length === 0);

/** Plugs a NIC into the underlay again. The router calls its end h0. */
function plugIn({ name, namespace }: Host, at: Site): void {
  assert.equal(name, 'alpha');
  at.router(`link add h0 type veth peer name eth0 netns ${namespace}`);
  at.router('link set h0 master n0 up');
}

for (const { family, file, prefix } of [
  { family: 'IPv4', file: FILE, prefix: '10.0.0.4/24' },
  { family: 'IPv6', file: FILE6, prefix: 'fd00::4/64' },
]) {
  test(
    `fault 2: the underlay device is removed, with the overlay on it, and comes back: ${family}`,
    LIMITS,
    async (t) => {
      const at = site(t, file);
      const [alpha] = await agentsOn(at, 'alpha', 'beta');
      const { host } = alpha;
      const [address] = prefix.split('/');
      await answers(host);
      host.ip('link del eth0');
      await alpha.said(new RegExp(`^vx0 waits: no link has ${address}, the underlay address of alpha$`));
      assert.equal(host.index('vx0'), null);
      const { status } = await alpha.status();
      assert.deepEqual([status?.converged, status?.overlays[0]?.state], [false, 'missing']);
      const waits = `${at.fabric} on alpha: 0 links as the file says, 1 waiting: no link has ${address}, the underlay address of alpha`;
      await alpha.notified.heard(`STATUS=${waits}`);
      plugIn(host, at);
      host.ip('link set eth0 up');
      host.ip(`addr add ${prefix} dev eth0`);
      await alpha.said(/^vx0: made in .*, now that what was waited for is there$/);
      await matches(alpha, at);
      await answers(host);
      await isWell(alpha);
    },
  );
}

test('fault 2: an overlay without a device outlives the underlay device', LIMITS, async (t) => {
  const at = site(t, FILE.replace('alpha: 10.0.0.4', 'alpha: {underlay: 10.0.0.4, device: none}'));
  const [alpha] = await agentsOn(at, 'alpha', 'beta');
  const { host } = alpha;
  const index = host.index('vx0');
  host.ip('link del eth0');
  await alpha.said(/^vx0 waits: no link has 10\.0\.0\.4/);
  assert.equal(host.index('vx0'), index);
  plugIn(host, at);
  host.ip('link set eth0 up');
  host.ip('addr add 10.0.0.4/24 dev eth0');
  await matches(alpha, at);
  await answers(host);
  assert.equal(host.index('vx0'), index);
});

test(
  'fault 4: the underlay goes down and up, and its IPv6 address is lost until somebody sets it again',
  LIMITS,
  async (t) => {
    const at = site(t, FILE6);
    const [alpha] = await agentsOn(at, 'alpha', 'beta');
    const { host } = alpha;
    const index = host.index('vx0');
    host.ip('link set eth0 down');
    host.ip('link set eth0 up');
    await alpha.said(/^vx0 waits: no link has fd00::4/);
    assert.equal((await alpha.status()).status?.converged, false);
    // What is there stays as it is, and is not made anew for nothing.
    assert.equal(host.index('vx0'), index);
    host.ip('addr add fd00::4/64 dev eth0');
    await matches(alpha, at);
    await isWell(alpha);
    assert.equal(host.index('vx0'), index);
    await answers(host);
  },
);

test('fault 9: another underlay address, with a file that says so: `local` is changed in place', LIMITS, async (t) => {
  const at = site(t, FILE);
  const [alpha, beta] = await agentsOn(at, 'alpha', 'beta');
  const { host } = alpha;
  const indexes = [host.index('vx0'), beta.host.index('vx0')];
  host.ip('addr del 10.0.0.4/24 dev eth0');
  host.ip('addr add 10.0.0.44/24 dev eth0');
  await alpha.said(/^vx0 waits: no link has 10\.0\.0\.4, the underlay address of alpha$/);
  await alpha.said(/^hint: add the address to a link, or correct `underlay`$/);
  assert.match(alpha.run('events').out, /waiting +vx0 waits: no link has 10\.0\.0\.4/);
  assert.match((await alpha.status()).status?.overlays[0]?.drift.join() ?? '', /no link has 10\.0\.0\.4/);
  const moved = at.text.replace('10.0.0.4,', '10.0.0.44,');
  for (const agent of [alpha, beta]) agent.write(moved);
  await host.until(() => host.planned(moved).length === 0);
  await beta.host.until(() => beta.host.planned(moved).length === 0);
  assert.deepEqual([host.index('vx0'), beta.host.index('vx0')], indexes);
  assert.match(host.ip('-d link show vx0'), / local 10\.0\.0\.44 /);
  assert.match(beta.host.ip('-d link show vx0'), / remote 10\.0\.0\.44 /);
  await answers(host);
});

for (const { name, file, device } of [
  { name: 'fault 10: the overlay’s MTU follows the device', file: FILE, device: 50 },
  { name: 'fault 10: the overlay’s MTU follows the device, IPv6', file: FILE6, device: 70 },
  {
    name: 'fault 11: without a device, the MTU follows the link that has the address',
    file: FILE.replace('alpha: 10.0.0.4', 'alpha: {underlay: 10.0.0.4, device: none}'),
    device: 50,
  },
]) {
  test(name, LIMITS, async (t) => {
    const at = site(t, file);
    const [alpha] = await agentsOn(at, 'alpha', 'beta');
    const { host } = alpha;
    const index = host.index('vx0');
    for (const mtu of [1400, 1480, 9000, 1500]) {
      const before = host.mtu('vx0');
      host.ip(`link set eth0 mtu ${mtu}`);
      await alpha.said(new RegExp(`^link vx0: mtu is ${before}, not ${mtu - device}.*: put right in `));
      assert.equal(host.mtu('vx0'), mtu - device);
    }
    await matches(alpha, at);
    assert.equal(host.index('vx0'), index);
    await answers(host, '10.7.0.2', 1500 - device);
  });
}

test('fault 12: a hop with a smaller MTU: `everlan check` tells of it, with the cure', LIMITS, async (t) => {
  const at = site(t, FILE);
  const [alpha] = await agentsOn(at, 'alpha', 'beta');
  assert.equal(alpha.run('check', '--host', 'alpha').code, 0);
  at.router('link set h1 mtu 1400');
  const { code, out, err } = alpha.run('check', '--host', 'alpha', '--timeout', '1s');
  assert.equal(code, 1);
  assert.match(out, /^vx0 +beta +10\.7\.0\.2 +\d+\.\d\d ms +no answer$/m);
  assert.match(err, /^error: beta 10\.7\.0\.2 on vx0: small packets pass, 1450 bytes do not/m);
  assert.match(
    err,
    /^hint: a hop of the underlay carries less than 1500 bytes .*: raise its MTU, or give the overlay a smaller `mtu` on every host$/m,
  );
});
