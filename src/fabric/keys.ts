/** The keys of the file that are no overlay options: what they mean and whether they must be there. */
import { OPTION_NAMES, OPTIONS, type Option, type OptionRow } from '../model/options.ts';

export interface KeyRow {
  readonly required: boolean;
  /** One line for the schema and the manual. */
  readonly help: string;
}

const key = (required: boolean, help: string): KeyRow => ({ required, help });

export const FABRIC_KEYS = {
  fabric: key(true, 'names what everlan owns on a host'),
  hosts: key(true, 'every host, by name: its underlay address, or {underlay, device, hostname}'),
  overlays: key(true, 'every overlay, by the name of its link'),
} as const satisfies Record<string, KeyRow>;

export const HOST_KEYS = {
  underlay: key(true, 'the address under which the others reach this host'),
  device: key(false, 'the link that carries the underlay (default: the one that holds the address), or none'),
  hostname: key(false, 'the machine’s hostname (default: the host’s name)'),
} as const satisfies Record<string, KeyRow>;

export const OVERLAY_KEYS = {
  vni: key(true, 'VXLAN network identifier'),
  hosts: key(true, 'members, and their address or addresses on the overlay; nothing for a member without one'),
} as const satisfies Record<string, KeyRow>;

export const ROUTE_KEYS = {
  to: key(true, 'the network that is reached'),
  via: key(true, 'a member (its first address of that family) or an address'),
} as const satisfies Record<string, KeyRow>;

export const VNI = { kind: 'integer', min: 1, max: 16777215 } as const;

/** Every spelling of an option → the option. */
export const OPTION_BY_KEY: ReadonlyMap<string, Option> = new Map(
  OPTION_NAMES.flatMap((name) => {
    const row: OptionRow = OPTIONS[name];
    return [name, ...(row.aliases ?? [])].map((spelling) => [spelling, name] as const);
  }),
);

/** [another spelling, the option]. */
export const OTHER_SPELLINGS: readonly (readonly [string, Option])[] = [...OPTION_BY_KEY].filter(
  ([key, option]) => key !== option,
);

/** All keys that an overlay may have. */
export const OVERLAY_KEY_NAMES: readonly string[] = [...Object.keys(OVERLAY_KEYS), ...OPTION_BY_KEY.keys()];
