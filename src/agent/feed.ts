/** What is told as it comes: to each as fast as it reads, so that a slow one costs no memory. */
import { EverlanError, EXIT } from '../model/problem.ts';
import type { Door } from './door.ts';
import type { Seen } from './protocol.ts';

/** One who is told. */
export interface Outlet {
  /** Whether it has taken everything that was written before. */
  readonly free: boolean;
  write(line: string): void;
}

/** One telling, to be asked again whenever its outlet has become free. */
export interface Telling {
  tell(): void;
  end(): void;
}

const lineOf = (reply: object): string => `${JSON.stringify({ ok: true, ...reply })}\n`;

/** How everything stands now; never throws for what a person can mend. */
export function seenNow(door: Door): Seen {
  const info = door.info();
  try {
    return { info, status: door.status(), problems: [], exitCode: EXIT.done };
  } catch (error) {
    if (!(error instanceof EverlanError)) throw error;
    return { info, status: null, problems: error.problems, exitCode: error.exitCode };
  }
}

/** Looking takes at most this part of the time, however much goes on. */
const SHARE = 4;

/** The newest state, made once for all who watch, and only while somebody does. */
export class StateFeed {
  readonly #door: Door;
  readonly #togetherMs: number;
  readonly #onError: (error: unknown) => void;
  readonly #tellings = new Set<Telling>();
  #line = '';
  #timer: NodeJS.Timeout | undefined;
  #wait: number;
  #off: (() => void) | null = null;

  /** @param togetherMs one look for all the changes that come within this time. */
  constructor(door: Door, togetherMs: number, onError: (error: unknown) => void) {
    this.#door = door;
    this.#togetherMs = togetherMs;
    this.#wait = togetherMs;
    this.#onError = onError;
  }

  /** Tells the state now, and when it has changed. @throws what the door throws that is a defect. */
  open(outlet: Outlet): Telling {
    // Before the first look, so that nothing is missed in between.
    this.#off ??= this.#door.onStatus(() => {
      this.#timer ??= setTimeout(() => this.#lookLater(), this.#wait);
    });
    let told = '';
    const telling: Telling = {
      tell: () => {
        if (!outlet.free || told === this.#line) return;
        told = this.#line;
        outlet.write(told);
      },
      end: () => {
        if (!this.#tellings.delete(telling) || this.#tellings.size > 0) return;
        this.#off?.();
        this.#off = null;
        clearTimeout(this.#timer);
        this.#timer = undefined;
        this.#line = '';
      },
    };
    this.#tellings.add(telling);
    try {
      this.#look();
    } catch (error) {
      telling.end();
      throw error;
    }
    return telling;
  }

  #lookLater(): void {
    try {
      this.#look();
    } catch (error) {
      this.#onError(error);
    }
  }

  #look(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const start = performance.now();
    this.#line = lineOf(seenNow(this.#door));
    this.#wait = Math.max(this.#togetherMs, (performance.now() - start) * SHARE);
    for (const telling of this.#tellings) telling.tell();
  }
}

/** The last events, then each one that comes. What the agent has forgotten before it could be told is missing. */
export function followEvents(door: Door, last: number, outlet: Outlet): Telling {
  const first = last === 0 ? [] : door.events().slice(-last);
  let told = door.events().at(-1)?.number ?? 0;
  const tell = (): void => {
    if (!outlet.free) return;
    const events = door.events().filter(({ number }) => number > told);
    if (events.length === 0) return;
    told = events.at(-1)?.number ?? told;
    outlet.write(lineOf({ events }));
  };
  const off = door.onEvent(tell);
  outlet.write(lineOf({ events: first }));
  return { tell, end: off };
}
