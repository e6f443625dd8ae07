/** Undo and strangers on the real kernel: what is put back, what is left to its owner. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restore } from '../src/apply/converge.ts';
import { guard, settle } from '../src/apply/guard.ts';
import { memoryStore } from '../src/apply/store.ts';
import { EverlanError, problem } from '../src/model/problem.ts';
import { explain } from '../src/plan/explain.ts';
import { applier } from './support/apply.ts';
import { needsRoot, type TestHost, testHost } from './support/host.ts';

const skip = needsRoot;

interface Overlay {
  readonly options?: readonly string[];
  readonly vni?: number;
  /** Of this host; null: a member without one. */
  readonly address?: string | null;
  readonly gamma?: boolean;
}

/** A file of one overlay. */
function file({ options = [], vni = 77, address = '192.0.2.1/24', gamma = false }: Overlay = {}): string {
  return [
    'fabric: test',
    'hosts: {alpha: 10.0.0.1, beta: 10.0.0.2, gamma: 10.0.0.3}',
    'overlays:',
    '  vx0:',
    `    vni: ${vni}`,
    `    hosts: {alpha: ${address}, beta: 192.0.2.2/24${gamma ? ', gamma: 192.0.2.3/24' : ''}}`,
    ...options.map((line) => `    ${line}`),
    '',
  ].join('\n');
}

const TO_BETA = 'routes: [{to: 198.51.100.0/24, via: beta}]';
const MAC_B = '"02:00:00:00:00:bb": beta';
const MAC_C = '"02:00:00:00:00:cc": beta';

function strangersBridge(host: TestHost): void {
  host.ip('link add br0 address 02:00:00:00:00:b0 type bridge');
  host.ip('link set br0 up');
  host.ip('addr add 192.0.2.1/24 dev br0');
}

test('undo of a link made anew: rows that were added go, those of before stay ours', { skip }, (t) => {
  const host = testHost(t);
  const { apply, planned } = applier(host);
  apply(file({ options: [`macs: {${MAC_B}}`] }));
  host.ip('route add 198.51.100.0/24 via 10.0.0.9');
  const refused = file({ vni: 78, options: [`macs: {${MAC_B}, ${MAC_C}}`, TO_BETA] });
  assert.throws(() => apply(refused), /has been undone/);
  assert.doesNotMatch(host.bridge('fdb show dev vx0'), /02:00:00:00:00:cc/);
  assert.deepEqual(planned(file()), ['MAC 02:00:00:00:00:bb at 10.0.0.2 on vx0']);
});

test('an undo that makes a link anew knows its rows again', { skip }, (t) => {
  const host = testHost(t);
  const { apply, planned, store } = applier(host);
  apply(file({ gamma: true }));
  const remembered = store.remembered();
  const { before } = apply(file({ vni: 78, gamma: true }));
  assert.deepEqual(restore(host.kernel, 'test', before, remembered, store), []);
  apply(file());
  assert.doesNotMatch(host.bridge('fdb show dev vx0'), /10\.0\.0\.3/);
  assert.deepEqual(planned(file()), []);
});

test('an undo goes on with the rest where a part cannot be put back', { skip }, (t) => {
  const host = testHost(t);
  const { apply, store } = applier(host);
  for (const line of [
    'link add br9 type bridge',
    'link add lan0 type veth peer name lan1',
    'link set lan0 master br9',
  ]) {
    host.ip(line);
  }
  apply(file({ options: [TO_BETA] }));
  const remembered = store.remembered();
  const { before } = apply(file({ options: ['bridge: br0', 'ports: [lan0]'] }));
  host.ip('link del br9');
  const left = restore(host.kernel, 'test', before, remembered, store);
  assert.deepEqual(
    left.map(({ message }) => message),
    ['lan0 in bridge br9: the kernel says: there is no link br9'],
  );
  assert.match(host.ip('addr show vx0'), /192\.0\.2\.1\/24/);
  assert.match(host.ip('route show dev vx0'), /198\.51\.100\.0\/24 via 192\.0\.2\.2/);
});

test('a guard leaves to strangers what they took away meanwhile, and needs no watch', { skip }, async (t) => {
  const host = testHost(t);
  const { apply, store } = applier(host);
  apply(file());
  host.ip('addr add 192.0.2.100/32 dev vx0');
  host.ip('addr add 192.0.2.101/32 dev vx0');
  const remembered = store.remembered();
  const { before, after } = apply(file({ options: ['mtu: 1300'] }));
  const pending = { token: 'x', seconds: 0.05, until: 0, before, remembered };
  settle(store, pending, after);
  host.ip('addr del 192.0.2.100/32 dev vx0');
  // The store in memory has no folder that could be watched.
  assert.deepEqual(await guard(host.kernel, store, 'x'), []);
  const shown = host.ip('addr show vx0');
  assert.match(shown, /mtu 1450/);
  assert.match(shown, /192\.0\.2\.101/);
  assert.doesNotMatch(shown, /192\.0\.2\.100/);
});

test('a guard waits for the lock as long as it takes', { skip }, async (t) => {
  const host = testHost(t);
  const { apply, store } = applier(host);
  const { before } = apply(file());
  let tries = 0;
  const busy = {
    ...store,
    lock: async (command: string) => {
      if (++tries < 3) throw new EverlanError(problem('locked', 'somebody else works'));
      return store.lock(command);
    },
  };
  store.setPending({ token: 'x', seconds: 0.05, until: 0, before, remembered: memoryStore('test').remembered() });
  assert.deepEqual(await guard(host.kernel, busy, 'x'), []);
  assert.equal(tries, 3);
  assert(!host.kernel.look().facts.links.has('vx0'));
});

test('a stranger’s route beside ours, told by its metric', { skip }, (t) => {
  const host = testHost(t);
  const { apply, plan } = applier(host);
  const text = file({ options: [TO_BETA] });
  apply(text);
  host.ip('route add 198.51.100.0/24 dev vx0 metric 50');
  const { steps, foreign } = plan(text);
  assert.deepEqual(steps.map(explain), []);
  assert.deepEqual(
    foreign.map(({ kind }) => kind),
    ['route'],
  );
  // Also through a change that makes the link anew, and with a scope of its own.
  host.ip('route add 198.51.101.0/24 dev vx0 scope global');
  apply(file({ vni: 78, options: [TO_BETA] }));
  assert.match(host.ip('route show dev vx0'), /198\.51\.100\.0\/24 .*metric 50/);
  apply(file({ vni: 78 }), { prune: true });
  assert.doesNotMatch(host.ip('route show dev vx0'), /198\.51/);
});

test('what the owner of a joined bridge put there stays his', { skip }, async (t) => {
  await t.test('an address that we want as well', (t2) => {
    const host = testHost(t2);
    const { apply, down } = applier(host);
    strangersBridge(host);
    apply(file({ options: ['bridge: br0'] }));
    apply(file({ options: ['bridge: br0'] }));
    down();
    assert.match(host.ip('addr show br0'), /192\.0\.2\.1\/24/);
  });
  await t.test('a route of his where we want one', (t2) => {
    const host = testHost(t2);
    const { apply } = applier(host);
    strangersBridge(host);
    host.ip('route add 198.51.100.0/24 via 192.0.2.9 dev br0');
    assert.throws(() => apply(file({ options: ['bridge: br0', TO_BETA] })), /198\.51\.100\.0\/24.*File exists/);
    assert.match(host.ip('route show dev br0'), /198\.51\.100\.0\/24 via 192\.0\.2\.9/);
  });
  await t.test('but a route of ours goes, where no address of ours is', (t2) => {
    const host = testHost(t2);
    const { apply, down } = applier(host);
    strangersBridge(host);
    apply(file({ options: ['bridge: br0', TO_BETA] }));
    assert.match(host.ip('route show dev br0'), /198\.51\.100\.0\/24 via 192\.0\.2\.2/);
    down();
    assert.doesNotMatch(host.ip('route show dev br0'), /198\.51\.100/);
    assert.match(host.ip('route show dev br0'), /192\.0\.2\.0\/24/);
  });
});

test('somebody has the highest index', { skip }, (t) => {
  const host = testHost(t);
  const { apply, planned } = applier(host);
  host.ip('link add name theirs index 2147483647 type bridge');
  const text = file({ options: ['bridge: br0'] });
  apply(text);
  assert.deepEqual(planned(text), []);
});

test('a stranger’s point-to-point address keeps its far end and label, and can be pruned', { skip }, (t) => {
  const host = testHost(t);
  const { apply } = applier(host);
  apply(file());
  host.ip('addr add 10.9.9.1 peer 10.9.9.2/32 dev vx0 label vx0:me');
  apply(file({ vni: 78 }));
  assert.match(host.ip('addr show vx0'), /10\.9\.9\.1 peer 10\.9\.9\.2\/32 scope global vx0:me/);
  apply(file({ vni: 78 }), { prune: true });
  assert.doesNotMatch(host.ip('addr show vx0'), /10\.9\.9/);
});
