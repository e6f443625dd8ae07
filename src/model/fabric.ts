/** The file's content after all checks: what the user wants on every host. */
import type { IpAddress, Prefix } from './address.ts';
import type { Mac } from './mac.ts';
import type { OverlayOptions } from './options.ts';

export interface Fabric {
  readonly name: string;
  readonly hosts: ReadonlyMap<string, Host>;
  readonly overlays: ReadonlyMap<string, Overlay>;
}

export interface Host {
  readonly name: string;
  readonly underlay: IpAddress;
  /** undefined: the link that holds the underlay address; null: no device (`device: none`). */
  readonly device: string | null | undefined;
  readonly hostname: string;
}

export interface Overlay {
  /** The VXLAN link's name. */
  readonly name: string;
  readonly vni: number;
  /** Host name → its addresses on the overlay, in file order. */
  readonly members: ReadonlyMap<string, readonly Prefix[]>;
  readonly options: OverlayOptions;
}

/** A route over the overlay; `via` is a member's name or an address. */
export interface OverlayRoute {
  readonly to: Prefix;
  readonly via: string | IpAddress;
}

/** Static MAC → a host's name or a VTEP's address. */
export type StaticMacs = ReadonlyMap<Mac, string | IpAddress>;
