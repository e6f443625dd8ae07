/** The file's content after all checks: what the user wants on every host. */
import type { IpAddress, Prefix } from './address.ts';
import type { OverlayOptions } from './options.ts';

/** The fabric file when none is named. */
export const DEFAULT_FILE = '/etc/everlan/fabric.yaml';

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
