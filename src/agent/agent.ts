/** The agent: when the keeper works, and what is told of it. Hints come in, a pass follows. */
import type { Hint } from '../kernel/hints.ts';
import { EverlanError, type Problem, problem } from '../model/problem.ts';
import type { Status } from '../model/status.ts';
import type { Plan } from '../model/step.ts';
import { Desk } from './desk.ts';
import type { AgentEvent, AgentInfo, AgentMode, ApplyReply, ApplyRequest, Door } from './door.ts';
import { Hazards } from './hazards.ts';
import { type Force, InForce, locked } from './in-force.ts';
import { Keeper, type Passed, type Wish } from './keeper.ts';
import { Pacer } from './pacer.ts';
import type { AgentParts } from './parts.ts';
import { placed, Tongue } from './tongue.ts';
import { Trials } from './trial.ts';

/** Until the next try after a pass that failed. */
const RETRY_MS = 1000;

/** While it is not known which host this is: the kernel does not tell of a new hostname. */
const NAMELESS_MS = 2000;

export class Agent implements Door {
  readonly #parts: AgentParts;
  readonly #since = new Date().toISOString();
  readonly #tongue: Tongue;
  readonly #keeper: Keeper;
  readonly #hazards: Hazards;
  readonly #trials: Trials;
  readonly #inForce: InForce;
  readonly #desk: Desk;
  readonly #pacer = new Pacer(() => this.#pass());
  readonly #statusListeners = new Set<() => void>();
  #mode: AgentMode = 'running';
  /** What went wrong in the last pass. */
  #troubles: readonly Problem[] = [];
  #stirred = false;
  #isReady = false;
  #unwatch: (() => void) | null = null;
  /** Requests, file changes and passes come one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: AgentParts) {
    this.#parts = parts;
    const tongue = new Tongue((draft) => parts.events.add(draft));
    const keeper = new Keeper(parts, tongue);
    const inForce = new InForce(parts, keeper, tongue, {
      changed: () => this.lookAgain(),
      isReady: () => this.#isReady,
    });
    const trials = new Trials(parts.lastGood, (problems) => inForce.told(problems));
    this.#tongue = tongue;
    this.#keeper = keeper;
    this.#inForce = inForce;
    this.#trials = trials;
    this.#hazards = new Hazards(parts.hazards, tongue, () => this.#report());
    this.#desk = new Desk(
      parts,
      { inForce, trials, keeper, tongue },
      {
        work: (wish) => this.#work(wish),
        poke: () => this.#pacer.poke(),
        report: () => this.#report(),
        trouble: (error) => this.#trouble(error),
        setMode: (force) => this.#setMode(force),
      },
    );
  }

  /** Settles after the first pass. @throws EverlanError when the fabric has an agent already. */
  async start(): Promise<void> {
    this.#tongue.say({ kind: 'started', level: 'info', message: `keeps this host as ${this.#parts.file} says` });
    await this.#inTurn(async () => {
      if (!(await this.#desk.resume())) await this.#desk.readFile();
    });
    // One that was taken into force has asked for a pass already.
    if (this.#inForce.force === null) this.#pacer.poke();
    await this.#turn;
  }

  /** Leaves everything as it is. */
  async stop(): Promise<void> {
    this.#pacer.close();
    this.#hazards.close();
    await this.#turn;
    this.#unwatch?.();
    this.#inForce.force?.lock.release();
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
    return this.#inTurn(() => this.#desk.readFile());
  }

  /** Reads the file again, and tries at once what was refused. */
  async reload(): Promise<void> {
    this.#parts.service.reloading();
    this.#inForce.seen = null;
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

  /** Never rejects: what nobody expected must not end the agent. */
  #pass(): Promise<void> {
    return this.#inTurn(async () => {
      try {
        await this.#desk.hear();
        if (this.#inForce.isHindered) await this.#desk.readFile();
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
    if (this.#inForce.isHindered) this.#pacer.wakeIn(RETRY_MS);
    if (this.#inForce.force !== null && this.#keeper.host === null) this.#pacer.wakeIn(NAMELESS_MS);
    const next = passed === null ? null : this.#keeper.nextIn();
    if (next !== null) this.#pacer.wakeIn(next);
  }

  async #work(wish: Wish): Promise<Passed | null> {
    const { force } = this.#inForce;
    if (force === null) return null;
    const passed = await locked(force.store, () => {
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
    return [...this.#inForce.problems, ...this.#troubles, ...this.#keeper.problems(), ...this.#hazards.problems];
  }

  /** One line for systemctl. */
  #statusLine(): string {
    const [first] = this.#problems();
    const wrong = first === undefined ? '' : `; ${placed(first)}`;
    const { force, problems } = this.#inForce;
    if (force === null) return `waits for a good ${this.#parts.file}${wrong}`;
    const { host, waiting, links } = this.#keeper;
    const where = `${force.fabric.name}${host === null ? '' : ` on ${host}`}`;
    if (this.#mode === 'suspended') return `${where}: taken down until the next apply or boot${wrong}`;
    if (this.#mode === 'paused') return `${where}: a change waits to be confirmed${wrong}`;
    const trial = this.#mode === 'trial' ? ', a change waits to be confirmed' : '';
    const waits = waiting[0] === undefined ? '' : `, ${waiting.length} waiting: ${waiting[0].reason}`;
    const file = problems.length === 0 ? 'the file' : 'the last good file';
    return `${where}: ${links} ${links === 1 ? 'link' : 'links'} as ${file} says${waits}${trial}${wrong}`;
  }

  #tellStatus(): void {
    for (const listener of this.#statusListeners) listener();
  }

  // The door.

  info(): AgentInfo {
    const { file, version } = this.#parts;
    const { force } = this.#inForce;
    return {
      pid: process.pid,
      since: this.#since,
      version,
      mode: this.#mode,
      fabric: force?.fabric.name ?? null,
      host: this.#keeper.host,
      file,
      source: force?.source ?? file,
      waiting: this.#keeper.waiting,
      problems: this.#problems(),
    };
  }

  status(): Status {
    return this.#keeper.status(this.#inForce.known());
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
    return this.#inTurn(() => this.#desk.apply(request));
  }

  confirm(): Promise<void> {
    return this.#inTurn(() => this.#desk.confirm());
  }

  revert(token: string): Promise<readonly Problem[]> {
    return this.#inTurn(() => this.#desk.revert(token));
  }

  down(): Promise<Plan> {
    return this.#inTurn(() => this.#desk.down());
  }
}
