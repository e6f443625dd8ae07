/** What is asked of the agent: apply, confirm, revert, down; and what becomes of a change on trial. */
import { restore } from '../apply/converge.ts';
import { confirm, pendingProblem, settle } from '../apply/guard.ts';
import { parseFabric } from '../fabric/parse.ts';
import { EverlanError, EXIT, type Problem, problem } from '../model/problem.ts';
import type { Plan } from '../model/step.ts';
import type { ApplyReply, ApplyRequest } from './door.ts';
import { type Force, type InForce, locked } from './in-force.ts';
import type { Keeper, Passed, Wish } from './keeper.ts';
import type { AgentParts } from './parts.ts';
import type { Tongue } from './tongue.ts';
import type { Before, Trials } from './trial.ts';

/** The loop, as far as requests need it. */
export interface Loop {
  /** A pass now. @throws EverlanError about no single overlay. */
  work(wish: Wish): Promise<Passed | null>;
  /** Soon. */
  poke(): void;
  /** Everything may stand otherwise: who asks how, is told. */
  report(): void;
  trouble(error: unknown): void;
  setMode(force: Force): void;
}

const NOTHING_BEFORE = { given: null, suspended: true } as const;

const guardGone = (): Problem =>
  problem('no-guard', 'the time of --confirm was over before the change was begun: nothing was changed', {
    hint: 'give it more time',
  });

/** Its methods are called one after the other. */
export class Desk {
  readonly #parts: AgentParts;
  readonly #inForce: InForce;
  readonly #trials: Trials;
  readonly #keeper: Keeper;
  readonly #tongue: Tongue;
  readonly #loop: Loop;

  constructor(
    parts: AgentParts,
    { inForce, trials, keeper, tongue }: { inForce: InForce; trials: Trials; keeper: Keeper; tongue: Tongue },
    loop: Loop,
  ) {
    this.#parts = parts;
    this.#inForce = inForce;
    this.#trials = trials;
    this.#keeper = keeper;
    this.#tongue = tongue;
    this.#loop = loop;
  }

  /** Looks at the file, unless a change is on trial: that is neither replaced nor helped, and afterwards the file is read again. */
  async readFile(): Promise<void> {
    if (this.#trials.now === null) await this.#inForce.read();
  }

  async apply({ text, file, host, adopt, prune, trial }: ApplyRequest): Promise<ApplyReply> {
    const before = this.#inForce.force;
    const pending = before?.store.pending() ?? null;
    if (pending !== null && pending.token !== trial) throw new EverlanError(pendingProblem(pending));
    if (pending === null && trial !== null) throw new EverlanError(guardGone());
    const suspended = before?.store.suspended() === true;
    const { seen, problems: fileProblems } = this.#inForce;
    const problems = await this.#inForce.adopt({ text, source: file, asked: host ?? this.#parts.host });
    if (problems.length > 0) throw new EverlanError(problems, EXIT.usage);
    const force = this.#inForce.known();
    force.store.setSuspended(false);
    const earlier = { given: before, seen, fileProblems, suspended };
    if (trial !== null) this.#trials.begin(force.store, trial, earlier, { text, file, host: host ?? null });
    try {
      const passed = await this.#loop.work({ adopt, prune });
      if (passed === null || passed.refused.length > 0) throw new EverlanError(passed?.refused ?? this.#unknownHost());
      if (pending !== null) settle(force.store, pending, passed.report.after);
      else this.#trials.keep(text);
      this.#inForce.problems = [];
      this.#loop.report();
      const { plan } = passed.report;
      return {
        fabric: force.fabric.name,
        host: passed.host,
        plan,
        warnings: passed.desired.warnings,
        waiting: this.#keeper.waiting,
      };
    } catch (error) {
      if (trial !== null) this.#trials.end(force.store);
      if (before !== null) await this.#inForce.adopt(before);
      if (suspended) {
        this.#inForce.known().store.setSuspended(true);
        await this.#suspend().catch((left: unknown) => this.#loop.trouble(left));
      }
      throw error;
    }
  }

  #unknownHost(): Problem {
    return problem('not-applied', this.#keeper.waiting[0]?.reason ?? 'this host is not known yet');
  }

  /** A change was on trial when an agent before us ended. @returns whether it goes on. */
  async resume(): Promise<boolean> {
    const good = this.#parts.lastGood.load();
    const parsed = good === null ? null : parseFabric(Buffer.from(good.text), good.name);
    if (good === null || parsed === null || !parsed.ok) return false;
    const store = this.#parts.openStore(parsed.fabric.name);
    const [trial, pending] = [store.trial(), store.pending()];
    if (trial === null) return false;
    if (pending === null) {
      // Decided while there was no agent.
      if (trial.confirmed === true) this.#trials.keep(trial.text);
      this.#trials.end(store);
      return false;
    }
    const problems = await this.#inForce.adopt({
      text: trial.text,
      source: trial.file,
      asked: trial.host ?? undefined,
    });
    if (problems.length > 0) return false;
    this.#trials.resume(pending.token, trial, this.#inForce.given(good.text, good.name));
    this.#inForce.passOver();
    return true;
  }

  /** Others may have decided about what is on trial. */
  async hear(): Promise<void> {
    const { now } = this.#trials;
    const { force } = this.#inForce;
    if (force === null || now === null) return;
    const { store } = force;
    const fate = this.#trials.fate(store);
    if (fate === 'waits') return;
    if (fate === 'confirmed') this.#trials.keep(now.text);
    this.#trials.end(store);
    if (fate === 'confirmed') await this.#confirmed();
    else await this.#goBack(now.before);
  }

  async #confirmed(): Promise<void> {
    this.#tongue.say({ kind: 'trial', level: 'info', message: `${this.#inForce.known().source} is confirmed` });
    // It may have changed meanwhile.
    await this.readFile();
    this.#loop.poke();
  }

  /** The host is as it was before. */
  async #goBack({ given, seen, fileProblems, suspended }: Before): Promise<void> {
    const { source, store } = this.#inForce.known();
    this.#tongue.say({ kind: 'trial', level: 'warning', message: `${source} was not confirmed in time: it is undone` });
    const problems = given === null ? [] : await this.#inForce.adopt(given);
    this.#tongue.problems('trial', 'what was in force before cannot be again', problems);
    if (given === null || suspended) store.setSuspended(true);
    this.#inForce.seen = seen;
    this.#inForce.problems = fileProblems;
    await this.readFile();
    this.#loop.poke();
  }

  async confirm(): Promise<void> {
    const force = this.#inForce.known();
    const { store, text } = force;
    await locked(store, () => confirm(store));
    this.#trials.keep(text);
    this.#trials.end(store);
    this.#loop.setMode(force);
    await this.#confirmed();
  }

  /** @returns what could not be put back. */
  async revert(token: string): Promise<readonly Problem[]> {
    const { store, fabric } = this.#inForce.known();
    const pending = store.pending();
    if (pending === null || pending.token !== token) return [];
    const before = this.#trials.now?.before ?? {
      ...NOTHING_BEFORE,
      seen: this.#inForce.seen,
      fileProblems: this.#inForce.problems,
    };
    const left = await locked(store, () => {
      const rest = restore(this.#keeper.kernel, fabric.name, pending.before, pending.remembered, store);
      this.#trials.end(store);
      return rest;
    });
    this.#tongue.problems('trial', 'not put back', left);
    await this.#goBack(before);
    return left;
  }

  /** Removes what the fabric in force has here, and lets it rest. */
  async #suspend(): Promise<Plan> {
    const force = this.#inForce.known();
    const { store } = force;
    return locked(store, async () => {
      this.#trials.end(store);
      const { plan } = await this.#keeper.remove(force);
      store.setSuspended(true);
      this.#loop.setMode(force);
      return plan;
    });
  }

  async down(): Promise<Plan> {
    const plan = await this.#suspend();
    const message = `${this.#inForce.known().fabric.name} is taken down until the next apply or boot`;
    this.#tongue.say({ kind: 'removed', level: 'info', message });
    this.#loop.report();
    return plan;
  }
}
