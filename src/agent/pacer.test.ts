import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Pacer } from './pacer.ts';

/** Work that a test lets go on by hand. */
function bench() {
  const done: (() => void)[] = [];
  let begun = 0;
  const waiting: (() => void)[] = [];
  const pacer = new Pacer(() => {
    begun++;
    for (const wake of waiting.splice(0)) wake();
    return new Promise((resolve) => done.push(resolve));
  });
  return {
    pacer,
    get begun() {
      return begun;
    },
    finish: () => done.shift()?.(),
    next: () => new Promise<void>((wake) => waiting.push(wake)),
  };
}

describe('pacer', () => {
  test('begins at once after a quiet time', () => {
    const work = bench();
    work.pacer.poke();
    assert.equal(work.begun, 1);
  });

  test('what happens while it works is one more turn, after a rest', async () => {
    const work = bench();
    work.pacer.poke();
    for (let i = 0; i < 100; i++) work.pacer.poke();
    assert.equal(work.begun, 1);
    const next = work.next();
    work.finish();
    await Promise.resolve();
    assert.equal(work.begun, 1, 'a rest comes first');
    await next;
    assert.equal(work.begun, 2);
    work.finish();
  });

  test('what is due later, told while it works, is not forgotten', async () => {
    const work = bench();
    work.pacer.poke();
    work.pacer.wakeIn(30);
    const next = work.next();
    work.finish();
    await next;
    assert.equal(work.begun, 2);
    work.finish();
  });

  test('the earlier of two counts', async () => {
    const work = bench();
    work.pacer.wakeIn(3_600_000);
    work.pacer.wakeIn(1);
    await work.next();
    assert.equal(work.begun, 1);
    work.finish();
  });

  test('closed, it begins nothing more', async () => {
    const work = bench();
    work.pacer.wakeIn(1);
    work.pacer.close();
    work.pacer.poke();
    await new Promise((done) => setTimeout(done, 10));
    assert.equal(work.begun, 0);
  });
});
