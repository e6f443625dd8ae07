/** The neighbours at home (systemd-networkd, NetworkManager) know which links are ours. */
import { claim, isDue, ourRoot, type Root, setTold, untold } from '../apply/home.ts';
import type { Neighbour } from '../model/neighbour.ts';
import type { Problem } from '../model/problem.ts';
import { keepTold, type TellEvents, type Telling } from '../networkd/reload.ts';

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
   * after one is removed: with those of before and of after, then with those of after; with none at the end.
   * @returns settles when the neighbours that run have read it, or after two seconds; never rejects.
   */
  claim(names: Iterable<string>): Promise<void>;
  /** What was claimed stays claimed. */
  close(): void;
}

export interface HomeEvents {
  /** A warning `neighbour`: a file that cannot be written, or a neighbour that does not read it. */
  problem(problem: Problem): void;
}

class KeptHome implements Home {
  readonly #fabric: string;
  readonly #events: HomeEvents;
  readonly #root: string;
  readonly #telling: Telling;
  /** Whose files were changed, and who have not read them since. */
  readonly #changed = new Set<Neighbour>();
  #names: ReadonlySet<string> | null = null;

  constructor(fabric: string, env: Environment, events: HomeEvents, root: string) {
    this.#fabric = fabric;
    this.#events = events;
    this.#root = root;
    const tell: TellEvents = {
      // It may have been installed a moment ago.
      appears: () => this.#write(),
      due: (neighbour, who) => this.#changed.has(neighbour) || isDue(fabric, neighbour, who, root),
      told: (neighbour, who) => {
        this.#changed.delete(neighbour);
        setTold(fabric, neighbour, who, root);
      },
      failed: (neighbour, { name, message }) => events.problem(untold(neighbour, message || name)),
    };
    this.#telling = keepTold(env, tell);
  }

  #write(): void {
    if (this.#names === null) return;
    const { changed, problems } = claim(this.#fabric, this.#names, this.#root);
    for (const neighbour of changed) this.#changed.add(neighbour);
    for (const problem of problems) this.#events.problem(problem);
  }

  claim(names: Iterable<string>): Promise<void> {
    const wanted = new Set(names);
    if (this.#names !== null && wanted.symmetricDifference(this.#names).size === 0) return Promise.resolve();
    this.#names = wanted;
    this.#write();
    return toldBy(this.#telling);
  }

  close(): void {
    this.#telling.close();
  }
}

const NOBODY: Home = { claim: () => Promise.resolve(), close: () => undefined };

/** Keeps the neighbours told for as long as it is open: also those that start later, or whose bus comes later. */
export function keepHome(fabric: string, env: Environment, events: HomeEvents, root: Root = ourRoot()): Home {
  return root === null ? NOBODY : new KeptHome(fabric, env, events, root);
}
