/**
 * One fabric kept on this host: a pass is the whole flow, observe, resolve, diff, apply and verify, for every overlay that can
 * be there now. What cannot be is left as it is: an overlay that waits, that the kernel refused, or over which somebody fights.
 */
import { type ConvergeOptions, converge, lookAt, type Report, removeAll } from '../apply/converge.ts';
import { namesBefore, ownNames } from '../apply/home.ts';
import type { Store } from '../apply/store.ts';
import { identify } from '../fabric/identify.ts';
import { type Resolved, resolvePart } from '../fabric/resolve.ts';
import type { Hint } from '../kernel/hints.ts';
import type { Kernel, View } from '../kernel/port.ts';
import type { Desired } from '../model/desired.ts';
import type { Fabric } from '../model/fabric.ts';
import { isOurs } from '../model/ownership.ts';
import { EverlanError, type Problem } from '../model/problem.ts';
import type { HostFacts } from '../model/state.ts';
import type { Status } from '../model/status.ts';
import { statusOf } from '../plan/status.ts';
import { account, type Occasion } from './account.ts';
import { Concerns } from './concerns.ts';
import { Culprits } from './culprits.ts';
import type { Waiting } from './door.ts';
import { Holds } from './holds.ts';
import { keyOfOthers, linksOf, overlaysByLink } from './links.ts';
import type { AgentParts } from './parts.ts';
import type { Tongue } from './tongue.ts';

/** The fabric in force. */
export interface Force {
  readonly fabric: Fabric;
  /** --host. */
  readonly asked: string | undefined;
  readonly store: Store;
}

/** How a pass is to be done, beside what the fabric says. */
export type Wish = Pick<ConvergeOptions, 'adopt' | 'prune'>;

export interface Passed {
  readonly host: string;
  readonly facts: HostFacts;
  readonly desired: Desired;
  readonly report: Report;
  /** Why overlays are not there, though nothing is missing for them. */
  readonly refused: readonly Problem[];
  /** The rest of the host changed during our steps, and what the kernel told of that was dropped with what it told of them. */
  readonly stale: boolean;
}

/** The rest of the host is another one than the pass began with: what was wanted is so no more, and it is begun anew. */
class Overtaken extends Error {}

/** The last one takes what comes. */
const TRIES = 3;

export class Keeper {
  readonly #parts: AgentParts;
  readonly #tongue: Tongue;
  readonly #holds = new Holds();
  readonly #concerns = new Concerns();
  readonly #culprits: Culprits;
  #kernel: Kernel;
  #host: string | null = null;
  #occasion: Occasion = 'start';
  #waiting: readonly Waiting[] = [];
  /** Our links of the last pass: a deleted one is known by its index. */
  #indexes: readonly number[] = [];
  /** The names that the neighbours at home leave to us. */
  #claimed: ReadonlySet<string> = new Set();

  constructor(parts: AgentParts, tongue: Tongue) {
    this.#parts = parts;
    this.#tongue = tongue;
    this.#kernel = parts.openKernel();
    this.#culprits = new Culprits(
      (pid) => parts.who(pid),
      () => parts.netlinkUsers(),
    );
  }

  get kernel(): Kernel {
    return this.#kernel;
  }

  /** Which host of the fabric this is; null: not known yet. */
  get host(): string | null {
    return this.#host;
  }

  get waiting(): readonly Waiting[] {
    return this.#waiting;
  }

  /** How many links are ours. */
  get links(): number {
    return this.#indexes.length;
  }

  problems(): readonly Problem[] {
    return this.#holds.problems();
  }

  /** The kernel may have refused a socket, or lost ours. */
  reopen(): void {
    const kernel = this.#parts.openKernel();
    this.#kernel.close();
    this.#kernel = kernel;
  }

  close(): void {
    this.#kernel.close();
  }

  /** @returns whether it can mean that something of ours is not as it should be. */
  concerns(hint: Hint): boolean {
    if (hint.pid !== 0 && hint.pid === this.#kernel.portId) return false;
    if (!this.#concerns.concerns(hint)) return false;
    if (hint.pid !== 0 || (hint.kind === 'link' && this.#indexes.includes(hint.index))) {
      this.#culprits.saw(hint.pid, hint.index);
    }
    if (hint.kind === 'link' && hint.removed) this.#holds.retry(performance.now());
    return true;
  }

  /** Which host of the fabric this is. @throws EverlanError when none or several could be. */
  identify({ fabric, asked }: Pick<Force, 'fabric' | 'asked'>, view: View = this.#kernel.look()): string {
    return identify(fabric, view.facts, asked);
  }

  /** Another fabric, or another text of it. @param host null: not known yet. */
  begin(host: string | null, occasion: Occasion): void {
    this.#host = host;
    this.#occasion = occasion;
    this.#culprits.rest();
    this.retry();
  }

  /** Nothing is held back any more. */
  retry(): void {
    this.#holds.clear();
  }

  /** Nothing was looked at: who changed what is of no use any more. */
  forget(): void {
    this.#culprits.clear();
  }

  /** Milliseconds until something that is held back is due; null: nothing is. */
  nextIn(): number | null {
    return this.#holds.nextIn(performance.now());
  }

  /** The store's lock is held. @returns null while this host is not known. @throws EverlanError about no single overlay. */
  async pass(force: Force, wish: Wish): Promise<Passed | null> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#pass(force, wish, tries < TRIES);
      } catch (error) {
        if (!(error instanceof Overtaken)) throw error;
      }
    }
  }

  /** @throws Overtaken, where that is of use. */
  async #pass(force: Force, wish: Wish, mayBegin: boolean): Promise<Passed | null> {
    try {
      const view = this.#kernel.look();
      const host = this.#hostOf(force, view);
      if (host === null) return null;
      const resolved = resolvePart(force.fabric, host, view.facts);
      const claimed = await this.#claimBefore(force, resolved, view);
      const own = new Set(overlaysByLink(force.fabric).keys());
      const isOvertaken = (): boolean =>
        mayBegin && keyOfOthers(view.facts, own) !== keyOfOthers(this.#kernel.look().facts, own);
      const passed = this.#converge(force, resolved, claimed ? undefined : view, wish, isOvertaken);
      await this.#claimAfter(force.fabric, passed.report);
      const stale = passed.report.rounds > 0 && this.#isStale(view.facts, resolved, passed.report);
      return { host, facts: view.facts, desired: resolved.desired, stale, ...passed };
    } finally {
      this.#culprits.clear();
    }
  }

  #isStale(facts: HostFacts, { desired }: Resolved, { before, after }: Report): boolean {
    const own = new Set([desired.state, before, after].flatMap(({ links }) => [...links.keys()]));
    return keyOfOthers(facts, own) !== keyOfOthers(this.#kernel.look().facts, own);
  }

  #hostOf(force: Force, view: View): string | null {
    try {
      this.#host ??= this.identify(force, view);
    } catch (error) {
      if (!(error instanceof EverlanError)) throw error;
      this.#setWaiting(new Map([...force.fabric.overlays.keys()].map((overlay) => [overlay, error.problems])));
    }
    return this.#host;
  }

  /** Before anything is made. @returns whether something may have changed meanwhile. */
  async #claimBefore({ fabric, store }: Force, { desired }: Resolved, { facts }: View): Promise<boolean> {
    if (ownNames(desired.state).every((name) => this.#claimed.has(name))) return false;
    await this.#claim(fabric, namesBefore(store, desired.state, facts));
    return true;
  }

  /** What is ours now, also what was left as it is; what has gone is nobody's any more. */
  async #claimAfter(fabric: Fabric, { after }: Report): Promise<void> {
    const own = [...after.links.values()].filter((link) => isOurs(link, fabric.name)).map(({ name }) => name);
    if (own.length === this.#claimed.size && own.every((name) => this.#claimed.has(name))) return;
    await this.#claim(fabric, own);
  }

  async #claim({ name }: Fabric, links: readonly string[]): Promise<void> {
    this.#claimed = new Set(links);
    this.#tongue.problems('neighbour', 'other network programs', await this.#parts.home.claim(name, links));
  }

  #converge(
    force: Force,
    resolved: Resolved,
    view: View | undefined,
    wish: Wish,
    isOvertaken: () => boolean,
  ): Pick<Passed, 'report' | 'refused'> {
    const { store, fabric } = force;
    const start = performance.now();
    const refused: Problem[] = [];
    for (let seen = view; ; seen = undefined) {
      // What is refused now stays left alone until the end, however long that takes.
      const held = this.#holds.held(start);
      const keep = linksOf(fabric, [...resolved.lacking.keys(), ...held]);
      try {
        const known = seen === undefined ? {} : { view: seen };
        const report = converge(this.#kernel, resolved.desired, store, {
          ...wish,
          ...known,
          keep,
          afterRun: this.#parts.forgetHints,
        });
        this.#holds.settled(held);
        this.#settled(fabric, resolved, report, start);
        return { report, refused };
      } catch (error) {
        if (isOvertaken()) throw new Overtaken();
        const overlays = refusedIn(fabric, error, held);
        for (const [overlay, problems] of overlays) {
          this.#holds.refused(overlay, problems, performance.now());
          this.#tongue.refusal(overlay, problems);
          refused.push(...problems);
        }
        if (overlays.size === 0) throw error;
      }
    }
  }

  #settled(fabric: Fabric, { lacking, absent }: Resolved, { plan, after }: Report, start: number): void {
    const now = performance.now();
    this.#concerns.follow(after, fabric.name);
    const indexes = [...after.links.values()].map(({ index }) => index);
    if (plan.steps.length > 0) {
      const links = overlaysByLink(fabric);
      const waits = (overlay: string): boolean => lacking.has(overlay) || absent.has(overlay);
      const came = new Set(this.#waiting.map(({ overlay }) => overlay).filter((overlay) => !waits(overlay)));
      const culprits = this.#culprits.of([...indexes, ...this.#indexes]);
      const overlayOf = (link: string): string => links.get(link) ?? link;
      for (const draft of account({ plan, occasion: this.#occasion, ms: now - start, came, culprits, overlayOf })) {
        this.#tongue.say(draft);
        if (draft.kind !== 'healed') continue;
        for (const overlay of draft.overlays ?? [])
          this.#tongue.fight(overlay, this.#holds.healed(overlay, now), culprits, this.#culprits);
      }
    }
    if (plan.steps.length === 0) this.#culprits.rest();
    this.#tongue.forget(this.#holds.held(now));
    this.#indexes = indexes;
    this.#occasion = 'change';
    this.#setWaiting(new Map([...absent, ...lacking]));
  }

  #setWaiting(problems: ReadonlyMap<string, readonly Problem[]>): void {
    const waiting = [...problems].flatMap(([overlay, list]) =>
      list.map(({ message: reason, hint }) => ({ overlay, reason, ...(hint === undefined ? {} : { hint }) })),
    );
    this.#tongue.waiting(waiting, this.#waiting);
    this.#waiting = waiting;
  }

  /** How the host stands right now. @throws EverlanError while this host is not known. */
  status(force: Force): Status {
    const view = this.#kernel.look();
    const { desired, lacking } = resolvePart(force.fabric, this.#host ?? this.identify(force, view), view.facts);
    const keep = linksOf(force.fabric, lacking.keys());
    const { observed, plan } = lookAt(this.#kernel, desired, force.store, { view, keep });
    const status = statusOf(desired, observed, plan);
    if (lacking.size === 0) return status;
    const overlays = status.overlays.map((overlay) => {
      const why = lacking.get(overlay.name);
      if (why === undefined) return overlay;
      const state = overlay.state === 'up' ? ('drifted' as const) : overlay.state;
      return { ...overlay, state, drift: [...overlay.drift, ...why.map(({ message }) => message)] };
    });
    return { ...status, converged: false, overlays };
  }

  /** Removes what the fabric owns. The store's lock is held. */
  async remove({ fabric, store }: Pick<Force, 'fabric' | 'store'>): Promise<Report> {
    const report = removeAll(this.#kernel, store);
    this.#tongue.problems('neighbour', 'other network programs', await this.#parts.home.release(fabric.name));
    this.#claimed = new Set();
    this.#waiting = [];
    this.#indexes = [];
    return report;
  }
}

/** Overlay → why it failed, for those that were not left alone anyway. */
function refusedIn(fabric: Fabric, error: unknown, held: ReadonlySet<string>): ReadonlyMap<string, Problem[]> {
  const found = new Map<string, Problem[]>();
  if (!(error instanceof EverlanError)) return found;
  const overlayOf = overlaysByLink(fabric);
  for (const one of error.problems) {
    const overlay = one.link === undefined ? undefined : overlayOf.get(one.link);
    if (overlay === undefined || held.has(overlay)) continue;
    const list = found.get(overlay);
    if (list === undefined) found.set(overlay, [one]);
    else list.push(one);
  }
  return found;
}
