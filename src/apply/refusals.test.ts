import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diff } from '../plan/diff.ts';
import { FABRIC, shortState } from '../plan/states.testing.ts';
import { refusal } from './refusals.ts';

const EPERM = 1;
const EEXIST = 17;
const EINVAL = 22;
const EOPNOTSUPP = 95;

const cases: readonly { name: string; errno: number; want: Parameters<typeof shortState>[0]; hint: RegExp }[] = [
  { name: 'no VXLAN in the kernel', errno: EOPNOTSUPP, want: { a: {} }, hint: /modprobe vxlan.*CONFIG_VXLAN/ },
  {
    name: 'no bridges in the kernel',
    errno: EOPNOTSUPP,
    want: { br0: { kind: 'bridge' } },
    hint: /modprobe bridge.*CONFIG_BRIDGE/,
  },
  { name: 'no right', errno: EPERM, want: { a: {} }, hint: /CAP_NET_ADMIN.*root/ },
  { name: 'a VNI that a stranger has', errno: EEXIST, want: { a: {} }, hint: /ip -d link show type vxlan/ },
  { name: 'what the kernel explains itself', errno: EINVAL, want: { a: {} }, hint: /^$/ },
];

for (const { name, errno, want, hint } of cases) {
  test(name, () => {
    const [step] = diff(shortState(want), shortState({}), { fabric: FABRIC }).steps;
    assert(step);
    const found = refusal({ step, errno, message: 'its words' });
    assert.match(found.message, /the kernel says: its words$/);
    assert.match(found.hint ?? '', hint);
  });
}
