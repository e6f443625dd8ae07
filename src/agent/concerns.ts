/** Which of the kernel's events can mean that something of ours is not as it should be: a busy host has many others. */
import type { Hint } from '../kernel/hints.ts';
import { isOurs, PROTOCOL } from '../model/ownership.ts';
import type { FdbRow, HostState } from '../model/state.ts';

/** NUD_* of <linux/neighbour.h>. */
const NUD = { REACHABLE: 0x02, STALE: 0x04, FAILED: 0x20, NOARP: 0x40, PERMANENT: 0x80 } as const;
/** What a permanent neighbour can have been turned into. */
const CHANGED = NUD.PERMANENT | NUD.FAILED | NUD.REACHABLE | NUD.STALE;

export class Concerns {
  /** Indexes of links that we make or join. */
  #links: ReadonlySet<number> = new Set();
  /** Those on which we put neighbours. */
  #withNeighbours: ReadonlySet<number> = new Set();
  /** Index → keys of the rows that stand on the link. */
  #rows: ReadonlyMap<number, ReadonlyMap<string, FdbRow>> = new Map();

  /** From now on these are our links. */
  follow({ links }: HostState, fabric: string): void {
    const own = [...links.values()].filter((link) => isOurs(link, fabric) || link.kind === 'joined');
    this.#links = new Set(own.map(({ index }) => index));
    this.#rows = new Map(own.map(({ index, fdb }) => [index, fdb]));
    this.#withNeighbours = new Set(own.filter(({ neighbours }) => neighbours.size > 0).map(({ index }) => index));
  }

  concerns({ kind, index, removed, state, protocol, mac }: Hint): boolean {
    switch (kind) {
      // The underlay is any link: its address, its MTU, whether it is there.
      case 'link':
      case 'address':
        return true;
      // Learned rows come and go all the time; one in the place of ours was put there by somebody.
      case 'fdb':
        return mac === null
          ? this.#links.has(index) && (state & (NUD.PERMANENT | NUD.NOARP)) !== 0
          : this.#rows.get(index)?.has(mac) === true;
      case 'neighbour':
        return this.#withNeighbours.has(index) && (removed || (state & CHANGED) !== 0);
      case 'route':
        return protocol === PROTOCOL || this.#links.has(index);
      default:
        return kind satisfies never;
    }
  }
}
