import assert from 'node:assert/strict';
import { test } from 'node:test';
import { globPattern, isUnmanaged } from './filter.ts';

const GLOBS = [
  { glob: 'veth*', yes: ['veth', 'veth1234'], no: ['eveth', 'vet'] },
  { glob: 'eth?', yes: ['eth0', 'ethé'], no: ['eth', 'eth10'] },
  { glob: '*', yes: ['', 'a.b'], no: [] },
  { glob: 'a.b', yes: ['a.b'], no: ['axb'] },
  { glob: 'wl[ap]*', yes: ['wlan0', 'wlp3s0'], no: ['wlx0'] },
  { glob: 'eth[!0]', yes: ['eth1'], no: ['eth0'] },
  { glob: 'eth[0-3]', yes: ['eth2'], no: ['eth4', 'eth-'] },
  { glob: '[]]', yes: [']'], no: ['['] },
  { glob: 'a[', yes: ['a['], no: ['a'] },
  { glob: '[!a^\\]', yes: ['b'], no: ['a', '^', '\\'] },
  { glob: 'br-$(id)', yes: ['br-$(id)'], no: ['br-id'] },
];

for (const { glob, yes, no } of GLOBS) {
  test(`glob ${glob}`, () => {
    const pattern = globPattern(glob);
    for (const name of yes) assert.ok(pattern?.test(name), name);
    for (const name of no) assert.ok(!pattern?.test(name), name);
  });
}

test('a range from back to front is no pattern', () => assert.equal(globPattern('[z-a]'), null));

test('a link that goes is unmanaged if it was', () => {
  assert.ok(isUnmanaged('unmanaged', false));
  assert.ok(isUnmanaged('linger', true));
  assert.ok(!isUnmanaged('linger', false));
  assert.ok(!isUnmanaged('configured', true));
});
