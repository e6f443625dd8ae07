/** What endangers the overlays though their links are as wanted, and no agent can mend: looked for now and then, told once. */
import type { Desired } from '../model/desired.ts';
import type { Problem } from '../model/problem.ts';
import type { HostFacts } from '../model/state.ts';
import { keyOfOthers } from './links.ts';
import type { Tongue } from './tongue.ts';

/** Another machine may take our address at any time. */
const AGAIN_MS = 600_000;
/** Changes come in bursts, and looking asks the network. */
const SETTLE_MS = 200;

export type LookForHazards = (facts: HostFacts, desired: Desired) => Promise<readonly Problem[]>;

/** All that hazards depend on and this host knows of. */
function keyOf(facts: HostFacts, { overlays }: Desired): string {
  const own = new Set(overlays.flatMap(({ name, addressed }) => [name, addressed]));
  return `${keyOfOthers(facts, own)} ${[...own].join(' ')}`;
}

export class Hazards {
  readonly #look: LookForHazards;
  readonly #tongue: Tongue;
  readonly #onNews: () => void;
  #key = '';
  #latest: readonly [HostFacts, Desired] | null = null;
  #timer: NodeJS.Timeout | undefined;
  #problems: readonly Problem[] = [];
  #looking = false;
  #closed = false;

  /** @param onNews called when `problems` has become another list. */
  constructor(look: LookForHazards, tongue: Tongue, onNews: () => void) {
    this.#look = look;
    this.#tongue = tongue;
    this.#onNews = onNews;
  }

  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** The host as it is now. */
  saw(facts: HostFacts, desired: Desired): void {
    const key = keyOf(facts, desired);
    this.#latest = [facts, desired];
    if (key === this.#key) return;
    this.#key = key;
    this.#lookIn(SETTLE_MS);
  }

  #lookIn(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    // Nobody waits for it: it keeps no process alive.
    this.#timer = setTimeout(() => void this.#lookNow(), ms).unref();
  }

  async #lookNow(): Promise<void> {
    this.#timer = undefined;
    if (this.#latest === null) return;
    if (this.#looking) {
      this.#lookIn(SETTLE_MS);
      return;
    }
    this.#looking = true;
    const known = new Set(this.#problems.map(({ message }) => message));
    try {
      const found = await this.#look(...this.#latest);
      if (this.#closed) return;
      this.#tongue.problems(
        'trouble',
        'beware',
        found.filter(({ message }) => !known.has(message)),
      );
      const isNews = found.length !== known.size || found.some(({ message }) => !known.has(message));
      this.#problems = found;
      if (isNews) this.#onNews();
    } catch {
      // The kernel or a file could not be asked: the next time is soon enough for what nobody waits for.
    }
    this.#looking = false;
    // Unless the host changed meanwhile, and a look is due soon.
    if (this.#timer === undefined) this.#lookIn(AGAIN_MS);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }
}
