/** What an importer finds in one host's files, before several hosts are joined to one fabric. */
import type { IpAddress, Prefix } from '../model/address.ts';
import type { Mac } from '../model/mac.ts';
import type { Place, Problem } from '../model/problem.ts';
import type { VxlanState } from '../model/vxlan.ts';

export interface SourceFile {
  /** As it was named, for messages. */
  readonly path: string;
  readonly text: string;
}

/** One VXLAN link. */
export interface ImportedLink {
  readonly name: string;
  /** Where it is made. */
  readonly place: Place;
  readonly vni: number;
  /**
   * What the link has, where the source says so or the tool's own defaults differ from the kernel's (networkd's UDP checksums,
   * port 8472 without a word). What is not in it is the kernel's default. `vni` need not be in it.
   */
  readonly attributes: Partial<VxlanState>;
  /** null: nothing said, so it follows the device. */
  readonly mtu: number | null;
  readonly mac: Mac | null;
  /** Of the link, or of its bridge. */
  readonly addresses: readonly Prefix[];
  /** VTEPs of all-zeros rows; `attributes.remote` is not among them. */
  readonly flood: readonly IpAddress[];
  readonly macs: ReadonlyMap<Mac, IpAddress>;
  readonly neighbours: ReadonlyMap<IpAddress, Mac>;
  readonly routes: readonly ImportedRoute[];
  readonly bridge: { readonly name: string; readonly ports: readonly string[] } | null;
  readonly txChecksum: boolean;
  /** false: the source leaves it down, and apply will set it up. */
  readonly up?: boolean;
  /**
   * Where a value stands, for messages about two hosts that do not fit: `vni`, `port`, `remote`, `local`, `device` and the
   * other names of attributes, `mtu`, `mac`, `bridge`, `address 10.0.0.1/24`, `flood 10.0.0.5`, `route 10.9.0.0/16`,
   * `macs 02:…`. What is not in it stands at `place`.
   */
  readonly places: ReadonlyMap<string, Place>;
}

export interface ImportedRoute {
  readonly to: Prefix;
  readonly via: IpAddress;
}

/** What a host's files say. */
export interface Imported {
  readonly links: readonly ImportedLink[];
  /** Addresses of links that are no overlays: the host's underlay is among them. Device → addresses. */
  readonly underlays: ReadonlyMap<string, readonly Prefix[]>;
  readonly hostname: string | null;
  /** Where the source says in so many words under which address the others reach the host. */
  readonly underlay?: IpAddress;
  /** The fabric that made all of these links, where they are everlan's own. */
  readonly fabric?: string;
  /** Errors: it is wrong, also where the tool accepts it. Warnings: not understood, and left out. */
  readonly problems: readonly Problem[];
}

export interface Importer {
  readonly name: string;
  readonly summary: string;
  /**
   * Which files of a folder it reads, in the order of their names. Tested against the path below the folder: `10-a.network`,
   * and for drop-ins `10-a.network.d/x.conf`. Given files are read whatever their names are.
   */
  readonly pattern: RegExp;
  /**
   * @param files in the order in which later ones add to earlier ones.
   * @param find other files that these name, such as `source interfaces.d/*`: a path, `*`, `?` and `[…]` in its last parts,
   * relative to the folder of the file that names it. None: there is no such file.
   */
  read(files: readonly SourceFile[], find: FindFiles): Imported;
}

/** @param from the file that names it. */
export type FindFiles = (pattern: string, from: SourceFile) => readonly SourceFile[];
