/** Who changed what since the last look, as far as the kernel's events and /proc tell. */

export interface Culprit {
  readonly pid: number;
  /** As in /proc/PID/comm; null: it was gone before anybody could look. */
  readonly name: string | null;
  /** False: it could change links at that moment, and the kernel does not tell who did. */
  readonly sure: boolean;
}

/** Events name the port that a request came from: the process's id, for the first socket of one. */
const LARGEST_PID = 4_194_304; // PID_MAX_LIMIT of <linux/threads.h>
/** More are not told apart. */
const MOST = 32;

export class Culprits {
  readonly #who: (pid: number) => string | null;
  readonly #users: () => readonly number[];
  /** Port → who; the same few come again and again in a burst. */
  readonly #known = new Map<number, Culprit>();
  /** Link's index → ports. */
  readonly #byLink = new Map<number, Set<number>>();
  /** Who could change links in quiet times. */
  #residents: ReadonlySet<number> = new Set();
  #looked = false;

  /**
   * @param who name of a process
   * @param users the ports through which links could be changed now
   */
  constructor(who: (pid: number) => string | null, users: () => readonly number[]) {
    this.#who = who;
    this.#users = users;
  }

  /** At once, as the process may be gone soon. @param port 0: the kernel does not say. */
  saw(port: number, index: number): void {
    if (port > 0) this.#note(port, index, true);
    else if (!this.#looked) {
      // Most live for a millisecond: whoever is there now and was not there before is likely the one.
      this.#looked = true;
      for (const user of this.#users()) if (!this.#residents.has(user)) this.#note(user, index, false);
    }
  }

  #note(port: number, index: number, sure: boolean): void {
    if (port > LARGEST_PID || port === process.pid || (this.#known.size >= MOST && !this.#known.has(port))) return;
    if (!this.#known.has(port)) this.#known.set(port, { pid: port, name: this.#who(port), sure });
    const ports = this.#byLink.get(index);
    if (ports === undefined) this.#byLink.set(index, new Set([port]));
    else ports.add(port);
  }

  of(indexes: Iterable<number>): readonly Culprit[] {
    const found = new Map<number, Culprit>();
    for (const index of indexes) {
      for (const port of this.#byLink.get(index) ?? []) {
        const culprit = this.#known.get(port);
        // A guess at a process that was gone already says nothing.
        if (culprit !== undefined && (culprit.sure || culprit.name !== null)) found.set(port, culprit);
      }
    }
    return [...found.values()];
  }

  /** Programs that are always there and could change links. */
  residents(): readonly Culprit[] {
    return [...this.#residents]
      .filter((port) => port <= LARGEST_PID && port !== process.pid)
      .map((pid) => ({ pid, name: this.#who(pid), sure: false }))
      .filter(({ name }) => name !== null);
  }

  /** A quiet moment: who is there now is always there. */
  rest(): void {
    this.#residents = new Set(this.#users());
  }

  clear(): void {
    this.#known.clear();
    this.#byLink.clear();
    this.#looked = false;
  }
}

const named = ({ pid, name }: Culprit): string =>
  name === null ? `process ${pid}, gone by now` : `${name} (process ${pid})`;

/** `by ip (process 4123)`, or '' when nobody is known. */
export function byWhom(culprits: readonly Culprit[]): string {
  const sure = culprits.filter((one) => one.sure);
  const shown = (sure.length > 0 ? sure : culprits).slice(0, 3);
  if (shown.length === 0) return '';
  const rest = culprits.length > shown.length && sure.length !== shown.length ? ' and others' : '';
  return `by ${shown.map(named).join(' and ')}${rest}${sure.length === 0 ? ', it seems' : ''}`;
}

/** `NetworkManager (process 812), keepalived (process 900)` */
export const namesOf = (culprits: readonly Culprit[]): string => culprits.map(named).join(', ');
