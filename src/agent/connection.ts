/**
 * One who has connected to the agent's socket: takes lines, answers each in turn. Nothing that comes in, or does not
 * come, holds the agent up or makes it keep more than one request and one answer.
 */
import type { Socket } from 'node:net';
import { EverlanError, type Problem, problem } from '../model/problem.ts';
import type { Door } from './door.ts';
import { followEvents, type Outlet, type StateFeed, seenNow, type Telling } from './feed.ts';
import { CHANGES, planToWire, type Refusal, type Request, RequestError, readRequest, refusal } from './protocol.ts';

export interface Limits {
  /** Bytes of one request. */
  readonly request: number;
  /** How long one may take to ask. */
  readonly idleMs: number;
  /** How long one may take to read what was written to it. */
  readonly stallMs: number;
}

/** What all connections share. */
export interface Inside {
  readonly door: Door;
  readonly feed: StateFeed;
  /** What is a defect of ours. */
  onError(error: unknown): void;
}

const NEWLINE = 10;
/** Whoever was refused may still be writing: a socket closed at once would break that off before our answer is read. */
const LINGER_MS = 1000;

const denied = problem('agent-denied', 'only root may ask the agent to change anything', {
  hint: 'run as root; status and events are for the group everlan too',
});

const misunderstood = (why: string): Problem => problem('agent-request', `the agent was asked in a wrong way: ${why}`);

const TOO_LONG = misunderstood('it is too long');

/** Closes when the other end has, or a second after it could have read everything. */
export function linger(socket: Socket): void {
  socket.resume();
  socket.end(() => {
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(timer));
  });
}

export class Connection {
  readonly #socket: Socket;
  readonly #inside: Inside;
  readonly #limits: Limits;
  readonly #mayChange: boolean;
  /** What has come and was not yet carried out; the first `#searched` pieces have no end of a line. */
  #pieces: Buffer[] = [];
  #searched = 0;
  #size = 0;
  /** A request is being carried out. */
  #busy = false;
  #telling: Telling | null = null;
  /** They have nothing more to say. */
  #ended = false;
  /** We answer no further request. */
  #stopped = false;
  /** They do not speak our language. */
  #refused = false;
  #closing = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, mayChange: boolean, inside: Inside, limits: Limits) {
    this.#socket = socket;
    this.#mayChange = mayChange;
    this.#inside = inside;
    this.#limits = limits;
    socket.on('data', (piece: Buffer) => this.#take(piece));
    socket.on('end', () => {
      this.#ended = true;
      if (this.#telling === null) this.#advance();
      else this.#close(false);
    });
    // `close` follows; that somebody has gone is nothing to tell.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(this.#timer);
      this.#telling?.end();
    });
    this.#keepTime();
  }

  /** Finishes what is being carried out, then closes. */
  stop(): void {
    this.#stopped = true;
    if (this.#closing) this.#socket.end(() => this.#socket.destroy());
    else if (this.#telling === null) this.#advance();
    else this.#close(false);
  }

  get #free(): boolean {
    return this.#socket.writableLength === 0;
  }

  /** Begins to wait anew: whoever asks nothing is cut off, as is one who reads nothing, however much they write. */
  #keepTime(): void {
    clearTimeout(this.#timer);
    const { idleMs, stallMs } = this.#limits;
    if (this.#free && (this.#busy || this.#telling !== null)) return;
    this.#timer = setTimeout(() => this.#socket.destroy(), this.#free ? idleMs : stallMs);
  }

  #take(piece: Buffer): void {
    // Whoever is told things has nothing more to ask.
    if (this.#stopped || this.#closing || this.#telling !== null) return;
    this.#pieces.push(piece);
    this.#size += piece.length;
    this.#advance();
  }

  /** Goes on with whatever is next, as soon as what was written has been taken. */
  #advance(): void {
    if (this.#busy || this.#closing || !this.#free) return;
    if (this.#telling !== null) {
      this.#telling.tell();
      return;
    }
    const line = this.#stopped ? null : this.#line();
    if (line !== null && line.length <= this.#limits.request) this.#carryOut(line.toString('utf8'));
    else if (line !== null || this.#size > this.#limits.request) this.#refuse(this.#mayChange ? TOO_LONG : denied);
    else if (this.#ended || this.#stopped) this.#close(this.#refused);
    else this.#socket.resume();
  }

  /** The next whole line, taken out of what has come; null: there is none yet. */
  #line(): Buffer | null {
    const found = this.#pieces.findIndex((piece, i) => i >= this.#searched && piece.includes(NEWLINE));
    if (found === -1) {
      this.#searched = this.#pieces.length;
      return null;
    }
    const bytes = Buffer.concat(this.#pieces);
    const end = bytes.indexOf(NEWLINE);
    const rest = bytes.subarray(end + 1);
    this.#pieces = rest.length === 0 ? [] : [rest];
    this.#searched = 0;
    this.#size = rest.length;
    return bytes.subarray(0, end);
  }

  /** Somebody who does not speak our language is not listened to any longer. */
  #refuse(why: Problem): void {
    this.#pieces = [];
    this.#size = 0;
    this.#stopped = true;
    this.#refused = true;
    this.#write(refusal([why]));
  }

  #close(lingers: boolean): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#telling?.end();
    this.#keepTime();
    if (lingers) linger(this.#socket);
    else this.#socket.end(() => this.#socket.destroy());
  }

  #carryOut(line: string): void {
    let request: Request;
    try {
      request = readRequest(line);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      this.#refuse(misunderstood(error.message));
      return;
    }
    this.#busy = true;
    // What comes meanwhile waits in the kernel.
    this.#socket.pause();
    this.#keepTime();
    this.#answer(request)
      .catch((error: unknown) => this.#failed(error))
      .then((reply) => this.#done(reply))
      .catch(this.#inside.onError);
  }

  #done(reply: object | null): void {
    this.#busy = false;
    if (reply !== null) this.#write(reply);
    else if (this.#stopped) this.#close(false);
    // Its end is to be noticed.
    else this.#socket.resume();
    this.#keepTime();
  }

  /** null: it is answered already, and more will come. */
  async #answer(request: Request): Promise<object | null> {
    const { door } = this.#inside;
    if (CHANGES[request.op] && !this.#mayChange) return refusal([denied]);
    switch (request.op) {
      case 'info':
        return { ok: true, info: door.info() };
      case 'status':
        return { ok: true, ...seenNow(door) };
      case 'watch':
        this.#telling = this.#inside.feed.open(this.#outlet());
        return null;
      case 'events': {
        const { last, follow } = request;
        if (!follow) return { ok: true, events: last === 0 ? [] : door.events().slice(-last) };
        this.#telling = followEvents(door, last, this.#outlet());
        return null;
      }
      case 'apply': {
        const { op: _, ...wanted } = request;
        const reply = await door.apply(wanted);
        return { ok: true, ...reply, plan: planToWire(reply.plan) };
      }
      case 'confirm':
        await door.confirm();
        return { ok: true };
      case 'revert':
        return { ok: true, left: await door.revert(request.token) };
      case 'down':
        return { ok: true, plan: planToWire(await door.down()) };
      default:
        return request satisfies never;
    }
  }

  #failed(error: unknown): Refusal {
    if (error instanceof EverlanError) return refusal(error.problems, error.exitCode);
    this.#inside.onError(error);
    const why = error instanceof Error ? error.message : String(error);
    return refusal([problem('agent-failed', `the agent failed: ${why}`)]);
  }

  #outlet(): Outlet {
    const free = (): boolean => this.#free;
    return {
      get free() {
        return free();
      },
      write: (line) => this.#send(line),
    };
  }

  #write(reply: object): void {
    this.#send(`${JSON.stringify(reply)}\n`);
  }

  #send(line: string): void {
    if (!this.#socket.writable) return;
    this.#socket.write(line, () => {
      this.#keepTime();
      this.#advance();
    });
    this.#keepTime();
  }
}
