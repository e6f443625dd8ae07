import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeKernel } from '../kernel/fake.ts';
import type { Kernel } from '../kernel/port.ts';
import type { Desired } from '../model/desired.ts';
import { EverlanError } from '../model/problem.ts';
import type { HostState } from '../model/state.ts';
import type { Step } from '../model/step.ts';
import { explain } from '../plan/explain.ts';
import { FABRIC, shortLink, shortState } from '../plan/states.testing.ts';
import { converge } from './converge.ts';
import { memoryStore } from './store.ts';

const ADDRESS = '169.254.0.1/24';
const bare = (): HostState => shortState({ vxlan0: {} });
const state = shortState({ vxlan0: { addresses: [ADDRESS] } });
const wanted: Desired = { fabric: FABRIC, host: 'alpha', overlays: [], warnings: [], state };
const remove: Step = { kind: 'link', action: 'remove', link: 'vxlan0', from: shortLink('vxlan0', {}) };

/** A host on which somebody else is quicker, so many times. */
function withOther(kernel: Kernel, times: number): Kernel {
  let left = times;
  return {
    portId: 0,
    look: () => kernel.look(),
    run: (steps, options) => {
      if (left-- > 0) kernel.run([remove]);
      return kernel.run(steps, options);
    },
    close: () => undefined,
  };
}

const cases = [
  {
    name: 'an address was to be added',
    wants: { addresses: [ADDRESS] },
    done: ['address 169.254.0.1/24 on vxlan0', 'link vxlan0'],
  },
  { name: 'the link was to be changed', wants: { mtu: 1400 }, done: ['link vxlan0'] },
] as const;

for (const { name, wants, done } of cases) {
  test(`a link that goes between the look and the step is made, not left to an undo: ${name}`, () => {
    const kernel = new FakeKernel({ state: bare() });
    const state = shortState({ vxlan0: wants });
    const { plan, after, rounds } = converge(withOther(kernel, 1), { ...wanted, state }, memoryStore(FABRIC));
    const [link, want] = [after, state].map(({ links }) => links.get('vxlan0'));
    assert.deepEqual(
      [link?.mtu, [...(link?.addresses.keys() ?? [])]],
      [want?.mtu, [...(want?.addresses.keys() ?? [])]],
    );
    assert.deepEqual(
      plan.steps.map((step) => explain(step).split(':')[0]),
      done,
    );
    assert.equal(rounds, 2);
  });
}

test('what the kernel refuses for another reason is undone at once', () => {
  const kernel = new FakeKernel({ state: bare(), fail: { act: 1, errno: 22 } });
  let runs = 0;
  const counted: Kernel = {
    portId: 0,
    look: () => kernel.look(),
    run: (steps, options) => {
      runs++;
      return kernel.run(steps, options);
    },
    close: () => undefined,
  };
  assert.throws(() => converge(counted, wanted, memoryStore(FABRIC)), EverlanError);
  assert.equal(runs, 1);
});

test('what is left alone is not remembered as ours', () => {
  const kernel = new FakeKernel({ state: { links: new Map() } });
  const store = memoryStore(FABRIC);
  const both: Desired = { ...wanted, state: shortState({ vxlan0: {}, vxlan1: { vxlan: { vni: 78 } } }) };
  converge(kernel, both, store, { keep: new Set(['vxlan1']) });
  assert.deepEqual([...store.remembered().links.keys()], ['vxlan0']);
  converge(kernel, both, store);
  converge(kernel, both, store, { keep: new Set(['vxlan1']) });
  assert.deepEqual([...store.remembered().links.keys()], ['vxlan0', 'vxlan1']);
});
