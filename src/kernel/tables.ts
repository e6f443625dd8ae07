/** Whole tables of the kernel, as messages. */
import { type AddressMessage, readAddress, writeAddress } from '../netlink/address.ts';
import { type LinkMessage, readLink, SKIP_STATS, writeLink } from '../netlink/link.ts';
import { AF, RTM } from '../netlink/message.ts';
import { type NeighbourMessage, readNeighbour, writeNeighbour } from '../netlink/neighbour.ts';
import {
  type RouteMessage,
  RT_TABLE_MAIN,
  RTM_PROTOCOL_OFFSET,
  RTPROT,
  readRoute,
  writeRoute,
} from '../netlink/route.ts';
import type { Reader } from '../netlink/wire.ts';
import type { Rtnetlink } from './rtnetlink.ts';

/** Asked for one by one: other families (Phonet, MCTP) have addresses of other lengths. */
const FAMILIES = [AF.INET, AF.INET6] as const;
/** Routes that the kernel made itself. */
const KERNEL_ROUTE_PROTOCOLS = new Set<number>([RTPROT.REDIRECT, RTPROT.KERNEL, RTPROT.RA]);

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

export function readLinks(socket: Rtnetlink): LinkMessage[] {
  const attributes = { extMask: SKIP_STATS };
  return readAll(socket, RTM.GETLINK, (to) => writeLink(to, { index: 0, flags: 0, change: 0, attributes }), readLink);
}

/** Both families, on every link. */
export function readAddresses(socket: Rtnetlink): AddressMessage[] {
  return FAMILIES.flatMap((family) => {
    const body = { family, length: 0, scope: 0, index: 0, attributes: {} };
    return readAll(socket, RTM.GETADDR, (to) => writeAddress(to, body), readAddress);
  });
}

/** Neighbours (ARP, NDP) of both families on links that `on` accepts. */
export function readNeighbours(socket: Rtnetlink, on: (index: number) => boolean): NeighbourMessage[] {
  return FAMILIES.flatMap((family) => {
    const body = { family, index: 0, state: 0, flags: 0, attributes: {} };
    return readAll(
      socket,
      RTM.GETNEIGH,
      (to) => writeNeighbour(to, body),
      (from, start, end) => (end - start >= 8 && !on(from.i32(start + 4)) ? null : readNeighbour(from, start, end)),
    );
  });
}

/** Routes of the main table, both families, without those that the kernel made itself. */
export function readRoutes(socket: Rtnetlink): RouteMessage[] {
  return FAMILIES.flatMap((family) => {
    const body = { family, length: 0, table: RT_TABLE_MAIN, protocol: 0, scope: 0, type: 0, attributes: {} };
    return readAll(
      socket,
      RTM.GETROUTE,
      (to) => writeRoute(to, body),
      // Thousands of links have thousands of these: sorted out before they are read.
      (from, start, end) =>
        end - start > RTM_PROTOCOL_OFFSET && KERNEL_ROUTE_PROTOCOLS.has(from.u8(start + RTM_PROTOCOL_OFFSET))
          ? null
          : readRoute(from, start, end),
    );
  });
}

/** IPv6 routes of every table, the kernel's own among them. */
export function readAllRoutes6(socket: Rtnetlink): RouteMessage[] {
  const body = { family: AF.INET6, length: 0, table: 0, protocol: 0, scope: 0, type: 0, attributes: {} };
  return readAll(socket, RTM.GETROUTE, (to) => writeRoute(to, body), readRoute);
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
