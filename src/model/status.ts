/** What `everlan status` tells; its JSON is published as `$defs.status`. */
import type { IpAddress, Prefix } from './address.ts';
import type { Foreign } from './step.ts';

/** `foreign`: a stranger's link stands in the overlay's place. `down`: present as wanted, but not up. */
export type OverlayCondition = 'up' | 'down' | 'missing' | 'drifted' | 'foreign';

export interface PeerStatus {
  /** The host's name, or the address of a VTEP outside the fabric. */
  readonly host: string;
  readonly underlay: IpAddress;
}

export interface OverlayStatus {
  readonly name: string;
  readonly vni: number;
  readonly state: OverlayCondition;
  /** Of the link as it is; of the link as wanted while it is missing. */
  readonly mtu: number;
  /** The addresses that are there, ours and foreign. */
  readonly addresses: readonly Prefix[];
  readonly peers: readonly PeerStatus[];
  /** What does not match, a sentence each. */
  readonly drift: readonly string[];
}

export interface Status {
  readonly version: 1;
  readonly fabric: string;
  readonly host: string;
  readonly converged: boolean;
  readonly overlays: readonly OverlayStatus[];
  readonly foreign: readonly Foreign[];
}
