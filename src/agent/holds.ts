/** Overlays that are left as they are for a while: the kernel refused them, or somebody fights over them. Times in milliseconds. */
import { type Problem, warning } from '../model/problem.ts';

interface Hold {
  readonly why: 'refused' | 'fought';
  readonly until: number;
  /** How often in a row. */
  readonly tries: number;
  readonly problems: readonly Problem[];
}

interface Heals {
  readonly count: number;
  readonly last: number;
}

/** So often an overlay is put right at once; more is a fight. */
const FREE_HEALS = 5;
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 30_000;
/** A fight is over when nothing had to be put right for this long after the last pause. */
const PEACE = 10_000;

const FIRST_RETRY = 1000;
const LONGEST_RETRY = 60_000;

const doubled = (first: number, times: number, most: number): number =>
  Math.min(most, first * 2 ** Math.min(times, 30));

export class Holds {
  readonly #holds = new Map<string, Hold>();
  readonly #heals = new Map<string, Heals>();

  /** The kernel refused it, or somebody is in its place: tried again later. */
  refused(overlay: string, problems: readonly Problem[], now: number): void {
    const before = this.#holds.get(overlay);
    const tries = before?.why === 'refused' ? before.tries + 1 : 0;
    this.#holds.set(overlay, {
      why: 'refused',
      until: now + doubled(FIRST_RETRY, tries, LONGEST_RETRY),
      tries,
      problems,
    });
  }

  /**
   * It was put right again.
   * @returns milliseconds of the pause that follows, 0 while it is no fight.
   */
  healed(overlay: string, now: number): number {
    const before = this.#heals.get(overlay);
    const lull = before === undefined ? Number.POSITIVE_INFINITY : now - before.last;
    const count = before !== undefined && lull < PEACE + this.#pause(before.count) ? before.count + 1 : 1;
    this.#heals.set(overlay, { count, last: now });
    const pause = this.#pause(count);
    if (pause > 0) {
      const message = `${overlay} is changed again and again by somebody else: left alone now and then, ${LONGEST_PAUSE / 1000} s at most`;
      this.#holds.set(overlay, {
        why: 'fought',
        until: now + pause,
        tries: count,
        problems: [warning('fight', message)],
      });
    }
    return pause;
  }

  #pause(count: number): number {
    return count <= FREE_HEALS ? 0 : doubled(FIRST_PAUSE, count - FREE_HEALS - 1, LONGEST_PAUSE);
  }

  /** All but these had their turn. */
  settled(isHeld: ReadonlySet<string>): void {
    for (const overlay of this.#holds.keys()) if (!isHeld.has(overlay)) this.#holds.delete(overlay);
  }

  /** What stood in the way may be gone: refused ones are tried at once, unless they just were. */
  retry(now: number): void {
    for (const [overlay, hold] of this.#holds) {
      if (hold.why !== 'refused') continue;
      const last = hold.until - doubled(FIRST_RETRY, hold.tries, LONGEST_RETRY);
      this.#holds.set(overlay, { ...hold, until: Math.min(hold.until, Math.max(now, last + FIRST_RETRY)) });
    }
  }

  held(now: number): ReadonlySet<string> {
    const held = new Set<string>();
    for (const [overlay, { until }] of this.#holds) if (until > now) held.add(overlay);
    return held;
  }

  /** Milliseconds until the next one is due, 0 for one that became due during a pass that left it alone; null: none waits. */
  nextIn(now: number): number | null {
    let next: number | null = null;
    for (const { until } of this.#holds.values()) next = Math.min(next ?? until, until);
    return next === null ? null : Math.max(0, next - now);
  }

  /** Why overlays are left alone. */
  problems(): readonly Problem[] {
    return [...this.#holds.values()].flatMap(({ problems }) => problems);
  }

  clear(): void {
    this.#holds.clear();
    this.#heals.clear();
  }
}
