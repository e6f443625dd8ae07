/** What is to be done so that a host becomes as wanted: pure, and the same in both directions, so that it also undoes. */
import { isOurs, readAlias } from '../model/ownership.ts';
import { type Problem, problem } from '../model/problem.ts';
import type { HostState, LinkState } from '../model/state.ts';
import type { AttributeChange, Foreign, Plan } from '../model/step.ts';
import { diffGround, type ItemContext } from './items.ts';
import { showChanges } from './names.ts';
import { StepList } from './order.ts';
import { changesBetween, KIND_WORDS, LOST_WITH_LINK, type Loss, lossesOf, mustRecreate, needsDetour } from './rules.ts';

export interface DiffOptions {
  /** Only links of this fabric are ours. */
  readonly fabric: string;
  /** Take over a stranger's link in our place when it can be changed in place. */
  readonly adopt?: boolean;
  /** Remove what strangers put on our links. */
  readonly prune?: boolean;
}

/**
 * The steps from `observed` to `desired`. What stands in conflict is left out, so that `steps` are those that can still
 * be done. `observed` lists addresses in the kernel's order: the first of a subnet is its primary one. `desired` may be
 * an earlier observation; then the plan leads back to it, but never touches a stranger's link.
 */
export function diff(desired: HostState, observed: HostState, options: DiffOptions): Plan {
  return new Diff(desired, observed, options).plan();
}

const LIVE: readonly Loss[] = [];

/** Kinds that are made by us; the others are strangers' links that we only meet. */
const madeByUs = (link: LinkState): boolean => link.kind === 'vxlan' || link.kind === 'bridge';

class Diff implements ItemContext {
  readonly prune: boolean;
  readonly #desired: HostState;
  readonly #observed: HostState;
  readonly #options: DiffOptions;
  readonly #steps = new StepList();
  readonly #foreign: Foreign[] = [];
  readonly #conflicts: Problem[] = [];
  /** Links that go away, for good or to be made anew: what was in them as a bridge is free. */
  readonly #gone = new Set<string>();
  readonly #blocked = new Set<string>();
  /** Who is in a bridge or should be: decided when it is known which bridges stay. */
  readonly #members: { name: string; want: string | null; have: string | null }[] = [];

  constructor(desired: HostState, observed: HostState, options: DiffOptions) {
    this.#desired = desired;
    this.#observed = observed;
    this.#options = options;
    this.prune = options.prune === true;
  }

  put(...args: Parameters<StepList['put']>): void {
    this.#steps.put(...args);
  }

  foreign(item: Foreign): void {
    this.#foreign.push(item);
  }

  plan(): Plan {
    const { links } = this.#observed;
    let met = 0;
    for (const want of this.#desired.links.values()) {
      const have = links.get(want.name) ?? null;
      if (have !== null) met++;
      if (madeByUs(want)) this.#made(want, have);
      else this.#met(want, have);
    }
    if (met < links.size) {
      for (const have of links.values()) if (!this.#desired.links.has(have.name)) this.#unwanted(have);
    }
    for (const { name, want, have } of this.#members) this.#membership(name, want, have);
    return { steps: this.#steps.inOrder(), foreign: this.#foreign, conflicts: this.#conflicts };
  }

  #ours(link: LinkState): boolean {
    return madeByUs(link) && isOurs(link, this.#options.fabric);
  }

  /** A link that nobody wants: ours goes; of a stranger's, what we put on it. */
  #unwanted(have: LinkState): void {
    if (this.#ours(have)) this.#remove(have);
    else if (have.kind === 'joined') this.#ground(null, have, LIVE, false);
    else if (have.kind === 'port') this.#member(have.name, null, have.master);
  }

  /** A stranger's link, wanted only as far as it concerns us. */
  #met(want: LinkState, have: LinkState | null): void {
    if (have !== null && this.#ours(have)) this.#remove(have);
    else if (want.kind === 'joined') {
      if (have?.kind === 'joined' || have?.kind === 'bridge') this.#ground(want, have, LIVE, false);
    } else if (want.kind === 'port') {
      if (have !== null) this.#member(want.name, want.master, have.master);
      else if (want.master !== null) {
        const hint = 'take it out of `ports`, or plug it in';
        this.#block(want, problem('port-missing', `${want.name}, a port of ${want.master}, does not exist`, { hint }));
      }
    }
  }

  /** A link that we make. */
  #made(want: LinkState, have: LinkState | null): void {
    if (have !== null && this.#ours(have)) {
      this.#match(want, have);
      return;
    }
    // A stranger's link of an earlier observation: left alone, or gone with its owner.
    if (!this.#ours(want)) return;
    if (have === null) this.#add(want);
    else if (want.kind === 'bridge' && (have.kind === 'joined' || have.kind === 'bridge')) {
      this.#ground(want, have, LIVE, false);
    } else this.#stranger(want, have);
  }

  #stranger(want: LinkState, have: LinkState): void {
    const changes = changesBetween(have, want);
    const recreate = mustRecreate(have, want, changes);
    if (this.#options.adopt === true && recreate === null && have.kind === want.kind) {
      this.#change(want, have, changes, 'taken over');
    } else this.#block(want, strangerProblem(want, have, this.#options, recreate?.blockers ?? null));
  }

  /** A link that is ours already. */
  #match(want: LinkState, have: LinkState): void {
    const changes = changesBetween(have, want);
    const recreate = mustRecreate(have, want, changes);
    if (recreate !== null) this.#recreate(want, have, changes, recreate.because);
    else this.#change(want, have, changes, undefined);
  }

  #add(want: LinkState): void {
    this.put({ kind: 'link', action: 'add', link: want.name, to: want });
    this.#ground(want, null, LIVE, true);
    this.#member(want.name, want.master, null);
  }

  #remove(have: LinkState): void {
    this.#gone.add(have.name);
    this.put({ kind: 'link', action: 'remove', link: have.name, from: have });
  }

  #recreate(want: LinkState, have: LinkState, changes: readonly AttributeChange[], because: string | undefined): void {
    const link = want.name;
    this.#gone.add(link);
    const step = { kind: 'link', action: 'recreate', link, from: have, to: want, changes } as const;
    this.put(because === undefined ? step : { ...step, reason: because });
    this.#ground(want, have, [LOST_WITH_LINK], true);
    this.#member(link, want.master, null);
  }

  #change(want: LinkState, have: LinkState, changes: readonly AttributeChange[], because: string | undefined): void {
    const link = want.name;
    if (changes.length > 0) {
      const put = (from: LinkState, list: readonly AttributeChange[], reason: string | undefined): void => {
        const step = { kind: 'link', action: 'change', link, from, to: want, changes: list } as const;
        this.put(reason === undefined ? step : { ...step, reason });
      };
      if (have.vxlan !== null && want.vxlan !== null && needsDetour(have.vxlan, want.vxlan)) {
        const bare = { ...have, vxlan: { ...have.vxlan, remote: null } };
        const reason = 'its flooding row names the old device';
        this.put({
          kind: 'link',
          action: 'change',
          link,
          from: have,
          to: bare,
          changes: changesBetween(have, bare),
          reason,
        });
        put(bare, changesBetween(bare, want), because);
      } else put(have, changes, because);
    }
    this.#ground(want, have, changes.length === 0 ? LIVE : lossesOf(have, want), true);
    this.#member(link, want.master, have.master);
  }

  #block(want: LinkState, why: Problem): void {
    this.#blocked.add(want.name);
    this.#conflicts.push({ ...why, link: want.name });
  }

  /** What stands on a link. */
  #ground(want: LinkState | null, have: LinkState | null, losses: readonly Loss[], owned: boolean): void {
    const name = (want ?? have)?.name;
    if (name !== undefined) diffGround({ name, want, have, owned, losses }, this);
  }

  #member(name: string, want: string | null, have: string | null): void {
    if (want !== null || have !== null) this.#members.push({ name, want, have });
  }

  #membership(name: string, want: string | null, have: string | null): void {
    const freed = have !== null && this.#gone.has(have);
    const now = freed ? null : have;
    if (want === now) return;
    if (want === null) {
      if (now !== null) this.put({ kind: 'bridge-port', action: 'remove', link: name, bridge: now });
    } else if (!this.#blocked.has(want)) {
      const step = { kind: 'bridge-port', action: 'add', link: name, bridge: want } as const;
      this.put(now === null ? step : { ...step, reason: `it is in ${now}` });
    }
  }
}

/** `blockers`: the attributes that cannot be changed in place; null: all can. */
function strangerProblem(
  want: LinkState,
  have: LinkState,
  options: DiffOptions,
  blockers: readonly AttributeChange[] | null,
): Problem {
  const owner = readAlias(have.alias);
  const whose =
    owner === null ? 'was not made by everlan' : `belongs to fabric ${owner.fabric} (overlay ${owner.overlay})`;
  const here = `${want.name} already exists and ${whose}`;
  const away = { hint: 'remove or rename it, or choose another name in the file' };
  if (have.kind !== want.kind) {
    return problem('stranger-link', `${here}; it is ${KIND_WORDS[have.kind]}, not ${KIND_WORDS[want.kind]}`, away);
  }
  if (blockers !== null) {
    const shown = blockers.length === 0 ? 'its address family' : showChanges(blockers, have, want);
    return problem('stranger-link', `${here}; it cannot be taken over in place: ${shown}`, away);
  }
  if (options.adopt === true) return problem('stranger-link', here, away);
  return problem('stranger-link', here, { hint: 'everlan apply --adopt takes it over, in place' });
}
