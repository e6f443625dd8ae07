/** The agent's unix socket: who may open it, how many at once, and what each may ask. */
import { chmodSync, chownSync, readFileSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { EverlanError, problem } from '../model/problem.ts';
import { hasCode } from '../sys/errno.ts';
import { peerOf } from '../sys/peer.ts';
import { Connection, type Inside, linger } from './connection.ts';
import type { Door } from './door.ts';
import { StateFeed } from './feed.ts';
import { refusal } from './protocol.ts';

export interface ServeOptions {
  /** Its members may open the socket; they may ask, and change nothing. */
  readonly group?: string;
  /** Told of defects. */
  readonly onError?: (error: unknown) => void;
  readonly limits?: Partial<ServeLimits>;
}

export interface ServeLimits {
  readonly connections: number;
  /** Those of `connections` that others than root may take, so that they cannot keep root out. */
  readonly readers: number;
  /** Bytes of a request of one who may change the host, and of any other. */
  readonly request: number;
  readonly readerRequest: number;
  readonly idleMs: number;
  readonly stallMs: number;
  /** Changes within this time are told together. */
  readonly togetherMs: number;
}

const MIB = 1024 * 1024;

const LIMITS: ServeLimits = {
  connections: 64,
  readers: 48,
  // A fabric file of 4 MiB, of which JSON may double each quote and line end; and what stands around it.
  request: 8 * MIB + 65_536,
  readerRequest: 4096,
  idleMs: 10_000,
  stallMs: 30_000,
  togetherMs: 50,
};

export interface AgentServer {
  readonly path: string;
  /** Answers what was asked, and closes. */
  close(): Promise<void>;
}

/** The id of a group, by the text of /etc/group (group(5)); null: there is none. */
export function groupId(groups: string, name: string): number | null {
  for (const line of groups.split('\n')) {
    const [group, , id = ''] = line.split(':');
    if (group === name && /^\d{1,10}$/.test(id)) return Number(id);
  }
  return null;
}

/** Lets the group in, where there is one and we may give it the file. */
function open(path: string, group: string): void {
  try {
    const id = groupId(readFileSync('/etc/group', 'utf8'), group);
    if (id !== null) chownSync(path, -1, id);
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'EACCES', 'EPERM')) throw error;
  }
  chmodSync(path, 0o660);
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // Nobody else gets in before it is known who may.
    const before = process.umask(0o177);
    try {
      server.listen(path, () => {
        server.off('error', reject);
        resolve();
      });
    } finally {
      process.umask(before);
    }
  });
}

/** Whether somebody listens there. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => {
      if (hasCode(error, 'ECONNREFUSED', 'ENOENT')) resolve(false);
      else reject(error);
    });
  });
}

async function listen(server: Server, path: string): Promise<void> {
  try {
    await listening(server, path);
  } catch (error) {
    if (!hasCode(error, 'EADDRINUSE')) throw error;
    if (await answers(path)) throw new EverlanError(problem('second-agent', `another agent listens at ${path}`));
    // Of an agent that has died.
    unlinkSync(path);
    await listening(server, path);
  }
}

class Doorkeeper {
  readonly #limits: ServeLimits;
  readonly #inside: Inside;
  readonly #connections = new Map<Socket, { connection: Connection; mayChange: boolean }>();

  constructor(door: Door, limits: ServeLimits, onError: (error: unknown) => void) {
    this.#limits = limits;
    this.#inside = { door, feed: new StateFeed(door, limits.togetherMs, onError), onError };
  }

  get most(): number {
    return this.#limits.connections;
  }

  admit(socket: Socket): void {
    let mayChange: boolean;
    try {
      const { uid } = peerOf(socket);
      mayChange = uid === 0 || uid === process.geteuid?.();
    } catch {
      // It has gone already.
      socket.destroy();
      return;
    }
    if (this.#isFull(mayChange)) {
      socket.on('error', () => undefined);
      const full = refusal([problem('agent-busy', 'the agent answers as many others as it can')]);
      socket.write(`${JSON.stringify(full)}\n`);
      linger(socket);
      return;
    }
    const { request, readerRequest, idleMs, stallMs } = this.#limits;
    const limits = { request: mayChange ? request : readerRequest, idleMs, stallMs };
    const connection = new Connection(socket, mayChange, this.#inside, limits);
    this.#connections.set(socket, { connection, mayChange });
    socket.on('close', () => this.#connections.delete(socket));
  }

  #isFull(mayChange: boolean): boolean {
    const all = [...this.#connections.values()];
    if (all.length >= this.#limits.connections) return true;
    return !mayChange && all.filter((one) => !one.mayChange).length >= this.#limits.readers;
  }

  stop(): void {
    for (const { connection } of this.#connections.values()) connection.stop();
  }
}

/**
 * Listens at `path`, in a folder that is ours (`ensureDir`). A socket that a dead agent left is replaced.
 * @throws EverlanError when another agent listens there; Node's errors of the file system.
 */
export async function serve(door: Door, path: string, options: ServeOptions = {}): Promise<AgentServer> {
  const keeper = new Doorkeeper(door, { ...LIMITS, ...options.limits }, options.onError ?? (() => undefined));
  // Half-open: who has said all and waits for the answer gets it.
  const server = createServer({ allowHalfOpen: true }, (socket) => keeper.admit(socket));
  // Beyond them nobody is told so any more.
  server.maxConnections = 2 * keeper.most;
  await listen(server, path);
  server.on('error', (error) => options.onError?.(error));
  open(path, options.group ?? 'everlan');
  return {
    path,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        keeper.stop();
      }),
  };
}
