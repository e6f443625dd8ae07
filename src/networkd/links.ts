/**
 * Follows the links of systemd-networkd over D-Bus (org.freedesktop.network1(5)). Begins before, after and without
 * networkd or the bus, comes back by itself, and then asks what changed meanwhile.
 */
import { systemBusAddresses } from './address.ts';
import { BUS, type Bus, type DBusError, dbusError, type Reply } from './client.ts';
import { connectLoop } from './connect-loop.ts';
import { LINK_PATHS, linkIndex, linkPath } from './link-path.ts';
import type { Header } from './message.ts';
import { type LinkStates, LinkTable, type News, type StateEvents } from './states.ts';
import { isList, isVariant, type Value } from './wire.ts';

export type { DBusError } from './client.ts';
export type { LinkChange, LinkStates } from './states.ts';

export type NetworkdStatus =
  /** The bus is not there, or not as it should be; it is tried again. */
  | { readonly state: 'no-bus'; readonly error: DBusError }
  /** The bus is there and networkd is not. */
  | { readonly state: 'no-networkd' }
  /** networkd is there and does not say what is asked of it; it is asked again. */
  | { readonly state: 'no-answer'; readonly error: DBusError }
  /** Every link is known, and each change is told as it comes. */
  | { readonly state: 'following'; readonly links: number };

export interface NetworkdEvents extends StateEvents {
  /** At first, and whenever `state` is another. */
  status(status: NetworkdStatus): void;
}

export interface NetworkdWatch {
  /** The last known states; null for a link that networkd does not have. */
  states(index: number): LinkStates | null;
  /**
   * What networkd says of a link in its Describe (systemd 249 and newer), an object as in `networkctl --json status`. null
   * when it cannot be had: no networkd, an older one, no such link, no answer in five seconds.
   */
  describe(index: number): Promise<Readonly<Record<string, unknown>> | null>;
  close(): void;
}

const NETWORKD = 'org.freedesktop.network1';
const LINK = 'org.freedesktop.network1.Link';
const PROPERTIES = 'org.freedesktop.DBus.Properties';
const MANAGER_PATH = '/org/freedesktop/network1';

/** The sender in a match rule is the name's present owner; signals sent to us alone pass by the rules, see `#wants`. */
const MATCHES = [
  `type='signal',sender='${BUS}',interface='${BUS}',member='NameOwnerChanged',arg0='${NETWORKD}'`,
  `type='signal',sender='${NETWORKD}',interface='${PROPERTIES}',member='PropertiesChanged',path_namespace='${LINK_PATHS.slice(0, -1)}',arg0='${LINK}'`,
];

/** dbus-daemon allows 128 calls without an answer. */
const READS_AT_ONCE = 32;
const DESCRIBE_TIMEOUT = 5000;
/** Milliseconds until networkd is asked again after it did not answer. */
const ASK_AGAIN = 1000;
/** Characters: thousands of addresses. */
const LONGEST_DESCRIPTION = 1024 * 1024;

const GONE = new Set(['UnknownObject', 'UnknownInterface', 'UnknownMethod'].map((name) => `${BUS}.Error.${name}`));

/** A property of `a{sv}` that is a string. */
function stringOf(properties: Value | undefined, name: string): string | null {
  const variant = properties instanceof Map ? properties.get(name) : undefined;
  return variant !== undefined && isVariant(variant) && typeof variant.value === 'string' ? variant.value : null;
}

const newsOf = (properties: Value | undefined): News => ({
  administrative: stringOf(properties, 'AdministrativeState'),
  operational: stringOf(properties, 'OperationalState'),
});

/** The indices in ListLinks' a(iso). */
function indicesOf(list: Value | undefined): Set<number> | null {
  if (list === undefined || !isList(list)) return null;
  return new Set(list.flatMap((row) => (isList(row) && typeof row[0] === 'number' ? [row[0]] : [])));
}

class Watch implements NetworkdWatch {
  readonly #events: NetworkdEvents;
  readonly #links: LinkTable;
  readonly #close: () => void;
  #bus: Bus | null = null;
  /** networkd's unique name. */
  #owner: string | null = null;
  /** Changes with the connection and the owner: what was asked before then is no longer of interest. */
  #epoch = 0;
  readonly #toRead = new Set<number>();
  #reading = 0;
  #again: NodeJS.Timeout | undefined;
  /** Whether the states that are read first were there before us. */
  #initial = true;
  #status: NetworkdStatus | null = null;

  constructor(env: { readonly [name: string]: string | undefined }, events: NetworkdEvents) {
    this.#events = events;
    this.#links = new LinkTable(events);
    this.#close = connectLoop(systemBusAddresses(env), {
      up: (bus) => this.#up(bus),
      down: (error) => this.#down(error),
      wants: (header) => this.#wants(header),
      signal: (header, body) => this.#signal(header, body),
    });
  }

  states(index: number): LinkStates | null {
    return this.#links.get(index);
  }

  close(): void {
    this.#forgetOwner();
    this.#bus = null;
    this.#close();
  }

  #tell(status: NetworkdStatus): void {
    const before = this.#status;
    this.#status = status;
    if (before?.state !== status.state) this.#events.status(status);
  }

  #up(bus: Bus): void {
    this.#bus = bus;
    for (const rule of MATCHES) {
      bus.ask('AddMatch', 's', [rule], (reply) => {
        if (!reply.ok) bus.drop(reply.error);
      });
    }
    bus.ask('GetNameOwner', 's', [NETWORKD], (reply) => {
      if (reply.ok) this.#owned(typeof reply.body[0] === 'string' ? reply.body[0] : null);
      else if (reply.error.name === `${BUS}.Error.NameHasNoOwner`) this.#owned(null);
      else bus.drop(reply.error);
    });
  }

  #down(error: DBusError): void {
    if (this.#bus === null) this.#initial = false;
    this.#bus = null;
    this.#forgetOwner();
    this.#tell({ state: 'no-bus', error });
  }

  #forgetOwner(): void {
    clearTimeout(this.#again);
    this.#again = undefined;
    this.#owner = null;
    this.#epoch++;
    this.#toRead.clear();
    this.#reading = 0;
  }

  #owned(owner: string | null): void {
    if (owner !== null && owner === this.#owner) return;
    this.#forgetOwner();
    this.#owner = owner;
    this.#links.restart(this.#initial && owner !== null);
    if (owner === null) {
      this.#initial = false;
      this.#tell({ state: 'no-networkd' });
      return;
    }
    this.#list();
  }

  #list(): void {
    this.#ask(MANAGER_PATH, `${NETWORKD}.Manager`, 'ListLinks', '', [], (reply) => this.#listed(reply));
  }

  /** A call to networkd of which the reply is dropped when networkd or the bus is another by then. */
  #ask(
    path: string,
    face: string,
    member: string,
    signature: string,
    body: readonly Value[],
    done: (reply: Reply) => void,
  ): void {
    const epoch = this.#epoch;
    this.#bus?.call({ destination: this.#owner ?? '', path, interface: face, member, signature, body }, (reply) => {
      if (epoch === this.#epoch) done(reply);
    });
  }

  /** An answer that is none: told and asked again later, unless networkd has gone by then, which fails its calls too. */
  #fault(error: DBusError): void {
    clearTimeout(this.#again);
    const epoch = ++this.#epoch;
    this.#toRead.clear();
    this.#reading = 0;
    this.#again = setTimeout(() => {
      this.#again = undefined;
      if (epoch !== this.#epoch) return;
      this.#tell({ state: 'no-answer', error });
      this.#list();
    }, ASK_AGAIN);
  }

  #listed(reply: Reply): void {
    const indices = reply.ok ? indicesOf(reply.body[0]) : null;
    if (indices === null) {
      this.#fault(reply.ok ? dbusError('InconsistentMessage', 'ListLinks gave no list') : reply.error);
      return;
    }
    this.#links.listed(indices);
    for (const index of indices) this.#toRead.add(index);
    this.#read();
  }

  #read(): void {
    for (const index of this.#toRead) {
      if (this.#reading >= READS_AT_ONCE) return;
      this.#toRead.delete(index);
      this.#reading++;
      this.#ask(linkPath(index), PROPERTIES, 'GetAll', 's', [LINK], (reply) => {
        this.#reading--;
        this.#answered(index, reply);
      });
    }
    if (this.#reading === 0 && this.#links.complete && this.#again === undefined) {
      this.#initial = false;
      this.#tell({ state: 'following', links: this.#links.size });
    }
  }

  #answered(index: number, reply: Reply): void {
    const { administrative, operational } = newsOf(reply.ok ? reply.body[0] : undefined);
    if (administrative !== null && operational !== null) this.#links.read(index, { administrative, operational });
    else if (!reply.ok && GONE.has(reply.error.name)) this.#links.missing(index);
    else {
      this.#fault(reply.ok ? dbusError('InconsistentMessage', 'a link without its states') : reply.error);
      return;
    }
    this.#read();
  }

  #wants(header: Header): boolean {
    if (header.sender === BUS) return header.member === 'NameOwnerChanged' && header.signature === 'sss';
    return (
      this.#owner !== null &&
      header.sender === this.#owner &&
      header.interface === PROPERTIES &&
      header.member === 'PropertiesChanged' &&
      header.signature === 'sa{sv}as'
    );
  }

  #signal(header: Header, body: readonly Value[]): void {
    const [first, second, third] = body;
    if (header.sender === BUS) {
      if (first === NETWORKD && typeof third === 'string') this.#owned(third === '' ? null : third);
      return;
    }
    const index = linkIndex(header.path ?? '');
    if (index === null || first !== LINK) return;
    const news = newsOf(second);
    const withheld =
      third !== undefined &&
      isList(third) &&
      (third.includes('AdministrativeState') || third.includes('OperationalState'));
    const tells = news.administrative !== null || news.operational !== null;
    const isNew = tells && this.#links.signal(index, news);
    if (!isNew && !withheld) return;
    this.#toRead.add(index);
    this.#read();
  }

  describe(index: number): Promise<Readonly<Record<string, unknown>> | null> {
    if (this.#bus === null || this.#owner === null) return Promise.resolve(null);
    const { promise, resolve } = Promise.withResolvers<Readonly<Record<string, unknown>> | null>();
    const [destination, path] = [this.#owner, linkPath(index)];
    const call = { destination, path, interface: LINK, member: 'Describe', timeout: DESCRIBE_TIMEOUT };
    this.#bus.call(call, (reply) => resolve(reply.ok ? parsed(reply.body[0]) : null));
    return promise;
  }
}

/** The JSON object in a string, or null. */
function parsed(text: Value | undefined): Readonly<Record<string, unknown>> | null {
  if (typeof text !== 'string' || text.length > LONGEST_DESCRIPTION) return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}

/**
 * Follows the links of the networkd on the system bus of `env` (DBUS_SYSTEM_BUS_ADDRESS). Throws nothing; no event comes
 * before it returns, and none after `close`.
 */
export function watchNetworkd(
  env: { readonly [name: string]: string | undefined },
  events: NetworkdEvents,
): NetworkdWatch {
  return new Watch(env, events);
}
