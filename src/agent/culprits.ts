/** Who changed what since the last look, as far as the kernel's events and /proc tell. */

export interface Culprit {
  readonly pid: number;
  /** As in /proc/PID/comm; null: it was gone before anybody could look. */
  readonly name: string | null;
}

/** Events name the port that a request came from: the process's id, for the first socket of one. */
const LARGEST_PID = 4_194_304; // PID_MAX_LIMIT of <linux/threads.h>
/** More are not told apart. */
const MOST = 32;

export class Culprits {
  readonly #who: (pid: number) => string | null;
  /** Port → who; the same few come again and again in a burst. */
  readonly #known = new Map<number, Culprit>();
  /** Link's index → ports. */
  readonly #byLink = new Map<number, Set<number>>();

  constructor(who: (pid: number) => string | null) {
    this.#who = who;
  }

  /** At once, as the process may be gone soon. */
  saw(port: number, index: number): void {
    if (port <= 0 || port > LARGEST_PID || (this.#known.size >= MOST && !this.#known.has(port))) return;
    if (!this.#known.has(port)) this.#known.set(port, { pid: port, name: this.#who(port) });
    const ports = this.#byLink.get(index);
    if (ports === undefined) this.#byLink.set(index, new Set([port]));
    else ports.add(port);
  }

  of(indexes: Iterable<number>): readonly Culprit[] {
    const found = new Map<number, Culprit>();
    for (const index of indexes) {
      for (const port of this.#byLink.get(index) ?? []) {
        const culprit = this.#known.get(port);
        if (culprit !== undefined) found.set(port, culprit);
      }
    }
    return [...found.values()];
  }

  clear(): void {
    this.#known.clear();
    this.#byLink.clear();
  }
}

/** `by ip (process 4123)`, or '' when nobody is known. */
export function byWhom(culprits: readonly Culprit[]): string {
  const shown = culprits
    .slice(0, 3)
    .map(({ pid, name }) => (name === null ? `process ${pid}, gone by now` : `${name} (process ${pid})`));
  if (shown.length === 0) return '';
  return `by ${shown.join(' and ')}${culprits.length > shown.length ? ' and others' : ''}`;
}
