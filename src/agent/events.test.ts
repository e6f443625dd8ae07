import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventDraft } from './account.ts';
import { Events } from './events.ts';

const AT = '2024-05-06T07:08:09.010Z';
const events = (): Events => new Events(() => new Date(AT));
const draft = (message: string, more: Partial<EventDraft> = {}): EventDraft => ({
  kind: 'healed',
  level: 'info',
  message,
  ...more,
});

test('an event is numbered and dated, and says what it was told', () => {
  const ring = events();
  ring.add(draft('one'));
  ring.add(draft('two', { hint: 'why', overlays: ['vxlan0'], steps: ['step'] }));
  assert.deepEqual(ring.list(), [
    { number: 1, at: AT, kind: 'healed', level: 'info', message: 'one', overlays: [], steps: [] },
    {
      ...{ number: 2, at: AT, kind: 'healed', level: 'info', message: 'two' },
      ...{ hint: 'why', overlays: ['vxlan0'], steps: ['step'] },
    },
  ]);
});

test('the last thousand are kept, and numbers go on', () => {
  const ring = events();
  for (let i = 1; i <= 1002; i++) ring.add(draft(`${i}`));
  const list = ring.list();
  assert.equal(list.length, 1000);
  assert.deepEqual([list[0]?.number, list[0]?.message, list.at(-1)?.number], [3, '3', 1002]);
});

test('what was handed out does not change', () => {
  const ring = events();
  ring.add(draft('one'));
  const before = ring.list();
  ring.add(draft('two'));
  assert.equal(before.length, 1);
});

test('listeners hear all steps, of which the first hundred are kept', () => {
  const ring = events();
  const steps = Array.from({ length: 250 }, (_, i) => `step ${i}`);
  let heard: readonly string[] = [];
  ring.listen((event) => {
    heard = event.steps;
  });
  ring.add(draft('one', { steps }));
  assert.deepEqual(heard, steps);
  assert.deepEqual(ring.list()[0]?.steps, [...steps.slice(0, 100), 'and 150 more']);
});

test('listeners come and go, also while they are told', () => {
  const ring = events();
  const heard: string[] = [];
  const listen = (name: string): (() => void) => ring.listen(({ message }) => heard.push(`${name} ${message}`));
  ring.add(draft('0'));
  const offA = listen('a');
  const offChange = ring.listen(() => {
    offB();
    listen('c');
    offChange();
  });
  const offB = listen('b');
  ring.add(draft('1'));
  offA();
  offA();
  ring.add(draft('2'));
  assert.deepEqual(heard, ['a 1', 'c 2']);
});

test('one function that listens twice is told twice, until each ends', () => {
  const ring = events();
  let told = 0;
  const listener = (): void => {
    told++;
  };
  const off = ring.listen(listener);
  ring.listen(listener);
  ring.add(draft('1'));
  off();
  ring.add(draft('2'));
  assert.equal(told, 3);
});
