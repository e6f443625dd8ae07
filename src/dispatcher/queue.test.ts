import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventQueue, type Limits, MOST_WAITING, type Queued, type Start } from './queue.ts';

interface Event extends Queued {
  readonly lane: number;
  readonly number: number;
}

type Move = { readonly push: Omit<Event, 'number'> } | 'next' | { readonly done: number };

const LANES = 4;
const aMove: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      push: fc.record({ lane: fc.nat(LANES - 1), property: fc.constantFrom('administrative', 'operational') }),
    }),
  },
  { weight: 2, arbitrary: fc.constant('next' as const) },
  { weight: 2, arbitrary: fc.record({ done: fc.nat(LANES - 1) }) },
);

/** Makes the moves, holding what must always hold, and then lets everything run. */
function play(limits: Limits, moves: readonly Move[]): { readonly pushed: Event[]; readonly started: Start<Event>[] } {
  const queue = new EventQueue<Event>(limits);
  const pushed: Event[] = [];
  const started: Start<Event>[] = [];
  const running = new Set<number>();
  const next = (): boolean => {
    const start = queue.next();
    if (start === null) return false;
    assert.ok(!running.has(start.lane), 'a lane runs twice at a time');
    assert.equal(start.lane, start.event.lane);
    running.add(start.lane);
    assert.ok(running.size <= limits.running);
    assert.equal(queue.running, running.size);
    started.push(start);
    return true;
  };
  const done = (lane: number): void => {
    queue.done(lane);
    running.delete(lane);
  };
  for (const move of moves) {
    if (move === 'next') next();
    else if ('done' in move) done(move.done);
    else {
      const event = { ...move.push, number: pushed.length };
      pushed.push(event);
      queue.push(event.lane, event);
      assert.ok(queue.waiting <= limits.waiting * LANES);
    }
  }
  while (next() || running.size > 0) for (const lane of [...running]) done(lane);
  assert.deepEqual([queue.waiting, queue.running], [0, 0]);
  return { pushed, started };
}

const ofLane = (events: readonly Event[], lane: number): Event[] => events.filter((event) => event.lane === lane);
const numbers = (events: readonly Event[]): number[] => events.map(({ number }) => number);
const aLimit = fc.record({ waiting: fc.integer({ min: 2, max: 6 }), running: fc.integer({ min: 1, max: LANES }) });
const manyMoves = fc.array(aMove, { maxLength: 120 });

test('nothing is lost but what is said to be merged, nothing runs twice, each lane keeps its order', () => {
  fc.assert(
    fc.property(aLimit, manyMoves, (limits, moves) => {
      const { pushed, started } = play(limits, moves);
      for (let lane = 0; lane < LANES; lane++) {
        const mine = started.filter((start) => start.lane === lane);
        const order = numbers(mine.map(({ event }) => event));
        assert.deepEqual(
          order,
          [...new Set(order)].sort((a, b) => a - b),
        );
        const merged = mine.reduce((sum, start) => sum + start.merged, 0);
        assert.equal(order.length + merged, ofLane(pushed, lane).length);
      }
    }),
  );
});

test('the newest state of each property always runs', () => {
  fc.assert(
    fc.property(aLimit, manyMoves, (limits, moves) => {
      const { pushed, started } = play(limits, moves);
      const ran = new Set(started.map(({ event }) => event.number));
      for (let lane = 0; lane < LANES; lane++) {
        for (const property of ['administrative', 'operational']) {
          const last = ofLane(pushed, lane).findLast((event) => event.property === property);
          assert.ok(last === undefined || ran.has(last.number));
        }
      }
    }),
  );
});

test('within the limit everything runs', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: LANES }), manyMoves, (running, moves) => {
      const { pushed, started } = play({ waiting: 1000, running }, moves);
      assert.equal(started.length, pushed.length);
      assert.ok(started.every(({ merged }) => merged === 0));
    }),
  );
});

test('one at a time: in the order in which they came, over all lanes', () => {
  fc.assert(
    fc.property(manyMoves, (moves) => {
      const { pushed, started } = play({ waiting: 1000, running: 1 }, moves);
      assert.deepEqual(numbers(started.map(({ event }) => event)), numbers(pushed));
    }),
  );
});

test('twenty thousand events of one interface take the room of thirty-two', () => {
  const queue = new EventQueue<Event>({ waiting: MOST_WAITING, running: 1 });
  queue.push(0, { lane: 0, number: 0, property: 'administrative' });
  queue.push(0, { lane: 0, number: 1, property: 'administrative' });
  for (let number = 2; number < 20_000; number++) {
    queue.push(0, { lane: 0, number, property: 'operational' });
    assert.ok(queue.waiting <= MOST_WAITING);
  }
  const first = queue.next();
  // The last word about the administrative state, from long ago.
  assert.equal(first?.event.number, 1);
  assert.equal(first?.merged, 20_000 - MOST_WAITING);
});

test('clear drops what waits and leaves what runs', () => {
  const queue = new EventQueue<Event>({ waiting: 4, running: 1 });
  for (const lane of [0, 0, 1]) queue.push(lane, { lane, number: 0, property: 'operational' });
  assert.equal(queue.next()?.lane, 0);
  assert.equal(queue.clear(), 2);
  assert.deepEqual([queue.waiting, queue.running], [0, 1]);
  queue.done(0);
  assert.equal(queue.next(), null);
});
