/**
 * Tells systemd-networkd and NetworkManager to read their files again: those who run, never starting any. One that
 * appears is told too: its name comes on the bus after it has read its files, so it may have missed ours.
 */
import type { Neighbour } from '../model/neighbour.ts';
import { systemBusAddresses } from './address.ts';
import { BUS, type Bus, type Call, type DBusError } from './client.ts';
import { connectLoop } from './connect-loop.ts';
import type { Header } from './message.ts';
import type { Value } from './wire.ts';

type Reload = Omit<Call, 'timeout'>;

/** Milliseconds; both answer in a few. */
const TIMEOUT = 5000;

const RELOADS: Readonly<Record<Neighbour, Reload>> = {
  // org.freedesktop.network1(5); since systemd 244.
  'systemd-networkd': {
    destination: 'org.freedesktop.network1',
    path: '/org/freedesktop/network1',
    interface: 'org.freedesktop.network1.Manager',
    member: 'Reload',
  },
  // NetworkManager's D-Bus reference; 1: the configuration alone, not its connections, name servers and the like.
  NetworkManager: {
    destination: 'org.freedesktop.NetworkManager',
    path: '/org/freedesktop/NetworkManager',
    interface: 'org.freedesktop.NetworkManager',
    member: 'Reload',
    signature: 'u',
    body: [1],
  },
};

const NEIGHBOURS: readonly (readonly [Neighbour, Reload])[] = Object.entries(RELOADS).map(([name, reload]) => [
  name as Neighbour,
  reload,
]);

export interface TellEvents {
  /** It is there: at first, and after each of its starts. It is told after this, if it is due. */
  appears(neighbour: Neighbour): void;
  /** Whether it has to be told. `who` names this life of it: the bus's id and its unique name there. */
  due(neighbour: Neighbour, who: string): boolean;
  told(neighbour: Neighbour, who: string): void;
  failed(neighbour: Neighbour, error: DBusError): void;
}

export interface Telling {
  /**
   * The files may be others now. `done` is called once, never at once, when everybody who runs has read them or has
   * failed to, or when there is no bus.
   */
  tell(done: () => void): void;
  close(): void;
}

class Teller implements Telling {
  readonly #events: TellEvents;
  readonly #close: () => void;
  #bus: Bus | null = null;
  #busId = '';
  /** Changes with the connection. */
  #epoch = 0;
  /** Changes with the files. */
  #generation = 0;
  /** Unique names of those who run. */
  readonly #owners = new Map<Neighbour, string>();
  /** What each was last asked to read, and in which life. */
  readonly #asked = new Map<Neighbour, string>();
  /** Questions to the bus and calls that are not answered; and the first attempt to connect. */
  #open = 1;
  #waiting: (() => void)[] = [];

  constructor(env: { readonly [name: string]: string | undefined }, events: TellEvents) {
    this.#events = events;
    this.#close = connectLoop(systemBusAddresses(env), {
      up: (bus) => this.#up(bus),
      down: () => this.#down(),
      wants: ({ sender, member, signature }: Header) =>
        sender === BUS && member === 'NameOwnerChanged' && signature === 'sss',
      signal: (_, [name, , owner]) => this.#changed(name, owner),
    });
  }

  tell(done: () => void): void {
    this.#generation++;
    this.#waiting.push(done);
    for (const [neighbour, reload] of NEIGHBOURS) this.#check(neighbour, reload);
    if (this.#open === 0) setImmediate(() => this.#settle());
  }

  close(): void {
    this.#epoch++;
    this.#close();
    this.#waiting = [];
  }

  #settle(): void {
    if (this.#open > 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const done of waiting) done();
  }

  #answered(): void {
    this.#open--;
    this.#settle();
  }

  #down(): void {
    this.#epoch++;
    this.#bus = null;
    this.#owners.clear();
    this.#asked.clear();
    this.#open = 0;
    this.#settle();
  }

  #up(bus: Bus): void {
    const epoch = ++this.#epoch;
    this.#bus = bus;
    this.#open = 1;
    bus.ask('GetId', '', [], (id) => {
      if (epoch !== this.#epoch) return;
      this.#busId = id.ok ? String(id.body[0]) : '';
      for (const [neighbour, { destination }] of NEIGHBOURS) {
        const rule = `type='signal',sender='${BUS}',interface='${BUS}',member='NameOwnerChanged',arg0='${destination}'`;
        bus.ask('AddMatch', 's', [rule], (reply) => {
          if (!reply.ok) bus.drop(reply.error);
        });
        this.#open++;
        bus.ask('GetNameOwner', 's', [destination], (reply) => {
          if (epoch !== this.#epoch) return;
          if (reply.ok) this.#appears(neighbour, reply.body[0]);
          this.#answered();
        });
      }
      this.#answered();
    });
  }

  #changed(name: Value | undefined, owner: Value | undefined): void {
    const found = NEIGHBOURS.find(([, { destination }]) => destination === name);
    if (found !== undefined) this.#appears(found[0], owner);
  }

  #appears(neighbour: Neighbour, owner: Value | undefined): void {
    if (this.#owners.get(neighbour) === owner) return;
    this.#owners.delete(neighbour);
    if (typeof owner !== 'string' || owner === '') return;
    this.#owners.set(neighbour, owner);
    this.#events.appears(neighbour);
    this.#check(neighbour, RELOADS[neighbour]);
  }

  #check(neighbour: Neighbour, reload: Reload): void {
    const owner = this.#owners.get(neighbour);
    if (owner === undefined || this.#bus === null) return;
    const who = `${this.#busId} ${owner}`;
    const asked = `${this.#generation} ${who}`;
    if (this.#asked.get(neighbour) === asked || !this.#events.due(neighbour, who)) return;
    this.#asked.set(neighbour, asked);
    const epoch = this.#epoch;
    this.#open++;
    this.#bus.call({ ...reload, destination: owner, timeout: TIMEOUT }, (reply) => {
      if (epoch !== this.#epoch) return;
      // Else it was asked again meanwhile, or is gone, and this answer is of no interest.
      if (this.#asked.get(neighbour) === asked && this.#owners.get(neighbour) === owner) {
        if (reply.ok) this.#events.told(neighbour, who);
        else this.#events.failed(neighbour, reply.error);
      }
      this.#answered();
    });
  }
}

/**
 * Tells the neighbours on the system bus of `env` (DBUS_SYSTEM_BUS_ADDRESS), now and whenever one appears. Throws nothing;
 * no event comes before it returns, and none after `close`.
 */
export function keepTold(env: { readonly [name: string]: string | undefined }, events: TellEvents): Telling {
  return new Teller(env, events);
}
