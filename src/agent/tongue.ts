/** What the agent says of what happened. The same is said once, however often it comes. */
import type { Problem } from '../model/problem.ts';
import type { EventDraft } from './account.ts';
import { byWhom, type Culprit, type Culprits, namesOf } from './culprits.ts';
import type { EventKind, Waiting } from './door.ts';

/** Shorter pauses are not worth a word. */
const TOLD_PAUSE_MS = 800;
const SHOWN = 3;

function shorten(list: readonly string[]): string {
  const rest = list.length - SHOWN;
  return rest > 0 ? `${list.slice(0, SHOWN).join(', ')} and ${rest} more` : list.join(', ');
}

const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`;

/** With the place in the file, if it has one. */
export function placed({ message, place }: Problem): string {
  return place === undefined ? message : `${place.file}:${place.line}:${place.column}: ${message}`;
}

/** So many of one kind about one overlay are told at once, then one in each period: a link that flaps for days must not fill the journal. */
const AT_ONCE = 20;
const PERIOD_MS = 60_000;

/** What may still be told, and what was not. */
interface Allowance {
  left: number;
  since: number;
  untold: number;
}

export class Tongue {
  readonly #add: (draft: EventDraft) => void;
  readonly #now: () => number;
  /** Kind and overlay → what may still be said. Overlays are those of the fabric, so there are not many. */
  readonly #allowances = new Map<string, Allowance>();
  /** Overlay → what was said of it. */
  readonly #refused = new Map<string, string>();

  /** @param now milliseconds that never go back. */
  constructor(add: (draft: EventDraft) => void, now = () => performance.now()) {
    this.#add = add;
    this.#now = now;
  }

  say(draft: EventDraft): void {
    const key = `${draft.kind} ${draft.overlays?.[0] ?? ''}`;
    const now = this.#now();
    const allowance = this.#allowances.get(key) ?? { left: AT_ONCE, since: now, untold: 0 };
    this.#allowances.set(key, allowance);
    const earned = Math.floor((now - allowance.since) / PERIOD_MS);
    if (earned > 0) {
      allowance.left = Math.min(AT_ONCE, allowance.left + earned);
      allowance.since += earned * PERIOD_MS;
    }
    if (allowance.left === 0) {
      allowance.untold++;
      return;
    }
    allowance.left--;
    const { untold } = allowance;
    allowance.untold = 0;
    this.#add(untold === 0 ? draft : { ...draft, message: `${draft.message} (and ${untold} times before, untold)` });
  }

  /** One event for each problem. */
  problems(kind: EventKind, what: string, problems: readonly Problem[], overlays: readonly string[] = []): void {
    for (const one of problems) {
      const { hint, severity } = one;
      const draft = { kind, level: severity, message: `${what}: ${placed(one)}`, overlays };
      this.say(hint === undefined ? draft : { ...draft, hint });
    }
  }

  refusal(overlay: string, problems: readonly Problem[]): void {
    const text = problems.map(({ message }) => message).join();
    if (this.#refused.get(overlay) === text) return;
    this.#refused.set(overlay, text);
    this.problems('refused', `${overlay} cannot be made as wanted, and is tried again`, problems, [overlay]);
  }

  /** What was said of others than these may be said again. */
  forget(held: ReadonlySet<string>): void {
    for (const overlay of this.#refused.keys()) if (!held.has(overlay)) this.#refused.delete(overlay);
  }

  fight(overlay: string, pauseMs: number, culprits: readonly Culprit[], all: Pick<Culprits, 'residents'>): void {
    if (pauseMs < TOLD_PAUSE_MS) return;
    const who = byWhom(culprits);
    const others = who === '' ? namesOf(all.residents()) : '';
    const suspects = others === '' ? '' : `; these could do it: ${others}`;
    this.say({
      kind: 'fight',
      level: 'warning',
      message: `${overlay} is changed again and again${who === '' ? '' : ` ${who}`}: left alone for ${seconds(pauseMs)}`,
      hint: `stop the other program, or take ${overlay} out of the file${suspects}`,
      overlays: [overlay],
    });
  }

  waiting(now: readonly Waiting[], before: readonly Waiting[]): void {
    const known = new Set(before.map(({ overlay, reason }) => `${overlay} ${reason}`));
    const news = now.filter(({ overlay, reason }) => !known.has(`${overlay} ${reason}`));
    for (const [reason, list] of Map.groupBy(news, (one) => one.reason)) {
      const overlays = list.map(({ overlay }) => overlay);
      const message = `${shorten(overlays)} ${overlays.length === 1 ? 'waits' : 'wait'}: ${reason}`;
      const hint = list[0]?.hint;
      const draft = { kind: 'waiting', level: 'warning', message, overlays } as const;
      this.say(hint === undefined ? draft : { ...draft, hint });
    }
  }
}
