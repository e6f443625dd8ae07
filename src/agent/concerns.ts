/** Which of the kernel's events can mean that something of ours is not as it should be: a busy host has many others. */
import type { Hint } from '../kernel/hints.ts';
import { isOurs, PROTOCOL } from '../model/ownership.ts';
import type { HostState } from '../model/state.ts';

/** NUD_* of <linux/neighbour.h>. */
const NUD = { FAILED: 0x20, NOARP: 0x40, PERMANENT: 0x80 } as const;

export class Concerns {
  /** Indexes of links that we make or join. */
  #links: ReadonlySet<number> = new Set();
  /** Those on which we put neighbours. */
  #withNeighbours: ReadonlySet<number> = new Set();

  /** From now on these are our links. */
  follow({ links }: HostState, fabric: string): void {
    const own = [...links.values()].filter((link) => isOurs(link, fabric) || link.kind === 'joined');
    this.#links = new Set(own.map(({ index }) => index));
    this.#withNeighbours = new Set(own.filter(({ neighbours }) => neighbours.size > 0).map(({ index }) => index));
  }

  concerns({ kind, index, removed, state, protocol }: Hint): boolean {
    switch (kind) {
      // The underlay is any link: its address, its MTU, whether it is there.
      case 'link':
      case 'address':
        return true;
      // Learned rows come and go all the time.
      case 'fdb':
        return this.#links.has(index) && (state & (NUD.PERMANENT | NUD.NOARP)) !== 0;
      case 'neighbour':
        return this.#withNeighbours.has(index) && (removed || (state & (NUD.PERMANENT | NUD.FAILED)) !== 0);
      case 'route':
        return protocol === PROTOCOL || this.#links.has(index);
      default:
        return kind satisfies never;
    }
  }
}
