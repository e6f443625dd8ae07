/** The fabric in force: the file's, the last good one, or what was applied by hand; and why the newest file is not in force. */
import type { Store } from '../apply/store.ts';
import { parseFabric } from '../fabric/parse.ts';
import type { Fabric } from '../model/fabric.ts';
import { EverlanError, EXIT, type Problem, problem } from '../model/problem.ts';
import type { Lock } from '../sys/lock.ts';
import type { Keeper, Force as Kept } from './keeper.ts';
import type { AgentParts } from './parts.ts';
import type { Tongue } from './tongue.ts';
import type { Given } from './trial.ts';

export interface Force extends Kept, Given {
  readonly lock: Lock;
}

export interface InForceEvents {
  /** There is another fabric, or another word about the file. */
  changed(): void;
  /** Whether the first pass is over: until then there is nothing to go back to. */
  isReady(): boolean;
}

/** With the lock of the fabric. */
export async function locked<T>(store: Store, work: () => T | Promise<T>): Promise<T> {
  const lock = await store.lock('everlan agent');
  try {
    return await work();
  } finally {
    lock.release();
  }
}

export class InForce {
  readonly #parts: AgentParts;
  readonly #keeper: Keeper;
  readonly #tongue: Tongue;
  readonly #events: InForceEvents;
  #force: Force | null = null;
  /** What is wrong with the newest file. */
  problems: readonly Problem[] = [];
  /** The last text of the file that was looked at, good or not. */
  seen: string | null = null;
  /** The file is good and could not be taken into force, for a reason that may pass. */
  #hindered = false;

  constructor(parts: AgentParts, keeper: Keeper, tongue: Tongue, events: InForceEvents) {
    this.#parts = parts;
    this.#keeper = keeper;
    this.#tongue = tongue;
    this.#events = events;
  }

  /** null: no good file was ever seen. */
  get force(): Force | null {
    return this.#force;
  }

  /** Whether reading the file again may help. */
  get isHindered(): boolean {
    return this.#hindered;
  }

  /** @throws EverlanError with what is wrong with the file while there is no fabric. */
  known(): Force {
    if (this.#force === null) throw new EverlanError(this.problems, EXIT.usage);
    return this.#force;
  }

  /** The file as it is now counts as looked at. */
  passOver(): void {
    const found = this.#parts.readFile();
    this.seen = found.ok ? found.text : found.problem.message;
  }

  /** Takes the file into force, if it is another one and good. */
  async read(): Promise<void> {
    const { lastGood, file } = this.#parts;
    const found = this.#parts.readFile();
    const text = found.ok ? found.text : found.problem.message;
    const again = this.#hindered;
    if (text === this.seen && !again) return;
    const known = new Set(again && text === this.seen ? this.problems.map(({ message }) => message) : []);
    this.seen = text;
    this.problems = found.ok ? await this.#adoptFile(found.text) : [found.problem];
    this.#events.changed();
    if (this.problems.length === 0) return;
    const good = this.#force === null ? lastGood.load() : null;
    const isBack = good !== null && (await this.adopt(this.given(good.text, good.name))).length === 0;
    const inForce = isBack
      ? `the last good file is in force, not ${file}`
      : this.#force === null
        ? 'there is nothing to go by yet'
        : 'what was in force stays in force';
    const news = this.problems.filter(({ message }) => !known.has(message));
    this.#tongue.problems('file', inForce, news);
    if (!again) this.#events.changed();
  }

  given(text: string, source = this.#parts.file): Given {
    return { text, source, asked: this.#parts.host };
  }

  /** @returns what is wrong with it. */
  async #adoptFile(text: string): Promise<readonly Problem[]> {
    const { file, lastGood } = this.#parts;
    if (lastGood.isUnconfirmed(text)) {
      const hint = '`everlan apply` takes it as it is';
      return [problem('unconfirmed-file', `${file} was applied with --confirm and never confirmed`, { hint })];
    }
    this.#hindered = false;
    const problems = await this.adopt(this.given(text));
    if (problems.length === 0) this.told([lastGood.keep(text)]);
    return problems;
  }

  /** What could not be written is no reason to stop. */
  told(problems: readonly (Problem | null)[]): void {
    const found = problems.filter((one) => one !== null);
    this.#tongue.problems('trouble', 'the last good file cannot be kept', found);
  }

  /**
   * Takes another fabric into force; the next pass does the rest.
   * @returns what is wrong with it: then nothing is changed.
   */
  async adopt(given: Given): Promise<readonly Problem[]> {
    const parsed = parseFabric(Buffer.from(given.text), given.source);
    if (!parsed.ok) return parsed.problems;
    const { fabric } = parsed;
    const old = this.#force;
    try {
      const host = this.#identify(fabric, given.asked);
      const [store, lock] = old?.fabric.name === fabric.name ? [old.store, old.lock] : await this.#take(fabric);
      if (old !== null && old.store !== store) {
        await this.#drop(old).catch((error: unknown) => {
          lock.release();
          this.#hindered = true;
          throw error;
        });
      }
      this.#force = { ...given, fabric, store, lock };
      this.#keeper.begin(host, this.#events.isReady() ? 'fabric' : 'start');
    } catch (error) {
      // At the start there is nothing to go back to: a second agent for the fabric ends here.
      if (!(error instanceof EverlanError) || !this.#events.isReady()) throw error;
      return error.problems;
    }
    this.#events.changed();
    return [];
  }

  /** At first the address or the name that tells may not be there yet; later, a file without this host is a mistake. */
  #identify(fabric: Fabric, asked: string | undefined): string | null {
    try {
      return this.#keeper.identify({ fabric, asked });
    } catch (error) {
      if (!(error instanceof EverlanError) || this.#keeper.host !== null) throw error;
      return null;
    }
  }

  async #take(fabric: Fabric): Promise<[Store, Lock]> {
    const store = this.#parts.openStore(fabric.name);
    return [store, await store.lockAgent()];
  }

  /** The file names another fabric: the one of before goes. */
  async #drop(old: Force): Promise<void> {
    await locked(old.store, () => {
      old.store.setPending(null);
      return this.#keeper.remove(old);
    });
    old.lock.release();
    const message = `the file has no fabric ${old.fabric.name} any more: what it had here is removed`;
    this.#tongue.say({ kind: 'removed', level: 'warning', message });
  }
}
