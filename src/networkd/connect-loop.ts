/** A connection to the system bus that comes back by itself: whenever the bus ends, and until it is there. */
import { type FSWatcher, watch } from 'node:fs';
import type { BusAddress } from './address.ts';
import { type Bus, type BusEvents, type DBusError, dbusError, openBus } from './client.ts';

export interface LoopEvents extends Omit<BusEvents, 'ready' | 'end'> {
  up(bus: Bus): void;
  /** Once for each connection that ended, and for each attempt that came to nothing. */
  down(error: DBusError): void;
}

/** Milliseconds between attempts: doubled each time, and begun anew after a connection that held for the longest of them. */
const SHORTEST_WAIT = 10;
const LONGEST_WAIT = 2000;

class Loop {
  readonly #addresses: readonly BusAddress[];
  readonly #events: LoopEvents;
  #wait = SHORTEST_WAIT;
  /** In seconds of process.uptime(), which costs no memory as `performance` does; null while not connected. */
  #upSince: number | null = null;
  #timer: NodeJS.Timeout | undefined;
  #watcher: FSWatcher | null = null;
  #closeBus = (): void => {};
  #closed = false;

  constructor(addresses: readonly BusAddress[], events: LoopEvents) {
    this.#addresses = addresses;
    this.#events = events;
    this.#timer = setTimeout(() => this.#attempt(0), 0);
  }

  #attempt(index: number): void {
    this.#timer = undefined;
    const address = this.#addresses[index];
    if (address === undefined) {
      this.#events.down(dbusError('BadAddress', 'no address of the system bus is a unix socket'));
      return;
    }
    this.#closeBus = openBus(address.path, {
      wants: (header) => this.#events.wants(header),
      signal: (header, body) => this.#events.signal(header, body),
      ready: (bus) => {
        this.#unwatch();
        this.#upSince = process.uptime();
        this.#events.up(bus);
      },
      end: (error) => {
        if (this.#upSince === null && index + 1 < this.#addresses.length) this.#attempt(index + 1);
        else this.#down(error);
      },
    });
  }

  #down(error: DBusError): void {
    const held = this.#upSince === null ? 0 : (process.uptime() - this.#upSince) * 1000;
    if (held > LONGEST_WAIT) this.#wait = SHORTEST_WAIT;
    this.#upSince = null;
    this.#schedule();
    this.#watch();
    this.#events.down(error);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#attempt(0), this.#wait);
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
  }

  /** A socket that appears is tried at once: waiting is for the times when nothing happens. */
  #watch(): void {
    const folder = this.#addresses.find((address) => address.folder !== null)?.folder;
    if (this.#watcher !== null || this.#closed || folder === undefined || folder === null) return;
    try {
      this.#watcher = watch(folder, () => this.#appeared());
      this.#watcher.on('error', () => this.#unwatch());
    } catch {
      // There is no such folder yet: the timer finds the bus.
    }
  }

  #appeared(): void {
    const soon = this.#wait <= SHORTEST_WAIT * 2;
    if (this.#timer === undefined || soon) return;
    // The file is there a moment before somebody listens, so the next attempts come soon as well.
    this.#wait = SHORTEST_WAIT;
    this.#schedule();
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#unwatch();
    this.#closeBus();
  }
}

/**
 * Connects and connects again, until the function returned is called; throws nothing. No event comes before it returns.
 * Without any address `down` says so, and that is all.
 */
export function connectLoop(addresses: readonly BusAddress[], events: LoopEvents): () => void {
  const loop = new Loop(addresses, events);
  return () => loop.close();
}
