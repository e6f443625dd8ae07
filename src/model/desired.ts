/** What one host should be, with the names that a person wants to read beside it. */
import type { IpAddress } from './address.ts';
import type { Problem } from './problem.ts';
import type { HostState } from './state.ts';
import type { PeerStatus } from './status.ts';

export interface Desired {
  readonly fabric: string;
  readonly host: string;
  readonly state: HostState;
  /** Only overlays of which this host is a member, in file order. */
  readonly overlays: readonly DesiredOverlay[];
  readonly warnings: readonly Problem[];
}

export interface DesiredOverlay {
  readonly name: string;
  readonly vni: number;
  /** Name of the link that carries the addresses: the overlay's own, or its bridge. */
  readonly addressed: string;
  readonly peers: readonly DesiredPeer[];
}

/** A peer and where it answers on the overlay; no addresses for a VTEP outside the fabric. */
export interface DesiredPeer extends PeerStatus {
  readonly addresses: readonly IpAddress[];
}
