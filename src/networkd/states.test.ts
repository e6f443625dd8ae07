/** What is told of links, by what networkd says of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LinkTable, type News } from './states.ts';

/** Words for what happens to a table, and what it tells: `3 administrative configured/routable`. */
type Act =
  | { readonly restart: 'initial' | 'later' }
  | { readonly listed: readonly number[] }
  | { readonly read: readonly [index: number, administrative: string, operational: string] }
  | { readonly signal: readonly [index: number, administrative: string | null, operational: string | null] }
  | { readonly missing: number };

function told(acts: readonly Act[]): string[] {
  const out: string[] = [];
  const table = new LinkTable({
    change: ({ index, property, administrative, operational, initial }) =>
      out.push(`${index} ${property} ${administrative}/${operational}${initial ? ' initial' : ''}`),
    gone: (index) => out.push(`${index} gone`),
  });
  for (const act of acts) {
    if ('restart' in act) table.restart(act.restart === 'initial');
    else if ('listed' in act) table.listed(new Set(act.listed));
    else if ('read' in act) table.read(act.read[0], { administrative: act.read[1], operational: act.read[2] });
    else if ('missing' in act) table.missing(act.missing);
    else {
      const news: News = { administrative: act.signal[1], operational: act.signal[2] };
      if (table.signal(act.signal[0], news)) out.push(`${act.signal[0]} to be read`);
    }
  }
  return out;
}

/** Link 3, configured and routable, told as initial. */
const KNOWN: readonly Act[] = [{ restart: 'initial' }, { listed: [3] }, { read: [3, 'configured', 'routable'] }];
const KNOWN_TOLD = ['3 administrative configured/routable initial', '3 operational configured/routable initial'];

const CASES: readonly { readonly name: string; readonly in: readonly Act[]; readonly want: readonly string[] }[] = [
  { name: 'links that were there', in: KNOWN, want: KNOWN_TOLD },
  {
    name: 'links of a networkd that came later are changes',
    in: [{ restart: 'later' }, { listed: [3] }, { read: [3, 'pending', 'off'] }],
    want: ['3 administrative pending/off', '3 operational pending/off'],
  },
  {
    name: 'administrative first, and it sees the old operational state',
    in: [...KNOWN, { signal: [3, 'configuring', 'carrier'] }],
    want: [...KNOWN_TOLD, '3 administrative configuring/routable', '3 operational configuring/carrier'],
  },
  {
    name: 'what is the same is no change',
    in: [...KNOWN, { signal: [3, 'configured', 'routable'] }, { signal: [3, null, 'routable'] }],
    want: KNOWN_TOLD,
  },
  {
    name: 'down and up again are two changes',
    in: [...KNOWN, { signal: [3, null, 'off'] }, { signal: [3, null, 'routable'] }],
    want: [...KNOWN_TOLD, '3 operational configured/off', '3 operational configured/routable'],
  },
  {
    name: 'a new link begins pending, and its first signal counts whatever it says',
    in: [
      ...KNOWN,
      { signal: [9, null, 'off'] },
      { signal: [9, 'initialized', null] },
      { read: [9, 'initialized', 'off'] },
    ],
    want: [...KNOWN_TOLD, '9 operational pending/off', '9 to be read', '9 administrative initialized/off'],
  },
  {
    name: 'a new link that says it is pending',
    in: [...KNOWN, { signal: [9, 'pending', null] }],
    want: [...KNOWN_TOLD, '9 administrative pending/missing', '9 to be read'],
  },
  {
    name: 'what a new link does not say is read',
    in: [...KNOWN, { signal: [9, null, 'off'] }, { read: [9, 'unmanaged', 'off'] }],
    want: [...KNOWN_TOLD, '9 operational pending/off', '9 to be read', '9 administrative unmanaged/off'],
  },
  {
    name: 'linger is the end of a link',
    in: [...KNOWN, { signal: [3, 'linger', null] }, { read: [3, 'linger', 'off'] }],
    want: [...KNOWN_TOLD, '3 administrative linger/routable', '3 gone'],
  },
  {
    name: 'linger and a last operational state in one signal',
    in: [...KNOWN, { signal: [3, 'linger', 'off'] }],
    want: [...KNOWN_TOLD, '3 administrative linger/routable', '3 operational linger/off', '3 gone'],
  },
  {
    name: 'the index of a link that is gone is a new link',
    in: [...KNOWN, { signal: [3, 'linger', null] }, { signal: [3, null, 'off'] }],
    want: [...KNOWN_TOLD, '3 administrative linger/routable', '3 gone', '3 operational pending/off', '3 to be read'],
  },
  {
    name: 'a new link that comes with linger is not read',
    in: [...KNOWN, { signal: [9, 'linger', null] }],
    want: [...KNOWN_TOLD, '9 administrative linger/missing', '9 gone'],
  },
  {
    name: 'signals before the first reading are changes, the rest is initial',
    in: [
      { restart: 'initial' },
      { signal: [3, null, 'carrier'] },
      { listed: [3] },
      { signal: [3, null, 'routable'] },
      { read: [3, 'configured', 'routable'] },
    ],
    want: [
      '3 administrative configured/carrier initial',
      '3 operational configured/carrier',
      '3 operational configured/routable',
    ],
  },
  {
    name: 'what was read is newer than the signals before it',
    in: [
      { restart: 'initial' },
      { listed: [3] },
      { signal: [3, 'configuring', 'carrier'] },
      { read: [3, 'configured', 'routable'] },
    ],
    want: [
      '3 administrative configuring/carrier',
      '3 operational configuring/carrier',
      '3 administrative configured/carrier',
      '3 operational configured/routable',
    ],
  },
  {
    name: 'after a break, what changed meanwhile, once',
    in: [
      ...KNOWN,
      { restart: 'later' },
      { listed: [3] },
      { read: [3, 'configured', 'off'] },
      { signal: [3, null, 'off'] },
    ],
    want: [...KNOWN_TOLD, '3 operational configured/off'],
  },
  {
    name: 'signals of known links during a new reading count at once',
    in: [
      ...KNOWN,
      { restart: 'later' },
      { signal: [3, null, 'off'] },
      { listed: [3] },
      { signal: [3, null, 'carrier'] },
      { read: [3, 'configured', 'carrier'] },
    ],
    want: [...KNOWN_TOLD, '3 operational configured/off', '3 operational configured/carrier'],
  },
  {
    name: 'links that came and went meanwhile',
    in: [...KNOWN, { restart: 'later' }, { listed: [4] }, { read: [4, 'unmanaged', 'off'] }],
    want: [...KNOWN_TOLD, '3 gone', '4 administrative unmanaged/off', '4 operational unmanaged/off'],
  },
  {
    name: 'a link that vanished before it was read was never there',
    in: [
      { restart: 'initial' },
      { listed: [3] },
      { signal: [3, null, 'off'] },
      { missing: 3 },
      { read: [3, 'a', 'b'] },
    ],
    want: [],
  },
  {
    name: 'a known link that vanished',
    in: [...KNOWN, { missing: 3 }, { missing: 3 }],
    want: [...KNOWN_TOLD, '3 gone'],
  },
];

for (const { name, in: acts, want } of CASES) {
  test(name, () => assert.deepEqual(told(acts), want));
}

test('of a flood before the first reading, the newest are kept', () => {
  const flood = Array.from({ length: 1000 }, (_, i): Act => ({ signal: [3, null, `state${i}`] }));
  const got = told([{ restart: 'later' }, ...flood, { listed: [3] }, { read: [3, 'configured', 'state999'] }]);
  assert.equal(got.length, 1 + 32);
  assert.equal(got.at(-1), '3 operational configured/state999');
});

test('what is known', () => {
  const table = new LinkTable({ change: () => {}, gone: () => {} });
  table.restart(true);
  table.listed(new Set([3, 4]));
  table.read(3, { administrative: 'configured', operational: 'routable' });
  assert.equal(table.size, 1);
  assert.deepEqual(table.get(3), { administrative: 'configured', operational: 'routable' });
  assert.equal(table.get(4), null);
  assert.equal(table.get(5), null);
});
