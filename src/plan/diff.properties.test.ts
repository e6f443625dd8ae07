import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FakeKernel, type FakeOptions, Killed } from '../kernel/fake.ts';
import { contains, type Prefix } from '../model/address.ts';
import { ZERO_MAC } from '../model/mac.ts';
import { isOurs } from '../model/ownership.ts';
import type { HostFacts, HostState, LinkKind, LinkState } from '../model/state.ts';
import { type DiffOptions, diff } from './diff.ts';
import { explain } from './explain.ts';
import { livePair, statePair } from './states.arbitrary.testing.ts';
import { FABRIC, wantedKinds } from './states.testing.ts';

const underlay = (name: string, index: number) => ({ name, index, kind: '', up: true, mtu: 9000, addresses: [] });
const FACTS: HostFacts = {
  hostname: 'alpha',
  links: new Map([
    ['eth0', underlay('eth0', 2)],
    ['eth2', underlay('eth2', 3)],
  ]),
};

function host(state: HostState, options: FakeOptions = {}): FakeKernel {
  return new FakeKernel({ facts: FACTS, state, omniscient: true, ...options });
}

const observe = (kernel: FakeKernel, wanted: ReadonlyMap<string, LinkKind>): HostState =>
  kernel.look().state({ fabric: FABRIC, wanted });

/** Rounds of observe, diff, run until nothing is to be done; fails when the kernel refuses a step. */
function converge(
  kernel: FakeKernel,
  desired: HostState,
  before: HostState,
  options: Partial<DiffOptions> = {},
): number {
  const wanted = wantedKinds(before, desired);
  for (let rounds = 0; ; rounds++) {
    const { steps } = diff(desired, observe(kernel, wanted), { fabric: FABRIC, ...options });
    if (steps.length === 0) return rounds;
    assert.ok(rounds < 2, `not there after two rounds, still: ${steps.map(explain).join('; ')}`);
    const { failures } = kernel.run(steps);
    const told = failures.map((failure) => `${explain(failure.step)}: ${failure.message}`);
    assert.deepEqual(told, [], `of ${steps.map(explain).join('; ')}`);
  }
}

const RUNS = { numRuns: 1500 };

test('a state differs from itself in nothing', () => {
  fc.assert(
    fc.property(statePair, ({ observed, desired }) => {
      for (const state of [observed, desired]) {
        const seen = observe(host(state), wantedKinds(state));
        const { steps, conflicts } = diff(seen, seen, { fabric: FABRIC });
        assert.deepEqual([steps.map(explain), conflicts], [[], []]);
      }
    }),
    RUNS,
  );
});

test('a plan leads from any state to the wanted one', (t) => {
  const rounds = [0, 0, 0];
  fc.assert(
    fc.property(statePair, fc.boolean(), ({ observed, desired }, promote) => {
      const round = converge(host(observed, { promote }), desired, observed);
      rounds[round] = (rounds[round] ?? 0) + 1;
    }),
    RUNS,
  );
  t.diagnostic(`rounds needed: none ${rounds[0]}, one ${rounds[1]}, two ${rounds[2]}`);
});

test('killed before any act or refused at it, the next plan still leads there', () => {
  const trouble = fc.record({ act: fc.integer({ min: 1, max: 12 }), kill: fc.boolean(), batch: fc.constantFrom(1, 8) });
  fc.assert(
    fc.property(statePair, trouble, ({ observed, desired }, { act, kill, batch }) => {
      const kernel = host(observed, kill ? { kill: act } : { fail: { act, errno: 12 }, batch });
      const wanted = wantedKinds(observed, desired);
      const { steps } = diff(desired, observe(kernel, wanted), { fabric: FABRIC });
      let stopped = false;
      try {
        stopped = kernel.run(steps).failures.length > 0;
      } catch (error) {
        assert.ok(error instanceof Killed);
        stopped = true;
      }
      fc.pre(stopped);
      converge(kernel, desired, observed);
    }),
    RUNS,
  );
});

test('the plan back leads to the state before', () => {
  fc.assert(
    fc.property(statePair, ({ observed, desired }) => {
      const kernel = host(observed);
      const wanted = wantedKinds(observed, desired);
      const before = observe(kernel, wanted);
      converge(kernel, desired, observed);
      converge(kernel, before, desired);
      const after = observe(kernel, wanted);
      assert.deepEqual([...after.links.keys()].sort(), [...before.links.keys()].sort());
      assert.deepEqual(diff(before, after, { fabric: FABRIC }).steps, []);
      assert.deepEqual(diff(after, before, { fabric: FABRIC }).steps, []);
    }),
    RUNS,
  );
});

type Table = 'addresses' | 'fdb' | 'neighbours' | 'routes';
const TABLES: readonly Table[] = ['addresses', 'fdb', 'neighbours', 'routes'];

/** Table and key of each stranger's thing on `link` that `want` does not name too. */
function foreignOn(link: LinkState, want: LinkState): { table: Table; key: string }[] {
  return TABLES.flatMap((table) => {
    const items: ReadonlyMap<string, { readonly origin: string }> = link[table];
    const wanted: ReadonlyMap<string, unknown> = want[table];
    return [...items].flatMap(([key, { origin }]) =>
      origin === 'foreign' && !wanted.has(key) ? [{ table, key }] : [],
    );
  });
}

/** Whether the kernel itself takes a thing away with what was wanted, for good. */
function isLost(
  { table, key }: { table: Table; key: string },
  have: LinkState,
  want: LinkState,
  after: LinkState,
): boolean {
  const six = table !== 'fdb' && key.includes(':');
  if (have.up && !want.up && (six || table === 'neighbours' || table === 'routes')) return true;
  if (want.mtu < 1280 && six) return true;
  // A stranger's route ends when the address that its next hop needs goes, and with it the last of the link.
  const via = table === 'routes' ? have.routes.get(key as Prefix)?.via : null;
  if (via && ![...after.addresses.keys()].some((prefix) => contains(prefix, via))) return true;
  return key === `${ZERO_MAC} ${want.vxlan?.remote}`;
}

test('strangers’ things stay on a link that is changed in place, and go with prune', () => {
  fc.assert(
    fc.property(livePair, fc.boolean(), ({ observed, desired }, prune) => {
      const want = desired.links.get('vx0');
      const have = observed.links.get('vx0');
      assert.ok(want !== undefined && have !== undefined);
      const kernel = host(observed);
      converge(kernel, desired, observed, { prune });
      const after = observe(kernel, wantedKinds(desired)).links.get('vx0');
      assert.ok(after !== undefined);
      const stay = foreignOn(after, want);
      const expected = prune ? [] : foreignOn(have, want).filter((thing) => !isLost(thing, have, want, after));
      if (prune) assert.deepEqual(stay, []);
      for (const thing of expected)
        assert.ok(stay.some(({ table, key }) => table === thing.table && key === thing.key));
    }),
    RUNS,
  );
});

test('a link that differs in live attributes alone keeps its index', () => {
  fc.assert(
    fc.property(livePair, ({ observed, desired }) => {
      const kernel = host(observed);
      const index = (): number | undefined => kernel.look().facts.links.get('vx0')?.index;
      const before = index();
      converge(kernel, desired, observed);
      assert.equal(index(), before);
    }),
    RUNS,
  );
});

test('strangers’ links are never touched', () => {
  fc.assert(
    fc.property(statePair, fc.boolean(), ({ observed, desired }, prune) => {
      const kernel = host(observed);
      const wanted = wantedKinds(observed, desired);
      const strangers = (): LinkState[] =>
        [...observe(kernel, wanted).links.values()].filter((link) => link.kind === 'vxlan' && !isOurs(link, FABRIC));
      const before = strangers();
      converge(kernel, desired, observed, { prune });
      assert.deepEqual(strangers(), before);
    }),
    RUNS,
  );
});
