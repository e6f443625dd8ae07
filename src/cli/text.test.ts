import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paints } from './colour.ts';
import { columns, counted, fewOf, thousands } from './text.ts';

test('columns are as wide as their widest cell, colours and wide characters apart', () => {
  const { green } = paints(true);
  const rows = [
    ['OVERLAY', 'STATE', 'MTU'],
    ['vx', { text: 'up', paint: green }, '1450'],
    ['重', 'drifted', ''],
  ];
  assert.deepEqual(columns(rows, '> '), [
    '> OVERLAY  STATE    MTU',
    '> vx       \u001b[32mup\u001b[39m       1450',
    '> 重       drifted',
  ]);
});

for (const [count, want] of [
  [0, '0'],
  [999, '999'],
  [1000, '1,000'],
  [12800, '12,800'],
  [1234567, '1,234,567'],
] as const) {
  test(`${count} is written ${want}`, () => assert.equal(thousands(count), want));
}

test('one is one, all else are many', () => {
  assert.equal(counted(1, 'step'), '1 step');
  assert.equal(counted(0, 'step'), '0 steps');
  assert.equal(counted(4000, 'address', 'addresses'), '4,000 addresses');
});

for (const [items, want] of [
  [[], ''],
  [['a', 'b'], 'a, b'],
  [['a', 'b', 'c'], 'a, b, c'],
  [['a', 'b', 'c', 'd'], 'a, b and 2 more'],
] as const) {
  test(`a few of ${items.length}: “${want}”`, () => assert.equal(fewOf(items, 2), want));
}
