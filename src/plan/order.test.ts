import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Step } from '../model/step.ts';
import { diff } from './diff.ts';
import { PHASES, phaseOf, StepList } from './order.ts';
import { statePair } from './states.arbitrary.testing.ts';
import { FABRIC, shortLink } from './states.testing.ts';

const place = (step: Step): number => PHASES.indexOf(phaseOf(step));

test('steps of one phase keep the order in which they came', () => {
  const list = new StepList();
  const steps = ['c', 'a', 'b'].map(
    (name): Step => ({ kind: 'link', action: 'add', link: name, to: shortLink(name, {}) }),
  );
  for (const step of steps) list.put(step);
  assert.deepEqual(
    list.inOrder().map((step) => step.link),
    ['c', 'a', 'b'],
  );
});

test('a step may be put into a later phase than its kind says', () => {
  const list = new StepList();
  const link = shortLink('vxlan0', { addresses: ['169.254.0.1/24', '169.254.0.2/24'] });
  const [first, second] = [...link.addresses.values()];
  assert.ok(first !== undefined && second !== undefined);
  list.put({ kind: 'address', action: 'add', link: 'vxlan0', address: second }, 'address-again');
  list.put({ kind: 'address', action: 'remove', link: 'vxlan0', address: first });
  assert.deepEqual(
    list.inOrder().map((step) => step.action),
    ['remove', 'add'],
  );
});

test('every plan goes through the phases in their order, save addresses that are added again', () => {
  fc.assert(
    fc.property(statePair, ({ observed, desired }) => {
      const { steps } = diff(desired, observed, { fabric: FABRIC });
      const places = steps.filter((step) => phaseOf(step) !== 'address-add').map(place);
      assert.deepEqual(
        places,
        places.toSorted((a, b) => a - b),
      );
      // One run of link steps: the kernel's side removes what goes before it makes anything.
      const links = steps.flatMap((step, at) => (step.kind === 'link' ? [at] : []));
      assert.ok(links.length === 0 || (links.at(-1) ?? 0) - (links[0] ?? 0) === links.length - 1);
    }),
  );
});
