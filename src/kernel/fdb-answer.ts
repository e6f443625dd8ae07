/** The usual answer to a question for an FDB row, told without making anything of it: 100,000 may come in one run. */
import type { FdbRow } from '../model/state.ts';
import { ip, isMacAt } from '../netlink/codecs.ts';
import type { Header } from '../netlink/message.ts';
import { NEIGHBOUR, NUD } from '../netlink/neighbour.ts';
import { ATTRIBUTE_ID, align, type Reader } from '../netlink/wire.ts';

const NDMSG_SIZE = 12;
const STATE_OFFSET = 8;
const [DESTINATION] = NEIGHBOUR.destination;
const [MAC] = NEIGHBOUR.mac;
const SPECIAL: readonly number[] = [NEIGHBOUR.port[0], NEIGHBOUR.vni[0], NEIGHBOUR.via[0]];

/**
 * Whether the message tells exactly this row, permanent and with nothing special. False says nothing more than that it
 * has to be read as a whole.
 */
export function tellsRow(from: Reader, { start, end }: Header, row: FdbRow): boolean {
  if (end - start < NDMSG_SIZE || (from.u16(start + STATE_OFFSET) & NUD.PERMANENT) === 0) return false;
  let found = 0;
  for (let at = start + NDMSG_SIZE; at + 4 <= end; ) {
    const length = from.u16(at);
    if (length < 4 || at + length > end) return false;
    const id = from.u16(at + 2) & ATTRIBUTE_ID;
    if (id === MAC) {
      if (length !== 10 || !isMacAt(from.bytes, at + 4, row.mac)) return false;
      found++;
    } else if (id === DESTINATION) {
      if ((length !== 8 && length !== 20) || ip.read(from, at + 4, length - 4) !== row.vtep) return false;
      found++;
    } else if (SPECIAL.includes(id)) return false;
    at += align(length);
  }
  return found === 2;
}
