/** `apply --confirm` and `down` through a real agent, which may be killed at any time. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { findAgent } from '../src/agent/client.ts';
import { type Agent, agentOn, agentsOn, type Host, LIMITS, type Site, site } from './support/agent.ts';
import { everlan, temporaryFile } from './support/program.ts';

const FILE = `fabric: test
hosts: {alpha: 10.0.0.4, beta: 10.0.0.5}
overlays:
  vx0: {vni: 77, mtu: 1400, hosts: {alpha: 10.7.0.1/24, beta: 10.7.0.2/24}}
`;
const [BEFORE, TRIAL] = [1400, 1300];

interface Trial {
  readonly at: Site;
  readonly alpha: Agent;
  readonly host: Host;
  readonly text: string;
  confirm(): void;
}

/** A change that is undone after so many seconds. */
async function trial(t: TestContext, seconds: number): Promise<Trial> {
  const at = site(t, FILE);
  const [alpha] = await agentsOn(at, 'alpha');
  const { host } = alpha;
  // Whatever the test does, no guard outlives it.
  at.after(() => host.store.setPending(null));
  const text = at.text.replace('mtu: 1400', 'mtu: 1300');
  const run = (...args: readonly string[]): void => {
    const { code, err } = everlan([...args, '--netns', host.namespace]);
    assert.equal(code, 0, err);
  };
  run('apply', '-f', temporaryFile(t, text, 'trial.yaml'), '--host', 'alpha', '--confirm', `${seconds}s`);
  assert.equal(host.mtu('vx0'), TRIAL);
  return { at, alpha, host, text, confirm: () => run('confirm', '--fabric', at.fabric) };
}

/** What is in force: what a deleted link comes back as. */
async function healsTo(agent: Agent, mtu: number): Promise<void> {
  agent.mark();
  agent.host.ip('link del vx0');
  // It may be a part of taking another file into force.
  await agent.said(/^(link vx0 is missing.*: put right|2 added in .*, verified)/);
  assert.equal(agent.host.mtu('vx0'), mtu);
}

const mode = (agent: Agent, is: string): Promise<unknown> => agent.sees(({ info }) => info.mode === is);
const isBack = (host: Host): Promise<void> => host.until(() => host.mtu('vx0') === BEFORE);

test('confirmed: the change is in force', LIMITS, async (t) => {
  const { alpha, confirm } = await trial(t, 600);
  await mode(alpha, 'trial');
  await healsTo(alpha, TRIAL);
  confirm();
  await alpha.said(/trial\.yaml is confirmed$/);
  await mode(alpha, 'running');
  await healsTo(alpha, TRIAL);
});

test(
  'the agent is killed: the next one goes on with the trial, and takes it back when the guard says so',
  LIMITS,
  async (t) => {
    const { at, alpha, host } = await trial(t, 600);
    await alpha.kill();
    const again = agentOn(at, 'alpha', { like: alpha });
    await again.ready();
    await mode(again, 'trial');
    await healsTo(again, TRIAL);
    const client = await findAgent(host.folder, { fabric: at.fabric });
    assert.deepEqual(await client?.revert(host.store.pending()?.token ?? ''), []);
    client?.close();
    assert.equal(host.mtu('vx0'), BEFORE);
    await again.said(/was not confirmed in time: it is undone$/);
    await mode(again, 'running');
    await healsTo(again, BEFORE);
  },
);

test('the agent is killed, and none comes: the guard takes it back', LIMITS, async (t) => {
  const { at, alpha, host } = await trial(t, 3);
  await alpha.kill();
  await isBack(host);
  await host.until(() => host.planned(at.text).length === 0);
  const again = agentOn(at, 'alpha', { like: alpha });
  await again.ready();
  await mode(again, 'running');
  assert.deepEqual(host.planned(at.text), []);
  await healsTo(again, BEFORE);
});

test('the agent is killed and it is confirmed meanwhile: it is the last good file', LIMITS, async (t) => {
  const { at, alpha, host, text, confirm } = await trial(t, 600);
  await alpha.kill();
  confirm();
  assert.deepEqual(host.planned(text), []);
  // Nothing to read: what was confirmed counts.
  alpha.write('no file');
  const again = agentOn(at, 'alpha', { like: alpha });
  await again.ready();
  await again.said(/^the last good file is in force/);
  await healsTo(again, TRIAL);
});

test(
  'not confirmed in time: what was before is in force again, and the file is not adopted until it is applied',
  LIMITS,
  async (t) => {
    const { at, alpha, host, text } = await trial(t, 3);
    await isBack(host);
    await alpha.said(/trial\.yaml was not confirmed in time: it is undone$/);
    await mode(alpha, 'running');
    assert.deepEqual(host.planned(at.text), []);
    await healsTo(alpha, BEFORE);
    alpha.write(text);
    await alpha.said(/^what was in force stays in force: .* was applied with --confirm and never confirmed$/);
    await healsTo(alpha, BEFORE);
    await alpha.kill();
    const again = agentOn(at, 'alpha', { like: alpha });
    await again.ready();
    await again.said(/^the last good file is in force, not .* was applied with --confirm and never confirmed$/);
    await healsTo(again, BEFORE);
    assert.equal(again.run('apply', '--host', 'alpha').code, 0);
    assert.equal(host.mtu('vx0'), TRIAL);
    await again.sees(({ info }) => info.problems.length === 0);
  },
);

test('down: nothing comes back, also after a restart of the agent, until the next apply', LIMITS, async (t) => {
  const at = site(t, FILE);
  const [alpha] = await agentsOn(at, 'alpha');
  const { host } = alpha;
  assert.equal(alpha.run('down').code, 0);
  assert.equal(host.index('vx0'), null);
  await mode(alpha, 'suspended');
  host.ip('link set eth0 mtu 1480');
  alpha.write(at.text.replace('mtu: 1400', 'mtu: 1350'));
  await alpha.kill();
  const again = agentOn(at, 'alpha', { like: alpha });
  await again.ready();
  await mode(again, 'suspended');
  assert.equal(host.index('vx0'), null);
  assert.equal(again.run('apply', '--host', 'alpha').code, 0);
  assert.equal(host.mtu('vx0'), 1350);
  await mode(again, 'running');
});
