/**
 * What is known of networkd's links, and what is new. It is told what networkd says, in the order in which networkd
 * says it, and tells each change once. Pure.
 */

/** A link's state changed, or is heard of for the first time. Both states are as they are with this change. */
export interface LinkChange {
  readonly index: number;
  readonly property: 'administrative' | 'operational';
  /** networkd's AdministrativeState, in its words. */
  readonly administrative: string;
  /** networkd's OperationalState, in its words. */
  readonly operational: string;
  /** No change: the link was so when networkd was first asked. */
  readonly initial: boolean;
}

export interface LinkStates {
  readonly administrative: string;
  readonly operational: string;
}

/** What one signal says; null: nothing of that state. */
export interface News {
  readonly administrative: string | null;
  readonly operational: string | null;
}

export interface StateEvents {
  change(change: LinkChange): void;
  /** networkd has this link no longer. After the administrative state `linger` when there was somebody to say so. */
  gone(index: number): void;
}

interface Known {
  administrative: string;
  operational: string;
}

/** A link whose states are being asked for: what is said of it meanwhile. */
interface Asked {
  readonly held: News[];
}

/** networkd says nothing of the states in which a link begins. */
const NEW_LINK: LinkStates = { administrative: 'pending', operational: 'missing' };
/** The last administrative state of a link. */
const LAST = 'linger';
/** Newest signals of one link that are held; a reply comes within a few. */
const MOST_HELD = 32;

const PROPERTIES = ['administrative', 'operational'] as const;

export class LinkTable {
  readonly #events: StateEvents;
  readonly #links = new Map<number, Known | Asked>();
  #complete = false;
  #initial = false;

  constructor(events: StateEvents) {
    this.#events = events;
  }

  /** Whether every link that networkd has is in the table, so that another one must be new. */
  get complete(): boolean {
    return this.#complete;
  }

  /** How many links have known states. */
  get size(): number {
    let size = 0;
    for (const link of this.#links.values()) size += 'held' in link ? 0 : 1;
    return size;
  }

  get(index: number): LinkStates | null {
    const link = this.#links.get(index);
    return link === undefined || 'held' in link ? null : { ...link };
  }

  /** Signals may have been missed: a list and reads follow. `initial`: what they say is no change. */
  restart(initial: boolean): void {
    this.#complete = false;
    this.#initial = initial;
    for (const [index, link] of this.#links) if ('held' in link) this.#links.delete(index);
  }

  /** All links that networkd has; each is to be read next. */
  listed(indices: ReadonlySet<number>): void {
    for (const index of [...this.#links.keys()]) if (!indices.has(index)) this.missing(index);
    for (const index of indices) if (!this.#links.has(index)) this.#links.set(index, { held: [] });
    this.#complete = true;
  }

  /** The states that networkd has now. */
  read(index: number, states: LinkStates): void {
    const link = this.#links.get(index);
    if (link === undefined) return;
    if ('held' in link) this.#begin(index, link.held, states);
    else this.#apply(index, link, states, false);
  }

  /** networkd has no such link. */
  missing(index: number): void {
    const link = this.#links.get(index);
    this.#links.delete(index);
    if (link !== undefined && !('held' in link)) this.#events.gone(index);
  }

  /** A signal. @returns whether the link is a new one, whose states should be read to be sure of them */
  signal(index: number, news: News): boolean {
    const link = this.#links.get(index);
    if (link === undefined) {
      if (this.#complete) this.#apply(index, this.#know(index, NEW_LINK), news, true);
      else this.#links.set(index, { held: [news] });
      return this.#complete && this.#links.has(index);
    }
    if ('held' in link) {
      link.held.push(news);
      if (link.held.length > MOST_HELD) link.held.shift();
    } else {
      this.#apply(index, link, news, false);
    }
    return false;
  }

  #know(index: number, states: LinkStates): Known {
    const link = { ...states };
    this.#links.set(index, link);
    return link;
  }

  /**
   * The first states of a link, read after signals that could not be understood without them: a state that no signal
   * touched was there all the time, and those signals are changes.
   */
  #begin(index: number, held: readonly News[], states: LinkStates): void {
    const first = (property: keyof News): string | null =>
      held.find((news) => news[property] !== null)?.[property] ?? null;
    const link = this.#know(index, {
      administrative: first('administrative') ?? states.administrative,
      operational: first('operational') ?? states.operational,
    });
    for (const property of PROPERTIES) {
      if (first(property) === null) this.#tell(index, link, property, this.#initial);
    }
    const told = { administrative: false, operational: false };
    for (const news of held) {
      for (const property of PROPERTIES) {
        if (news[property] === null) continue;
        this.#set(index, link, property, news[property], !told[property]);
        told[property] = true;
      }
    }
    this.#apply(index, link, states, false);
  }

  /** Administrative first: its scripts still see the old operational state, as they always have. */
  #apply(index: number, link: Known, news: News, forced: boolean): void {
    for (const property of PROPERTIES) {
      const value = news[property];
      if (value !== null) this.#set(index, link, property, value, forced);
    }
    if (link.administrative === LAST) {
      this.#links.delete(index);
      this.#events.gone(index);
    }
  }

  #set(index: number, link: Known, property: keyof LinkStates, value: string, forced: boolean): void {
    if (link[property] === value && !forced) return;
    link[property] = value;
    this.#tell(index, link, property, false);
  }

  #tell(index: number, link: Known, property: keyof LinkStates, initial: boolean): void {
    const { administrative, operational } = link;
    this.#events.change({ index, property, administrative, operational, initial });
  }
}
