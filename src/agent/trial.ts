/** The change on trial (`apply --confirm`): what to go back to, and what became of it when others than us decided. */
import type { Store, Trial } from '../apply/store.ts';
import type { Problem } from '../model/problem.ts';
import type { AgentParts } from './parts.ts';

/** A fabric file, and which of its hosts we were told to be. */
export interface Given {
  readonly text: string;
  /** Where it came from, for people. */
  readonly source: string;
  readonly asked: string | undefined;
}

/** How things stood before it. */
export interface Before {
  /** null: there was no fabric in force. */
  readonly given: Given | null;
  /** The last text of the watched file that was looked at. */
  readonly seen: string | null;
  readonly fileProblems: readonly Problem[];
  readonly suspended: boolean;
}

export interface OnTrial {
  /** The guard's. */
  readonly token: string;
  readonly text: string;
  readonly before: Before;
}

/** What became of a trial: nothing yet, or what somebody else decided, such as a guard that could not ask us. */
export type Fate = 'waits' | 'confirmed' | 'undone';

export class Trials {
  readonly #lastGood: AgentParts['lastGood'];
  readonly #told: (problems: readonly (Problem | null)[]) => void;
  #now: OnTrial | null = null;

  /** @param told what could not be kept over a reboot. */
  constructor(lastGood: AgentParts['lastGood'], told: (problems: readonly (Problem | null)[]) => void) {
    this.#lastGood = lastGood;
    this.#told = told;
  }

  get now(): OnTrial | null {
    return this.#now;
  }

  begin(store: Store, token: string, before: Before, trial: Pick<Trial, 'text' | 'file' | 'host'>): void {
    this.#now = { token, text: trial.text, before };
    store.setTrial({ ...trial, suspended: before.suspended });
    this.#told([this.#lastGood.markUnconfirmed(trial.text)]);
  }

  /** Goes on with one that began with an agent before us. @param given what to go back to. */
  resume(token: string, { text, suspended = false }: Trial, given: Given): void {
    this.#now = { token, text, before: { given, seen: null, fileProblems: [], suspended } };
  }

  fate(store: Store): Fate {
    if (this.#now === null || store.pending()?.token === this.#now.token) return 'waits';
    return store.trial()?.confirmed === true ? 'confirmed' : 'undone';
  }

  /** Ours or not: nothing is on trial any more. */
  end(store: Store): void {
    store.setPending(null);
    store.setTrial(null);
    this.#now = null;
  }

  /** The text is good. */
  keep(text: string): void {
    this.#told([this.#lastGood.clearUnconfirmed(text), this.#lastGood.keep(text)]);
  }
}
