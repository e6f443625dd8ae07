/**
 * Fabric → what a lab is made of. Each host is a network namespace; underlays that share a /24 (IPv4) or /64 (IPv6)
 * share a segment, a bridge in the router's namespace, and the router leads from segment to segment. Pure.
 */
import { addressOf, bytesOf, familyOf, formatIp, type IpAddress, networkOf, type Prefix } from '../model/address.ts';
import type { Fabric, Host, Overlay } from '../model/fabric.ts';
import { type Mac, stableMac } from '../model/mac.ts';
import { EverlanError, problem } from '../model/problem.ts';

/** One end of a cable. Indexes are the kernel's, and chosen by us. */
export interface End {
  readonly name: string;
  readonly index: number;
  /** Stable, so that a host that was made anew is the same to its neighbours, as after a real reboot. */
  readonly mac: Mac;
}

/** An underlay network: a bridge in the router's namespace. */
export interface Segment extends End {
  readonly network: Prefix;
  /** The router's address; null where every address is a host's. */
  readonly gateway: Prefix | null;
  /**
   * Whether addresses stand alone (/32) beside a route to the network: where a host has the first or the last address
   * of a /24, which may be right in its real network, and which the kernel would take for the broadcast address.
   */
  readonly alone: boolean;
}

export interface Neighbour {
  readonly address: IpAddress;
  readonly mac: Mac;
  /** Index of the segment's bridge. */
  readonly segment: number;
}

export interface LabHost {
  readonly name: string;
  readonly namespace: string;
  readonly segment: Segment;
  /** The underlay device. */
  readonly device: End;
  /** Its other end, in the router's namespace, a port of the segment's bridge. */
  readonly plug: End;
  readonly address: Prefix;
  /** Local links that the file puts into bridges, with their far ends. */
  readonly ports: readonly { readonly near: End; readonly far: End }[];
}

export interface Topology {
  readonly fabric: string;
  /** Name of the router's namespace. */
  readonly router: string;
  /** Name of the namespace where the far ends of the hosts' ports are; null: no host has any. */
  readonly outside: string | null;
  /** Of every device and segment. */
  readonly mtu: number;
  /** Whether the underlay's neighbours are written down everywhere, because there are too many to be learned. */
  readonly crowded: boolean;
  readonly segments: readonly Segment[];
  readonly hosts: readonly LabHost[];
}

const LEAST_MTU = 1500;
/** The most that a veth or a bridge takes (ETH_MAX_MTU). */
const MOST_MTU = 65535;
/** The loopback link has index 1. */
const FIRST_INDEX = 2;

/**
 * Neighbours that may be learned on the underlay. All namespaces of a machine share one table with room for 1024 that
 * are learned (net.ipv4.neigh.default.gc_thresh3), and one broadcast frame makes a host ask for every other.
 */
const MOST_LEARNED = 400;

/** The names of all namespaces of the lab. Fabric and host names have no dots, so no host is called as the router is. */
export function namespacesOf({ router, outside, hosts }: Topology): readonly string[] {
  return [router, ...(outside === null ? [] : [outside]), ...hosts.map(({ namespace }) => namespace)];
}

export const namespaceOf = (fabric: string, host: string): string => `${fabric}-${host}`;

function segmentOf(underlay: IpAddress): Prefix {
  return networkOf(`${underlay}/${familyOf(underlay) === 4 ? 24 : 64}` as Prefix);
}

/** The first address of the network that nobody has, from .1 up. */
function freeAddress(network: Prefix, taken: ReadonlySet<IpAddress>): IpAddress | null {
  const bytes = bytesOf(addressOf(network));
  const [last, before] = [bytes.length - 1, bytes.length - 2];
  const most = bytes.length === 4 ? 254 : 0xffff;
  for (let number = 1; number <= most; number++) {
    bytes[last] = number & 0xff;
    if (bytes.length === 16) bytes[before] = number >> 8;
    const address = formatIp(bytes);
    if (!taken.has(address)) return address;
  }
  return null;
}

function isEdge(address: IpAddress): boolean {
  const last = bytesOf(address)[3];
  return familyOf(address) === 4 && (last === 0 || last === 255);
}

function standing(address: IpAddress, alone: boolean): Prefix {
  return `${address}/${familyOf(address) === 6 ? 64 : alone ? 32 : 24}` as Prefix;
}

function segmentsOf(fabric: Fabric): ReadonlyMap<Prefix, Segment> {
  const underlays = [...fabric.hosts.values()].map(({ underlay }) => underlay);
  const taken = new Set(underlays);
  for (const { options } of fabric.overlays.values()) for (const remote of options.remotes) taken.add(remote);
  const networks = new Set(underlays.map(segmentOf));
  const withEdges = new Set(underlays.filter(isEdge).map(segmentOf));
  const segments = new Map<Prefix, Segment>();
  for (const network of networks) {
    const free = freeAddress(network, taken);
    if (free === null && networks.size > 1) {
      const message = `the lab's router finds no free address in ${network}, where hosts have all of them`;
      throw new EverlanError(problem('lab-segment-full', message));
    }
    const alone = withEdges.has(network);
    const name = `n${segments.size}`;
    segments.set(network, {
      name,
      index: FIRST_INDEX + segments.size,
      mac: stableMac(fabric.name, 'lab segment', name),
      network,
      gateway: free === null ? null : standing(free, alone),
      alone,
    });
  }
  return segments;
}

/** Large enough for every overlay that states an MTU; the same everywhere, as on a network without faults. */
function mtuOf(fabric: Fabric): number {
  let mtu = LEAST_MTU;
  for (const { options, members } of fabric.overlays.values()) {
    if (options.mtu === 'auto') continue;
    for (const member of members.keys()) {
      const underlay = fabric.hosts.get(member)?.underlay;
      if (underlay !== undefined) mtu = Math.max(mtu, options.mtu + (familyOf(underlay) === 4 ? 50 : 70));
    }
  }
  return Math.min(mtu, MOST_MTU);
}

/** The first of eth0, eth1, … that is no name of a link that the file makes or joins on this host. */
function deviceOf(host: Host, overlays: readonly Overlay[]): string {
  if (typeof host.device === 'string') return host.device;
  const taken = new Set(overlays.flatMap(({ name, options }) => [name, options.bridge, ...options.ports]));
  let number = 0;
  while (taken.has(`eth${number}`)) number++;
  return `eth${number}`;
}

function isCrowded(hosts: readonly LabHost[]): boolean {
  let pairs = 0;
  for (const { segment } of hosts) pairs += hosts.filter((other) => other.segment === segment).length;
  return pairs > MOST_LEARNED;
}

/** The neighbours of a host on its segment, the router among them; or of the router on all segments. */
export function neighboursOf({ hosts, segments }: Topology, host: LabHost | null): readonly Neighbour[] {
  const others = hosts.filter((other) => other !== host && (host === null || other.segment === host.segment));
  const routers = host === null ? [] : segments.filter((segment) => segment === host.segment);
  return [
    ...routers.flatMap(({ gateway, mac, index }) =>
      gateway === null ? [] : { address: addressOf(gateway), mac, segment: index },
    ),
    ...others.map(({ address, device, segment }) => ({
      address: addressOf(address),
      mac: device.mac,
      segment: segment.index,
    })),
  ];
}

/** @throws EverlanError when an underlay network has no address left for the router. */
export function topologyOf(fabric: Fabric): Topology {
  const segments = segmentsOf(fabric);
  const hosts: LabHost[] = [];
  let farEnds = 0;
  for (const host of fabric.hosts.values()) {
    const segment = segments.get(segmentOf(host.underlay));
    if (segment === undefined) continue;
    const overlays = [...fabric.overlays.values()].filter(({ members }) => members.has(host.name));
    const device = deviceOf(host, overlays);
    const end = (name: string, index: number, of: string): End => {
      return { name, index, mac: stableMac(fabric.name, `lab ${of}`, host.name) };
    };
    const ports = new Set(overlays.flatMap(({ options }) => options.ports));
    // The file's checks say so in their own words, when it is applied.
    ports.delete(device);
    const number = hosts.length;
    hosts.push({
      name: host.name,
      namespace: namespaceOf(fabric.name, host.name),
      segment,
      device: end(device, FIRST_INDEX, device),
      plug: end(`h${number}`, FIRST_INDEX + segments.size + number, 'plug'),
      address: standing(host.underlay, segment.alone),
      ports: [...ports].map((port, i) => {
        const far = farEnds++;
        return {
          near: end(port, FIRST_INDEX + 1 + i, port),
          far: end(`p${far}`, FIRST_INDEX + far, `far ${port}`),
        };
      }),
    });
  }
  return {
    fabric: fabric.name,
    router: `${fabric.name}.router`,
    outside: farEnds > 0 ? `${fabric.name}.outside` : null,
    mtu: mtuOf(fabric),
    crowded: isCrowded(hosts),
    segments: [...segments.values()],
    hosts,
  };
}
