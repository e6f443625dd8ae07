/** The other side of the agent's socket: a command that asks. */
import { connect, type Socket } from 'node:net';
import { EverlanError, problem } from '../model/problem.ts';
import type { Plan } from '../model/step.ts';
import { hasCode } from '../sys/errno.ts';
import type { AgentEvent, AgentInfo, ApplyReply, ApplyRequest } from './door.ts';
import { type Op, type Replies, type Request, RequestError, readReply, type Seen, writeRequest } from './protocol.ts';

/** How long an agent may be at work before it answers a question. It may carry out thousands of steps meanwhile. */
const PATIENCE_MS = 10_000;

export interface AgentClient {
  /** As of when it was found. */
  readonly info: AgentInfo;
  status(): Promise<Seen>;
  /** Now, and whenever it is another one, until `close`. */
  watch(): AsyncIterable<Seen>;
  /** The last ones, oldest first. */
  events(last: number): Promise<readonly AgentEvent[]>;
  /** The same, then those that come, until `close`. */
  follow(last: number): AsyncIterable<readonly AgentEvent[]>;
  /** The following four: @throws EverlanError of the agent, or `agent-gone` when it ended before it answered. */
  apply(request: ApplyRequest): Promise<ApplyReply>;
  confirm(): Promise<void>;
  /** What could not be put back. */
  revert(token: string): Promise<Replies['revert']['left']>;
  /** What was removed. */
  down(): Promise<Plan>;
  close(): void;
}

function closed(path: string): EverlanError {
  const message = `an agent runs, and only root and the group everlan may ask it (${path})`;
  return new EverlanError(problem('agent-closed', message, { hint: 'run as root' }));
}

function silent(path: string): EverlanError {
  const message = `the agent that listens at ${path} does not answer`;
  const hint = 'with `-f FILE`, `everlan status` looks without it; its service manager can start it anew';
  return new EverlanError(problem('agent-silent', message, { hint }));
}

function gone(pid: number | null): EverlanError {
  const who = pid === null ? 'the agent' : `the agent (process ${pid})`;
  const hint = '`everlan status` tells how it stands';
  return new EverlanError(problem('agent-gone', `${who} ended before it answered`, { hint }));
}

function strange(error: RequestError): EverlanError {
  const hint = 'when everlan was just upgraded, start the agent anew';
  return new EverlanError(
    problem('agent-strange', `the agent does not speak our language: ${error.message}`, { hint }),
  );
}

/** Lines as they come; null when there are no more. */
class Lines {
  readonly #socket: Socket;
  #pieces: string[] = [];
  readonly #lines: string[] = [];
  #wake: (() => void) | null = null;
  #ended = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.#take(text));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#ended = true;
      this.#wake?.();
    });
  }

  #take(text: string): void {
    const [first = '', ...others] = text.split('\n');
    this.#pieces.push(first);
    for (const other of others) {
      this.#lines.push(this.#pieces.join(''));
      this.#pieces = [other];
    }
    if (this.#lines.length === 0) return;
    // What nobody has asked for yet waits at the agent.
    this.#socket.pause();
    this.#wake?.();
  }

  async next(): Promise<string | null> {
    while (this.#lines.length === 0 && !this.#ended) {
      this.#socket.resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#lines.shift() ?? null;
  }
}

class Client implements AgentClient {
  readonly #socket: Socket;
  readonly #lines: Lines;
  #info: AgentInfo | null = null;
  #closed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#lines = new Lines(socket);
  }

  /** Asks who it is; false when it ends meanwhile. */
  async greet(): Promise<boolean> {
    try {
      this.#info = (await this.#ask({ op: 'info' })).info;
      return true;
    } catch (error) {
      if (error instanceof EverlanError && error.problems[0]?.code === 'agent-gone') return false;
      throw error;
    }
  }

  get info(): AgentInfo {
    if (this.#info === null) throw new TypeError('the agent was not greeted');
    return this.#info;
  }

  /** The next reply; null: we have closed. */
  async #reply<O extends Op>(op: O): Promise<Replies[O] | null> {
    const line = await this.#lines.next();
    if (line === null) {
      if (this.#closed) return null;
      throw gone(this.#info?.pid ?? null);
    }
    try {
      const reply = readReply(op, line);
      if (reply.ok) return reply;
      throw new EverlanError(reply.problems, reply.exitCode);
    } catch (error) {
      throw error instanceof RequestError ? strange(error) : error;
    }
  }

  async #ask<O extends Op>(request: Extract<Request, { op: O }> & { readonly op: O }): Promise<Replies[O]> {
    this.#socket.write(writeRequest(request));
    const reply = await this.#reply(request.op);
    if (reply === null) throw gone(this.#info?.pid ?? null);
    return reply;
  }

  async *#stream<O extends Op>(request: Extract<Request, { op: O }> & { readonly op: O }): AsyncGenerator<Replies[O]> {
    this.#socket.write(writeRequest(request));
    for (;;) {
      const reply = await this.#reply(request.op);
      if (reply === null) return;
      yield reply;
    }
  }

  status(): Promise<Seen> {
    return this.#ask({ op: 'status' });
  }

  watch(): AsyncIterable<Seen> {
    return this.#stream({ op: 'watch' });
  }

  async events(last: number): Promise<readonly AgentEvent[]> {
    return (await this.#ask({ op: 'events', last, follow: false })).events;
  }

  async *follow(last: number): AsyncGenerator<readonly AgentEvent[]> {
    for await (const { events } of this.#stream({ op: 'events', last, follow: true })) yield events;
  }

  apply(request: ApplyRequest): Promise<ApplyReply> {
    return this.#ask({ op: 'apply', ...request });
  }

  async confirm(): Promise<void> {
    await this.#ask({ op: 'confirm' });
  }

  async revert(token: string): Promise<Replies['revert']['left']> {
    return (await this.#ask({ op: 'revert', token })).left;
  }

  async down(): Promise<Plan> {
    return (await this.#ask({ op: 'down' })).plan;
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }
}

/** null: nobody listens there. */
function connected(path: string): Promise<Socket | null> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', (error) => {
      if (hasCode(error, 'ECONNREFUSED', 'ENOENT')) resolve(null);
      else if (hasCode(error, 'EACCES', 'EPERM')) reject(closed(path));
      // The kernel's queue of those who wait for it is full.
      else if (hasCode(error, 'EAGAIN')) reject(silent(path));
      else reject(error);
    });
  });
}

/**
 * The agent that listens at `path`; null: none does.
 * @throws EverlanError `agent-closed`, `agent-silent`, or what the agent refuses.
 */
export async function connectAgent(path: string, patienceMs = PATIENCE_MS): Promise<AgentClient | null> {
  const socket = await connected(path);
  if (socket === null) return null;
  const client = new Client(socket);
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(silent(path)), patienceMs);
  try {
    if (await Promise.race([client.greet(), promise])) return client;
    client.close();
    return null;
  } catch (error) {
    client.close();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
