/**
 * A connection to a message bus: it authenticates, says Hello, makes calls and hands on signals (D-Bus specification,
 * Authentication Protocol and Message Bus). No promises: a signal reaches its handler in the call that reads it from
 * the socket. Method calls of others are not answered: the system bus lets none through to us.
 */
import { connect, type Socket } from 'node:net';
import { Frames } from './frames.ts';
import { encodeMessage, type Header, readBody } from './message.ts';
import { WireError } from './signature.ts';
import type { Value } from './wire.ts';

export const BUS = 'org.freedesktop.DBus';
const BUS_PATH = '/org/freedesktop/DBus';

/** An error as the bus names it, such as org.freedesktop.DBus.Error.UnknownObject. */
export interface DBusError {
  readonly name: string;
  readonly message: string;
}

/** The bus's own name for an error of ours. */
export const dbusError = (name: string, message: string): DBusError => ({ name: `${BUS}.Error.${name}`, message });

export type Reply =
  | { readonly ok: true; readonly body: readonly Value[] }
  | { readonly ok: false; readonly error: DBusError };

export interface Call {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly Value[];
  /** Milliseconds; 25,000 as in other clients. */
  readonly timeout?: number;
}

export interface Bus {
  /** Our unique name, such as `:1.42`. */
  readonly name: string;
  /** Calls `done` once, never at once; the function returned takes that back. @throws WireError when the body does not fit. */
  call(call: Call, done: (reply: Reply) => void): () => void;
  /** A call to the bus itself. */
  ask(member: string, signature: string, body: readonly Value[], done: (reply: Reply) => void): () => void;
  /** Ends the connection as if the bus had: calls fail and `end` is told this error. */
  drop(error: DBusError): void;
}

export interface BusEvents {
  ready(bus: Bus): void;
  /** Whether a signal's body is worth reading. */
  wants(header: Header): boolean;
  signal(header: Header, body: readonly Value[]): void;
  /** Once, also when the connection never came about; after all calls have failed. */
  end(error: DBusError): void;
}

export interface Limits {
  /** Bytes of a message that is read. The largest there is: networkd's list of links, 64 bytes for each. */
  readonly message: number;
  /** Calls that wait for their reply; dbus-daemon allows 128. */
  readonly calls: number;
  /** Milliseconds for connecting, authentication and Hello. */
  readonly greeting: number;
}

export const LIMITS: Limits = { message: 8 * 1024 * 1024, calls: 100, greeting: 10_000 };

const DEFAULT_TIMEOUT = 25_000;
const LONGEST_LINE = 4096;

interface Pending {
  readonly call: Call;
  readonly done: (reply: Reply) => void;
  readonly timer: NodeJS.Timeout;
}

class Connection implements Bus {
  name = '';
  readonly #events: BusEvents;
  readonly #limits: Limits;
  readonly #socket: Socket;
  readonly #frames: Frames;
  readonly #pending = new Map<number, Pending>();
  readonly #greeting: NodeJS.Timeout;
  /** What the bus answered to our authentication, up to now; null once that is over. */
  #line: string | null = '';
  #serial = 0;
  #ended = false;

  constructor(path: string, events: BusEvents, limits: Limits) {
    this.#events = events;
    this.#limits = limits;
    this.#frames = new Frames(limits.message, {
      wants: (header) => this.#wants(header),
      message: (header, bytes, at) => this.#message(header, readBody(bytes, at, header)),
      oversized: (header) => this.#fail(header.replySerial, dbusError('LimitsExceeded', 'the reply is too large')),
    });
    const callback = (length: number, buffer: Uint8Array): boolean => {
      this.#read(Buffer.from(buffer.buffer, buffer.byteOffset, length));
      return true;
    };
    this.#socket = connect({ path, onread: { buffer: Buffer.allocUnsafeSlow(16384), callback } });
    this.#socket.on('connect', () => this.#authenticate());
    this.#socket.on('error', (error) =>
      this.drop(dbusError(this.name === '' ? 'NoServer' : 'Disconnected', error.message)),
    );
    this.#socket.on('end', () => this.drop(dbusError('Disconnected', 'the bus closed the connection')));
    this.#socket.on('close', () => this.drop(dbusError('Disconnected', 'the connection was closed')));
    this.#greeting = setTimeout(() => this.drop(dbusError('Timeout', 'the bus did not greet us')), limits.greeting);
  }

  /** EXTERNAL: the bus knows from the socket who we are. */
  #authenticate(): void {
    const uid = Buffer.from(String(process.geteuid?.() ?? 0)).toString('hex');
    this.#socket.write(`\0AUTH EXTERNAL ${uid}\r\n`);
  }

  #read(bytes: Buffer): void {
    if (this.#ended) return;
    try {
      if (this.#line === null) this.#frames.push(bytes);
      else this.#authenticating(bytes);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.drop(dbusError('InconsistentMessage', error.message));
    }
  }

  #authenticating(bytes: Buffer): void {
    const line = `${this.#line}${bytes.toString('latin1')}`;
    this.#line = line;
    const end = line.indexOf('\r\n');
    if (end < 0 && line.length <= LONGEST_LINE) return;
    // Nothing may follow: the bus speaks next when it was told to begin.
    if (end !== line.length - 2 || !/^OK [0-9a-f]+\r\n$/.test(line)) {
      this.drop(dbusError('AuthFailed', `the bus answered ${JSON.stringify(line.slice(0, 80))}`));
      return;
    }
    this.#line = null;
    this.#socket.write('BEGIN\r\n');
    this.ask('Hello', '', [], (reply) => {
      if (!reply.ok) return this.drop(reply.error);
      const [name] = reply.body;
      if (typeof name !== 'string') return this.drop(dbusError('InconsistentMessage', 'Hello without a name'));
      this.name = name;
      clearTimeout(this.#greeting);
      this.#events.ready(this);
    });
  }

  #wants(header: Header): boolean {
    if (header.kind === 'signal') return this.name !== '' && this.#events.wants(header);
    if (header.replySerial === null) return false;
    const pending = this.#pending.get(header.replySerial);
    // A reply to a unique name or to the bus comes from there; what a well-known name stands for, only the bus knows.
    return (
      pending !== undefined &&
      (pending.call.destination === header.sender || !/^:|^org\.freedesktop\.DBus$/.test(pending.call.destination))
    );
  }

  #message(header: Header, body: readonly Value[]): void {
    if (header.kind === 'signal') this.#events.signal(header, body);
    else if (header.kind === 'return') this.#settle(header.replySerial, { ok: true, body });
    else if (header.kind === 'error') {
      const [message] = body;
      this.#fail(header.replySerial, {
        name: header.errorName ?? '',
        message: typeof message === 'string' ? message : '',
      });
    }
  }

  call(call: Call, done: (reply: Reply) => void): () => void {
    if (this.#ended) return failSoon(dbusError('Disconnected', 'the connection has ended'), done);
    if (this.#pending.size >= this.#limits.calls) {
      return failSoon(dbusError('LimitsExceeded', `${this.#limits.calls} calls are waiting`), done);
    }
    // Serials come round after four thousand million calls; 0 is none.
    this.#serial = (this.#serial % 0xffffffff) + 1;
    const serial = this.#serial;
    const { destination, path, member, signature = '', body = [], timeout = DEFAULT_TIMEOUT } = call;
    this.#socket.write(
      encodeMessage({ kind: 'call', serial, destination, path, interface: call.interface, member, signature, body }),
    );
    const timer = setTimeout(() => this.#fail(serial, dbusError('NoReply', `no answer to ${member}`)), timeout);
    this.#pending.set(serial, { call, done, timer });
    return () => this.#forget(serial);
  }

  ask(member: string, signature: string, body: readonly Value[], done: (reply: Reply) => void): () => void {
    return this.call({ destination: BUS, path: BUS_PATH, interface: BUS, member, signature, body }, done);
  }

  #forget(serial: number): Pending | undefined {
    const pending = this.#pending.get(serial);
    clearTimeout(pending?.timer);
    this.#pending.delete(serial);
    return pending;
  }

  #settle(serial: number | null, reply: Reply): void {
    if (serial !== null) this.#forget(serial)?.done(reply);
  }

  #fail(serial: number | null, error: DBusError): void {
    this.#settle(serial, { ok: false, error });
  }

  drop(error: DBusError): void {
    if (this.#stop(error)) this.#events.end(error);
  }

  /** @returns false when that was done before */
  #stop(error: DBusError): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    clearTimeout(this.#greeting);
    this.#frames.stop();
    this.#socket.destroy();
    for (const serial of [...this.#pending.keys()]) this.#fail(serial, error);
    return true;
  }

  close(): void {
    this.#stop(dbusError('Disconnected', 'the connection was closed'));
  }
}

function failSoon(error: DBusError, done: (reply: Reply) => void): () => void {
  const timer = setImmediate(() => done({ ok: false, error }));
  return () => clearImmediate(timer);
}

/**
 * Connects to the bus that listens at a path (or, after a NUL, at an abstract name). Throws nothing: what goes wrong is
 * told to `end`. The function returned ends the connection: calls fail, `end` is not told.
 */
export function openBus(path: string, events: BusEvents, limits: Limits = LIMITS): () => void {
  const connection = new Connection(path, events, limits);
  return () => connection.close();
}
