/** Removes links, thousands of them about as fast as the kernel can. */
import { randomInt } from 'node:crypto';
import type { LinkState } from '../model/state.ts';
import { AF } from '../netlink/message.ts';
import * as encode from './encode.ts';
import type { Refusal, Rtnetlink } from './rtnetlink.ts';
import { type LinkMarks, readAddresses, readAllRoutes6, readMarks } from './tables.ts';

/** From here on, emptying the routing tables first pays for itself. */
const MANY_LINKS = 64;
const EBUSY = 16; // <asm-generic/errno-base.h>

const sameLink = (known: LinkState | undefined, now: LinkMarks): boolean =>
  known !== undefined && known.index === now.index && known.alias === now.alias;

/** Indexes are used again: those that now stand for another link are somebody else's. */
function stranger(link: LinkState): Refusal<LinkState> {
  return { tag: link, errno: EBUSY, message: `link ${link.name} changed hands meanwhile; try again` };
}

function freshGroup(marks: readonly LinkMarks[]): number {
  const taken = new Set(marks.map(({ group }) => group));
  for (;;) {
    const group = randomInt(0x10000, 0x7fffffff);
    if (!taken.has(group)) return group;
  }
}

/**
 * Takes the routes of links that are about to be deleted out of the kernel's tables. The kernel walks the whole of these
 * tables for each link that changes its group or goes; with thousands of links most of the time is spent there. What
 * cannot be removed goes with its link.
 */
function emptyTables(socket: Rtnetlink, indexes: ReadonlySet<number>): void {
  // IPv6 addresses stay: to remove one, the kernel walks its routes as well.
  const addresses = readAddresses(socket).filter(({ family, index }) => family === AF.INET && indexes.has(index));
  const routes = readAllRoutes6(socket).filter(({ attributes }) => indexes.has(attributes.outputLink ?? 0));
  const requests = [...addresses.map(encode.removeAddressMessage), ...routes.map(encode.removeRouteMessage)];
  const batch = socket.batch<null>();
  for (const { type, flags, write } of requests) batch.add(null, type, flags, write);
  batch.finish();
}

/**
 * Deletes in one request, by a group that is fresh and then found to hold these links only: one by one, the kernel
 * would wait for all its readers each time (25 ms a link).
 * @returns what the kernel refused; a link that is gone already counts as removed.
 */
export function removeLinks(
  socket: Rtnetlink,
  links: readonly LinkState[],
  onSent: (count: number) => void,
): readonly Refusal<LinkState>[] {
  const known = new Map(links.map((link) => [link.name, link]));
  const marks = readMarks(socket);
  const now = new Map(marks.map((mark) => [mark.name, mark]));
  const present = links.filter(({ name }) => now.has(name));
  const lost = present.find((link) => !sameLink(link, now.get(link.name) as LinkMarks));
  if (lost !== undefined) return [stranger(lost)];
  const send = (
    of: readonly LinkState[],
    request: (link: LinkState) => encode.Request,
  ): readonly Refusal<LinkState>[] => {
    const batch = socket.batch<LinkState>(onSent);
    for (const link of of) {
      const { type, flags, write } = request(link);
      if (!batch.add(link, type, flags, write)) break;
    }
    return batch.finish();
  };
  if (present.length < 2) return send(present, ({ index }) => encode.deleteLink(index));
  if (present.length >= MANY_LINKS) emptyTables(socket, new Set(present.map(({ index }) => index)));
  const group = freshGroup(marks);
  const refused = send(present, ({ index }) => encode.setGroup(index, group));
  if (refused.length > 0) return refused;
  for (const mark of readMarks(socket)) {
    if (mark.group === group && !sameLink(known.get(mark.name), mark)) {
      return [stranger(known.get(mark.name) ?? (present[0] as LinkState))];
    }
  }
  return send(present.slice(0, 1), () => encode.deleteGroup(group));
}
