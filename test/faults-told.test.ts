/** What no agent can heal, or not yet: told in plain words, with the cure; and everything else goes on. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Problem } from '../src/model/problem.ts';
import { inNamespace, writeSysctl } from '../src/sys/netns.ts';
import { type Agent, agentOn, agentsOn, LIMITS, type Site, site } from './support/agent.ts';

const FILE = `fabric: test
hosts: {alpha: 10.0.0.4, beta: 10.0.0.5}
overlays:
  vx0: {vni: 77, hosts: {alpha: 10.7.0.1/24, beta: 10.7.0.2/24}}
  vx1: {vni: 78, hosts: {alpha: 10.7.1.1/24, beta: 10.7.1.2/24}}
`;

interface Started {
  readonly at: Site;
  readonly alpha: Agent;
}

async function started(t: TestContext): Promise<Started> {
  const at = site(t, FILE);
  const [alpha] = await agentsOn(at, 'alpha');
  return { at, alpha };
}

const VNI_TAKEN = 'link add strange type vxlan id 77 dstport 4789 dev eth0 remote 10.0.0.9';

for (const when of ['before the agent starts', 'while it runs'] as const) {
  test(
    `fault 16: a stranger has the VNI and port, ${when}: told, the others go on, and it is taken back`,
    LIMITS,
    async (t) => {
      const at = site(t, FILE);
      const host = at.host('alpha');
      if (when === 'before the agent starts') host.ip(VNI_TAKEN);
      const alpha = agentOn(at, 'alpha');
      await alpha.ready();
      if (when === 'while it runs') {
        alpha.signal('SIGSTOP');
        host.ip('-batch -', `link del vx0\n${VNI_TAKEN}\n`);
        alpha.signal('SIGCONT');
      }
      await alpha.said(/^vx0 cannot be made as wanted, and is tried again: link vx0: .*: the kernel says: .*VNI/);
      await alpha.said(/^hint: a link that is not ours has this VNI and port: `ip -d link show type vxlan` shows it$/);
      const { info, status } = await alpha.status();
      assert.equal(status?.converged, false);
      assert.match(info.problems.map(({ message }) => message).join(), /VNI/);
      // The others are kept meanwhile, and nothing is told twice.
      assert.notEqual(host.index('vx1'), null);
      host.ip('link del vx1');
      await alpha.said(/^link vx1 is missing.*: put right/);
      assert.deepEqual(alpha.log.lines.filter((line) => line.startsWith('vx0 cannot')).length, 1);
      host.ip('link del strange');
      await host.until(() => host.planned(at.text).length === 0);
      await alpha.sees(({ info, status }) => status?.converged === true && info.problems.length === 0);
    },
  );
}

test(
  'a stranger has the link’s name: told, left alone, and it is taken back; or taken over when that is asked for',
  LIMITS,
  async (t) => {
    const { at, alpha } = await started(t);
    const { host } = alpha;
    const swap = (...lines: readonly string[]): void => {
      alpha.signal('SIGSTOP');
      host.ip('-batch -', `${lines.join('\n')}\n`);
      alpha.signal('SIGCONT');
    };
    swap('link del vx0', 'link add vx0 type bridge');
    await alpha.said(
      /^vx0 cannot be made as wanted, and is tried again: vx0 already exists and was not made by everlan/,
    );
    assert.match(host.ip('-d link show vx0'), / bridge /);
    host.ip('link del vx0');
    await host.until(() => host.planned(at.text).length === 0);
    swap('link set vx0 alias theirs');
    await alpha.said(
      /^vx0 cannot be made as wanted, and is tried again: vx0 already exists and was not made by everlan/,
    );
    await alpha.said(/^hint: .*everlan apply --adopt/);
    const index = host.index('vx0');
    const { code, err } = alpha.run('apply', '--host', 'alpha', '--adopt');
    assert.equal(code, 0, err);
    assert.deepEqual(host.planned(at.text), []);
    assert.equal(host.index('vx0'), index);
  },
);

test('what strangers put on our links stays, and is no reason to do anything', LIMITS, async (t) => {
  const { alpha, at } = await started(t);
  const { host } = alpha;
  host.ip('addr add 10.7.0.99/24 dev vx0');
  host.ip('route add 10.66.0.0/24 dev vx0');
  host.bridge('fdb add 02:00:00:00:00:66 dev vx0 dst 10.0.0.66');
  host.ip('link del vx1');
  await alpha.said(/^link vx1 is missing.*: put right/);
  const { status } = await alpha.status();
  assert.equal(status?.converged, true);
  assert.deepEqual(status.foreign.map(({ kind }) => kind).sort(), ['address', 'fdb', 'route']);
  assert.deepEqual(host.planned(at.text), []);
});

/** Settles when the agent warns of it, with a hint. */
async function warned(agent: Agent, code: string, words: RegExp): Promise<void> {
  const fits = (one: Problem): boolean => one.code === code && words.test(one.message);
  const { info } = await agent.sees(({ info }) => info.problems.some(fits));
  const [found] = info.problems.filter(fits);
  assert.ok(found?.severity === 'warning' && found.hint !== undefined);
  await agent.said(new RegExp(`^beware: ${words.source.slice(1)}`));
}

test('fault 20: strict reverse path filtering, and the answers leave by another device', LIMITS, async (t) => {
  const { alpha } = await started(t);
  const { host } = alpha;
  inNamespace(host.fd, () => writeSysctl('/proc/sys/net/ipv4/conf/eth0/rp_filter', 1));
  host.ip('link add eth1 type veth peer name far1');
  host.ip('link set far1 up');
  host.ip('link set eth1 up');
  host.ip('route add 10.0.0.5/32 dev eth1');
  // The last of what it takes: such a change makes the agent look.
  host.ip('addr add 10.9.0.1/24 dev eth1');
  await warned(
    alpha,
    'rp-filter',
    /^eth0 filters reverse paths strictly, and the way back to 10\.0\.0\.5 is by eth1: packets from there that come in by eth0 are dropped$/,
  );
  await alpha.said(/^hint: `sysctl net\.ipv4\.conf\.eth0\.rp_filter=2`$/);
});

test('fault 22: the overlay’s network overlaps another route', LIMITS, async (t) => {
  const { alpha } = await started(t);
  const { host } = alpha;
  host.ip('link add eth1 type veth peer name far1');
  host.ip('link set far1 up');
  host.ip('link set eth1 up');
  host.ip('addr add 10.7.0.129/25 dev eth1');
  await warned(
    alpha,
    'route-overlap',
    /^10\.7\.0\.0\/24 of vx0 overlaps the route to 10\.7\.0\.128\/25 on eth1: 10\.7\.0\.128\/25 goes by eth1, not by vx0$/,
  );
  // Who takes it away is not told of it for ever.
  host.ip('addr del 10.7.0.129/25 dev eth1');
  await alpha.sees(({ info }) => info.problems.length === 0);
});

test('fault 24: another machine has the underlay address', LIMITS, async (t) => {
  const at = site(t, FILE);
  at.router('addr add 10.0.0.4/24 dev n0');
  const [alpha] = await agentsOn(at, 'alpha');
  await warned(
    alpha,
    'duplicate-address',
    /^another machine on eth0, with the MAC \S+, has 10\.0\.0\.4 as well, the underlay address of this host$/,
  );
});
