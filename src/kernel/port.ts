/**
 * The small port through which everything reaches the kernel. `live.ts` is the real one, over rtnetlink;
 * `fake.ts` keeps a state of its own and behaves likewise, so that logic is tested in microseconds.
 */
import type { FdbRow, HostFacts, HostState, LinkKind } from '../model/state.ts';
import type { Step } from '../model/step.ts';

export interface Kernel {
  /** Reads links and addresses once. What stands on our links is read when `state` asks. */
  look(): View;
  /**
   * Carries the steps out in order, in batches, on the links as the latest `look` found them. Stops at the first batch that has a failure; `failures` are the steps
   * that the kernel refused. Steps of the same batch that come after a failed one may have been done.
   */
  run(steps: readonly Step[], options?: RunOptions): RunReport;
  /** Who `run` is to those who hear of its changes: `Hint.pid`. 0 where nobody hears. */
  readonly portId: number;
  close(): void;
}

/** One moment of the host. */
export interface View {
  readonly facts: HostFacts;
  state(scope: Scope): HostState;
}

/** Which links `state` is about: those of the fabric, and those of the given names. */
export interface Scope {
  readonly fabric: string;
  /**
   * Name → the kind that is wanted there. It tells what a stranger's link is to us: where a `port` is wanted it is one,
   * a stranger's bridge where a `bridge` is wanted is `joined`, anything else in our place is `vxlan` or `other`.
   */
  readonly wanted: ReadonlyMap<string, LinkKind>;
  /** What was last applied, for what the kernel cannot mark. */
  readonly remembered?: Remembered;
  /**
   * Link → the FDB rows to ask for, one by one, instead of reading the link's whole table: to verify many rows that were
   * just changed. Of such a link, `fdb` tells these rows alone.
   */
  readonly rows?: ReadonlyMap<string, readonly FdbRow[]>;
}

/**
 * What was last applied to a link: believed only where name, index and alias still match. Keys: `fdbKey`s,
 * prefixes, and for a port the bridge that we put it into.
 */
export interface Remembered {
  readonly links: ReadonlyMap<string, RememberedLink>;
}

/** A set of keys; the maps of a `LinkState` serve as they are. */
export interface Keys {
  readonly size: number;
  has(key: string): boolean;
  keys(): Iterable<string>;
}

export interface RememberedLink {
  readonly index: number;
  readonly alias: string;
  readonly fdb: Keys;
  readonly addresses: Keys;
  /** On a stranger's link: the bridge that we put it into. */
  readonly master: string | null;
}

export interface RunOptions {
  /** Called after each batch with the number of steps done so far. */
  readonly progress?: (done: number, total: number) => void;
}

export interface RunReport {
  readonly failures: readonly StepFailure[];
}

export interface StepFailure {
  readonly step: Step;
  /** Positive errno, such as 17 for EEXIST. */
  readonly errno: number;
  /** The kernel's own words from the extended acknowledgement, or the errno's text. */
  readonly message: string;
}
