import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lives } from './lives.ts';

test('a link keeps its life through a change of its name', () => {
  const lives = new Lives();
  const life = lives.begin(3, 'eth0');
  life.name = 'wan';
  assert.equal(lives.get(3), life);
});

test('an index that is used again is another life', () => {
  const lives = new Lives();
  const first = lives.begin(3, 'veth1');
  lives.end(3);
  assert.ok(first.gone);
  assert.equal(lives.get(3), null);
  assert.notEqual(lives.begin(3, 'veth2'), first);
  assert.ok(!lives.get(3)?.gone);
});

const LANES = [
  { name: 'the same index', busy: true, index: 3, link: 'other', same: true },
  { name: 'the same name', busy: true, index: 4, link: 'veth1', same: true },
  { name: 'neither', busy: true, index: 4, link: 'other', same: false },
  { name: 'the same name, nothing to wait for', busy: false, index: 4, link: 'veth1', same: false },
];

for (const { name, busy, index, link, same } of LANES) {
  test(`the lane of a successor: ${name}`, () => {
    const lives = new Lives();
    const first = lives.begin(3, 'veth1');
    if (busy) lives.queued(first);
    lives.end(3);
    assert.equal(lives.begin(index, link).lane === first.lane, same);
  });
}

test('a predecessor whose events are over is waited for no longer', () => {
  const lives = new Lives();
  const first = lives.begin(3, 'veth1');
  lives.queued(first);
  lives.queued(first);
  lives.end(3);
  lives.handled(first);
  assert.equal(lives.begin(4, 'veth1').lane, first.lane);
  lives.end(4);
  lives.handled(first);
  assert.notEqual(lives.begin(5, 'veth1').lane, first.lane);
});

test('a link that takes the old name of one that was renamed waits for it', () => {
  const lives = new Lives();
  const first = lives.begin(3, 'eth0');
  lives.queued(first);
  assert.equal(lives.begin(4, 'eth0').lane, first.lane);
});
