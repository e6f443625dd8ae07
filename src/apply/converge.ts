/** Observe, diff, apply, read back, verify; and undo when it fails. The one place where a host is changed. */
import type { Kernel, Remembered, View } from '../kernel/port.ts';
import type { Desired } from '../model/desired.ts';
import { isGroupMac, ZERO_MAC } from '../model/mac.ts';
import { EverlanError, type Problem, problem } from '../model/problem.ts';
import type { FdbRow, HostState, LinkKind } from '../model/state.ts';
import type { FdbStep, Plan, Step } from '../model/step.ts';
import { diff } from '../plan/diff.ts';
import { explain } from '../plan/explain.ts';
import { bothOf, carriedOver, memoryOf, sameMemory } from './memory.ts';
import { refusal } from './refusals.ts';
import type { Store } from './store.ts';

/**
 * Rounds of observe, diff and apply. The second one heals what the first one's own steps made the kernel drop, the
 * third what somebody else changed meanwhile.
 */
const ROUNDS = 3;

export type Phase = 'observe' | 'diff' | 'apply' | 'verify';

export interface ConvergeOptions {
  /** Take over a stranger's link that can be changed in place. */
  readonly adopt?: boolean;
  /** Remove what strangers put on our links. */
  readonly prune?: boolean;
  /** Names of links that stay as they are, whatever is wanted of them. */
  readonly keep?: ReadonlySet<string>;
  /** Links and addresses that were just read. */
  readonly view?: View;
  readonly progress?: (done: number, total: number) => void;
  /** Told after each phase how many milliseconds it took. */
  readonly timing?: (phase: Phase, ms: number) => void;
  /** Called when steps were carried out, before the look that verifies them. */
  readonly afterRun?: () => void;
  /** Called when the plan is known and can be carried out, before anything is changed. */
  readonly beforeChange?: (observed: HostState, plan: Plan) => void;
}

export interface Looked {
  readonly view: View;
  readonly observed: HostState;
  readonly plan: Plan;
  readonly remembered: Remembered;
  /** What to remember of a host that is as wanted. */
  memory(): Remembered;
}

export interface Report {
  /** What was to be done at the start, and what else turned out to be. */
  readonly plan: Plan;
  /** The state before anything was changed. */
  readonly before: HostState;
  readonly after: HostState;
  /** How often steps were carried out; 0: there was nothing to do. */
  readonly rounds: number;
}

function kindsOf(...states: readonly HostState[]): ReadonlyMap<string, LinkKind> {
  const kinds = new Map<string, LinkKind>();
  for (const { links } of states) for (const { name, kind } of links.values()) kinds.set(name, kind);
  return kinds;
}

function timed<T>(options: ConvergeOptions, phase: Phase, work: () => T): T {
  const start = performance.now();
  try {
    return work();
  } finally {
    options.timing?.(phase, performance.now() - start);
  }
}

/** From so many changed rows on, asking for each costs less than the kernel's dump, which is quadratic. */
const MANY_ROWS = 20_000;

/**
 * The rows to ask for in order to verify that the steps took effect: those that were removed, and all that are wanted.
 * Only links with many of them, and without group rows: asked for one of these, the kernel tells its first VTEP alone.
 */
function rowsToVerify(steps: readonly Step[], wanted: HostState): ReadonlyMap<string, readonly FdbRow[]> {
  const counts = new Map<string, number>();
  const removed: FdbStep[] = [];
  for (const step of steps) {
    if (step.kind !== 'fdb') continue;
    counts.set(step.link, (counts.get(step.link) ?? 0) + 1);
    if (step.action === 'remove') removed.push(step);
  }
  const rows = new Map<string, readonly FdbRow[]>();
  for (const [name, count] of counts) {
    if (count < MANY_ROWS) continue;
    const all = [...(wanted.links.get(name)?.fdb.values() ?? [])];
    for (const { link, row } of removed) if (link === name) all.push(row);
    if (all.every(({ mac }) => mac !== ZERO_MAC && !isGroupMac(mac))) rows.set(name, all);
  }
  return rows;
}

/** As `wanted`, but for the links that stay as they are. */
function keeping({ links: wanted }: HostState, { links: found }: HostState, keep: ReadonlySet<string>): HostState {
  const links = new Map(wanted);
  for (const name of keep) links.delete(name);
  for (const link of found.values()) {
    if (keep.has(link.name) || (link.overlay !== null && keep.has(link.overlay))) links.set(link.name, link);
  }
  return { links };
}

/** What is remembered of links that stay as they are stays as well. */
function memoryKeeping(
  wanted: HostState,
  found: HostState,
  remembered: Remembered,
  keep: ReadonlySet<string>,
): Remembered {
  const { links: own } = memoryOf(wanted, found);
  // Nothing was put onto what was left alone.
  const links = new Map([...own].filter(([name]) => !keep.has(name)));
  for (const [name, link] of remembered.links) {
    const overlay = found.links.get(name)?.overlay ?? null;
    if (keep.has(name) || (overlay !== null && keep.has(overlay))) links.set(name, link);
  }
  return { links };
}

const NONE: ReadonlySet<string> = new Set();

/**
 * What is there and what would change; changes nothing.
 * @param done steps that were just carried out and are to be verified.
 */
export function lookAt(
  kernel: Kernel,
  wanted: Desired,
  store: Store,
  options: ConvergeOptions = {},
  done: readonly Step[] = [],
  remembered = store.remembered(),
): Looked {
  const { fabric, state } = wanted;
  const [view, observed] = timed(options, 'observe', () => {
    const seen = options.view ?? kernel.look();
    return [seen, seen.state({ fabric, wanted: kindsOf(state), remembered, rows: rowsToVerify(done, state) })] as const;
  });
  const { keep = NONE } = options;
  const plan = timed(options, 'diff', () =>
    diff(keep.size === 0 ? state : keeping(state, observed, keep), observed, { ...options, fabric }),
  );
  const memory = (): Remembered =>
    keep.size === 0 ? memoryOf(state, observed) : memoryKeeping(state, observed, remembered, keep);
  return { view, observed, plan, remembered, memory };
}

function unverified(steps: readonly Step[]): Problem {
  const shown = steps.slice(0, 5).map((step) => explain(step));
  const more = steps.length > shown.length ? ` and ${steps.length - shown.length} more` : '';
  return problem('not-verified', `the kernel does not match after ${ROUNDS} rounds: ${shown.join('; ')}${more}`);
}

/**
 * Makes this host match. When the kernel refuses a step, or the host still does not match at the end, everything is
 * put back as it was.
 * @throws EverlanError (exit 1) naming the objects, in the kernel's own words, and whether the undo succeeded.
 */
export function converge(kernel: Kernel, wanted: Desired, store: Store, options: ConvergeOptions = {}): Report {
  const first = lookAt(kernel, wanted, store, options);
  if (first.plan.conflicts.length > 0) throw new EverlanError(first.plan.conflicts);
  const { observed: before, remembered } = first;
  let { plan } = first;
  if (plan.steps.length === 0) {
    const memory = first.memory();
    if (!sameMemory(memory, remembered)) store.remember(memory);
    return { plan, before, after: before, rounds: 0 };
  }
  options.beforeChange?.(before, plan);
  const anew = new Set(plan.steps.filter(({ action }) => action === 'recreate').map(({ link }) => link));
  const memory = bothOf(remembered, first.memory(), anew);
  store.remember(memory);
  let steps = plan.steps;
  for (let round = 1; ; round++) {
    const { failures } = timed(options, 'apply', () => kernel.run(steps, options));
    options.afterRun?.();
    const { view: _, ...again } = options;
    const {
      observed: after,
      plan: rest,
      memory: done,
    } = timed(options, 'verify', () =>
      lookAt(kernel, wanted, store, { ...again, timing: () => undefined }, steps, memory),
    );
    if (rest.conflicts.length === 0 && rest.steps.length === 0) {
      store.remember(done());
      return { plan, before, after, rounds: round };
    }
    const others = othersThan(steps, rest.steps);
    const moved = others.length > 0 && round < ROUNDS;
    const problems = [...(moved ? [] : failures.map(refusal)), ...rest.conflicts];
    if (problems.length === 0 && round === ROUNDS) problems.push(unverified(rest.steps));
    if (problems.length > 0) {
      throw new EverlanError([...problems, ...undoFailed(kernel, wanted, before, remembered, store)]);
    }
    plan = { ...plan, steps: overtaken(plan.steps, others) };
    steps = rest.steps;
  }
}

/**
 * The steps about other things than before. After a refusal they tell that the host was not as it was seen: the kernel takes
 * down what stands on a link before the link itself, and one may look in between.
 */
function othersThan(before: readonly Step[], now: readonly Step[]): readonly Step[] {
  const known = new Set(before.map(aim));
  // What was half made is changed next.
  for (const { kind, link } of before) if (kind === 'link' && known.has(`make ${link}`)) known.add(`change ${link}`);
  return now.filter((step) => !known.has(aim(step)));
}

/** What a step is about, whatever it does and why; but a link that was there and is to be made has gone. */
function aim(step: Step): string {
  if (step.kind === 'link') return `${step.action === 'change' ? 'change' : 'make'} ${step.link}`;
  const { reason: _, ...bare } = step;
  return explain(bare);
}

/** Steps of before and now: of a link that has gone meanwhile, only that it is to be made. */
function overtaken(before: readonly Step[], now: readonly Step[]): readonly Step[] {
  const anew = new Set(now.filter(({ kind, action }) => kind === 'link' && action === 'add').map(({ link }) => link));
  return [...before.filter(({ link, kind }) => kind !== 'link' || !anew.has(link)), ...now];
}

/** What a step of an undo is about: a whole link, or one thing on it. */
const subject = (step: Step): string => (step.kind === 'link' ? step.link : explain(step));

function undoFailed(
  kernel: Kernel,
  wanted: Desired,
  before: HostState,
  remembered: Remembered,
  store: Store,
): readonly Problem[] {
  const left = restore(kernel, wanted.fabric, before, remembered, store, wanted.state);
  if (left.length === 0) return [problem('undone', 'what was done has been undone')];
  return [
    problem('undo-failed', 'not everything could be undone', { hint: '`everlan plan` shows what is left' }),
    ...left,
  ];
}

/** Rounds of an undo: one that the kernel partly refuses goes on with the rest. */
const UNDO_ROUNDS = 16;

/**
 * Brings the host back to an earlier state: the same diff and the same steps, with that state as the wanted one. What the
 * kernel refuses twice is left, with what would stand on it, and the rest is still put back.
 * @param touched names that may have been made since.
 * @returns what could not be put back.
 */
export function restore(
  kernel: Kernel,
  fabric: string,
  before: HostState,
  remembered: Remembered,
  store: Store,
  touched: HostState = { links: new Map() },
): readonly Problem[] {
  const wanted = kindsOf(touched, before);
  const refused = new Map<string, Problem>();
  const hopeless = new Map<string, Problem>();
  for (let round = 1; round <= UNDO_ROUNDS; round++) {
    const now = kernel.look().state({ fabric, wanted, remembered: store.remembered() });
    const { steps } = diff(before, now, { fabric });
    if (steps.length === 0) {
      store.remember(carriedOver(remembered, before, now));
      return [];
    }
    const rest =
      hopeless.size === 0 ? steps : steps.filter((step) => !hopeless.has(step.link) && !hopeless.has(subject(step)));
    if (rest.length === 0 || (hopeless.size === 0 && refused.size === 0 && round > ROUNDS)) break;
    for (const failure of kernel.run(rest).failures) {
      const key = subject(failure.step);
      (refused.has(key) ? hopeless : refused).set(key, refusal(failure));
    }
  }
  if (hopeless.size > 0) return [...hopeless.values()];
  return refused.size > 0 ? [...refused.values()] : [problem('undo-failed', 'somebody else changes the same links')];
}

/** Removes everything that the fabric owns in this namespace. */
export function removeAll(kernel: Kernel, store: Store, options: ConvergeOptions = {}): Report {
  const nothing: Desired = {
    fabric: store.fabric,
    host: '',
    state: { links: new Map() },
    overlays: [],
    warnings: [],
  };
  return converge(kernel, nothing, store, options);
}
