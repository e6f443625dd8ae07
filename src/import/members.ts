/** What the parts of a fabric are joined with: who is a member, and where mistakes go. */
import type { IpAddress, Prefix } from '../model/address.ts';
import type { Problem } from '../model/problem.ts';
import type { Side } from './draft.ts';

/** What all overlays of the import share. */
export interface Context {
  readonly fabric: string;
  readonly problems: Problem[];
  /** The host at an address: an imported one, or else one that is made up for it. */
  hostAt(underlay: IpAddress): string;
}

/** A member: an imported host's side, or a peer of which nothing but the address is known. */
export interface Member {
  readonly name: string;
  readonly underlay: IpAddress;
  readonly side: Side | null;
  addresses: readonly Prefix[];
}
