/**
 * What everlan keeps for a fabric on this host, all of it under /run (gone with a reboot, as the kernel's state is):
 * what was last applied, an unconfirmed change, and the lock. One folder for each network namespace, named by its
 * cookie.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Keys, Remembered, RememberedLink } from '../kernel/port.ts';
import type { IpAddress, Prefix } from '../model/address.ts';
import { EverlanError, type Problem, problem } from '../model/problem.ts';
import type { AddressState, FdbRow, HostState, LinkState, NeighbourState, RouteState } from '../model/state.ts';
import { hasCode } from '../sys/errno.ts';
import { type Lock, LockedError, lockFile } from '../sys/lock.ts';
import { ensureDir, removeFile, UnsafePathError, writeAtomic } from '../sys/safe-dir.ts';

const ROOT = '/run/everlan';
/** How long a second apply waits for the first. */
const LOCK_WAIT_MS = 10_000;

/** A change that is undone again unless it is confirmed. */
export interface Pending {
  /** Tells this change from a later one. */
  readonly token: string;
  /** Seconds that it was given, for messages. */
  readonly seconds: number;
  /** Milliseconds since the epoch when it is undone, for messages; the guard counts by itself. */
  readonly until: number;
  readonly before: HostState;
  readonly remembered: Remembered;
}

/** What is on trial while a change is pending: for an agent that is started anew meanwhile. */
export interface Trial {
  /** The fabric file, and its name. */
  readonly text: string;
  readonly file: string;
  /** --host. */
  readonly host: string | null;
  /** Whether the fabric was taken down before. */
  readonly suspended?: boolean;
  /** Somebody confirmed it who could not tell the agent. */
  readonly confirmed?: boolean;
}

export interface Store {
  readonly fabric: string;
  /** @throws EverlanError when somebody else keeps it for 10 s. */
  lock(command: string): Promise<Lock>;
  remembered(): Remembered;
  remember(what: Remembered): void;
  pending(): Pending | null;
  setPending(pending: Pending | null): void;
  /** The token of the change that a guard watches over, by its own word; null: none does. */
  guarded(): string | null;
  setGuarded(token: string): void;
  trial(): Trial | null;
  setTrial(trial: Trial | null): void;
  /** Taken down by hand: the agent lets it rest until the next apply or boot. */
  suspended(): boolean;
  setSuspended(suspended: boolean): void;
  /** Held by the fabric's agent for as long as it lives. @throws EverlanError naming the one that has it. */
  lockAgent(): Promise<Lock>;
  /** The folder, for those who watch it. */
  readonly folder: string;
  /** A file that is another one, or goes, when `pending` changes. */
  readonly pendingFile: string;
}

const NOTHING: Remembered = { links: new Map() };

function unsafe(error: unknown): EverlanError | null {
  if (error instanceof UnsafePathError) return new EverlanError(problem('unsafe-run', error.message));
  if (hasCode(error, 'EACCES', 'EPERM', 'EROFS')) {
    const message = `${ROOT} cannot be written: ${error instanceof Error ? error.message : String(error)}`;
    return new EverlanError(problem('run-not-writable', message, { hint: 'run as root' }));
  }
  return null;
}

function lockedProblem(fabric: string, error: LockedError): Problem {
  return problem('locked', `another everlan is changing ${fabric}: ${error.message}`, {
    hint: 'wait until it is done, or end it',
  });
}

interface LinkRecord {
  index: number;
  alias: string;
  master: string | null;
  addresses: string[];
}

/** Link → keys of its FDB rows. Apart from the rest, since there may be 100,000 and they seldom change. */
type RowsRecord = Record<string, string[]>;

interface MemoryRecord {
  links: Record<string, LinkRecord>;
  rows: RowsRecord;
}

function encodeLinks({ links }: Remembered): Record<string, LinkRecord> {
  const out: Record<string, LinkRecord> = {};
  for (const [name, { index, alias, master, addresses }] of links) {
    out[name] = { index, alias, master, addresses: [...addresses.keys()] };
  }
  return out;
}

function encodeRows({ links }: Remembered): RowsRecord {
  const out: RowsRecord = {};
  for (const [name, { fdb }] of links) if (fdb.size > 0) out[name] = [...fdb.keys()];
  return out;
}

function decodeRemembered({ links: records, rows }: MemoryRecord): Remembered {
  const links = new Map<string, RememberedLink>();
  for (const [name, { addresses, ...rest }] of Object.entries(records)) {
    links.set(name, { ...rest, addresses: new Set(addresses), fdb: new Set(rows[name]) });
  }
  return { links };
}

type Flat = Omit<LinkState, 'addresses' | 'fdb' | 'neighbours' | 'routes'> & {
  addresses: [Prefix, AddressState][];
  fdb: [string, FdbRow][];
  neighbours: [IpAddress, NeighbourState][];
  routes: [string, RouteState][];
};

function encodeState(state: HostState): Flat[] {
  return [...state.links.values()].map((link) => ({
    ...link,
    addresses: [...link.addresses],
    fdb: [...link.fdb],
    neighbours: [...link.neighbours],
    routes: [...link.routes],
  }));
}

function decodeState(links: readonly Flat[]): HostState {
  const decoded: LinkState[] = links.map((link) => ({
    ...link,
    addresses: new Map(link.addresses),
    fdb: new Map(link.fdb),
    neighbours: new Map(link.neighbours),
    routes: new Map(link.routes),
  }));
  return { links: new Map(decoded.map((link) => [link.name, link])) };
}

interface PendingFile extends Omit<Pending, 'before' | 'remembered'> {
  before: Flat[];
  remembered: MemoryRecord;
}

/** null: another version wrote it, in another form. What is not known is taken for a stranger's. */
function understood<T>(decode: () => T): T | null {
  try {
    return decode();
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** The same sets, not equal ones: a change always makes new ones. */
function sameKeys(a: ReadonlyMap<string, Keys>, b: ReadonlyMap<string, Keys> | null): boolean {
  if (b === null || a.size !== b.size) return false;
  for (const [name, keys] of a) if (b.get(name) !== keys) return false;
  return true;
}

/** The folder of a network namespace (`cookieOf`), of all fabrics in it. */
export function storeFolder(cookie: string): string {
  return join(ROOT, cookie);
}

class RunStore implements Store {
  readonly fabric: string;
  readonly folder: string;
  /** What the file of rows holds, since we wrote it. */
  #rows: ReadonlyMap<string, Keys> | null = null;

  constructor(fabric: string, cookie: string) {
    this.fabric = fabric;
    this.folder = storeFolder(cookie);
  }

  get pendingFile(): string {
    return this.#path('pending');
  }

  #path(what: string): string {
    return join(this.folder, `${this.fabric}.${what}`);
  }

  #read(what: string): unknown {
    try {
      return JSON.parse(readFileSync(this.#path(what), 'utf8'));
    } catch (error) {
      // Not there, not readable for us, or cut: what is not known is taken for a stranger's, which is safe.
      if (hasCode(error, 'ENOENT', 'EACCES') || error instanceof SyntaxError) return null;
      throw error;
    }
  }

  #write(what: string, value: unknown): void {
    try {
      ensureDir(this.folder);
      writeAtomic(this.#path(what), JSON.stringify(value), 0o600);
    } catch (error) {
      throw unsafe(error) ?? error;
    }
  }

  #remove(...files: readonly string[]): void {
    for (const file of files) removeFile(this.#path(file));
  }

  async lock(command: string): Promise<Lock> {
    try {
      ensureDir(this.folder);
      return await lockFile(this.#path('lock'), { waitMs: LOCK_WAIT_MS, describe: command });
    } catch (error) {
      if (error instanceof LockedError) throw new EverlanError(lockedProblem(this.fabric, error));
      throw unsafe(error) ?? error;
    }
  }

  async lockAgent(): Promise<Lock> {
    try {
      ensureDir(this.folder);
      return await lockFile(this.#path('agent'), { waitMs: 0, describe: 'everlan agent' });
    } catch (error) {
      if (error instanceof LockedError) {
        const message = `an agent keeps ${this.fabric} already: ${error.message}`;
        throw new EverlanError(problem('second-agent', message, { hint: 'one is enough: `everlan status` asks it' }));
      }
      throw unsafe(error) ?? error;
    }
  }

  trial(): Trial | null {
    return this.#read('trial') as Trial | null;
  }

  setTrial(trial: Trial | null): void {
    if (trial === null) this.#remove('trial');
    else this.#write('trial', trial);
  }

  suspended(): boolean {
    return this.#read('suspended') === true;
  }

  setSuspended(suspended: boolean): void {
    if (suspended) this.#write('suspended', true);
    else this.#remove('suspended');
  }

  remembered(): Remembered {
    const links = this.#read('applied') as Record<string, LinkRecord> | null;
    if (links === null) return NOTHING;
    const rows = (this.#read('rows') as RowsRecord | null) ?? {};
    return understood(() => decodeRemembered({ links, rows })) ?? NOTHING;
  }

  remember(what: Remembered): void {
    const rows = new Map([...what.links].map(([name, { fdb }]) => [name, fdb]));
    if (what.links.size === 0) {
      this.#remove('applied', 'rows');
    } else {
      if (!sameKeys(rows, this.#rows)) this.#write('rows', encodeRows(what));
      this.#write('applied', encodeLinks(what));
    }
    this.#rows = rows;
  }

  pending(): Pending | null {
    const file = this.#read('pending') as PendingFile | null;
    if (file === null) return null;
    return understood(() => ({
      ...file,
      before: decodeState(file.before),
      remembered: decodeRemembered(file.remembered),
    }));
  }

  guarded(): string | null {
    return this.#read('guarded') as string | null;
  }

  setGuarded(token: string): void {
    this.#write('guarded', token);
  }

  setPending(pending: Pending | null): void {
    if (pending === null) this.#remove('pending', 'guarded');
    else {
      const { before, remembered } = pending;
      this.#write('pending', {
        ...pending,
        before: encodeState(before),
        remembered: { links: encodeLinks(remembered), rows: encodeRows(remembered) },
      });
    }
  }
}

/** @param cookie of the namespace (`cookieOf`). */
export function openStore(fabric: string, cookie: string): Store {
  return new RunStore(fabric, cookie);
}

/** A store that keeps everything in memory: for tests, and where nothing may be written. */
export function memoryStore(fabric: string): Store {
  let remembered = NOTHING;
  let pending: Pending | null = null;
  let trial: Trial | null = null;
  let suspended = false;
  return {
    fabric,
    folder: '',
    pendingFile: `${fabric}.pending`,
    lock: async () => ({ release: () => undefined }),
    remembered: () => remembered,
    remember: (what) => {
      remembered = what;
    },
    pending: () => pending,
    setPending: (what) => {
      pending = what;
    },
    guarded: () => pending?.token ?? null,
    setGuarded: () => undefined,
    trial: () => trial,
    setTrial: (what) => {
      trial = what;
    },
    suspended: () => suspended,
    setSuspended: (what) => {
      suspended = what;
    },
    lockAgent: async () => ({ release: () => undefined }),
  };
}
