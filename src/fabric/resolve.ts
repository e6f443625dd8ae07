/** The fabric as one host sees it: which links it should have, and what should stand on them. Pure. */
import { addressOf, familyOf, type IpAddress, isLinkLocal6, type Prefix } from '../model/address.ts';
import type { Desired, DesiredOverlay, DesiredPeer } from '../model/desired.ts';
import type { Fabric, Host, Overlay } from '../model/fabric.ts';
import { type Mac, stableMac, ZERO_MAC } from '../model/mac.ts';
import { aliasOf, groupOf, PROTOCOL } from '../model/ownership.ts';
import { EverlanError, EXIT, type Problem } from '../model/problem.ts';
import {
  type AddressState,
  type FdbRow,
  fdbKey,
  type HostFacts,
  type LinkState,
  type NeighbourState,
  type RouteState,
} from '../model/state.ts';
import { VXLAN_DEFAULTS, type VxlanState } from '../model/vxlan.ts';
import { attributesOf } from './attributes.ts';
import { hostProblem } from './host-problem.ts';
import { gatewayOf } from './routes.ts';
import { type Underlay, underlayOf } from './underlay.ts';
import { didYouMean } from './words.ts';

/** What every overlay of the host shares. */
interface Context {
  readonly fabric: Fabric;
  readonly host: Host;
  readonly facts: HostFacts;
  readonly underlay: Underlay;
  readonly group: number;
  /** What the overlay cannot be without. */
  readonly problems: Problem[];
  /** Ports that are not there: the overlay can do without. */
  readonly absent: Problem[];
}

/** What a host can have now, and what not yet. */
export interface Resolved {
  /** Its state has the links of the overlays that can be there; `overlays` has all. */
  readonly desired: Desired;
  /** Overlay → what it cannot be without. */
  readonly lacking: ReadonlyMap<string, readonly Problem[]>;
  /** Overlay → its ports that are not there. */
  readonly absent: ReadonlyMap<string, readonly Problem[]>;
}

/**
 * `hostName` is a host of the fabric. Throws EverlanError, exit code 1, with everything that this host lacks: an underlay
 * address that no link has, a device, a port, an MTU that does not fit.
 */
export function resolve(fabric: Fabric, hostName: string, facts: HostFacts): Desired {
  const { desired, lacking, absent } = resolvePart(fabric, hostName, facts);
  if (lacking.size + absent.size > 0) {
    throw new EverlanError(once([...lacking.values(), ...absent.values()].flat()), EXIT.failed);
  }
  return desired;
}

/** What the overlays share is lacking for each, and told once. */
function once(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [problem.message, problem])).values()];
}

/** As much of it as this host can have now. `hostName` is a host of the fabric. */
export function resolvePart(fabric: Fabric, hostName: string, facts: HostFacts): Resolved {
  const host = fabric.hosts.get(hostName);
  if (host === undefined) throw new TypeError(`no host ${hostName} in the fabric`);
  const mine = [...fabric.overlays.values()].filter(({ members }) => members.has(hostName));
  const links = new Map<string, LinkState>();
  const overlays: DesiredOverlay[] = [];
  const lacking = new Map<string, readonly Problem[]>();
  const missing = new Map<string, readonly Problem[]>();
  const underlayFor = underlays(host, linkNames(mine), facts);
  const group = groupOf(fabric.name);
  for (const overlay of mine) {
    const { underlay, found } = underlayFor(overlay);
    const problems = [...found];
    const absent: Problem[] = [];
    const made = new Map<string, LinkState>();
    overlays.push(addOverlay(overlay, { fabric, host, facts, underlay, group, problems, absent }, made));
    if (problems.length > 0) lacking.set(overlay.name, problems);
    else for (const [name, link] of made) links.set(name, link);
    if (absent.length > 0) missing.set(overlay.name, absent);
  }
  const desired = { fabric: fabric.name, host: hostName, state: { links }, overlays, warnings: [] };
  return { desired, lacking, absent: missing };
}

interface FoundUnderlay {
  readonly underlay: Underlay;
  readonly found: readonly Problem[];
}

/** What overlays ask of the underlay differs in two things only, so it is looked up at most four times. */
function underlays(host: Host, ours: ReadonlySet<string>, facts: HostFacts): (overlay: Overlay) => FoundUnderlay {
  const known = new Map<string, FoundUnderlay>();
  return (overlay) => {
    const key = `${overlay.options.local} ${overlay.options.mtu === 'auto'}`;
    let found = known.get(key);
    if (found === undefined) {
      const problems: Problem[] = [];
      found = { underlay: underlayOf(host, [overlay], ours, facts, problems), found: problems };
      known.set(key, found);
    }
    return found;
  };
}

function linkNames(overlays: readonly Overlay[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { name, options } of overlays) {
    names.add(name);
    if (options.bridge !== null) names.add(options.bridge);
  }
  return names;
}

const NONE: ReadonlyMap<never, never> = new Map<never, never>();

function addOverlay(overlay: Overlay, context: Context, links: Map<string, LinkState>): DesiredOverlay {
  const { name, vni, options, members } = overlay;
  const { fabric, host, group } = context;
  const peers = peersOf(overlay, context);
  const own = members.get(host.name) ?? [];
  const { bridge } = options;
  const standing = { addresses: addressesOf(own), routes: routesOf(overlay, host.name, own) };
  const common = {
    index: 0,
    overlay: name,
    alias: aliasOf(fabric.name, name),
    group,
    up: true,
    mtu: mtuOf(overlay, own, context),
    mac: macOf(overlay, host.name, fabric),
    neighbours: NONE,
  };
  links.set(name, {
    ...common,
    name,
    kind: 'vxlan',
    master: bridge,
    txChecksum: options['tx-checksum-offload'],
    vxlan: vxlanOf(overlay, peers, context),
    fdb: fdbOf(overlay, peers, context),
    neighbours: bridge === null ? neighboursOf(overlay, context) : NONE,
    ...(bridge === null ? standing : { addresses: NONE, routes: NONE }),
  });
  if (bridge !== null) {
    // Always `bridge`: that a stranger made it is seen when it is observed, and then it is compared as `joined`.
    links.set(bridge, {
      ...common,
      name: bridge,
      kind: 'bridge',
      master: null,
      txChecksum: true,
      vxlan: null,
      fdb: NONE,
      ...standing,
    });
    for (const port of options.ports) addPort(port, bridge, context, links);
  }
  return { name, vni, addressed: bridge ?? name, peers };
}

/** All other members, then the remotes. */
function peersOf({ members, options }: Overlay, { fabric, host }: Context): DesiredPeer[] {
  const peers: DesiredPeer[] = [];
  for (const [name, prefixes] of members) {
    const peer = name === host.name ? undefined : fabric.hosts.get(name);
    if (peer !== undefined) peers.push({ host: name, underlay: peer.underlay, addresses: prefixes.map(addressOf) });
  }
  for (const remote of options.remotes) peers.push({ host: remote, underlay: remote, addresses: [] });
  return peers;
}

function macOf({ name, options }: Overlay, host: string, fabric: Fabric): Mac {
  const given = options.mac === 'auto' ? undefined : options.mac.get(host);
  return given ?? stableMac(fabric.name, name, host);
}

function mtuOf({ name, options }: Overlay, own: readonly Prefix[], { underlay, problems }: Context): number {
  const { carrier, overhead } = underlay;
  if (carrier === null) return options.mtu === 'auto' ? 1500 - overhead : options.mtu;
  const most = carrier.mtu - overhead;
  const mtu = options.mtu === 'auto' ? most : options.mtu;
  const room = `${carrier.name} has an MTU of ${carrier.mtu}, less ${overhead} for the outer headers`;
  if (mtu > most) {
    problems.push(hostProblem('mtu-device', `mtu ${mtu} of ${name} is more than ${most}: ${room}`));
  } else if (mtu < 68) {
    problems.push(hostProblem('mtu-device', `no room for ${name}: ${room}`, 'give the device a larger MTU'));
  } else if (mtu < 1280 && own.some((prefix) => familyOf(prefix) === 6)) {
    const message = `IPv6 on ${name} needs an MTU of 1280, and there is room for ${mtu}: ${room}`;
    problems.push(hostProblem('ipv6-mtu', message, 'give the device a larger MTU'));
  }
  return mtu;
}

function vxlanOf({ vni, options }: Overlay, peers: readonly DesiredPeer[], { host, underlay }: Context): VxlanState {
  return {
    ...VXLAN_DEFAULTS,
    ...attributesOf(options),
    vni,
    remote: remoteOf(options.flood, peers),
    local: options.local === 'underlay' ? host.underlay : null,
    device: underlay.device,
  };
}

/** The link's own destination: the one peer there is, or the group. */
function remoteOf(flood: 'peers' | 'none' | IpAddress, peers: readonly DesiredPeer[]): IpAddress | null {
  if (flood === 'none') return null;
  if (flood !== 'peers') return flood;
  return peers.length === 1 ? (peers[0]?.underlay ?? null) : null;
}

function fdbOf(overlay: Overlay, peers: readonly DesiredPeer[], context: Context): ReadonlyMap<string, FdbRow> {
  const { options } = overlay;
  const flooded = floodedTo(options.flood, peers, options.remotes);
  const statics = options.neighbours === 'static' && options.bridge === null;
  if (flooded.length === 0 && !statics && options.macs.size === 0) return NONE;
  const rows = new Map<string, FdbRow>();
  const add = (mac: Mac, vtep: IpAddress): void => {
    rows.set(fdbKey(mac, vtep), { mac, vtep, origin: 'ours' });
  };
  for (const vtep of flooded) add(ZERO_MAC, vtep);
  if (statics) {
    for (const [peer, mac] of staticPeers(overlay, context)) add(mac, peer.underlay);
  }
  // What the file says in so many words comes last, so it wins.
  for (const [mac, to] of options.macs) {
    const vtep = context.fabric.hosts.get(to)?.underlay ?? (to as IpAddress);
    if (vtep !== context.host.underlay) add(mac, vtep);
  }
  return rows;
}

/** Where copies of broadcast and unknown frames go, beside the link's own destination. */
function floodedTo(
  flood: 'peers' | 'none' | IpAddress,
  peers: readonly DesiredPeer[],
  remotes: readonly IpAddress[],
): readonly IpAddress[] {
  if (flood === 'none') return [];
  if (flood !== 'peers') return remotes;
  return peers.length === 1 ? [] : peers.map((peer) => peer.underlay);
}

function* staticPeers(overlay: Overlay, { fabric, host }: Context): Generator<[Host, Mac]> {
  for (const name of overlay.members.keys()) {
    const peer = name === host.name ? undefined : fabric.hosts.get(name);
    if (peer !== undefined) yield [peer, macOf(overlay, name, fabric)];
  }
}

function neighboursOf(overlay: Overlay, context: Context): ReadonlyMap<IpAddress, NeighbourState> {
  if (overlay.options.neighbours !== 'static') return NONE;
  const neighbours = new Map<IpAddress, NeighbourState>();
  for (const [peer, mac] of staticPeers(overlay, context)) {
    for (const prefix of overlay.members.get(peer.name) ?? []) {
      const address = addressOf(prefix);
      neighbours.set(address, { address, mac, origin: 'ours', protocol: PROTOCOL });
    }
  }
  return neighbours;
}

const FOREVER = 0xffffffff;

function addressesOf(own: readonly Prefix[]): ReadonlyMap<Prefix, AddressState> {
  if (own.length === 0) return NONE;
  const addresses = new Map<Prefix, AddressState>();
  for (const prefix of own) {
    addresses.set(prefix, {
      prefix,
      origin: 'ours',
      protocol: PROTOCOL,
      flags: 0,
      validLifetime: FOREVER,
      preferredLifetime: FOREVER,
      scope: scopeOf(addressOf(prefix)),
      broadcast: null,
    });
  }
  return addresses;
}

/**
 * RT_SCOPE_* as `ip address add` and the kernel set it: `host` for 127.0.0.0/8 alone (default_scope in ip/ipaddress.c), so
 * global for 169.254.0.0/16 too; for IPv6 the kernel decides, `link` for fe80::/10, `site` for fec0::/10.
 */
function scopeOf(address: IpAddress): number {
  if (familyOf(address) === 4) return address.startsWith('127.') ? 254 : 0;
  if (isLinkLocal6(address)) return 253;
  return /^fe[c-f]/.test(address) ? 200 : 0;
}

function routesOf(
  { options, members }: Overlay,
  host: string,
  own: readonly Prefix[],
): ReadonlyMap<Prefix, RouteState> {
  if (options.routes.length === 0) return NONE;
  const routes = new Map<Prefix, RouteState>();
  for (const { to, via } of options.routes) {
    const gateway = gatewayOf(via, to, members);
    if (gateway === null || via === host) continue;
    const same = own.filter((prefix) => familyOf(prefix) === familyOf(gateway));
    // Not on the gateway itself, nor where no address of that family leads to it.
    if (same.length === 0 || same.some((prefix) => addressOf(prefix) === gateway)) continue;
    routes.set(to, { to, via: gateway, origin: 'ours', protocol: PROTOCOL, metric: 0 });
  }
  return routes;
}

/** Of a port only the bridge that it is in is ours; the rest is copied so that it never differs. */
function addPort(
  port: string,
  bridge: string,
  { facts, underlay, problems, absent }: Context,
  links: Map<string, LinkState>,
): void {
  const link = facts.links.get(port);
  if (link === undefined) {
    const hint = didYouMean(port, facts.links.keys());
    absent.push(hostProblem('port-absent', `there is no link ${port} to put into the bridge ${bridge}`, hint));
    return;
  }
  if (underlay.carriers.has(port)) {
    problems.push(hostProblem('port-is-device', `${port} carries the underlay and cannot be a port of ${bridge}`));
  }
  links.set(port, {
    name: port,
    index: link.index,
    kind: 'port',
    overlay: null,
    master: bridge,
    alias: '',
    group: 0,
    up: link.up,
    mtu: link.mtu,
    mac: ZERO_MAC,
    txChecksum: true,
    vxlan: null,
    addresses: NONE,
    fdb: NONE,
    neighbours: NONE,
    routes: NONE,
  });
}
