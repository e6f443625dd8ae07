/** Plans from any state to any other on the real kernel: what the fake promises must be what the kernel does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Kernel, Remembered } from '../src/kernel/port.ts';
import type { HostState, LinkState } from '../src/model/state.ts';
import type { Step } from '../src/model/step.ts';
import { diff } from '../src/plan/diff.ts';
import { explain } from '../src/plan/explain.ts';
import { livePair, statePair } from '../src/plan/states.arbitrary.testing.ts';
import { FABRIC, wantedKinds } from '../src/plan/states.testing.ts';
import { needsRoot, type TestHost, testHost } from './support/host.ts';

const RUNS = { numRuns: 150, endOnFailure: true };

/** The underlay devices and the port that the states speak of, wide enough for every MTU in them. */
function host(t: Parameters<typeof testHost>[0]): TestHost {
  const made = testHost(t);
  made.ip('link add eth2 type veth peer name eth1');
  for (const name of ['eth0', 'eth2']) made.ip(`link set ${name} mtu 9000 up`);
  made.ip('link set eth1 up');
  return made;
}

/** Every thing of a state as a step that puts it there, strangers' links and things too. */
function building({ links }: HostState): Step[] {
  const all = [...links.values()];
  const made = all.filter(({ kind }) => kind !== 'port');
  const on = (each: (link: LinkState) => Iterable<Step>): Step[] => made.flatMap((link) => [...each(link)]);
  return [
    ...made.map(
      (to): Step => ({
        kind: 'link',
        action: 'add',
        link: to.name,
        to: to.kind === 'joined' ? { ...to, kind: 'bridge' } : to,
      }),
    ),
    ...all.flatMap(({ name, master }): Step[] =>
      master === null ? [] : [{ kind: 'bridge-port', action: 'add', link: name, bridge: master }],
    ),
    ...on(({ name, addresses }) =>
      Array.from(addresses.values(), (address): Step => ({ kind: 'address', action: 'add', link: name, address })),
    ),
    ...on(({ name, fdb }) =>
      Array.from(fdb.values(), (row): Step => ({ kind: 'fdb', action: 'add', link: name, row })),
    ),
    ...on(({ name, neighbours }) =>
      Array.from(
        neighbours.values(),
        (neighbour): Step => ({ kind: 'neighbour', action: 'add', link: name, neighbour }),
      ),
    ),
    ...on(({ name, routes }) =>
      Array.from(routes.values(), (route): Step => ({ kind: 'route', action: 'add', link: name, route })),
    ),
  ];
}

function run(kernel: Kernel, steps: readonly Step[]): void {
  kernel.look();
  const told = kernel.run(steps).failures.map(({ step, message }) => `${explain(step)}: ${message}`);
  assert.deepEqual(told, [], `of ${steps.map(explain).join('; ')}`);
}

/** The FDB rows of `states` that are ours, as they would have been remembered. */
function remembered(...states: readonly HostState[]): Remembered {
  const links = new Map<
    string,
    { index: number; alias: string; fdb: Set<string>; addresses: Set<string>; master: null }
  >();
  for (const link of states.flatMap((state) => [...state.links.values()])) {
    const { alias } = link;
    const memory = links.get(link.name) ?? { index: 0, alias, fdb: new Set(), addresses: new Set(), master: null };
    for (const [key, row] of link.fdb) if (row.origin === 'ours') memory.fdb.add(key);
    links.set(link.name, memory);
  }
  return { links };
}

class Bench {
  readonly #host: TestHost;
  readonly #memory: Remembered;
  readonly #wanted: ReturnType<typeof wantedKinds>;

  constructor(on: TestHost, ...states: readonly HostState[]) {
    this.#host = on;
    this.#memory = remembered(...states);
    this.#wanted = wantedKinds(...states);
    on.kernel.look();
    for (const name of ['vx0', 'vx1', 'br0']) if (on.kernel.look().facts.links.has(name)) on.ip(`link del ${name}`);
  }

  see(): HostState {
    return this.#host.kernel.look().state({ fabric: FABRIC, wanted: this.#wanted, remembered: this.#memory });
  }

  /** @returns how many rounds it took */
  converge(desired: HostState): number {
    for (let rounds = 0; ; rounds++) {
      const { steps } = diff(desired, this.see(), { fabric: FABRIC });
      if (steps.length === 0) return rounds;
      assert.ok(rounds < 2, `not there after two rounds, still: ${steps.map(explain).join('; ')}`);
      run(this.#host.kernel, steps);
    }
  }
}

test('a plan leads from any state to the wanted one, and back', { skip: needsRoot }, (t) => {
  const made = host(t);
  const rounds = [0, 0, 0];
  const count = (round: number): void => {
    rounds[round] = (rounds[round] ?? 0) + 1;
  };
  fc.assert(
    fc.property(statePair, ({ observed, desired }) => {
      const bench = new Bench(made, observed, desired);
      run(made.kernel, building(observed));
      const before = bench.see();
      assert.deepEqual(diff(before, before, { fabric: FABRIC }).steps, []);
      count(bench.converge(desired));
      count(bench.converge(before));
      const after = bench.see();
      assert.deepEqual([...after.links.keys()].sort(), [...before.links.keys()].sort());
      assert.deepEqual(diff(after, before, { fabric: FABRIC }).steps.map(explain), []);
    }),
    RUNS,
  );
  t.diagnostic(`rounds needed: none ${rounds[0]}, one ${rounds[1]}, two ${rounds[2]}`);
});

test('a link that differs in live attributes alone keeps its index', { skip: needsRoot }, (t) => {
  const made = host(t);
  fc.assert(
    fc.property(livePair, ({ observed, desired }) => {
      const bench = new Bench(made, observed, desired);
      run(made.kernel, building(observed));
      const index = bench.see().links.get('vx0')?.index;
      bench.converge(desired);
      assert.equal(bench.see().links.get('vx0')?.index, index);
    }),
    RUNS,
  );
});
