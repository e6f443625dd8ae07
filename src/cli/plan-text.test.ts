import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostState } from '../model/state.ts';
import { diff } from '../plan/diff.ts';
import { FABRIC, type ShortLink, shortState } from '../plan/states.testing.ts';
import { paints } from './colour.ts';
import { countActions, planText } from './plan-text.ts';

const of = { fabric: FABRIC, host: 'alpha' };
const short = { paints: paints(false), all: false };

type Links = Readonly<Record<string, ShortLink | null>>;

function text(have: Links, want: Links, all = false): string {
  const [before, after]: HostState[] = [shortState(have), shortState(want)];
  if (before === undefined || after === undefined) throw new Error('two states');
  return planText(diff(after, before, { fabric: FABRIC }), of, { ...short, all });
}

const macs = (count: number, vtep = '10.10.0.4'): string[] =>
  Array.from({ length: count }, (_, i) => `02:00:00:00:00:${i.toString(16).padStart(2, '0')} ${vtep}`);

const cases = [
  { name: 'nothing to do', have: { vxlan0: {} }, want: { vxlan0: {} }, says: ['article on alpha: nothing to do'] },
  {
    name: 'a link and what stands on it',
    have: {},
    want: {
      vxlan0: {
        mtu: 1400,
        addresses: ['169.254.0.1/24'],
        fdb: ['00:00:00:00:00:00 10.0.0.5', '02:00:00:00:00:01 10.0.0.5'],
        neighbours: ['169.254.0.2 02:00:00:00:00:01'],
        routes: ['10.1.0.0/16 via 169.254.0.2'],
      },
    },
    says: [
      /^vxlan0$/m,
      /^ {2}\+ link {7}vni \d+, port 4789, .*mtu 1400$/m,
      /^ {2}\+ address {4}169\.254\.0\.1\/24$/m,
      /^ {2}\+ flooding {3}to 10\.0\.0\.5$/m,
      /^ {2}\+ MAC {8}02:00:00:00:00:01 at 10\.0\.0\.5$/m,
      /^ {2}\+ neighbour {2}169\.254\.0\.2 at 02:00:00:00:00:01$/m,
      /^ {2}\+ route {6}10\.1\.0\.0\/16 via 169\.254\.0\.2$/m,
      /^article on alpha: 6 to add$/m,
    ],
  },
  {
    name: 'in place',
    have: { vxlan0: { index: 3, mtu: 1300 } },
    want: { vxlan0: { mtu: 1450 } },
    says: ['vxlan0', '  ~ link  mtu 1300 → 1450', '', 'article on alpha: 1 to change in place'],
  },
  {
    name: 'anew, with downtime',
    have: { vxlan0: { index: 3, vxlan: { vni: 77 } } },
    want: { vxlan0: { vxlan: { vni: 78 } } },
    says: [
      'vxlan0',
      '  ! link  vni 77 → 78 (made anew: traffic stops for a moment)',
      '',
      'article on alpha: 1 to recreate (with downtime)',
    ],
  },
  {
    name: 'a link that nobody wants, beside one that is wanted',
    have: { vxlan9: { index: 3, vxlan: { vni: 9 } } },
    want: { vxlan0: {} },
    says: [/^vxlan9\n {2}- link {2}vni 9,/m, /^vxlan0\n {2}\+ link {2}/m, /: 1 to add, 1 to remove$/m],
  },
  {
    name: 'a bridge and its port',
    have: {},
    want: { br0: { kind: 'bridge' }, vxlan0: { master: 'br0' } },
    says: [/^ {2}\+ bridge {2}mtu \d+$/m, /^ {2}\+ port {2}of bridge br0$/m],
  },
  {
    name: 'what is not ours',
    have: { vxlan0: { index: 3, addresses: ['foreign 169.254.0.9/24'] } },
    want: { vxlan0: {} },
    says: [
      'article on alpha: nothing to do',
      '',
      'Not ours, left alone (--prune removes it):',
      '  address 169.254.0.9/24 on vxlan0',
    ],
  },
  {
    name: 'eleven alike are all shown',
    have: { vxlan0: { index: 3 } },
    want: { vxlan0: { fdb: macs(11) } },
    says: [/02:00:00:00:00:0a at/, /: 11 to add$/m],
    saysNot: [/…/],
  },
  {
    name: 'of twelve alike the rest is counted',
    have: { vxlan0: { index: 3 } },
    want: { vxlan0: { fdb: macs(12) } },
    says: [/02:00:00:00:00:09 at/, /^ {2}\+ … {4}and 2 more MACs$/m, /: 12 to add$/m],
    saysNot: [/02:00:00:00:00:0a/],
  },
  {
    name: 'with -v nothing is left out',
    all: true,
    have: { vxlan0: { index: 3 } },
    want: { vxlan0: { fdb: macs(12) } },
    says: [/02:00:00:00:00:0b/],
    saysNot: [/…/],
  },
  {
    name: 'of many links the rest is counted',
    have: {},
    want: Object.fromEntries(
      Array.from({ length: 4000 }, (_, i) => [`vx${i}`, { vxlan: { vni: i + 1 }, addresses: ['10.0.0.1/24'] }]),
    ),
    says: [/^vx24$/m, /^… and 3,975 more links with 7,950 steps \(-v shows all\)$/m, /: 8,000 to add$/m],
    saysNot: [/^vx25$/m],
  },
] as const satisfies readonly {
  name: string;
  have: Links;
  want: Links;
  all?: boolean;
  says: readonly (string | RegExp)[];
  saysNot?: readonly RegExp[];
}[];

for (const one of cases) {
  test(one.name, () => {
    const said = text(one.have, one.want, 'all' in one && one.all);
    const lines = one.says.filter((line) => typeof line === 'string');
    if (lines.length > 0) assert.equal(said, lines.join('\n'));
    for (const pattern of one.says) if (typeof pattern !== 'string') assert.match(said, pattern);
    for (const pattern of 'saysNot' in one ? one.saysNot : []) assert.doesNotMatch(said, pattern);
  });
}

test('what was done', () => {
  const { steps } = diff(shortState({ a: {}, b: { mtu: 1300 } }), shortState({ b: { index: 2 }, c: { index: 3 } }), {
    fabric: FABRIC,
  });
  assert.equal(countActions(steps, 'done'), '1 added, 1 changed in place, 1 removed');
});

test('a stranger’s link in our place is not something to do', () => {
  const plan = diff(shortState({ vxlan0: {} }), shortState({ vxlan0: { kind: 'other', index: 5 } }), {
    fabric: FABRIC,
  });
  assert.equal(plan.conflicts.length, 1);
  assert.equal(planText(plan, of, short), 'article on alpha: nothing can be done');
});

test('colours mark the steps', () => {
  const plan = diff(shortState({ vxlan0: {} }), shortState({}), { fabric: FABRIC });
  const said = planText(plan, of, { paints: paints(true), all: false });
  assert.ok(said.includes(paints(true).green('+ link')), said);
});
