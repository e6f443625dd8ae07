/** Several hosts' imports on their way to one fabric. */
import { type IpAddress, isMulticast } from '../model/address.ts';
import type { Place } from '../model/problem.ts';
import { VXLAN_ATTRIBUTE_NAMES, VXLAN_DEFAULTS, type VxlanState } from '../model/vxlan.ts';
import type { Imported, ImportedLink } from './found.ts';

/** One host's import, as the command line gives it. */
export interface HostImport {
  /** Any hostname; the host is called after its first label. */
  readonly name: string;
  readonly imported: Imported;
  /** Said by the user; null: to be found out. */
  readonly underlay: IpAddress | null;
}

export interface HostDraft {
  readonly name: string;
  /** undefined: the same as the name. */
  readonly hostname: string | undefined;
  readonly imported: Imported;
  readonly given: IpAddress | null;
  /** Its links, as far as one fabric can say them. */
  sides: readonly Side[];
  underlay: IpAddress | null;
  device: string | null;
}

/** One host's side of an overlay. */
export interface Side {
  readonly host: HostDraft;
  readonly link: ImportedLink;
  readonly vxlan: VxlanState;
  /** The VTEPs that it sends to: its one remote, and those of its flooding list. */
  readonly peers: ReadonlySet<IpAddress>;
  /** The multicast group that it sends to. */
  readonly group: IpAddress | null;
}

/** As the kernel tells a link: nothing has to be made of thousands of them. */
function isComplete(attributes: Partial<VxlanState>): attributes is VxlanState {
  return Object.keys(attributes).length === VXLAN_ATTRIBUTE_NAMES.length;
}

export function sideOf(host: HostDraft, link: ImportedLink): Side {
  const vxlan = isComplete(link.attributes)
    ? link.attributes
    : { ...VXLAN_DEFAULTS, ...link.attributes, vni: link.vni };
  const { remote } = vxlan;
  const group = remote !== null && isMulticast(remote) ? remote : null;
  const peers = new Set(remote === null || group !== null ? link.flood : [remote, ...link.flood]);
  return { host, link, vxlan, peers, group };
}

/** Where the source says it, or else where it makes the link. */
export function placeOf({ link }: Side, ...keys: readonly string[]): Place {
  for (const key of keys) {
    const place = link.places.get(key);
    if (place !== undefined) return place;
  }
  return link.place;
}

/** Where a side's peer is said. */
export function peerPlace(side: Side, peer: IpAddress): Place {
  return placeOf(side, ...(side.vxlan.remote === peer ? ['remote'] : []), `flood ${peer}`);
}

/** Where it is said that a side has these peers. */
export function peersPlace(side: Side): Place {
  const [first] = side.peers;
  return first === undefined ? side.link.place : peerPlace(side, first);
}

/** The value that stands most often; of several the first. */
export function most<T>(values: Iterable<T>): T | undefined {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  let best: T | undefined;
  let highest = 0;
  for (const [value, count] of counts) {
    if (count <= highest) continue;
    highest = count;
    best = value;
  }
  return best;
}
