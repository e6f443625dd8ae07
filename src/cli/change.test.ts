import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StepFailure } from '../kernel/port.ts';
import { diff } from '../plan/diff.ts';
import { FABRIC, shortState } from '../plan/states.testing.ts';
import { advise } from './change.ts';

function failing(errno: number, want: Parameters<typeof shortState>[0]): StepFailure[] {
  const { steps } = diff(shortState(want), shortState({}), { fabric: FABRIC });
  return steps.map((step) => ({ step, errno, message: 'words' }));
}

const EPERM = 1;
const EEXIST = 17;
const EOPNOTSUPP = 95;

const cases = [
  {
    name: 'no VXLAN in the kernel',
    failures: failing(EOPNOTSUPP, { a: {}, b: {} }),
    codes: ['no-vxlan'],
    hint: /modprobe vxlan.*CONFIG_VXLAN/,
  },
  {
    name: 'no bridges in the kernel',
    failures: failing(EOPNOTSUPP, { br0: { kind: 'bridge' } }),
    codes: ['no-bridge'],
    hint: /modprobe bridge.*CONFIG_BRIDGE/,
  },
  { name: 'no right', failures: failing(EPERM, { a: {}, b: {} }), codes: ['right-missing'], hint: /root/ },
  { name: 'what the kernel explains itself', failures: failing(EEXIST, { a: {} }), codes: [], hint: /^$/ },
];

for (const { name, failures, codes, hint } of cases) {
  test(name, () => {
    const advice = advise(failures);
    assert.deepEqual(
      advice.map(({ code }) => code),
      codes,
    );
    assert.match(advice[0]?.hint ?? '', hint);
  });
}
