/** Reads the kernel: links and addresses once, what stands on our links when asked. */
import { hostname } from 'node:os';
import { addressOf, familyOf, type IpAddress, isLinkLocal6, type Prefix } from '../model/address.ts';
import { formatMac, type Mac, ZERO_MAC } from '../model/mac.ts';
import { isOurs, PROTOCOL, readAlias } from '../model/ownership.ts';
import {
  type AddressState,
  type FdbRow,
  fdbKey,
  type HostFacts,
  type HostState,
  type LinkFacts,
  type LinkKind,
  type LinkState,
  type NeighbourState,
  type Origin,
  type RouteState,
} from '../model/state.ts';
import { type AddressMessage, IFA_F, readAddress, writeAddress } from '../netlink/address.ts';
import { IFF, type LinkMessage, readLink, SKIP_STATS, writeLink } from '../netlink/link.ts';
import { AF, type Header, RTM } from '../netlink/message.ts';
import { type NeighbourMessage, NTF, NUD, readNeighbour, writeNeighbour } from '../netlink/neighbour.ts';
import {
  type RouteMessage,
  RT_TABLE_MAIN,
  RTM_PROTOCOL_OFFSET,
  RTPROT,
  readRoute,
  writeRoute,
} from '../netlink/route.ts';
import type { Reader } from '../netlink/wire.ts';
import { readTxChecksum } from './ethtool.ts';
import type { RememberedLink, Scope, View } from './port.ts';
import type { Rtnetlink } from './rtnetlink.ts';
import { type LinkNames, vxlanState } from './vxlan-wire.ts';

const NO_MAC = formatMac(new Uint8Array(6)) as Mac;
/** Asked for one by one: other families (Phonet, MCTP) have addresses of other lengths. */
const FAMILIES = [AF.INET, AF.INET6] as const;
const FOREVER = 0xffffffff;
/** IFAPROT_KERNEL_LO, _RA, _LL (<linux/if_addr.h>): addresses that the kernel made itself. */
const KERNEL_ADDRESS_PROTOCOLS = new Set([1, 2, 3]);
/** Routes that the kernel made itself. */
const KERNEL_ROUTE_PROTOCOLS = new Set<number>([RTPROT.REDIRECT, RTPROT.KERNEL, RTPROT.RA]);
/** Flags of an address that somebody asked for; the others are the kernel's own bookkeeping. */
const ASKED_FLAGS = IFA_F.NODAD | IFA_F.HOMEADDRESS | IFA_F.MANAGETEMPADDR | IFA_F.NOPREFIXROUTE | IFA_F.MCAUTOJOIN;
/** What the kernel gives an IPv6 route that was asked for without a metric (IP6_RT_PRIO_USER). */
const IPV6_DEFAULT_METRIC = 1024;
/** Up to so many links, the FDB is read link by link, so that a stranger's large bridge costs nothing. */
const FDB_SINGLE_READS = 4;

type Read<T> = (from: Reader, start: number, end: number) => T;

function readAll<T>(
  socket: Rtnetlink,
  type: number,
  body: Parameters<Rtnetlink['dump']>[1],
  read: Read<T | null>,
): T[] {
  return socket.dump(type, body, () => {
    const found: T[] = [];
    return {
      visit: (from, header) => {
        const message = read(from, header.start, header.end);
        if (message !== null) found.push(message);
      },
      done: () => found,
    };
  });
}

function readLinks(socket: Rtnetlink): LinkMessage[] {
  const attributes = { extMask: SKIP_STATS };
  return readAll(socket, RTM.GETLINK, (to) => writeLink(to, { index: 0, flags: 0, change: 0, attributes }), readLink);
}

function prefixOf(message: AddressMessage): Prefix | null {
  const address = message.attributes.local ?? message.attributes.address;
  return address === undefined ? null : (`${address}/${message.length}` as Prefix);
}

/** EUI-64 of a MAC (RFC 4291, appendix A): how the kernel makes fe80::. */
function isEui64(address: IpAddress, mac: Mac): boolean {
  const hex = mac.split(':');
  const first = (Number.parseInt(hex[0] ?? '0', 16) ^ 2).toString(16).padStart(2, '0');
  const groups = [`${first}${hex[1]}`, `${hex[2]}ff`, `fe${hex[3]}`, `${hex[4]}${hex[5]}`];
  return address === `fe80::${groups.map((g) => g.replace(/^0{1,3}/, '')).join(':')}`;
}

/** Whether the kernel made it itself: by its protocol (Linux 5.18), else by what it looks like. */
function isKernelAddress(message: AddressMessage, prefix: Prefix, mac: Mac): boolean {
  const protocol = message.attributes.protocol ?? 0;
  if (KERNEL_ADDRESS_PROTOCOLS.has(protocol)) return true;
  if (familyOf(prefix) === 4 || protocol !== 0) return false;
  const flags = message.attributes.flags ?? 0;
  if ((flags & (IFA_F.SECONDARY | IFA_F.STABLE_PRIVACY)) !== 0) return true;
  return isLinkLocal6(addressOf(prefix)) && isEui64(addressOf(prefix), mac);
}

function addressState(message: AddressMessage, prefix: Prefix, origin: Origin): AddressState {
  const { attributes } = message;
  return {
    prefix,
    origin,
    protocol: attributes.protocol ?? 0,
    flags: (attributes.flags ?? 0) & ASKED_FLAGS,
    validLifetime: attributes.lifetimes?.valid ?? FOREVER,
    preferredLifetime: attributes.lifetimes?.preferred ?? FOREVER,
    scope: message.scope,
    broadcast: attributes.broadcast ?? null,
  };
}

/** A permanent or static row of a VXLAN link's own table; not what the kernel learned, nor the row that stands for `remote`. */
function fdbRow(message: NeighbourMessage, remote: IpAddress | null): Omit<FdbRow, 'origin'> | null {
  const { mac, destination, port, vni, via } = message.attributes;
  if ((message.flags & NTF.SELF) === 0 || (message.state & (NUD.PERMANENT | NUD.NOARP)) === 0) return null;
  if (mac === undefined || destination === undefined) return null;
  // The row that stands for `remote` names the underlay device as well.
  if (mac === ZERO_MAC && destination === remote && port === undefined && vni === undefined) return null;
  if (port === undefined && vni === undefined && via === undefined) return { mac, vtep: destination };
  const special = {
    ...(port === undefined ? {} : { port }),
    ...(vni === undefined ? {} : { vni }),
    ...(via === undefined ? {} : { via }),
  };
  return { mac, vtep: destination, special };
}

function neighbourState(message: NeighbourMessage): NeighbourState | null {
  const { destination, mac, protocol } = message.attributes;
  if ((message.state & NUD.PERMANENT) === 0 || (message.flags & NTF.PROXY) !== 0) return null;
  if (destination === undefined || mac === undefined) return null;
  const origin = protocol === PROTOCOL ? 'ours' : 'foreign';
  return { address: destination, mac, origin, protocol: protocol ?? 0 };
}

function routeState(message: RouteMessage): RouteState {
  const { destination, gateway, metric } = message.attributes;
  const six = message.family === AF.INET6;
  const to = `${destination ?? (six ? '::' : '0.0.0.0')}/${message.length}` as Prefix;
  return {
    to,
    via: gateway ?? null,
    origin: message.protocol === PROTOCOL ? 'ours' : 'foreign',
    protocol: message.protocol,
    metric: six && metric === IPV6_DEFAULT_METRIC ? 0 : (metric ?? 0),
  };
}

/** A link as it is being read: its maps are filled by the tables read after it. */
interface Draft {
  readonly message: LinkMessage;
  readonly state: LinkState;
  readonly remembered: RememberedLink | undefined;
  readonly addresses: Map<Prefix, AddressState>;
  readonly fdb: Map<string, FdbRow>;
  readonly neighbours: Map<IpAddress, NeighbourState>;
  readonly routes: Map<Prefix, RouteState>;
}

class LiveView implements View {
  readonly facts: HostFacts;
  readonly #socket: Rtnetlink;
  readonly #names: LinkNames;
  readonly #links: readonly LinkMessage[];
  readonly #addresses: Map<number, AddressMessage[]>;

  constructor(socket: Rtnetlink, machine: string) {
    this.#socket = socket;
    this.#links = readLinks(socket);
    this.#addresses = new Map();
    const messages = FAMILIES.flatMap((family) => {
      const body = { family, length: 0, scope: 0, index: 0, attributes: {} };
      return readAll(socket, RTM.GETADDR, (to) => writeAddress(to, body), readAddress);
    });
    for (const message of messages) {
      const list = this.#addresses.get(message.index);
      if (list === undefined) this.#addresses.set(message.index, [message]);
      else list.push(message);
    }
    const links = new Map<string, LinkFacts>();
    const byIndex = new Map<number, string>();
    for (const link of this.#links) {
      const name = link.attributes.name ?? `if${link.index}`;
      byIndex.set(link.index, name);
      links.set(name, {
        name,
        index: link.index,
        kind: link.attributes.linkInfo?.kind ?? '',
        up: (link.flags & IFF.UP) !== 0,
        mtu: link.attributes.mtu ?? 0,
        addresses: (this.#addresses.get(link.index) ?? []).flatMap((message) => prefixOf(message) ?? []),
      });
    }
    this.facts = { hostname: machine, links };
    this.#names = { indexOf: (name) => links.get(name)?.index, nameOf: (index) => byIndex.get(index) };
  }

  state(scope: Scope): HostState {
    const drafts = new Map<number, Draft>();
    for (const message of this.#links) {
      const draft = this.#draft(message, scope);
      if (draft !== null) drafts.set(message.index, draft);
    }
    const owned = [...drafts.values()].filter(({ state }) => state.kind === 'vxlan' || state.kind === 'bridge');
    if (owned.length > 0) {
      this.#readFdb(owned, drafts, scope);
      this.#readNeighbours(drafts);
      this.#readRoutes(drafts);
    }
    const links = new Map<string, LinkState>();
    for (const { state } of drafts.values()) links.set(state.name, state);
    return { links };
  }

  #draft(message: LinkMessage, scope: Scope): Draft | null {
    const { index, attributes } = message;
    const name = attributes.name ?? '';
    const alias = attributes.alias ?? '';
    const group = attributes.group ?? 0;
    const ours = isOurs({ alias, group }, scope.fabric);
    const wanted = scope.wanted.get(name);
    const remembered = this.#remembered(name, index, alias, scope);
    const master = attributes.master === undefined ? null : (this.#names.nameOf(attributes.master) ?? null);
    const putByUs = remembered !== undefined && remembered.master !== null && remembered.master === master;
    const found = attributes.linkInfo?.kind ?? '';
    const joinedByUs = remembered !== undefined && remembered.addresses.size > 0 && found === 'bridge';
    if (!ours && wanted === undefined && !putByUs && !joinedByUs) return null;
    const met = wanted ?? (putByUs ? 'port' : joinedByUs ? 'bridge' : undefined);
    const kind = ours ? ownKind(found) : strangerKind(found, met);
    const mac = attributes.address ?? NO_MAC;
    const vxlan = attributes.linkInfo?.vxlan;
    const addresses = new Map<Prefix, AddressState>();
    const fdb = new Map<string, FdbRow>();
    const neighbours = new Map<IpAddress, NeighbourState>();
    const routes = new Map<Prefix, RouteState>();
    const standing = kind !== 'port' && kind !== 'other';
    if (standing) {
      for (const entry of this.#addresses.get(index) ?? []) {
        const prefix = prefixOf(entry);
        if (prefix === null || isKernelAddress(entry, prefix, mac)) continue;
        const known = entry.attributes.protocol === PROTOCOL || remembered?.addresses.has(prefix) === true;
        addresses.set(prefix, addressState(entry, prefix, known ? 'ours' : 'foreign'));
      }
    }
    const state: LinkState = {
      name,
      index,
      kind,
      overlay: ours ? (readAlias(alias)?.overlay ?? name) : null,
      alias,
      group,
      up: (message.flags & IFF.UP) !== 0,
      mtu: attributes.mtu ?? 0,
      mac,
      txChecksum: standing ? (readTxChecksum(this.#socket.fd, name) ?? true) : true,
      master,
      vxlan: kind === 'vxlan' && vxlan !== undefined ? vxlanState(vxlan, this.#names) : null,
      addresses,
      fdb,
      neighbours,
      routes,
    };
    return { message, state, remembered, addresses, fdb, neighbours, routes };
  }

  #remembered(name: string, index: number, alias: string, scope: Scope): RememberedLink | undefined {
    const link = scope.remembered?.links.get(name);
    // Index 0 was written before the link was made: it stands for the one that then was.
    return link !== undefined && link.alias === alias && (link.index === index || link.index === 0) ? link : undefined;
  }

  #readFdb(owned: readonly Draft[], drafts: ReadonlyMap<number, Draft>, scope: Scope): void {
    const links = owned.filter(({ state }) => state.kind === 'vxlan');
    const asked = links.filter(({ state }) => scope.rows?.has(state.name) === true);
    for (const draft of asked) this.#askFdb(draft, scope.rows?.get(draft.state.name) ?? []);
    const dumped = links.filter((draft) => !asked.includes(draft));
    if (dumped.length > FDB_SINGLE_READS) this.#dumpFdb(0, dumped, drafts);
    else for (const draft of dumped) this.#dumpFdb(draft.state.index, [draft], drafts);
  }

  /** @param index of the one link to read; 0: all links. */
  #dumpFdb(index: number, links: readonly Draft[], drafts: ReadonlyMap<number, Draft>): void {
    const body = { family: AF.BRIDGE, index, state: 0, flags: 0, attributes: {} };
    const collector = () => {
      for (const { fdb } of links) fdb.clear();
      return {
        visit: (from: Reader, header: Header) => {
          const draft = drafts.get(from.i32(header.start + 4));
          if (draft?.state.kind === 'vxlan') keepRow(draft, readNeighbour(from, header.start, header.end));
        },
        done: () => undefined,
      };
    };
    this.#socket.dump(RTM.GETNEIGH, (to) => writeNeighbour(to, body), collector);
  }

  #askFdb(draft: Draft, rows: readonly FdbRow[]): void {
    const { index } = draft.state;
    this.#socket.ask(
      rows,
      RTM.GETNEIGH,
      (to, { mac }) => writeNeighbour(to, { family: AF.BRIDGE, index, state: 0, flags: NTF.SELF, attributes: { mac } }),
      (from, header) => keepRow(draft, readNeighbour(from, header.start, header.end)),
    );
  }

  #readNeighbours(drafts: ReadonlyMap<number, Draft>): void {
    for (const family of FAMILIES) {
      const body = { family, index: 0, state: 0, flags: 0, attributes: {} };
      const found = readAll(
        this.#socket,
        RTM.GETNEIGH,
        (to) => writeNeighbour(to, body),
        (from, start, end) => (standsOn(drafts, from.i32(start + 4)) ? readNeighbour(from, start, end) : null),
      );
      for (const message of found) {
        const neighbour = neighbourState(message);
        if (neighbour !== null) drafts.get(message.index)?.neighbours.set(neighbour.address, neighbour);
      }
    }
  }

  #readRoutes(drafts: ReadonlyMap<number, Draft>): void {
    for (const family of FAMILIES) {
      const body = { family, length: 0, table: RT_TABLE_MAIN, protocol: 0, scope: 0, type: 0, attributes: {} };
      const found = readAll(
        this.#socket,
        RTM.GETROUTE,
        (to) => writeRoute(to, body),
        (from, start, end) =>
          end - start > RTM_PROTOCOL_OFFSET && KERNEL_ROUTE_PROTOCOLS.has(from.u8(start + RTM_PROTOCOL_OFFSET))
            ? null
            : readRoute(from, start, end),
      );
      for (const message of found) {
        const index = message.attributes.outputLink ?? 0;
        if (!standsOn(drafts, index)) continue;
        const route = routeState(message);
        drafts.get(index)?.routes.set(route.to, route);
      }
    }
  }
}

function keepRow({ state, fdb, remembered }: Draft, message: NeighbourMessage): void {
  const row = fdbRow(message, state.vxlan?.remote ?? null);
  if (row === null) return;
  const key = row.special === undefined ? fdbKey(row.mac, row.vtep) : `${fdbKey(row.mac, row.vtep)} special`;
  fdb.set(key, { ...row, origin: remembered?.fdb.has(key) === true ? 'ours' : 'foreign' });
}

function standsOn(drafts: ReadonlyMap<number, Draft>, index: number): boolean {
  const kind = drafts.get(index)?.state.kind;
  return kind !== undefined && kind !== 'port' && kind !== 'other';
}

function ownKind(found: string): LinkKind {
  return found === 'vxlan' || found === 'bridge' ? found : 'other';
}

function strangerKind(found: string, wanted: LinkKind | undefined): LinkKind {
  if (wanted === 'port') return 'port';
  if (found === 'bridge') return wanted === 'bridge' ? 'joined' : 'other';
  return found === 'vxlan' ? 'vxlan' : 'other';
}

/** What marks a link as ours. */
export interface LinkMarks {
  readonly name: string;
  readonly index: number;
  readonly alias: string;
  readonly group: number;
}

/** The marks of every link, of any kind. */
export function readMarks(socket: Rtnetlink): readonly LinkMarks[] {
  return readLinks(socket).map(({ index, attributes: { name = '', alias = '', group = 0 } }) => ({
    name,
    index,
    alias,
    group,
  }));
}

/** IPv4 addresses on the links with these indexes. */
export function readAddresses(socket: Rtnetlink, indexes: ReadonlySet<number>): readonly AddressMessage[] {
  const body = { family: AF.INET, length: 0, scope: 0, index: 0, attributes: {} };
  return readAll(
    socket,
    RTM.GETADDR,
    (to) => writeAddress(to, body),
    (from, start, end) => (end - start >= 8 && indexes.has(from.u32(start + 4)) ? readAddress(from, start, end) : null),
  );
}

/** IPv6 routes of every table over the links with these indexes, the kernel's own among them. */
export function readRoutes6(socket: Rtnetlink, indexes: ReadonlySet<number>): readonly RouteMessage[] {
  const body = { family: AF.INET6, length: 0, table: 0, protocol: 0, scope: 0, type: 0, attributes: {} };
  return readAll(socket, RTM.GETROUTE, (to) => writeRoute(to, body), readRoute).filter(({ attributes }) =>
    indexes.has(attributes.outputLink ?? 0),
  );
}

/**
 * Reads links and addresses of the socket's namespace.
 * @param foreignNamespace true where this machine's hostname means nothing.
 */
export function look(socket: Rtnetlink, foreignNamespace: boolean): View {
  return new LiveView(socket, foreignNamespace ? '' : hostname());
}
