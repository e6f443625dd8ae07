/** What happens to an overlay when its other members are made anew, move, go, or are many. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Agent, agentOn, agentsOn, type Host, LIMITS, site } from './support/agent.ts';

const FILE = `fabric: test
hosts: {alpha: 10.0.0.4, beta: 10.0.0.5, gamma: 10.0.0.6}
overlays:
  vx0: {vni: 77, hosts: {alpha: 10.7.0.1/24, beta: 10.7.0.2/24, gamma: 10.7.0.3/24}}
`;

/** What ARP has learned. */
function learned(host: Host, address: string): string | undefined {
  const [row]: { lladdr?: string }[] = JSON.parse(host.ip(`-j neigh show ${address} dev vx0`));
  return row?.lladdr;
}

/** The rows of a MAC: VTEP → whether it is permanent. */
function rows(host: Host, mac: string): readonly (readonly [string, string])[] {
  const all: { mac: string; dst?: string; state?: string }[] = JSON.parse(host.bridge('-j fdb show dev vx0'));
  return all.filter((row) => row.mac === mac).map(({ dst = '', state = '' }) => [dst, state]);
}

const follow = (agents: readonly Agent[], text: string): Promise<unknown> =>
  Promise.all(agents.map(({ host }) => host.until(() => host.planned(text).length === 0)));

test(
  'fault 6: a peer’s link is made anew, also by an agent that starts again: the same MAC, so what ARP knows stays true',
  LIMITS,
  async (t) => {
    const at = site(t, FILE);
    const [alpha, beta] = await agentsOn(at, 'alpha', 'beta');
    const { host } = alpha;
    assert.ok((await host.echo('vx0', '10.7.0.2')).ok);
    const before = learned(host, '10.7.0.2');
    assert.ok(before !== undefined);
    const isBack = async (): Promise<void> => {
      // One packet, and nobody asks who has the address.
      const answer = await host.echo('vx0', '10.7.0.2', { attempts: 1 });
      assert.ok(answer.ok, JSON.stringify(answer));
      assert.equal(learned(host, '10.7.0.2'), before);
    };
    beta.host.ip('link del vx0');
    await beta.said(/^link vx0 is missing.*: put right/);
    await isBack();
    await beta.kill();
    beta.host.ip('link del vx0');
    const again = agentOn(at, 'beta', { like: beta });
    await again.ready();
    await again.said(/^4 added in/);
    await isBack();
  },
);

test('fault 8: a peer is taken out of the file, and its MAC is another’s: the row moves', LIMITS, async (t) => {
  const mac = '02:00:00:00:00:0b';
  const text = FILE.replace('vni: 77', `vni: 77, neighbours: static, mac: {beta: "${mac}"}`);
  const at = site(t, text);
  const agents = await agentsOn(at, 'alpha', 'beta', 'gamma');
  const [{ host }, { host: beta }] = agents;
  const index = host.index('vx0');
  assert.deepEqual(rows(host, mac), [['10.0.0.5', 'permanent']]);
  assert.ok((await host.echo('vx0', '10.7.0.2')).ok);
  // beta’s address goes with its MAC.
  const moved = at.text
    .replace('mac: {beta:', 'mac: {gamma:')
    .replace(' beta: 10.7.0.2/24, gamma: 10.7.0.3/24', ' gamma: 10.7.0.2/24');
  for (const agent of agents) agent.write(moved);
  await follow(agents, moved);
  assert.deepEqual(rows(host, mac), [['10.0.0.6', 'permanent']]);
  assert.deepEqual([host.index('vx0'), beta.index('vx0')], [index, null]);
  assert.ok((await host.echo('vx0', '10.7.0.2')).ok);
});

test('fault 21: a thousand peers appear at once, and go again', LIMITS, async (t) => {
  const at = site(t, FILE);
  const [alpha] = await agentsOn(at, 'alpha', 'beta');
  const { host } = alpha;
  const index = host.index('vx0');
  const many = Array.from({ length: 998 }, (_, i) => `h${i}: 10.1.${i >> 8}.${i & 255}`);
  const members = Array.from({ length: 998 }, (_, i) => `h${i}: 10.7.${4 + (i >> 8)}.${i & 255}/16`);
  const text = at.text.replace('gamma: 10.0.0.6', many.join(', ')).replace('gamma: 10.7.0.3/24', members.join(', '));
  alpha.write(text);
  await alpha.said(/^9\d\d added, .*, verified$/);
  assert.deepEqual(host.planned(text), []);
  const flooded = rows(host, '00:00:00:00:00:00').map(([vtep]) => vtep);
  assert.equal(new Set(flooded).size, 999);
  assert.ok((await host.echo('vx0', '10.7.0.2')).ok);
  alpha.write(at.text);
  await follow([alpha], at.text);
  assert.equal(rows(host, '00:00:00:00:00:00').length, 2);
  assert.equal(host.index('vx0'), index);
});
