import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPTIONS } from '../model/options.ts';
import { expected, nearest, oneOf, quote } from './words.ts';

const near: { name: string; in: [string, string[]]; want: string | null }[] = [
  { name: 'a letter too many', in: ['agening', ['ageing', 'mtu']], want: 'ageing' },
  { name: 'swapped letters', in: ['mut', ['vni', 'mtu']], want: 'mtu' },
  { name: 'another case', in: ['MTU', ['vni', 'mtu']], want: 'mtu' },
  { name: 'nothing near', in: ['colour', ['vni', 'mtu']], want: null },
  { name: 'the nearest of two', in: ['port', ['ports', 'port-range']], want: 'ports' },
  { name: 'a short word must be very near', in: ['to', ['vni', 'via']], want: null },
  { name: 'a very long word is not looked at', in: ['x'.repeat(1000), ['x'.repeat(999)]], want: null },
];

for (const row of near) test(`nearest: ${row.name}`, () => assert.equal(nearest(...row.in), row.want));

test('oneOf', () => {
  assert.equal(oneOf(['a']), 'a');
  assert.equal(oneOf(['a', 'b']), 'a or b');
  assert.equal(oneOf(['a', 'b', 'c']), 'a, b or c');
});

test('quote cuts long text', () => {
  assert.equal(quote('x'), '“x”');
  assert.equal([...quote('値'.repeat(100))].length, 60);
});

test('every type of the option table can be told', () => {
  for (const [name, { type }] of Object.entries(OPTIONS)) assert.ok(expected(type).length > 4, name);
});
