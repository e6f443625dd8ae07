/** The neighbour table (ARP, RFC 826; neighbour discovery, RFC 4861) as the kernel fills it. */
import type { IpAddress } from '../model/address.ts';
import type { Mac } from '../model/mac.ts';
import { AF, RTM } from '../netlink/message.ts';
import { type NeighbourMessage, NTF, NUD, readNeighbour, writeNeighbour } from '../netlink/neighbour.ts';
import { Rtnetlink } from './rtnetlink.ts';

/** Entries that somebody put there, and those that need none. */
const KEPT = NUD.PERMANENT | NUD.NOARP;

function readNeighbours(socket: Rtnetlink): NeighbourMessage[] {
  return [AF.INET, AF.INET6].flatMap((family) =>
    socket.dump(
      RTM.GETNEIGH,
      (to) => writeNeighbour(to, { family, index: 0, state: 0, flags: 0, attributes: {} }),
      () => {
        const found: NeighbourMessage[] = [];
        return {
          visit: (from, header) => found.push(readNeighbour(from, header.start, header.end)),
          done: () => found,
        };
      },
    ),
  );
}

/** The MAC that the namespace knows for an address; null: none. */
export function knownMac(netns: number, address: IpAddress): Mac | null {
  const socket = new Rtnetlink(netns);
  try {
    const entry = readNeighbours(socket).find(({ attributes }) => attributes.destination === address);
    return entry?.attributes.mac ?? null;
  } finally {
    socket.close();
  }
}

/** Removes what the kernel learned; what somebody put there stays. */
export function forgetNeighbours(netns: number): void {
  const socket = new Rtnetlink(netns);
  try {
    const learned = readNeighbours(socket).filter(
      ({ state, flags }) => (state & KEPT) === 0 && (flags & NTF.PROXY) === 0,
    );
    const batch = socket.batch<null>(() => undefined);
    for (const { family, index, attributes } of learned) {
      const { destination } = attributes;
      if (destination === undefined) continue;
      const message = { family, index, state: 0, flags: 0, attributes: { destination } };
      batch.add(null, RTM.DELNEIGH, 0, (to) => writeNeighbour(to, message));
    }
    // One that went by itself meanwhile is refused, and gone.
    batch.finish();
  } finally {
    socket.close();
  }
}
