/** The real kernel behind the port: steps in, netlink batches out. */
import type { HostFacts, LinkState } from '../model/state.ts';
import type { AddLink, ChangeLink, LinkStep, RecreateLink, Step } from '../model/step.ts';
import { errnoName, SysError } from '../sys/errno.ts';
import { strerror } from '../sys/libc.ts';
import * as encode from './encode.ts';
import { writeTxChecksum } from './ethtool.ts';
import { look } from './observe.ts';
import type { Kernel, RunOptions, RunReport, StepFailure, View } from './port.ts';
import { removeLinks } from './remove.ts';
import { Rtnetlink } from './rtnetlink.ts';
import type { LinkNames } from './vxlan-wire.ts';

/** Answers to a removal that mean: it is gone already. */
const GONE = new Set(['ENOENT', 'ESRCH', 'ENODEV', 'EADDRNOTAVAIL']);
const ENODEV = 19; // <asm-generic/errno-base.h>
/** Indexes that somebody else took between our look and our request. */
const INDEX_TRIES = 5;

/** Indexes are of type int. */
const HIGHEST_INDEX = 0x7fffffff;

type Tag = Step;

/** Index ↔ name as known now: from the last look, and from what was made since. */
class Names implements LinkNames {
  readonly #byName = new Map<string, number>();
  readonly #byIndex = new Map<number, string>();
  #highest = 0;
  #lowest = 1;

  constructor(facts: HostFacts) {
    for (const link of facts.links.values()) this.set(link.name, link.index);
  }

  indexOf(name: string): number | undefined {
    return this.#byName.get(name);
  }

  nameOf(index: number): string | undefined {
    return this.#byIndex.get(index);
  }

  set(name: string, index: number): void {
    this.#byName.set(name, index);
    this.#byIndex.set(index, name);
    this.#highest = Math.max(this.#highest, index);
  }

  delete(name: string, index: number): void {
    this.#byName.delete(name);
    this.#byIndex.delete(index);
  }

  /** One above the highest, so that indexes stay in the order of creation; where somebody has that one, the lowest free. */
  free(): number {
    if (this.#highest < HIGHEST_INDEX) return this.#highest + 1;
    while (this.#byIndex.has(this.#lowest)) this.#lowest++;
    return this.#lowest;
  }
}

/** A step needs a link that is not there any more. */
class MissingLink extends Error {
  constructor(name: string) {
    super(`there is no link ${name}`);
  }
}

class Run {
  readonly #socket: Rtnetlink;
  readonly #names: Names;
  readonly #look: () => View;
  readonly #progress: (count: number) => void;
  readonly failures: StepFailure[] = [];
  /** Made, but not yet set up. */
  #waiting: (AddLink | RecreateLink)[] = [];

  constructor(socket: Rtnetlink, seen: View, look: () => View, progress: (count: number) => void) {
    this.#socket = socket;
    this.#look = look;
    this.#names = new Names(seen.facts);
    this.#progress = progress;
  }

  fail(step: Step, errno: number, message: string | undefined): void {
    if ('action' in step && step.action === 'remove' && GONE.has(errnoName(errno))) return;
    this.failures.push({ step, errno, message: message ?? strerror(errno) });
  }

  /** Sends one request for each item, in batches; stops after the batch in which something failed. */
  #send<T extends Tag>(steps: Iterable<T>, request: (step: T) => encode.Request | null): void {
    const batch = this.#socket.batch<T>(this.#progress);
    for (const step of steps) {
      try {
        const made = request(step);
        if (made !== null && !batch.add(step, made.type, made.flags, made.write)) break;
      } catch (error) {
        if (!(error instanceof MissingLink)) throw error;
        this.fail(step, ENODEV, error.message);
        break;
      }
    }
    for (const { tag, errno, message } of batch.finish()) this.fail(tag, errno, message);
  }

  #index(name: string): number {
    const index = this.#names.indexOf(name);
    if (index === undefined) throw new MissingLink(name);
    return index;
  }

  links(steps: readonly LinkStep[]): void {
    const removed: LinkState[] = [];
    const made: (AddLink | RecreateLink)[] = [];
    const changed: ChangeLink[] = [];
    for (const step of steps) {
      if (step.action === 'remove' || step.action === 'recreate') removed.push(step.from);
      if (step.action === 'add' || step.action === 'recreate') made.push(step);
      if (step.action === 'change') changed.push(step);
    }
    if (removed.length > 0) this.#remove(removed, steps);
    if (this.failures.length === 0 && made.length > 0) this.#create(made);
    if (this.failures.length === 0 && changed.length > 0) this.#change(changed);
  }

  #remove(links: readonly LinkState[], steps: readonly LinkStep[]): void {
    const stepOf = new Map(steps.map((step) => [step.link, step]));
    for (const { tag, errno, message } of removeLinks(this.#socket, links, this.#progress)) {
      const step = stepOf.get(tag.name);
      if (step !== undefined) this.fail(step, errno, message);
    }
    for (const { name, index } of links) this.#names.delete(name, index);
  }

  /** Without this check the kernel would be told of no device at all. */
  #hasDevice(step: AddLink | RecreateLink | ChangeLink): boolean {
    const device = step.to.vxlan?.device ?? null;
    if (device === null || this.#names.indexOf(device) !== undefined) return true;
    this.fail(step, ENODEV, `there is no link ${device}`);
    return false;
  }

  #create(steps: readonly (AddLink | RecreateLink)[]): void {
    if (steps.filter((step) => !this.#hasDevice(step)).length > 0) return;
    let left = steps;
    for (let tries = 1; left.length > 0; tries++) {
      const sent = new Set<AddLink | RecreateLink>();
      const batch = this.#socket.batch<AddLink | RecreateLink>(this.#progress);
      for (const step of left) {
        const index = this.#names.free();
        sent.add(step);
        this.#names.set(step.link, index);
        const { type, flags, write } = encode.createLink(step.to, index, this.#names);
        if (!batch.add(step, type, flags, write)) break;
      }
      const refusals = batch.finish();
      if (refusals.length === 0) break;
      const again: (AddLink | RecreateLink)[] = [];
      const now = this.#look().facts.links;
      for (const { tag, errno, message } of refusals) {
        // The name is free, so it was the index that somebody took.
        const indexTaken = (errnoName(errno) === 'EEXIST' || errnoName(errno) === 'EBUSY') && !now.has(tag.link);
        if (indexTaken && message === undefined && tries < INDEX_TRIES) again.push(tag);
        else this.fail(tag, errno, message);
      }
      if (this.failures.length > 0) return;
      // A batch stops at a refusal: what was not sent yet is still to be made, also where somebody has taken its name
      // meanwhile, so that the kernel refuses it and nothing goes on with the stranger's link.
      for (const step of left) if (!sent.has(step)) again.push(step);
      for (const link of now.values()) this.#names.set(link.name, link.index);
      left = again;
    }
    // Only now that the indexes are known to be ours: an alias on a stranger's link would make it ours to delete.
    this.#send(steps, (step) => encode.finishLink(this.#index(step.link), step.to));
    if (this.failures.length > 0) return;
    for (const step of steps) if (!step.to.txChecksum) this.#offload(step, false);
    this.#waiting.push(...steps.filter(({ to }) => to.up));
  }

  /**
   * Sets up what was made, all together and after the addresses: a link that comes up starts IPv6's duplicate address
   * detection, whose worker then takes the kernel's lock (RTNL) between our messages.
   */
  up(): void {
    const steps = this.#waiting;
    this.#waiting = [];
    if (steps.length > 0) this.#send(steps, (step) => encode.setUp(this.#index(step.link)));
  }

  #change(steps: readonly ChangeLink[]): void {
    const moved = steps.filter(({ changes }) => changes.some(({ attribute }) => attribute === 'device'));
    if (moved.filter((step) => !this.#hasDevice(step)).length > 0) return;
    // Told that `remote` is what it thinks it is, the kernel does nothing: so where its row is gone, it is taken off first.
    const revived = steps.filter(({ changes }) => changes.some((c) => c.attribute === 'remote' && c.from === null));
    this.#send(revived, ({ from, to: { vxlan } }) => {
      const bare = vxlan === null ? null : { ...vxlan, remote: null };
      // From the endpoint to come: it tells the family.
      const changes = [{ attribute: 'remote', from: null, to: null } as const];
      return encode.changeVxlan(changes, { ...from, vxlan }, { ...from, vxlan: bare }, this.#names);
    });
    if (this.failures.length > 0) return;
    // First the device, which bounds the MTU.
    this.#send(steps, ({ changes, from, to }) => encode.changeVxlan(changes, from, to, this.#names));
    if (this.failures.length > 0) return;
    this.#send(steps, ({ changes, from, to }) => encode.changeLink(changes, from, to));
    if (this.failures.length > 0) return;
    for (const step of steps) {
      if (step.changes.some(({ attribute }) => attribute === 'txChecksum')) this.#offload(step, step.to.txChecksum);
    }
  }

  #offload(step: LinkStep, on: boolean): void {
    try {
      writeTxChecksum(this.#socket.fd, step.link, on);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      this.fail(step, error.errno, `transmit checksum offload: ${strerror(error.errno)}`);
    }
  }

  others(steps: readonly Exclude<Step, LinkStep>[]): void {
    this.#send(steps, (step) => this.#request(step));
  }

  #request(step: Exclude<Step, LinkStep>): encode.Request {
    const index = this.#index(step.link);
    const remove = step.action === 'remove';
    switch (step.kind) {
      case 'bridge-port':
        return encode.setMaster(index, remove ? 0 : this.#index(step.bridge));
      case 'address':
        return remove ? encode.removeAddress(index, step.address) : encode.addAddress(index, step.address);
      case 'fdb':
        return remove ? encode.removeFdbRow(index, step.row) : encode.addFdbRow(index, step.row);
      case 'neighbour':
        return remove ? encode.removeNeighbour(index, step.neighbour) : encode.addNeighbour(index, step.neighbour);
      case 'route':
        return remove ? encode.removeRoute(index, step.route) : encode.addRoute(index, step.route);
      default:
        return step satisfies never;
    }
  }
}

/** Steps are sent stage by stage: what stands on a link needs an index known to be ours, routing a link that is up. */
function stageOf(step: Step | undefined): 'links' | 'standing' | 'routing' {
  if (step?.kind === 'link') return 'links';
  return step?.kind === 'neighbour' || step?.kind === 'route' ? 'routing' : 'standing';
}

const isLinkStep = (step: Step): step is LinkStep => step.kind === 'link';
const isOther = (step: Step): step is Exclude<Step, LinkStep> => step.kind !== 'link';

class LiveKernel implements Kernel {
  readonly #socket: Rtnetlink;
  readonly #foreign: boolean;
  #seen: View | undefined;

  constructor(netns: number | undefined) {
    this.#socket = new Rtnetlink(netns);
    this.#foreign = netns !== undefined;
  }

  get portId(): number {
    return this.#socket.portId;
  }

  look(): View {
    this.#seen = look(this.#socket, this.#foreign);
    return this.#seen;
  }

  run(steps: readonly Step[], options: RunOptions = {}): RunReport {
    let done = 0;
    const run = new Run(
      this.#socket,
      this.#seen ?? this.look(),
      () => this.look(),
      (count) => {
        done = Math.min(steps.length, done + count);
        options.progress?.(done, steps.length);
      },
    );
    for (let at = 0; at < steps.length && run.failures.length === 0; ) {
      const stage = stageOf(steps[at]);
      let end = at;
      while (end < steps.length && stageOf(steps[end]) === stage) end++;
      const part = steps.slice(at, end);
      if (stage === 'routing') run.up();
      if (stage === 'links') run.links(part.filter(isLinkStep));
      else run.others(part.filter(isOther));
      at = end;
    }
    if (run.failures.length === 0) run.up();
    return { failures: run.failures };
  }

  close(): void {
    this.#socket.close();
  }
}

/**
 * The kernel of a network namespace.
 * @param netns an open namespace; without it, our own.
 */
export function openKernel(netns?: number): Kernel {
  return new LiveKernel(netns);
}
