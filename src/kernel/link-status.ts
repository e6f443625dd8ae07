/** What the kernel has of single links, for those who are told that something changed and want to know what is now. */
import type { IpAddress } from '../model/address.ts';
import type { Mac } from '../model/mac.ts';
import { type AddressMessage, readAddress, writeAddress } from '../netlink/address.ts';
import { bareText, hardwareAddress, nested, text, u8, u32 } from '../netlink/codecs.ts';
import { SKIP_STATS, writeLink } from '../netlink/link.ts';
import { AF, RTM } from '../netlink/message.ts';
import { RT_TABLE_MAIN, RTN_UNICAST, readRoute, writeRoute } from '../netlink/route.ts';
import { align, type Codec, type Reader, readAttributes } from '../netlink/wire.ts';
import { Rtnetlink } from './rtnetlink.ts';

export interface LinkAddress {
  /** IFA_LOCAL: with a point-to-point link, its own end. */
  readonly address: IpAddress;
  /** RT_SCOPE_* */
  readonly scope: number;
  /** IFA_F_* */
  readonly flags: number;
  /** IFA_RT_PRIORITY; 0: none. */
  readonly metric: number;
}

/** How a link makes its IPv6 addresses (IN6_ADDR_GEN_MODE_*). */
const GENERATION = ['eui64', 'none', 'stable-privacy', 'random'] as const;
export type AddressGeneration = (typeof GENERATION)[number];

export interface LinkStatus {
  readonly index: number;
  readonly name: string;
  readonly alternativeNames: readonly string[];
  /** IFLA_INFO_KIND; '' for a device without one. */
  readonly kind: string;
  /** ARPHRD_*: 1 Ethernet, 772 loopback. */
  readonly hardwareType: number;
  /** null: the link has none, or it is no MAC. */
  readonly mac: Mac | null;
  readonly mtu: number;
  /** 0: none, or an older kernel does not say. */
  readonly minimumMtu: number;
  readonly maximumMtu: number;
  readonly qdisc: string | null;
  /** null: an older kernel. */
  readonly queues: { readonly tx: number; readonly rx: number } | null;
  readonly addressGeneration: AddressGeneration | null;
  /** IPv4 first, each family in the kernel's order. */
  readonly addresses: readonly LinkAddress[];
  /** Of its default routes in the main table: IPv4 first, each family by metric. */
  readonly gateways: readonly IpAddress[];
}

const ALTERNATIVE_NAME = 53; // IFLA_ALT_IFNAME

/** A codec of what is only read here. */
const reading = <T>(read: Codec<T>['read']): Codec<T> => ({
  size: 0,
  write: () => {
    throw new TypeError('only read');
  },
  read,
});

const INFO = { kind: [1, bareText] } as const;
const kind = reading((from, at, length) => readAttributes(from, at, at + length, INFO).kind ?? '');

const PROPERTY = { name: [ALTERNATIVE_NAME, text] } as const;
/** IFLA_PROP_LIST: the same attribute again and again. */
const names = reading((from, at, length) => {
  const found: string[] = [];
  for (let next = at; next + 4 <= at + length; ) {
    const size = from.u16(next);
    if (size < 4) break;
    const { name } = readAttributes(from, next, next + size, PROPERTY);
    if (name !== undefined) found.push(name);
    next += align(size);
  }
  return found;
});

const FAMILIES = { inet6: [AF.INET6, nested({ mode: [8, u8] } as const)] } as const;
/** IFLA_AF_SPEC → AF_INET6 → IFLA_INET6_ADDR_GEN_MODE. */
const generation = reading((from, at, length) => {
  const mode = readAttributes(from, at, at + length, FAMILIES).inet6?.mode;
  return mode === undefined ? undefined : GENERATION[mode];
});

/** IFLA_* */
const STATUS = {
  address: [1, hardwareAddress],
  name: [3, text],
  mtu: [4, u32],
  qdisc: [6, text],
  kind: [18, kind],
  generation: [26, generation],
  txQueues: [31, u32],
  rxQueues: [32, u32],
  minimumMtu: [50, u32],
  maximumMtu: [51, u32],
  alternativeNames: [52, names],
} as const;

const NAME = { name: [3, text] } as const;
const HEADER_BYTES = 16; // struct ifinfomsg
const PREFIX_LENGTH_OFFSET = 1; // rtm_dst_len of struct rtmsg

/** What one message of the kernel tells. */
type OfLink = Omit<LinkStatus, 'addresses' | 'gateways'>;

function readStatus(from: Reader, start: number, end: number): OfLink {
  const found = readAttributes(from, start + HEADER_BYTES, end, STATUS);
  const { txQueues, rxQueues } = found;
  return {
    index: from.i32(start + 4),
    name: found.name ?? '',
    alternativeNames: found.alternativeNames ?? [],
    kind: found.kind ?? '',
    hardwareType: from.u16(start + 2),
    mac: found.address ?? null,
    mtu: found.mtu ?? 0,
    minimumMtu: found.minimumMtu ?? 0,
    maximumMtu: found.maximumMtu ?? 0,
    qdisc: found.qdisc ?? null,
    queues: txQueues === undefined || rxQueues === undefined ? null : { tx: txQueues, rx: rxQueues },
    addressGeneration: found.generation ?? null,
  };
}

const request = (index: number) => ({ index, flags: 0, change: 0, attributes: { extMask: SKIP_STATS } });

export class LinkReader {
  readonly #socket: Rtnetlink;

  /** @param netns an open namespace; without it, our own. @throws SysError EMFILE and the like. */
  constructor(netns?: number) {
    this.#socket = new Rtnetlink(netns);
  }

  close(): void {
    this.#socket.close();
  }

  /** The names of all links by their index. */
  names(): Map<number, string> {
    return this.#socket.dump(
      RTM.GETLINK,
      (to) => writeLink(to, request(0)),
      () => {
        const found = new Map<number, string>();
        return {
          visit: (from, { start, end }) => {
            const { name = '' } = readAttributes(from, start + HEADER_BYTES, end, NAME);
            found.set(from.i32(start + 4), name);
          },
          done: () => found,
        };
      },
    );
  }

  /** null: there is no such link. */
  name(index: number): string | null {
    return this.#get(index, (from, start, end) => readAttributes(from, start + HEADER_BYTES, end, NAME).name ?? null);
  }

  /** null: there is no such link. */
  status(index: number): LinkStatus | null {
    const found = this.#get(index, readStatus);
    if (found === null) return null;
    const families = [AF.INET, AF.INET6];
    return {
      ...found,
      addresses: families.flatMap((family) => this.#addresses(family, index)),
      gateways: families.flatMap((family) => this.#gateways(family, index)),
    };
  }

  #get<T>(index: number, read: (from: Reader, start: number, end: number) => T): T | null {
    return this.#socket.get(
      RTM.GETLINK,
      (to) => writeLink(to, request(index)),
      (from, { start, end }) => read(from, start, end),
    );
  }

  /** A routing table may be long: the kernel sorts out the routes of other links, and few messages are read in full. */
  #gateways(family: number, index: number): IpAddress[] {
    const attributes = { table: RT_TABLE_MAIN, outputLink: index };
    const body = { family, length: 0, table: RT_TABLE_MAIN, protocol: 0, scope: 0, type: 0, attributes };
    const found = this.#socket.dump(
      RTM.GETROUTE,
      (to) => writeRoute(to, body),
      () => {
        const gateways: Gateway[] = [];
        return {
          visit: (from, { start, end }) => {
            if (from.u8(start + PREFIX_LENGTH_OFFSET) !== 0) return;
            const { type, table, attributes: route } = readRoute(from, start, end);
            // A kernel before 4.20 gives all routes.
            const ours = type === RTN_UNICAST && (route.table ?? table) === RT_TABLE_MAIN && route.outputLink === index;
            if (ours && route.gateway !== undefined)
              gateways.push({ address: route.gateway, metric: route.metric ?? 0 });
          },
          done: () => gateways,
        };
      },
    );
    return [...new Set(found.sort((a, b) => a.metric - b.metric).map(({ address }) => address))];
  }

  #addresses(family: number, index: number): LinkAddress[] {
    return this.#socket.dump(
      RTM.GETADDR,
      (to) => writeAddress(to, { family, length: 0, scope: 0, index, attributes: {} }),
      () => {
        const found: LinkAddress[] = [];
        return {
          visit: (from, { start, end }) => {
            const message = readAddress(from, start, end);
            // A kernel before 4.20 gives those of all links.
            if (message.index === index) found.push(...addressOf(message));
          },
          done: () => found,
        };
      },
    );
  }
}

interface Gateway {
  readonly address: IpAddress;
  readonly metric: number;
}

function addressOf({ scope, attributes }: AddressMessage): LinkAddress[] {
  const address = attributes.local ?? attributes.address;
  if (address === undefined) return [];
  return [{ address, scope, flags: attributes.flags ?? 0, metric: attributes.priority ?? 0 }];
}
