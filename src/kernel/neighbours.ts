/** The neighbour table (ARP, RFC 826; neighbour discovery, RFC 4861) as the kernel fills it. */
import type { IpAddress } from '../model/address.ts';
import type { Mac } from '../model/mac.ts';
import { RTM } from '../netlink/message.ts';
import { NTF, NUD, writeNeighbour } from '../netlink/neighbour.ts';
import { Rtnetlink } from './rtnetlink.ts';
import { readNeighbours } from './tables.ts';

/** Entries that somebody put there, and those that need none. */
const KEPT = NUD.PERMANENT | NUD.NOARP;

const anywhere = (): boolean => true;

/** The MAC that the namespace knows for an address; null: none. */
export function knownMac(netns: number, address: IpAddress): Mac | null {
  const socket = new Rtnetlink(netns);
  try {
    const entry = readNeighbours(socket, anywhere).find(({ attributes }) => attributes.destination === address);
    return entry?.attributes.mac ?? null;
  } finally {
    socket.close();
  }
}

/** Removes what the kernel learned; what somebody put there stays. */
export function forgetNeighbours(netns: number): void {
  const socket = new Rtnetlink(netns);
  try {
    const learned = readNeighbours(socket, anywhere).filter(
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
