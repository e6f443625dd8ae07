/**
 * Every `NAME.yaml` of test/golden/plan against `NAME.plan`; UPDATE_GOLDEN=1 writes the latter. A case has `current`,
 * `desired`, `options` and one line that says what it shows; its links are written as in states.testing.ts.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { load } from 'js-yaml';
import { FakeKernel } from '../kernel/fake.ts';
import type { Plan } from '../model/step.ts';
import { diff } from './diff.ts';
import { explain, explainForeign, markerOf } from './explain.ts';
import { FABRIC, type ShortLink, shortState, wantedKinds } from './states.testing.ts';

const FOLDER = join(import.meta.dirname, '../../test/golden/plan');

interface Case {
  readonly shows: string;
  readonly options?: { readonly adopt?: boolean; readonly prune?: boolean };
  readonly current: Readonly<Record<string, ShortLink | null>>;
  readonly desired: Readonly<Record<string, ShortLink | null>>;
}

function planText({ steps, foreign, conflicts }: Plan): string {
  const lines = [
    ...conflicts.map(
      ({ code, message, hint }) => `conflict: ${code}: ${message}${hint === undefined ? '' : `; ${hint}`}`,
    ),
    ...steps.map((step) => `${markerOf(step).padEnd(25)} ${explain(step)}`),
    ...foreign.map((item) => `foreign: ${explainForeign(item)}`),
  ];
  return lines.length === 0 ? 'nothing to do\n' : `${lines.join('\n')}\n`;
}

describe('golden plans', () => {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));
  test('there are some', () => assert.ok(names.length > 20));
  for (const name of names) {
    const { shows, options, current, desired } = load(readFileSync(join(FOLDER, name), 'utf8')) as Case;
    test(`${name}: ${shows}`, () => {
      const before = shortState(current);
      const wanted = shortState(desired);
      const plan = diff(wanted, before, { fabric: FABRIC, ...options });
      const expected = join(FOLDER, name.replace(/\.yaml$/, '.plan'));
      if (process.env.UPDATE_GOLDEN === '1') writeFileSync(expected, planText(plan));
      assert.equal(planText(plan), readFileSync(expected, 'utf8'));

      const kernel = new FakeKernel({ state: before, omniscient: true });
      assert.deepEqual(kernel.run(plan.steps).failures, []);
      const after = kernel.look().state({ fabric: FABRIC, wanted: wantedKinds(before, wanted) });
      assert.equal(
        planText({ ...diff(wanted, after, { fabric: FABRIC, ...options }), foreign: [], conflicts: [] }),
        'nothing to do\n',
      );
    });
  }
});
