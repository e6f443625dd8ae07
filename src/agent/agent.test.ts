import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EverlanError, problem } from '../model/problem.ts';
import { fabricText, facts, World } from './agent.testing.ts';

const request = { file: '/root/new.yaml', host: undefined, adopt: false, prune: false, trial: null } as const;

const gone = {
  kind: 'link',
  removed: true,
  index: 10,
  state: 0,
  protocol: 0,
  pid: 4123,
  name: 'vxlan0',
  mac: null,
} as const;

describe('agent', () => {
  test('makes what the file says, tells systemd and keeps the file as the last good one', async () => {
    const world = new World();
    await world.start();
    assert.equal(world.link()?.up, true);
    assert.deepEqual([...(world.link()?.addresses.keys() ?? [])], ['169.254.0.1/24']);
    assert.deepEqual(world.claims, ['article: vxlan0']);
    assert.equal(world.kept, fabricText());
    assert.ok(world.service.includes('READY'));
    assert.ok(world.service.includes('article on alpha: 1 link as the file says'));
    assert.deepEqual(world.kinds(), ['started', 'applied', 'ready']);
  });

  test('puts back what is deleted, and names who did it', async () => {
    const world = new World();
    await world.start();
    const index = world.link()?.index ?? 0;
    world.delete('vxlan0');
    world.agent.hint({ ...gone, index });
    world.agent.settled();
    await world.quiet();
    assert.equal(world.link()?.up, true);
    const healed = world.events.find(({ kind }) => kind === 'healed');
    assert.match(
      healed?.message ?? '',
      /^link vxlan0 is missing \(changed by program 4123 \(process 4123\)\): put right in /,
    );
    assert.deepEqual(healed?.overlays, ['vxlan0']);
  });

  test('an overlay of which a port is missing is healed like any other', async () => {
    const world = new World();
    world.file = fabricText().replace('vni: 77,', 'vni: 77, bridge: br0, ports: [eth7],');
    await world.start();
    assert.equal(world.link()?.master, 'br0');
    assert.deepEqual(
      world.agent.info().waiting.map(({ reason }) => reason),
      ['there is no link eth7 to put into the bridge br0'],
    );
    const index = world.link()?.index ?? 0;
    world.delete('vxlan0');
    world.agent.hint({ ...gone, index });
    world.agent.settled();
    await world.quiet();
    assert.equal(world.link()?.master, 'br0');
    assert.deepEqual(world.kinds().slice(-1), ['healed']);
  });

  test('waits for the underlay, says what for, and goes on the moment it is there', async () => {
    const world = new World({ hostname: 'alpha', links: new Map() });
    await world.start();
    assert.equal(world.link(), undefined);
    assert.ok(world.service.includes('READY'), 'READY must not wait for the outside');
    assert.deepEqual(
      world.agent.info().waiting.map(({ overlay, reason }) => `${overlay}: ${reason}`),
      ['vxlan0: no link has 10.0.0.1, the underlay address of alpha'],
    );
    const { state, drift } = world.agent.status().overlays[0] ?? {};
    assert.deepEqual([state, drift], ['missing', ['no link has 10.0.0.1, the underlay address of alpha']]);
    world.now = facts();
    await world.quiet();
    assert.equal(world.link()?.up, true);
    assert.deepEqual(world.agent.info().waiting, []);
    assert.match(world.events.at(-1)?.message ?? '', /^vxlan0: made in .* now that what was waited for is there$/);
  });

  test('a hostname that comes late is noticed, though nothing tells of it', { timeout: 60_000 }, async () => {
    const world = new World(facts([], 'localhost'));
    await world.start();
    assert.equal(world.agent.info().host, null);
    const { promise, resolve } = Promise.withResolvers<void>();
    world.agent.onStatus(() => {
      if (world.agent.info().host === 'alpha') resolve();
    });
    world.now = facts([]);
    await promise;
  });

  test('an overlay whose underlay is lost stays as it is', async () => {
    const world = new World();
    await world.start();
    const index = world.link()?.index;
    world.now = facts([]);
    await world.quiet();
    assert.equal(world.link()?.index, index);
    const status = world.agent.status();
    assert.equal(status.converged, false);
    assert.equal(status.overlays[0]?.state, 'drifted');
  });

  test('a wrong file changes nothing; the next good one does', async () => {
    const world = new World();
    await world.start();
    world.file = 'fabric: [';
    await world.quiet();
    assert.equal(world.link()?.mtu, 1450);
    assert.equal(world.kept, fabricText());
    assert.equal(world.agent.info().problems.length, 1);
    assert.equal(world.events.at(-1)?.kind, 'file');
    world.file = fabricText({ mtu: 1400 });
    await world.quiet();
    assert.equal(world.link()?.mtu, 1400);
    assert.deepEqual(world.agent.info().problems, []);
  });

  test('a file without this host changes nothing', async () => {
    const world = new World();
    await world.start();
    world.file = fabricText().replaceAll('alpha', 'gamma').replace('10.0.0.1', '10.0.0.3');
    await world.quiet();
    assert.equal(world.link()?.up, true);
    assert.deepEqual(
      world.agent.info().problems.map(({ code }) => code),
      ['host-not-found'],
    );
  });

  test('begins with the last good file when the file is broken or missing', async () => {
    for (const file of ['nonsense', null]) {
      const world = new World();
      world.kept = fabricText();
      world.file = file;
      await world.start();
      assert.equal(world.link()?.up, true);
      assert.equal(world.agent.info().source, 'last good');
      assert.equal(world.agent.info().problems.length > 0, true);
      assert.ok(world.service.some((line) => line.startsWith('article on alpha: 1 link as the last good file says; ')));
    }
  });

  test('without any file it waits, and begins when one comes', async () => {
    const world = new World();
    world.file = null;
    await world.start();
    assert.ok(world.service.includes('READY'));
    assert.throws(() => world.agent.status(), EverlanError);
    world.file = fabricText();
    await world.quiet();
    assert.equal(world.link()?.up, true);
  });

  test('down suspends until the next apply, also over a restart', async () => {
    const world = new World();
    await world.start();
    await world.agent.down();
    await world.quiet();
    assert.equal(world.link(), undefined);
    assert.equal(world.agent.info().mode, 'suspended');
    assert.equal(world.claims.at(-1), 'article released');
    await world.agent.stop();
    const next = world.newAgent();
    await world.start(next);
    assert.equal(world.link(), undefined);
    await next.apply({ ...request, text: fabricText() });
    assert.equal(world.link()?.up, true);
    assert.equal(next.info().mode, 'running');
  });

  test('apply answers with what was done; a wrong file leaves all as it was', async () => {
    const world = new World();
    await world.start();
    const { plan, host } = await world.agent.apply({ ...request, text: fabricText({ mtu: 1300 }) });
    assert.equal(host, 'alpha');
    assert.equal(plan.steps.length, 1);
    assert.equal(world.link()?.mtu, 1300);
    await assert.rejects(world.agent.apply({ ...request, text: 'fabric: 7' }), EverlanError);
    await world.quiet();
    assert.equal(world.link()?.mtu, 1300);
  });

  test('a change that was made without the agent is left alone until it is decided', async () => {
    const world = new World();
    await world.start();
    const before = { links: new Map() };
    world.store().setPending({ token: 'X', seconds: 60, until: 0, before, remembered: { links: new Map() } });
    world.delete('vxlan0');
    await world.quiet();
    assert.equal(world.agent.info().mode, 'paused');
    assert.equal(world.link(), undefined);
    // Not the folder: the lock of each pass is in it, and a pass would lead to the next.
    assert.deepEqual(world.watched, [world.store().pendingFile]);
    world.store().setPending(null);
    await world.quiet();
    assert.equal(world.link()?.up, true);
  });

  test('what changes elsewhere while steps are carried out is not missed', { timeout: 60_000 }, async () => {
    const world = new World();
    world.file = fabricText().replace('mtu: 1450, ', '');
    await world.start();
    const { promise, resolve } = Promise.withResolvers<void>();
    world.whileRunning = () => {
      world.now = facts(undefined, undefined, 1400);
    };
    world.agent.onStatus(() => {
      if (world.link()?.mtu === 1350) resolve();
    });
    world.delete('vxlan0');
    world.agent.lookAgain();
    await promise;
  });

  test('one overlay that the kernel refuses does not keep the others', async () => {
    const world = new World();
    world.stranger('vxlan1');
    world.file = fabricText({ more: '  vxlan1: {vni: 78, hosts: {alpha: 10.1.0.1/24, beta: 10.1.0.2/24}}\n' });
    await world.start();
    assert.equal(world.link()?.up, true);
    assert.deepEqual(
      world.agent.info().problems.map(({ code }) => code),
      ['stranger-link'],
    );
    assert.equal(world.kinds().filter((kind) => kind === 'refused').length, 1, 'told once, however often it is tried');
    world.delete('vxlan1');
    world.agent.hint({ ...gone, pid: 0 });
    await world.agent.reload();
    assert.equal(world.link('vxlan1')?.up, true);
    assert.deepEqual(world.agent.info().problems, []);
  });

  test('another fabric in the file: the one of before goes', async () => {
    const world = new World();
    await world.start();
    world.file = fabricText({ fabric: 'other' });
    await world.quiet();
    assert.equal(world.link()?.alias, 'everlan:other/vxlan0');
    assert.ok(world.claims.includes('article released'));
  });

  test('another fabric is taken into force once the one of before can go', { timeout: 60_000 }, async () => {
    const world = new World();
    await world.start();
    const { lock } = world.store();
    world.store().lock = async () => {
      throw new EverlanError(problem('locked', 'somebody else has it'));
    };
    let taken = 0;
    world.store('other').lockAgent = async () => {
      assert.equal(taken, 0, 'not given back');
      taken++;
      return { release: () => taken-- };
    };
    world.file = fabricText({ fabric: 'other' });
    await world.quiet();
    await world.quiet();
    assert.equal(world.link()?.alias, 'everlan:article/vxlan0');
    assert.equal(world.kinds().filter((kind) => kind === 'file').length, 1);
    world.store().lock = lock;
    const { promise, resolve } = Promise.withResolvers<void>();
    world.agent.onStatus(() => {
      if (world.link()?.alias === 'everlan:other/vxlan0') resolve();
    });
    await promise;
    assert.deepEqual(world.agent.info().problems, []);
  });

  test('who fights gets longer and longer pauses, and is named', async () => {
    const world = new World();
    await world.start();
    for (let i = 0; i < 20; i++) {
      const index = world.link()?.index ?? 0;
      world.delete('vxlan0');
      world.agent.hint({ ...gone, index });
      // As a reload does, without waiting for the pause.
      await world.agent.fileChanged();
      world.agent.settled();
      await world.quiet();
    }
    const healed = world.kinds().filter((kind) => kind === 'healed').length;
    // The first six at once; then pauses of 100 ms and doubled, so that a thirteenth would take more than 12 s.
    assert.ok(healed >= 6 && healed <= 12, `${healed}`);
  });
});
