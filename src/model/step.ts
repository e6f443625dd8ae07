/** What is to be done: the difference of two states, in the order in which it is done. */
import type { IpAddress, Prefix } from './address.ts';
import type { Mac } from './mac.ts';
import type { Problem } from './problem.ts';
import type { AddressState, FdbRow, LinkAttributes, LinkState, NeighbourState, RouteState } from './state.ts';
import type { VxlanAttribute } from './vxlan.ts';

export type Action = 'add' | 'change' | 'recreate' | 'remove';

/** One attribute that differs. */
export interface AttributeChange {
  readonly attribute: VxlanAttribute | keyof LinkAttributes;
  readonly from: unknown;
  readonly to: unknown;
}

interface Common {
  /** The link that the step works on. */
  readonly link: string;
  /** Why, where the file alone does not say it: `wiped by the MAC change`. */
  readonly reason?: string;
}

/** A link made as `to` says: its attributes, not what stands on it. */
export interface AddLink extends Common {
  readonly kind: 'link';
  readonly action: 'add';
  readonly to: LinkState;
}

/** Attributes changed in place. */
export interface ChangeLink extends Common {
  readonly kind: 'link';
  readonly action: 'change';
  readonly from: LinkState;
  readonly to: LinkState;
  readonly changes: readonly AttributeChange[];
}

/** Removed and made anew, because the kernel cannot change `changes` in place: traffic stops for a moment. */
export interface RecreateLink extends Common {
  readonly kind: 'link';
  readonly action: 'recreate';
  readonly from: LinkState;
  readonly to: LinkState;
  readonly changes: readonly AttributeChange[];
}

export interface RemoveLink extends Common {
  readonly kind: 'link';
  readonly action: 'remove';
  readonly from: LinkState;
}

export type LinkStep = AddLink | ChangeLink | RecreateLink | RemoveLink;

/** `link` put into `bridge` (add) or taken out of it (remove). */
export interface BridgePortStep extends Common {
  readonly kind: 'bridge-port';
  readonly action: 'add' | 'remove';
  readonly bridge: string;
}

export interface AddressStep extends Common {
  readonly kind: 'address';
  readonly action: 'add' | 'remove';
  readonly address: AddressState;
}

/** `change`: a unicast MAC moves to another VTEP, or a learned row becomes permanent. */
export interface FdbStep extends Common {
  readonly kind: 'fdb';
  readonly action: 'add' | 'change' | 'remove';
  readonly row: FdbRow;
}

export interface NeighbourStep extends Common {
  readonly kind: 'neighbour';
  readonly action: 'add' | 'change' | 'remove';
  readonly neighbour: NeighbourState;
}

export interface RouteStep extends Common {
  readonly kind: 'route';
  readonly action: 'add' | 'remove';
  readonly route: RouteState;
}

export type Step = LinkStep | BridgePortStep | AddressStep | FdbStep | NeighbourStep | RouteStep;
export type StepKind = Step['kind'];

/** Something on our link that somebody else put there; it stays, and does not count against `converged`. */
export type Foreign =
  | { readonly kind: 'address'; readonly link: string; readonly address: Prefix }
  | { readonly kind: 'fdb'; readonly link: string; readonly mac: Mac; readonly vtep: IpAddress }
  | { readonly kind: 'neighbour'; readonly link: string; readonly address: IpAddress; readonly mac: Mac }
  | { readonly kind: 'route'; readonly link: string; readonly to: Prefix; readonly via: IpAddress | null };

export interface Plan {
  readonly steps: readonly Step[];
  readonly foreign: readonly Foreign[];
  /** Why the plan cannot be carried out, such as a stranger's link in our place. Empty: it can. */
  readonly conflicts: readonly Problem[];
}
