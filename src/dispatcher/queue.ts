/**
 * Which event's scripts may start now. The events of a lane run one after the other in their order; lanes run side by
 * side, or all of them in one order when only one may run. Pure.
 */

export interface Limits {
  /** Events of a lane that wait. From there on the older ones give way, and the newest of each property stays. */
  readonly waiting: number;
  /** Lanes that run at the same time; 1: all events in the order in which they came. */
  readonly running: number;
}

/** Enough for any order of states that a script wants to see, and little enough to be bounded. */
export const MOST_WAITING = 32;
/** So that a host with thousands of links does not start as many scripts at once. */
export const MOST_RUNNING = 64;

export interface Queued {
  readonly property: 'administrative' | 'operational';
}

export interface Start<E> {
  readonly lane: number;
  readonly event: E;
  /** How many older events of the lane gave way since its last start. */
  readonly merged: number;
}

interface Waiting<E> {
  /** Counts up over all lanes. */
  readonly order: number;
  readonly event: E;
}

interface Lane<E> {
  readonly waiting: Waiting<E>[];
  running: boolean;
  merged: number;
}

/** The oldest event that is not the last word about its property. */
function dispensable<E extends Queued>(waiting: readonly Waiting<E>[]): number {
  return waiting.findIndex(({ event }, i) =>
    waiting.some((later, j) => j > i && later.event.property === event.property),
  );
}

export class EventQueue<E extends Queued> {
  readonly #limits: Limits;
  readonly #lanes = new Map<number, Lane<E>>();
  /** Lanes that wait and do not run. */
  readonly #ready = new Set<number>();
  #running = 0;
  #order = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Events whose scripts run. */
  get running(): number {
    return this.#running;
  }

  /** Events that wait. */
  get waiting(): number {
    let count = 0;
    for (const lane of this.#lanes.values()) count += lane.waiting.length;
    return count;
  }

  push(lane: number, event: E): void {
    const found = this.#lanes.get(lane) ?? { waiting: [], running: false, merged: 0 };
    this.#lanes.set(lane, found);
    found.waiting.push({ order: this.#order++, event });
    if (found.waiting.length > this.#limits.waiting) {
      found.waiting.splice(dispensable(found.waiting), 1);
      found.merged++;
    }
    if (!found.running) this.#ready.add(lane);
  }

  /** The next event that may start, now taken as running; null: none may. */
  next(): Start<E> | null {
    if (this.#running >= this.#limits.running) return null;
    let first: number | null = null;
    let order = Number.POSITIVE_INFINITY;
    for (const lane of this.#ready) {
      const head = this.#lanes.get(lane)?.waiting[0];
      if (head === undefined || head.order >= order) continue;
      first = lane;
      order = head.order;
    }
    return first === null ? null : this.#start(first);
  }

  #start(lane: number): Start<E> | null {
    const found = this.#lanes.get(lane);
    const head = found?.waiting.shift();
    if (found === undefined || head === undefined) return null;
    const { merged } = found;
    found.merged = 0;
    found.running = true;
    this.#ready.delete(lane);
    this.#running++;
    return { lane, event: head.event, merged };
  }

  /** The lane's scripts are over. */
  done(lane: number): void {
    const found = this.#lanes.get(lane);
    if (found?.running !== true) return;
    found.running = false;
    this.#running--;
    if (found.waiting.length > 0) this.#ready.add(lane);
    else this.#lanes.delete(lane);
  }

  /** Drops what waits. @returns how many events that were */
  clear(): number {
    const dropped = this.waiting;
    for (const [lane, found] of this.#lanes) {
      found.waiting.length = 0;
      if (!found.running) this.#lanes.delete(lane);
    }
    this.#ready.clear();
    return dropped;
  }
}
