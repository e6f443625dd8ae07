/** The agent: which fabric is in force, what is on trial, and when the keeper works. Hints come in, a pass follows. */

import { restore } from '../apply/converge.ts';
import { confirm, pendingProblem, settle } from '../apply/guard.ts';
import type { Store } from '../apply/store.ts';
import { parseFabric } from '../fabric/parse.ts';
import type { Hint } from '../kernel/hints.ts';
import type { Fabric } from '../model/fabric.ts';
import { EverlanError, EXIT, type Problem, problem } from '../model/problem.ts';
import type { Status } from '../model/status.ts';
import type { Plan } from '../model/step.ts';
import type { Lock } from '../sys/lock.ts';
import type { AgentEvent, AgentInfo, AgentMode, ApplyReply, ApplyRequest, Door } from './door.ts';
import { Hazards } from './hazards.ts';
import { Keeper, type Force as Kept, type Passed, type Wish } from './keeper.ts';
import { Pacer } from './pacer.ts';
import type { AgentParts } from './parts.ts';
import { placed, Tongue } from './tongue.ts';
import { type Before, type Given, Trials } from './trial.ts';

interface Force extends Kept, Given {
  readonly lock: Lock;
}

/** Until the next try after a pass that failed. */
const RETRY_MS = 1000;

/** While it is not known which host this is: the kernel does not tell of a new hostname. */
const NAMELESS_MS = 2000;

const NOTHING_BEFORE = { given: null, suspended: true } as const;

const guardGone = (): Problem =>
  problem('no-guard', 'the time of --confirm was over before the change was begun: nothing was changed', {
    hint: 'give it more time',
  });

export class Agent implements Door {
  readonly #parts: AgentParts;
  readonly #since = new Date().toISOString();
  readonly #tongue: Tongue;
  readonly #keeper: Keeper;
  readonly #hazards: Hazards;
  readonly #pacer = new Pacer(() => this.#pass());
  readonly #statusListeners = new Set<() => void>();
  #force: Force | null = null;
  #mode: AgentMode = 'running';
  readonly #trials: Trials;
  /** What is wrong with the newest file. */
  #fileProblems: readonly Problem[] = [];
  /** What went wrong in the last pass. */
  #troubles: readonly Problem[] = [];
  /** The last text that was looked at, good or not. */
  #seen: string | null = null;
  /** The file is good and could not be taken into force, for a reason that may pass. */
  #hindered = false;
  #stirred = false;
  #isReady = false;
  #unwatch: (() => void) | null = null;
  /** Requests, file changes and passes come one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: AgentParts) {
    this.#parts = parts;
    this.#tongue = new Tongue((draft) => parts.events.add(draft));
    this.#keeper = new Keeper(parts, this.#tongue);
    this.#trials = new Trials(parts.lastGood, (problems) => this.#told(problems));
    this.#hazards = new Hazards(parts.hazards, this.#tongue, () => this.#report());
  }

  /** @throws EverlanError when the fabric has an agent already. */
  async start(): Promise<void> {
    this.#tongue.say({ kind: 'started', level: 'info', message: `keeps this host as ${this.#parts.file} says` });
    await this.#inTurn(async () => {
      if (!(await this.#resumeTrial())) await this.#readFile();
    });
    this.#pacer.poke();
  }

  /** Leaves everything as it is. */
  async stop(): Promise<void> {
    this.#pacer.close();
    this.#hazards.close();
    await this.#turn;
    this.#unwatch?.();
    this.#force?.lock.release();
    this.#keeper.close();
    this.#tongue.say({ kind: 'stopped', level: 'info', message: 'stopped; the overlays stay as they are' });
  }

  /** Something changed in the kernel. The hint is used again by the caller. */
  hint(hint: Hint): void {
    if (this.#keeper.concerns(hint)) this.#stirred = true;
  }

  /** All hints of the moment were given. */
  settled(): void {
    if (!this.#stirred) return;
    this.lookAgain();
  }

  /** Hints were lost. */
  lookAgain(): void {
    this.#stirred = false;
    this.#tellStatus();
    this.#pacer.poke();
  }

  /** The file may be another one. */
  fileChanged(): Promise<void> {
    return this.#inTurn(() => this.#readFile());
  }

  /** Reads the file again, and tries at once what was refused. */
  async reload(): Promise<void> {
    this.#parts.service.reloading();
    this.#seen = null;
    this.#keeper.retry();
    await this.fileChanged();
    await this.#pass();
    this.#parts.service.ready();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  // The file.

  async #readFile(): Promise<void> {
    const { lastGood, file } = this.#parts;
    // An unconfirmed change is neither replaced nor helped; afterwards the file is read again.
    if (this.#trials.now !== null) return;
    const found = this.#parts.readFile();
    const text = found.ok ? found.text : found.problem.message;
    const again = this.#hindered;
    if (text === this.#seen && !again) return;
    const known = new Set(again && text === this.#seen ? this.#fileProblems.map(({ message }) => message) : []);
    this.#seen = text;
    this.#fileProblems = found.ok ? await this.#adoptFile(found.text) : [found.problem];
    this.#tellStatus();
    if (this.#fileProblems.length === 0) return;
    const good = this.#force === null ? lastGood.load() : null;
    const isBack = good !== null && (await this.#adopt(this.#given(good.text, good.name))).length === 0;
    const inForce = isBack
      ? `the last good file is in force, not ${file}`
      : this.#force === null
        ? 'there is nothing to go by yet'
        : 'what was in force stays in force';
    const news = this.#fileProblems.filter(({ message }) => !known.has(message));
    this.#tongue.problems('file', inForce, news);
    if (!again) this.#pacer.poke();
  }

  #given(text: string, source = this.#parts.file): Given {
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
    const problems = await this.#adopt(this.#given(text));
    if (problems.length === 0) this.#told([lastGood.keep(text)]);
    return problems;
  }

  /** What could not be written is no reason to stop. */
  #told(problems: readonly (Problem | null)[]): void {
    const found = problems.filter((one) => one !== null);
    this.#tongue.problems('trouble', 'the last good file cannot be kept', found);
  }

  /**
   * Takes another fabric into force; the next pass does the rest.
   * @returns what is wrong with it: then nothing is changed.
   */
  async #adopt(given: Given): Promise<readonly Problem[]> {
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
      this.#keeper.begin(host, this.#isReady ? 'fabric' : 'start');
    } catch (error) {
      // At the start there is nothing to go back to: a second agent for the fabric ends here.
      if (!(error instanceof EverlanError) || !this.#isReady) throw error;
      return error.problems;
    }
    this.#pacer.poke();
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
    await this.#locked(old.store, () => {
      old.store.setPending(null);
      return this.#keeper.remove(old);
    });
    old.lock.release();
    const message = `the file has no fabric ${old.fabric.name} any more: what it had here is removed`;
    this.#tongue.say({ kind: 'removed', level: 'warning', message });
  }

  // The loop.

  /** Never rejects: what nobody expected must not end the agent. */
  #pass(): Promise<void> {
    return this.#inTurn(async () => {
      try {
        await this.#hearOfTrial();
        if (this.#hindered) await this.#readFile();
        this.#wakeAfter(await this.#work({}));
        this.#troubles = [];
      } catch (error) {
        this.#trouble(error);
      }
      this.#report();
    });
  }

  #wakeAfter(passed: Passed | null): void {
    if (passed?.stale === true) this.#pacer.poke();
    if (this.#hindered) this.#pacer.wakeIn(RETRY_MS);
    if (this.#force !== null && this.#keeper.host === null) this.#pacer.wakeIn(NAMELESS_MS);
    const next = passed === null ? null : this.#keeper.nextIn();
    if (next !== null) this.#pacer.wakeIn(next);
  }

  async #locked<T>(store: Store, work: () => T | Promise<T>): Promise<T> {
    const lock = await store.lock('everlan agent');
    try {
      return await work();
    } finally {
      lock.release();
    }
  }

  async #work(wish: Wish): Promise<Passed | null> {
    const force = this.#force;
    if (force === null) return null;
    const passed = await this.#locked(force.store, () => {
      this.#setMode(force);
      return this.#mode === 'suspended' || this.#mode === 'paused' ? null : this.#keeper.pass(force, wish);
    });
    if (passed === null) this.#keeper.forget();
    else this.#hazards.saw(passed.facts, passed.desired);
    return passed;
  }

  #trouble(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    const problems = error instanceof EverlanError ? error.problems : [problem('trouble', message)];
    const isNew = problems.some(({ message }) => !this.#troubles.some((known) => known.message === message));
    this.#troubles = problems;
    if (isNew) this.#tongue.problems('trouble', 'a look at this host failed, and is tried again', problems);
    try {
      this.#keeper.reopen();
    } catch {
      // No socket to be had right now: the old one, if it still works, is what there is.
    }
    this.#pacer.wakeIn(RETRY_MS);
  }

  #setMode({ store }: Force): void {
    const mode = store.suspended()
      ? 'suspended'
      : store.pending() === null
        ? 'running'
        : this.#trials.now === null
          ? 'paused'
          : 'trial';
    const before = this.#mode;
    if (mode === before) return;
    this.#mode = mode;
    this.#unwatch?.();
    const isPending = mode === 'paused' || mode === 'trial';
    // Others may decide: the guard, where it could not ask us, or who confirmed while there was no agent to be asked.
    this.#unwatch = isPending ? this.#parts.watchFile(store.pendingFile, () => this.#pacer.poke()) : null;
    if (mode === 'paused') {
      const message = 'a change that was made without the agent waits to be confirmed: nothing is touched until then';
      this.#tongue.say({ kind: 'trial', level: 'warning', message });
    }
  }

  #report(): void {
    const { service } = this.#parts;
    service.status(this.#statusLine());
    this.#tellStatus();
    if (this.#isReady) return;
    this.#isReady = true;
    service.ready();
    this.#tongue.say({ kind: 'ready', level: 'info', message: this.#statusLine() });
  }

  #problems(): readonly Problem[] {
    return [...this.#fileProblems, ...this.#troubles, ...this.#keeper.problems(), ...this.#hazards.problems];
  }

  /** One line for systemctl. */
  #statusLine(): string {
    const [first] = this.#problems();
    const wrong = first === undefined ? '' : `; ${placed(first)}`;
    if (this.#force === null) return `waits for a good ${this.#parts.file}${wrong}`;
    const { host, waiting, links } = this.#keeper;
    const where = `${this.#force.fabric.name}${host === null ? '' : ` on ${host}`}`;
    if (this.#mode === 'suspended') return `${where}: taken down until the next apply or boot${wrong}`;
    if (this.#mode === 'paused') return `${where}: a change waits to be confirmed${wrong}`;
    const trial = this.#mode === 'trial' ? ', a change waits to be confirmed' : '';
    const waits = waiting[0] === undefined ? '' : `, ${waiting.length} waiting: ${waiting[0].reason}`;
    const file = this.#fileProblems.length === 0 ? 'the file' : 'the last good file';
    return `${where}: ${links} ${links === 1 ? 'link' : 'links'} as ${file} says${waits}${trial}${wrong}`;
  }

  #tellStatus(): void {
    for (const listener of this.#statusListeners) listener();
  }

  // The door.

  info(): AgentInfo {
    const { file, version } = this.#parts;
    return {
      pid: process.pid,
      since: this.#since,
      version,
      mode: this.#mode,
      fabric: this.#force?.fabric.name ?? null,
      host: this.#keeper.host,
      file,
      source: this.#force?.source ?? file,
      waiting: this.#keeper.waiting,
      problems: this.#problems(),
    };
  }

  status(): Status {
    return this.#keeper.status(this.#inForce());
  }

  #inForce(): Force {
    if (this.#force === null) throw new EverlanError(this.#fileProblems, EXIT.usage);
    return this.#force;
  }

  events(): readonly AgentEvent[] {
    return this.#parts.events.list();
  }

  onEvent(listener: (event: AgentEvent) => void): () => void {
    return this.#parts.events.listen(listener);
  }

  onStatus(listener: () => void): () => void {
    this.#statusListeners.add(listener);
    return () => this.#statusListeners.delete(listener);
  }

  apply(request: ApplyRequest): Promise<ApplyReply> {
    return this.#inTurn(() => this.#apply(request));
  }

  async #apply({ text, file, host, adopt, prune, trial }: ApplyRequest): Promise<ApplyReply> {
    const before = this.#force;
    const pending = before?.store.pending() ?? null;
    if (pending !== null && pending.token !== trial) throw new EverlanError(pendingProblem(pending));
    if (pending === null && trial !== null) throw new EverlanError(guardGone());
    const suspended = before?.store.suspended() === true;
    const { seen, fileProblems } = { seen: this.#seen, fileProblems: this.#fileProblems };
    const problems = await this.#adopt({ text, source: file, asked: host ?? this.#parts.host });
    if (problems.length > 0) throw new EverlanError(problems, EXIT.usage);
    const force = this.#inForce();
    force.store.setSuspended(false);
    const earlier = { given: before, seen, fileProblems, suspended };
    if (trial !== null) this.#trials.begin(force.store, trial, earlier, { text, file, host: host ?? null });
    try {
      const passed = await this.#work({ adopt, prune });
      if (passed === null || passed.refused.length > 0) throw new EverlanError(passed?.refused ?? this.#unknownHost());
      if (pending !== null) settle(force.store, pending, passed.report.after);
      else this.#trials.keep(text);
      this.#fileProblems = [];
      this.#report();
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
      if (before !== null) await this.#adopt(before);
      if (suspended) {
        this.#inForce().store.setSuspended(true);
        await this.#suspend().catch((left: unknown) => this.#trouble(left));
      }
      throw error;
    }
  }

  #unknownHost(): Problem {
    return problem('not-applied', this.#keeper.waiting[0]?.reason ?? 'this host is not known yet');
  }

  // Trials.

  /** A change was on trial when an agent before us ended. @returns whether it goes on. */
  async #resumeTrial(): Promise<boolean> {
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
    const problems = await this.#adopt({ text: trial.text, source: trial.file, asked: trial.host ?? undefined });
    if (problems.length > 0) return false;
    this.#trials.resume(pending.token, trial, this.#given(good.text, good.name));
    const found = this.#parts.readFile();
    this.#seen = found.ok ? found.text : found.problem.message;
    return true;
  }

  /** Others may have decided about what is on trial. */
  async #hearOfTrial(): Promise<void> {
    const { now } = this.#trials;
    if (this.#force === null || now === null) return;
    const { store } = this.#force;
    const fate = this.#trials.fate(store);
    if (fate === 'waits') return;
    if (fate === 'confirmed') this.#trials.keep(now.text);
    this.#trials.end(store);
    if (fate === 'confirmed') await this.#confirmed();
    else await this.#goBack(now.before);
  }

  async #confirmed(): Promise<void> {
    this.#tongue.say({ kind: 'trial', level: 'info', message: `${this.#inForce().source} is confirmed` });
    // It may have changed meanwhile.
    await this.#readFile();
    this.#pacer.poke();
  }

  /** The host is as it was before. */
  async #goBack({ given, seen, fileProblems, suspended }: Before): Promise<void> {
    const { source, store } = this.#inForce();
    this.#tongue.say({ kind: 'trial', level: 'warning', message: `${source} was not confirmed in time: it is undone` });
    const problems = given === null ? [] : await this.#adopt(given);
    this.#tongue.problems('trial', 'what was in force before cannot be again', problems);
    if (given === null || suspended) store.setSuspended(true);
    this.#seen = seen;
    this.#fileProblems = fileProblems;
    await this.#readFile();
    this.#pacer.poke();
  }

  confirm(): Promise<void> {
    return this.#inTurn(async () => {
      const force = this.#inForce();
      const { store, text } = force;
      await this.#locked(store, () => confirm(store));
      this.#trials.keep(text);
      this.#trials.end(store);
      this.#setMode(force);
      await this.#confirmed();
    });
  }

  revert(token: string): Promise<readonly Problem[]> {
    return this.#inTurn(() => this.#revert(token));
  }

  async #revert(token: string): Promise<readonly Problem[]> {
    const { store, fabric } = this.#inForce();
    const pending = store.pending();
    if (pending === null || pending.token !== token) return [];
    const before = this.#trials.now?.before ?? {
      ...NOTHING_BEFORE,
      seen: this.#seen,
      fileProblems: this.#fileProblems,
    };
    const left = await this.#locked(store, () => {
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
    const force = this.#inForce();
    const { store } = force;
    return this.#locked(store, async () => {
      this.#trials.end(store);
      const { plan } = await this.#keeper.remove(force);
      store.setSuspended(true);
      this.#setMode(force);
      return plan;
    });
  }

  down(): Promise<Plan> {
    return this.#inTurn(async () => {
      const plan = await this.#suspend();
      const message = `${this.#inForce().fabric.name} is taken down until the next apply or boot`;
      this.#tongue.say({ kind: 'removed', level: 'info', message });
      this.#report();
      return plan;
    });
  }
}
