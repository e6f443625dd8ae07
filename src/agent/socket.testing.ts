/** A fake door behind a real socket, and raw ends to talk to it. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { FakeDoor } from './door.testing.ts';
import { type AgentServer, type ServeOptions, serve } from './server.ts';

export function socketFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'everlan-agent-'));
  chmodSync(folder, 0o755);
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Served {
  readonly door: FakeDoor;
  readonly folder: string;
  readonly path: string;
  readonly server: AgentServer;
  /** What the server took for a defect. */
  readonly defects: unknown[];
}

export async function served(t: TestContext, options: ServeOptions = {}, name = 'agent.sock'): Promise<Served> {
  const folder = socketFolder(t);
  const door = new FakeDoor();
  const defects: unknown[] = [];
  const path = join(folder, name);
  const server = await serve(door, path, { onError: (error) => defects.push(error), ...options });
  t.after(() => server.close());
  return { door, folder, path, server, defects };
}

export type Json = Readonly<Record<string, unknown>>;

/** Somebody who writes whatever they like. */
export class RawEnd {
  readonly socket: Socket;
  /** Settles when the server has closed. */
  readonly closed: Promise<void>;
  #text = '';
  #lines: string[] = [];
  #wake: (() => void) | null = null;

  constructor(path: string, reads = true) {
    this.socket = connect(path);
    this.socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => this.socket.on('close', () => resolve()));
    this.socket.on('close', () => this.#wake?.());
    if (!reads) return;
    this.socket.setEncoding('utf8').on('data', (text: string) => {
      const lines = `${this.#text}${text}`.split('\n');
      this.#text = lines.pop() ?? '';
      this.#lines.push(...lines);
      this.#wake?.();
    });
  }

  write(text: string | Uint8Array): void {
    this.socket.write(text);
  }

  ask(request: Json): Promise<Json> {
    this.write(`${JSON.stringify({ version: 1, ...request })}\n`);
    return this.next();
  }

  /** The next line. Rejects when there is none before the end. */
  async next(): Promise<Json> {
    while (this.#lines.length === 0 && !this.socket.destroyed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const line = this.#lines.shift();
    if (line === undefined) throw new Error('the server has closed');
    return JSON.parse(line);
  }

  end(): void {
    this.socket.destroy();
  }
}

export function rawEnd(t: TestContext, path: string, reads = true): RawEnd {
  const end = new RawEnd(path, reads);
  t.after(() => end.end());
  return end;
}

/** Settles when it is so; the test's own time limit ends it otherwise. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}
