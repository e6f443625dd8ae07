import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { problem } from '../model/problem.ts';
import { Holds } from './holds.ts';

const why = [problem('kernel-refused', 'no')];
const held = (holds: Holds, now: number): string[] => [...holds.held(now)];

describe('holds', () => {
  test('a refused overlay is tried again after a second, then after twice as long, a minute at most', () => {
    const holds = new Holds();
    const waits: number[] = [];
    for (let now = 0, i = 0; i < 9; i++) {
      holds.refused('a', why, now);
      const next = holds.nextIn(now) ?? 0;
      waits.push(next);
      now += next;
      assert.deepEqual(held(holds, now - 1), ['a']);
      assert.deepEqual(held(holds, now), []);
    }
    assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    assert.deepEqual(holds.problems(), why);
    holds.settled(new Set());
    assert.deepEqual([holds.problems(), holds.nextIn(0)], [[], null]);
  });

  test('a link that went may be what stood in the way: tried at once, but not twice within a second', () => {
    const holds = new Holds();
    for (let i = 0; i < 5; i++) holds.refused('a', why, 0);
    assert.equal(holds.nextIn(0), 16_000);
    holds.retry(200);
    assert.equal(holds.nextIn(200), 800);
    holds.retry(5000);
    assert.deepEqual(held(holds, 5000), []);
  });

  test('what is put right more than five times in a row gets pauses, which double', () => {
    const holds = new Holds();
    const pauses: number[] = [];
    for (let now = 0, i = 0; i < 16; i++, now += 10) {
      const pause = holds.healed('a', now);
      pauses.push(pause);
      now += pause;
    }
    assert.deepEqual(pauses.slice(0, 8), [0, 0, 0, 0, 0, 100, 200, 400]);
    assert.equal(Math.max(...pauses), 30_000);
  });

  test('after ten quiet seconds the fight is over', () => {
    const holds = new Holds();
    let now = 0;
    for (let i = 0; i < 6; i++) holds.healed('a', now++);
    now += 10_200;
    assert.equal(holds.healed('a', now), 0);
  });

  test('one whose time came while a pass left it alone is due at once, until it had its turn', () => {
    const holds = new Holds();
    for (let i = 0; i < 6; i++) holds.healed('a', 0);
    const leftAlone = holds.held(50);
    holds.settled(leftAlone);
    assert.equal(holds.nextIn(150), 0);
    assert.match(holds.problems()[0]?.message ?? '', /^a is changed again and again by somebody else/);
    holds.settled(holds.held(150));
    assert.deepEqual([holds.nextIn(160), holds.problems()], [null, []]);
  });

  test('overlays have nothing to do with each other', () => {
    const holds = new Holds();
    for (let i = 0; i < 6; i++) holds.healed('a', 0);
    assert.equal(holds.healed('b', 0), 0);
    assert.deepEqual(held(holds, 50), ['a']);
  });
});
