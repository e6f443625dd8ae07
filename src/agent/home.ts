/** The neighbours at home (systemd-networkd, NetworkManager) know which links are ours. */

import { areReached } from '../apply/conflicts.ts';
import { claim, isDue, ourRoot, type Root, setTold, untold } from '../apply/home.ts';
import type { Neighbour } from '../model/neighbour.ts';
import type { Problem } from '../model/problem.ts';
import { keepTold, type Telling } from '../networkd/reload.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The marks of a boot are tens of milliseconds; what takes this long must not keep an overlay from coming up. */
const PATIENCE_MS = 2000;

/** Settles when all who run were told, or have no time for it. */
function toldBy(telling: Telling): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, PATIENCE_MS);
  telling.tell(() => resolve());
  return promise.finally(() => clearTimeout(timer));
}

/** Tells those whose files were changed, once. @returns warnings `neighbour`; never rejects. */
export async function tellOnce(
  fabric: string,
  changed: readonly Neighbour[],
  env: Environment,
  root = '',
): Promise<readonly Problem[]> {
  if (changed.length === 0) return [];
  const problems: Problem[] = [];
  const telling = keepTold(env, {
    appears: () => undefined,
    due: (neighbour) => changed.includes(neighbour),
    told: (neighbour, who) => setTold(fabric, neighbour, who, root),
    failed: (neighbour, { name, message }) => problems.push(untold(neighbour, message || name)),
  });
  await toldBy(telling);
  telling.close();
  return problems;
}

export interface Home {
  /**
   * Says which links are the fabric's; nothing when they are the same as before. To be called before a link is made and
   * after one is removed: with those of before and of after, then with those of after.
   * @returns warnings `neighbour`, when the neighbours that run have read it, or after two seconds; never rejects.
   */
  claim(fabric: string, names: Iterable<string>): Promise<readonly Problem[]>;
  /** The fabric's links are gone. Settles like `claim`. */
  release(fabric: string): Promise<readonly Problem[]>;
  /** What was claimed stays claimed. */
  close(): void;
}

class KeptHome implements Home {
  readonly #root: string;
  readonly #onProblem: (problem: Problem) => void;
  readonly #telling: Telling;
  /** Fabric → the names that were last claimed. */
  readonly #claimed = new Map<string, ReadonlySet<string>>();
  /** Whose files were changed, and who have not read them since. */
  readonly #changed = new Set<Neighbour>();
  /** What went wrong since somebody waits for it; null: nobody does. */
  #found: Problem[] | null = null;

  constructor(env: Environment, onProblem: (problem: Problem) => void, root: string) {
    this.#root = root;
    this.#onProblem = onProblem;
    this.#telling = keepTold(env, {
      // It may have been installed a moment ago.
      appears: () => this.#writeAll(),
      due: (neighbour, who) =>
        this.#changed.has(neighbour) || [...this.#claimed.keys()].some((fabric) => isDue(fabric, neighbour, who, root)),
      told: (neighbour, who) => {
        this.#changed.delete(neighbour);
        for (const fabric of this.#claimed.keys()) setTold(fabric, neighbour, who, root);
      },
      failed: (neighbour, { name, message }) => this.#wrong(untold(neighbour, message || name)),
    });
  }

  #wrong(problem: Problem): void {
    if (this.#found === null) this.#onProblem(problem);
    else this.#found.push(problem);
  }

  #write(fabric: string, names: Iterable<string>): void {
    const { changed, problems } = claim(fabric, names, this.#root);
    for (const neighbour of changed) this.#changed.add(neighbour);
    for (const problem of problems) this.#wrong(problem);
  }

  #writeAll(): void {
    for (const [fabric, names] of this.#claimed) this.#write(fabric, names);
  }

  async claim(fabric: string, names: Iterable<string>): Promise<readonly Problem[]> {
    const wanted = new Set(names);
    if (this.#claimed.get(fabric)?.symmetricDifference(wanted).size === 0) return [];
    this.#claimed.set(fabric, wanted);
    const found: Problem[] = [];
    this.#found = found;
    this.#write(fabric, wanted);
    const told = toldBy(this.#telling);
    // Early at boot the bus may take long to come, and mostly nobody would touch the links anyway.
    if (wanted.size === 0 || areReached(fabric, [...wanted], this.#root)) await told;
    if (this.#found === found) this.#found = null;
    if (wanted.size === 0) this.#claimed.delete(fabric);
    return found;
  }

  release(fabric: string): Promise<readonly Problem[]> {
    return this.claim(fabric, []);
  }

  close(): void {
    this.#telling.close();
  }
}

const nothing = (): Promise<readonly Problem[]> => Promise.resolve([]);
const NOBODY: Home = { claim: nothing, release: nothing, close: () => undefined };

/**
 * Keeps the neighbours told for as long as it is open: also those that start later, or whose bus comes later.
 * @param onProblem told what goes wrong while nobody waits for `claim` or `release`.
 */
export function keepHome(env: Environment, onProblem: (problem: Problem) => void, root: Root = ourRoot()): Home {
  return root === null ? NOBODY : new KeptHome(env, onProblem, root);
}
