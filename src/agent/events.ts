/** What happened lately, numbered, for those who ask and those who listen. */
import type { EventDraft } from './account.ts';
import type { AgentEvent } from './door.ts';

const CAPACITY = 1000;
/** A fresh apply has thousands of steps, and nobody reads the rest later. */
const STEPS_KEPT = 100;

function shorten(event: AgentEvent): AgentEvent {
  const rest = event.steps.length - STEPS_KEPT;
  if (rest <= 0) return event;
  return { ...event, steps: [...event.steps.slice(0, STEPS_KEPT), `and ${rest} more`] };
}

export class Events {
  readonly #kept: AgentEvent[] = [];
  readonly #listeners = new Set<(event: AgentEvent) => void>();
  readonly #now: () => Date;
  #number = 0;

  constructor(now = () => new Date()) {
    this.#now = now;
  }

  add(draft: EventDraft): void {
    const event = { number: ++this.#number, at: this.#now().toISOString(), overlays: [], steps: [], ...draft };
    this.#kept.push(shorten(event));
    if (this.#kept.length > CAPACITY) this.#kept.shift();
    // One who leaves while he is told is told no more, one who comes then is told of the next.
    for (const listener of [...this.#listeners]) if (this.#listeners.has(listener)) listener(event);
  }

  /** The last 1,000, oldest first; of each at most 100 steps. */
  list(): readonly AgentEvent[] {
    return [...this.#kept];
  }

  /** Calls back for each event from now on, with all its steps, until the function returned is called. */
  listen(listener: (event: AgentEvent) => void): () => void {
    // The same function may listen twice.
    const own = (event: AgentEvent): void => listener(event);
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }
}
