/**
 * The links that events are about. A kernel index, and a name, may belong to one link after the other; each of these
 * lives is told apart from the ones before. Pure.
 */

/** One link, from when it is first heard of until networkd has forgotten it. */
export interface Life {
  readonly index: number;
  /** The events of a lane run one after the other. A successor in name or index takes over the lane. */
  readonly lane: number;
  /** As last seen. */
  name: string;
  /** As last seen; '' when it was never looked at. */
  type: string;
  gone: boolean;
  /** Whether networkd left the link alone, as far as the events up to now say. */
  unmanaged: boolean;
  /** Events that wait or run. */
  pending: number;
}

export class Lives {
  readonly #present = new Map<number, Life>();
  /** Gone, with events to come. */
  readonly #leaving = new Set<Life>();
  #lanes = 0;

  get(index: number): Life | null {
    return this.#present.get(index) ?? null;
  }

  begin(index: number, name: string): Life {
    const life: Life = {
      index,
      lane: this.#laneOf(index, name) ?? this.#lanes++,
      name,
      type: '',
      gone: false,
      unmanaged: false,
      pending: 0,
    };
    this.#present.set(index, life);
    return life;
  }

  #laneOf(index: number, name: string): number | null {
    let lane: number | null = null;
    // The latest counts: those before it are in its lane already.
    for (const life of this.#leaving) if (life.index === index || life.name === name) lane = life.lane;
    // A link that was renamed while its old name is given to the next one.
    for (const life of this.#present.values()) if (life.name === name && life.pending > 0) lane = life.lane;
    return lane;
  }

  /** networkd has forgotten the link of this index. */
  end(index: number): void {
    const life = this.#present.get(index);
    if (life === undefined) return;
    this.#present.delete(index);
    life.gone = true;
    if (life.pending > 0) this.#leaving.add(life);
  }

  queued(life: Life): void {
    life.pending++;
  }

  handled(life: Life): void {
    life.pending--;
    if (life.pending <= 0) this.#leaving.delete(life);
  }
}
