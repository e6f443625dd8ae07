import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { confirm } from '../apply/guard.ts';
import { EverlanError } from '../model/problem.ts';
import { fabricText, World } from './agent.testing.ts';

const request = { file: '/root/new.yaml', host: undefined, adopt: false, prune: false, trial: null } as const;
const text = fabricText({ mtu: 1200 });

const codes = (error: unknown): readonly string[] =>
  error instanceof EverlanError ? error.problems.map(({ code }) => code) : [];

/** A change to an MTU of 1200 is on trial. */
async function onTrial(): Promise<World> {
  const world = new World();
  await world.start();
  world.arm('T');
  await world.agent.apply({ ...request, text, trial: 'T' });
  return world;
}

describe('trial', () => {
  test('what is on trial goes back unless it is confirmed, and is not adopted again', async () => {
    const world = new World();
    await world.start();
    world.arm('T');
    const text = fabricText({ mtu: 1200 });
    await world.agent.apply({ ...request, text, trial: 'T' });
    assert.equal(world.link()?.mtu, 1200);
    assert.equal(world.agent.info().mode, 'trial');
    await assert.rejects(world.agent.apply({ ...request, text }), (error) => codes(error).includes('unconfirmed'));
    world.file = fabricText({ mtu: 1111 });
    await world.quiet();
    assert.equal(world.link()?.mtu, 1200, 'a file that changes meanwhile waits');
    world.file = text;
    assert.deepEqual(await world.agent.revert('T'), []);
    await world.quiet();
    assert.equal(world.link()?.mtu, 1450);
    assert.equal(world.kept, fabricText());
    assert.deepEqual(
      world.agent.info().problems.map(({ code }) => code),
      ['unconfirmed-file'],
    );
    await world.agent.apply({ ...request, text });
    assert.equal(world.link()?.mtu, 1200);
    assert.equal(world.kept, text);
  });

  test('what is on trial stays when it is confirmed, also by an agent that was started meanwhile', async () => {
    const world = new World();
    await world.start();
    world.arm('T');
    const text = fabricText({ mtu: 1200 });
    await world.agent.apply({ ...request, text, trial: 'T' });
    await world.agent.stop();
    const next = world.newAgent();
    await world.start(next);
    assert.equal(world.link()?.mtu, 1200);
    assert.equal(next.info().mode, 'trial');
    await next.confirm();
    assert.equal(next.info().mode, 'running');
    assert.equal(world.kept, text);
    await assert.rejects(next.confirm(), (error) => codes(error).includes('nothing-pending'));
  });

  test('nothing is changed when the guard has given up already, and the file counts as before', async () => {
    const world = new World();
    await world.start();
    await assert.rejects(world.agent.apply({ ...request, text, trial: 'T' }), (error) =>
      codes(error).includes('no-guard'),
    );
    await world.quiet();
    assert.equal(world.link()?.mtu, 1450);
    assert.equal(world.kept, fabricText());
    world.file = fabricText({ mtu: 1300 });
    await world.quiet();
    assert.equal(world.link()?.mtu, 1300);
  });

  test('a guard that could not ask us has undone it: we go back as well', async () => {
    const world = await onTrial();
    assert.deepEqual(world.watched, [world.store().pendingFile]);
    world.store().setPending(null);
    await world.quiet();
    assert.equal(world.link()?.mtu, 1450);
    assert.equal(world.agent.info().mode, 'running');
    world.file = fabricText({ mtu: 1300 });
    await world.quiet();
    assert.equal(world.link()?.mtu, 1300);
    assert.deepEqual(world.watched, []);
  });

  test('somebody who could not ask us has confirmed it: it stays', async () => {
    const world = await onTrial();
    confirm(world.store());
    await world.quiet();
    assert.equal(world.link()?.mtu, 1200);
    assert.equal(world.agent.info().mode, 'running');
    assert.equal(world.kept, text);
    assert.deepEqual([...world.unconfirmed], []);
  });

  test('confirmed while there was no agent: the next one takes the text as a file like any other', async () => {
    const world = await onTrial();
    world.file = text;
    await world.agent.stop();
    confirm(world.store());
    const next = world.newAgent();
    await world.start(next);
    assert.equal(world.link()?.mtu, 1200);
    assert.deepEqual(next.info().problems, []);
  });

  test('undone while there was no agent: the next one does not take the text', async () => {
    const world = await onTrial();
    world.file = text;
    await world.agent.stop();
    world.store().setPending(null);
    const next = world.newAgent();
    await world.start(next);
    assert.equal(world.link()?.mtu, 1450);
    assert.equal(next.info().problems[0]?.code, 'unconfirmed-file');
  });

  test('goes back to what was in force, also where that was not the file', async () => {
    const world = new World();
    await world.start();
    await world.agent.apply({ ...request, text: fabricText({ mtu: 1300 }) });
    world.arm('T');
    await world.agent.apply({ ...request, text, trial: 'T' });
    await world.agent.revert('T');
    await world.quiet();
    assert.equal(world.link()?.mtu, 1300);
  });

  test('goes back to a broken file as well: it is still told', async () => {
    const world = new World();
    await world.start();
    world.file = 'nonsense';
    await world.quiet();
    const { problems } = world.agent.info();
    assert.equal(problems.length, 1);
    world.arm('T');
    await world.agent.apply({ ...request, text, trial: 'T' });
    await world.agent.revert('T');
    await world.quiet();
    assert.deepEqual(world.agent.info().problems, problems);
  });

  test('a file that changed meanwhile is read once it is confirmed; one that did not is not', async () => {
    const world = await onTrial();
    await world.agent.confirm();
    await world.quiet();
    assert.equal(world.link()?.mtu, 1200);
    world.arm('U');
    await world.agent.apply({ ...request, text: fabricText({ mtu: 1300 }), trial: 'U' });
    world.file = fabricText({ mtu: 1111 });
    await world.quiet();
    await world.agent.confirm();
    await world.quiet();
    assert.equal(world.link()?.mtu, 1111);
  });

  test('what was down before is down again', async () => {
    for (const restarted of [false, true]) {
      const world = new World();
      await world.start();
      await world.agent.down();
      world.arm('T');
      await world.agent.apply({ ...request, text, trial: 'T' });
      assert.equal(world.link()?.mtu, 1200);
      let { agent } = world;
      if (restarted) {
        await agent.stop();
        agent = world.newAgent();
        await world.start(agent);
        assert.equal(agent.info().mode, 'trial');
      }
      await agent.revert('T');
      await world.quiet(agent);
      assert.equal(world.link(), undefined);
      assert.equal(agent.info().mode, 'suspended');
    }
  });

  test('what cannot be applied while all is down leaves nothing behind', async () => {
    const world = new World();
    world.stranger('vxlan1');
    await world.start();
    await world.agent.down();
    const both = fabricText({ more: '  vxlan1: {vni: 78, hosts: {alpha: 10.1.0.1/24, beta: 10.1.0.2/24}}\n' });
    await assert.rejects(world.agent.apply({ ...request, text: both }), EverlanError);
    await world.quiet();
    assert.equal(world.link(), undefined);
    assert.equal(world.agent.info().mode, 'suspended');
  });
});
