/** Reads the kernel: links and addresses once, what stands on our links when asked. */
import { hostname } from 'node:os';
import type { IpAddress, Prefix } from '../model/address.ts';
import { formatMac } from '../model/mac.ts';
import { isOurs, PROTOCOL, readAlias } from '../model/ownership.ts';
import {
  type AddressState,
  type FdbRow,
  fdbKey,
  type HostFacts,
  type HostState,
  type LinkFacts,
  type LinkState,
  type NeighbourState,
  type RouteState,
  routeKey,
} from '../model/state.ts';
import type { AddressMessage } from '../netlink/address.ts';
import { IFF, type LinkMessage } from '../netlink/link.ts';
import { AF, type Header, RTM } from '../netlink/message.ts';
import { type NeighbourMessage, NTF, readNeighbour, writeNeighbour } from '../netlink/neighbour.ts';
import type { Reader } from '../netlink/wire.ts';
import { readTxChecksum } from './ethtool.ts';
import { tellsRow } from './fdb-answer.ts';
import {
  addressState,
  fdbRow,
  isFloodingRow,
  isKernelAddress,
  neighbourState,
  ownKind,
  prefixOf,
  routeState,
  strangerKind,
} from './found.ts';
import type { RememberedLink, Scope, View } from './port.ts';
import type { Rtnetlink } from './rtnetlink.ts';
import { readAddresses, readLinks, readNeighbours, readRoutes } from './tables.ts';
import { type LinkNames, vxlanState } from './vxlan-wire.ts';

const NO_MAC = formatMac(new Uint8Array(6));
/** Up to so many links, the FDB is read link by link, so that a stranger's large bridge costs nothing. */
const FDB_SINGLE_READS = 4;

/** A link as it is being read: its maps are filled by the tables read after it. */
interface Draft {
  readonly link: LinkState;
  readonly remembered: RememberedLink | undefined;
  readonly addresses: Map<Prefix, AddressState>;
  readonly fdb: Map<string, FdbRow>;
  readonly neighbours: Map<IpAddress, NeighbourState>;
  readonly routes: Map<string, RouteState>;
  /** Whether the FDB has the row that makes `remote` work: somebody may have deleted it. */
  flooding: boolean;
}

type Drafts = ReadonlyMap<number, Draft>;

/** What stands on strangers' links is their business, but for the bridges that we join. */
const standsOn = ({ link: { kind } }: Draft): boolean => kind !== 'port' && kind !== 'other';

class LiveView implements View {
  readonly facts: HostFacts;
  readonly #socket: Rtnetlink;
  readonly #names: LinkNames;
  readonly #links: readonly LinkMessage[];
  readonly #addresses: ReadonlyMap<number, readonly AddressMessage[]>;

  constructor(socket: Rtnetlink, machine: string) {
    this.#socket = socket;
    this.#links = readLinks(socket);
    this.#addresses = Map.groupBy(readAddresses(socket), ({ index }) => index);
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
    if ([...drafts.values()].some(standsOn)) {
      this.#readFdb(drafts, scope);
      this.#readNeighbours(drafts);
      this.#readRoutes(drafts);
    }
    const links = new Map<string, LinkState>();
    for (const { link, flooding } of drafts.values()) {
      // Without its row `remote` is but a word: told as missing, so that it is set again.
      const vxlan = link.vxlan === null || flooding ? link.vxlan : { ...link.vxlan, remote: null };
      links.set(link.name, vxlan === link.vxlan ? link : { ...link, vxlan });
    }
    return { links };
  }

  #draft(message: LinkMessage, scope: Scope): Draft | null {
    const { index, attributes } = message;
    const { name = '', alias = '', group = 0, mtu = 0 } = attributes;
    const ours = isOurs({ alias, group }, scope.fabric);
    const wanted = scope.wanted.get(name);
    const remembered = rememberedLink(name, index, alias, scope);
    const master = attributes.master === undefined ? null : (this.#names.nameOf(attributes.master) ?? null);
    const found = attributes.linkInfo?.kind ?? '';
    const putByUs = remembered !== undefined && remembered.master !== null && remembered.master === master;
    const joinedByUs = remembered !== undefined && found === 'bridge';
    if (!ours && wanted === undefined && !putByUs && !joinedByUs) return null;
    const met = wanted ?? (putByUs ? 'port' : joinedByUs ? 'bridge' : undefined);
    const kind = ours ? ownKind(found) : strangerKind(found, met);
    const mac = attributes.address ?? NO_MAC;
    const vxlan = attributes.linkInfo?.vxlan;
    const link = {
      name,
      index,
      kind,
      overlay: ours ? (readAlias(alias)?.overlay ?? name) : null,
      alias,
      group,
      up: (message.flags & IFF.UP) !== 0,
      mtu,
      mac,
      txChecksum: true,
      master,
      vxlan: kind === 'vxlan' && vxlan !== undefined ? vxlanState(vxlan, this.#names) : null,
      addresses: new Map<Prefix, AddressState>(),
      fdb: new Map<string, FdbRow>(),
      neighbours: new Map<IpAddress, NeighbourState>(),
      routes: new Map<string, RouteState>(),
    };
    const { addresses, fdb, neighbours, routes } = link;
    const draft = { link, remembered, addresses, fdb, neighbours, routes, flooding: true };
    if (standsOn(draft)) {
      link.txChecksum = readTxChecksum(this.#socket.fd, name) ?? true;
      this.#keepAddresses(draft);
    }
    return draft;
  }

  #keepAddresses({ link, remembered, addresses }: Draft): void {
    for (const message of this.#addresses.get(link.index) ?? []) {
      const prefix = prefixOf(message);
      if (prefix === null || isKernelAddress(message, prefix, link.mac)) continue;
      const ours = message.attributes.protocol === PROTOCOL || remembered?.addresses.has(prefix) === true;
      addresses.set(prefix, addressState(message, prefix, ours ? 'ours' : 'foreign'));
    }
  }

  #readFdb(drafts: Drafts, { rows }: Scope): void {
    const dumped: Draft[] = [];
    for (const draft of drafts.values()) {
      const { kind, name } = draft.link;
      const asked = rows?.get(name);
      if (kind !== 'vxlan') continue;
      if (asked === undefined) dumped.push(draft);
      else this.#askFdb(draft, asked);
    }
    if (dumped.length > FDB_SINGLE_READS) this.#dumpFdb(0, dumped, drafts);
    else for (const draft of dumped) this.#dumpFdb(draft.link.index, [draft], drafts);
  }

  /** @param index of the one link to read; 0: all links. */
  #dumpFdb(index: number, links: readonly Draft[], drafts: Drafts): void {
    const body = { family: AF.BRIDGE, index, state: 0, flags: 0, attributes: {} };
    const collector = () => {
      for (const draft of links) {
        draft.fdb.clear();
        draft.flooding = draft.link.vxlan?.remote === null;
      }
      return {
        visit: (from: Reader, header: Header) => {
          const message = readNeighbour(from, header.start, header.end);
          const draft = drafts.get(message.index);
          if (draft?.link.kind === 'vxlan') keepRow(draft, message);
        },
        done: () => undefined,
      };
    };
    this.#socket.dump(RTM.GETNEIGH, (to) => writeNeighbour(to, body), collector);
  }

  #askFdb(draft: Draft, rows: readonly FdbRow[]): void {
    const head = { family: AF.BRIDGE, index: draft.link.index, state: 0, flags: NTF.SELF };
    this.#socket.ask(
      rows,
      RTM.GETNEIGH,
      (to, { mac }) => writeNeighbour(to, { ...head, attributes: { mac } }),
      (from, header, question) => {
        // The wanted row itself stands for the usual answer, so that nothing is made anew.
        if (tellsRow(from, header, question)) draft.fdb.set(question.mac, question);
        else keepRow(draft, readNeighbour(from, header.start, header.end));
      },
    );
  }

  #readNeighbours(drafts: Drafts): void {
    const on = (index: number): boolean => {
      const draft = drafts.get(index);
      return draft !== undefined && standsOn(draft);
    };
    for (const message of readNeighbours(this.#socket, on)) {
      const neighbour = neighbourState(message);
      if (neighbour !== null) drafts.get(message.index)?.neighbours.set(neighbour.address, neighbour);
    }
  }

  #readRoutes(drafts: Drafts): void {
    for (const message of readRoutes(this.#socket)) {
      const draft = drafts.get(message.attributes.outputLink ?? 0);
      if (draft === undefined || !standsOn(draft)) continue;
      const route = routeState(message);
      draft.routes.set(routeKey(route), route);
    }
  }
}

function rememberedLink(name: string, index: number, alias: string, scope: Scope): RememberedLink | undefined {
  const link = scope.remembered?.links.get(name);
  // Index 0 was written before the link was made: it stands for the one that then was.
  return link !== undefined && link.alias === alias && (link.index === index || link.index === 0) ? link : undefined;
}

function keepRow(draft: Draft, message: NeighbourMessage): void {
  const row = fdbRow(message);
  if (row === null) return;
  if (isFloodingRow(message, draft.link.vxlan?.remote ?? null)) {
    draft.flooding = true;
    return;
  }
  const key = row.special === undefined ? fdbKey(row.mac, row.vtep) : `${fdbKey(row.mac, row.vtep)} special`;
  draft.fdb.set(key, { ...row, origin: draft.remembered?.fdb.has(key) === true ? 'ours' : 'foreign' });
}

/**
 * Reads links and addresses of the socket's namespace.
 * @param foreignNamespace true where this machine's hostname means nothing.
 */
export function look(socket: Rtnetlink, foreignNamespace: boolean): View {
  return new LiveView(socket, foreignNamespace ? '' : hostname());
}
