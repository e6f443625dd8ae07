/** An agent that starts before its host is ready: it waits, says for what, and acts the moment that it is there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AgentOptions, agentOn, type Host, LIMITS, type Site, site } from './support/agent.ts';

const FILE = `fabric: test
hosts: {alpha: 10.0.0.4, beta: {underlay: 10.0.0.5, device: eth7}, gamma: {underlay: 10.0.0.6, device: none}}
overlays:
  vx0: {vni: 77, hosts: {alpha: 10.7.0.1/24, beta: 10.7.0.2/24, gamma: 10.7.0.3/24}}
`;
const FILE6 = `fabric: test
hosts: {alpha: "fd00::4", beta: "fd00::5"}
overlays:
  vx0: {vni: 77, hosts: {alpha: ["fd07::1/64", 10.7.0.1/24], beta: ["fd07::2/64", 10.7.0.2/24]}}
`;

interface Start {
  readonly name: string;
  readonly file?: string;
  readonly as?: string;
  /** What is done to the host before the agent starts. */
  readonly before: readonly string[];
  /** What it waits for; nothing: it does not have to. */
  readonly waits?: RegExp;
  /** What is done then: step by step, it is there only after the last one. */
  readonly after: readonly string[];
  readonly options?: AgentOptions;
}

const ABSENT = /^vx0 waits: no link has 10\.0\.0\.4, the underlay address of alpha$/;

const starts: readonly Start[] = [
  {
    name: 'no underlay at all',
    before: ['link del eth0'],
    waits: ABSENT,
    after: [
      'link add eth0 type veth peer name far0',
      'link set far0 up',
      'link set eth0 up',
      'addr add 10.0.0.4/24 dev eth0',
    ],
  },
  {
    name: 'no underlay at all, and nobody said which host it is',
    before: ['link del eth0'],
    waits: /^vx0 waits: no host of the fabric \S+ is this machine: no hostname was looked at, and it has no address$/,
    after: ['link add eth0 type veth peer name far0', 'link set eth0 up', 'addr add 10.0.0.4/24 dev eth0'],
    options: { named: false },
  },
  {
    name: 'a link without an address',
    before: ['addr flush dev eth0'],
    waits: ABSENT,
    after: ['addr add 10.0.0.4/24 dev eth0'],
  },
  {
    name: 'a link without the right address',
    before: ['addr flush dev eth0', 'addr add 10.0.0.99/24 dev eth0'],
    waits: ABSENT,
    after: ['addr del 10.0.0.99/24 dev eth0', 'addr add 10.0.0.4/24 dev eth0'],
  },
  { name: 'an address on a link that is down', before: ['link set eth0 down'], after: ['link set eth0 up'] },
  {
    name: 'the address is on a link that is not to be the device yet',
    as: 'beta',
    before: ['link set eth7 down', 'link set eth7 name eth0', 'link set eth0 up'],
    waits: /^vx0 waits: there is no link eth7, the underlay device of this host$/,
    after: ['link set eth0 down', 'link set eth0 name eth7', 'link set eth7 up'],
  },
  {
    name: 'no device is wanted, and there is no address',
    as: 'gamma',
    before: ['addr flush dev eth0'],
    waits: /^vx0 waits: no link has 10\.0\.0\.6, the underlay address of gamma$/,
    after: ['addr add 10.0.0.6/24 dev eth0'],
  },
  {
    name: 'an underlay device that cannot carry it',
    before: ['link set eth0 mtu 100'],
    waits: /^vx0 waits: no room for vx0: eth0 has an MTU of 100, less 50 for the outer headers$/,
    after: ['link set eth0 mtu 1500'],
  },
];

for (const { name, as = 'alpha', before, waits, after, options = {} } of starts) {
  test(`a start with ${name}`, LIMITS, async (t) => {
    const at = site(t, FILE);
    const host = at.host(as);
    for (const line of before) host.ip(line);
    const agent = agentOn(at, as, options);
    // The outside is no reason to be taken for broken.
    await agent.ready();
    if (waits !== undefined) {
      await agent.said(waits);
      assert.equal(host.index('vx0'), null);
      const { info, status } = await agent.status();
      assert.deepEqual([info.waiting.length, status?.converged ?? false], [1, false]);
    }
    for (const line of after) host.ip(line);
    if (waits !== undefined)
      await agent.said(/^(vx0: made in .*, now that what was waited for is there|4 added in .*, verified)$/);
    await agent.sees(({ info, status }) => status?.converged === true && info.waiting.length === 0);
    assert.deepEqual(host.planned(at.text), []);
    assert.match(host.ip('link show vx0'), /,UP/);
  });
}

async function crosses(at: Site, host: Host): Promise<void> {
  const peer = agentOn(at, 'beta');
  await peer.ready();
  for (const address of ['10.7.0.2', 'fd07::2']) {
    const answer = await host.echo('vx0', address);
    assert.ok(answer.ok, JSON.stringify(answer));
  }
}

test('a start with an IPv6 underlay address that is still tentative', LIMITS, async (t) => {
  const at = site(t, FILE6, { dad: true });
  const host = at.host('alpha');
  host.ip('addr flush dev eth0 scope global');
  host.ip('addr add fd00::4/64 dev eth0');
  assert.match(host.ip('addr show dev eth0'), /fd00::4\/64 .*tentative/);
  const agent = agentOn(at, 'alpha');
  await agent.ready();
  await host.until(() => !host.ip('addr show dev eth0').includes('tentative'));
  assert.deepEqual(host.planned(at.text), []);
  await crosses(at, host);
});

test('a start with an empty file, and the real one comes', LIMITS, async (t) => {
  const at = site(t, FILE6);
  const agent = agentOn(at, 'alpha', { text: '' });
  await agent.ready();
  agent.write(at.text);
  await agent.sees(({ status }) => status?.converged === true);
  await crosses(at, agent.host);
});
