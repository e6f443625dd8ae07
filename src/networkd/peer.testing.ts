/** Another program on the bus, for tests: it owns names, sends what it likes and answers calls. */
import { connect, type Socket } from 'node:net';
import { Frames } from './frames.ts';
import { encodeMessage, type Header, type Outgoing, readBody } from './message.ts';
import type { Value, Variant } from './wire.ts';

const BUS = { destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus' };

export type Answer =
  | { readonly signature: string; readonly body: readonly Value[] }
  | { readonly errorName: string }
  /** No answer at all. */
  | null;

export class Peer {
  name = '';
  /** How the calls of others are answered. */
  answer: (header: Header, body: readonly Value[]) => Answer = () => null;
  readonly socket: Socket;
  readonly #replies = new Map<number, (body: readonly Value[]) => void>();
  #serial = 0;

  constructor(path: string) {
    this.socket = connect(path);
  }

  async greet(): Promise<void> {
    const frames = new Frames(1 << 20, {
      wants: () => true,
      message: (header, bytes, at) => this.#message(header, readBody(bytes, at, header)),
      oversized: () => {},
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.socket.on('error', reject);
    this.socket.write(`\0AUTH EXTERNAL ${Buffer.from(String(process.geteuid?.() ?? 0)).toString('hex')}\r\n`);
    this.socket.once('data', () => {
      this.socket.on('data', (bytes) => frames.push(bytes));
      this.socket.write('BEGIN\r\n');
      resolve();
    });
    await promise;
    const [name] = await this.ask('Hello', '', []);
    this.name = String(name);
  }

  /** `serial` counts up. */
  send(message: Omit<Outgoing, 'serial'>): number {
    this.#serial++;
    this.socket.write(encodeMessage({ ...message, serial: this.#serial }));
    return this.#serial;
  }

  /** A call to the bus. @returns the body of the reply, also of an error */
  ask(member: string, signature: string, body: readonly Value[]): Promise<readonly Value[]> {
    const serial = this.send({ kind: 'call', ...BUS, member, signature, body });
    return new Promise((resolve) => this.#replies.set(serial, resolve));
  }

  /** Returns once the bus has handled all that was sent. */
  async settled(): Promise<void> {
    await this.ask('GetId', '', []);
  }

  #message(header: Header, body: readonly Value[]): void {
    if (header.kind === 'call') {
      const answer = this.answer(header, body);
      if (answer === null) return;
      const to = { destination: header.sender, replySerial: header.serial };
      if ('errorName' in answer) this.send({ kind: 'error', ...to, errorName: answer.errorName });
      else this.send({ kind: 'return', ...to, ...answer });
    }
    if (header.replySerial === null) return;
    this.#replies.get(header.replySerial)?.(body);
    this.#replies.delete(header.replySerial);
  }

  close(): void {
    this.socket.destroy();
  }
}

export async function connectPeer(path: string): Promise<Peer> {
  const peer = new Peer(path);
  await peer.greet();
  return peer;
}

const PROPERTIES = 'org.freedesktop.DBus.Properties';

const variants = (properties: Readonly<Record<string, string>>): Map<string, Variant> =>
  new Map(Object.entries(properties).map(([name, value]) => [name, { signature: 's', value }]));

/** PropertiesChanged as networkd sends it; `changes` of the message make it something else. */
export function propertiesChanged(
  path: string,
  properties: Readonly<Record<string, string>>,
  { face = 'org.freedesktop.network1.Link', ...changes }: Partial<Outgoing> & { readonly face?: string } = {},
): Omit<Outgoing, 'serial'> {
  return {
    kind: 'signal',
    path,
    interface: PROPERTIES,
    member: 'PropertiesChanged',
    signature: 'sa{sv}as',
    body: [face, variants(properties), []],
    ...changes,
  };
}

/** Plays networkd: answers ListLinks, GetAll and Describe from `links`, index → states. */
export async function fakeNetworkd(
  path: string,
  links: ReadonlyMap<number, readonly [administrative: string, operational: string]>,
): Promise<Peer> {
  const peer = await connectPeer(path);
  const indexOf = (header: Header): number => Number(/_3(\d+)$/.exec(header.path ?? '')?.[1]);
  peer.answer = (header) => {
    if (header.member === 'ListLinks') {
      const rows = [...links.keys()].map((index) => [
        index,
        `link${index}`,
        `/org/freedesktop/network1/link/_3${index}`,
      ]);
      return { signature: 'a(iso)', body: [rows] };
    }
    const states = links.get(indexOf(header));
    if (states === undefined) return { errorName: 'org.freedesktop.DBus.Error.UnknownObject' };
    const [AdministrativeState, OperationalState] = states;
    if (header.member === 'Describe') return { signature: 's', body: [JSON.stringify({ Index: indexOf(header) })] };
    return { signature: 'a{sv}', body: [variants({ OperationalState, AdministrativeState })] };
  };
  await peer.ask('RequestName', 'su', ['org.freedesktop.network1', 4]);
  return peer;
}
