import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { diff } from '../plan/diff.ts';
import { FABRIC, type ShortLink, shortState } from '../plan/states.testing.ts';
import { account, type Occasion } from './account.ts';
import type { Culprit } from './culprits.ts';

const want: ShortLink = { addresses: ['169.254.0.1/24'], fdb: ['00:00:00:00:00:00 10.0.0.5'] };

interface Case {
  readonly name: string;
  readonly have: Readonly<Record<string, ShortLink | null>>;
  readonly occasion?: Occasion;
  readonly came?: readonly string[];
  readonly culprits?: readonly Culprit[];
  readonly told: readonly string[];
}

const CASES: readonly Case[] = [
  {
    name: 'a link that was deleted, not all that stood on it',
    have: {},
    culprits: [{ pid: 7, name: 'ip', sure: true }],
    told: ['healed: link vxlan0 is missing (changed by ip (process 7)): put right in 2.1 ms'],
  },
  {
    name: 'what was wrong, not what putting it right takes along',
    have: { vxlan0: { ...want, addresses: [] } },
    told: ['healed: address 169.254.0.1/24 on vxlan0 is missing: put right in 2.1 ms'],
  },
  {
    name: 'a process that was gone before it could be asked',
    have: { vxlan0: { ...want, mtu: 1400 } },
    culprits: [{ pid: 7, name: null, sure: true }],
    told: ['healed: link vxlan0: mtu is 1400, not 1450 (changed by process 7, gone by now): put right in 2.1 ms'],
  },
  { name: 'the start', have: {}, occasion: 'start', told: ['applied: 3 added in 2.1 ms, verified'] },
  {
    name: 'another file',
    have: { vxlan0: { ...want, mtu: 1400 } },
    occasion: 'fabric',
    told: ['applied: 1 changed in 2.1 ms, verified'],
  },
  {
    name: 'an overlay that waited',
    have: {},
    came: ['vxlan0'],
    told: ['applied: vxlan0: made in 2.1 ms, now that what was waited for is there'],
  },
];

describe('account', () => {
  for (const { name, have, occasion = 'change', came = [], culprits = [], told } of CASES) {
    test(name, () => {
      const plan = diff(shortState({ vxlan0: want }), shortState(have), { fabric: FABRIC });
      const events = account({ plan, occasion, ms: 2.12, came: new Set(came), culprits, overlayOf: (link) => link });
      assert.deepEqual(
        events.map(({ kind, message }) => `${kind}: ${message}`),
        told,
      );
      assert.ok(
        events.every(({ overlays, steps }) => overlays?.join() === 'vxlan0' && steps !== undefined && steps.length > 0),
      );
    });
  }
});
