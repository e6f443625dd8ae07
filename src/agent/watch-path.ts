/** Tells when a file, or what stands in a folder, may have changed: by inotify on all folders of the way to it. */
import { type FSWatcher, watch as nodeWatch, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type Problem, warning } from '../model/problem.ts';
import { hasCode } from '../sys/errno.ts';
import { type Way, wayTo } from './way.ts';

export interface PathListener {
  /** It may be another now. Once for all that happens within 20 ms. */
  changed(): void;
  /** The kernel does not tell us of changes, so they are looked for every 5 seconds; null: it does again. */
  polling(problem: Problem | null): void;
}

/** inotify on one folder, not on what is below; what tests replace. */
export type WatchFolder = (
  folder: string,
  heard: (event: 'rename' | 'change', name: string | null) => void,
) => Pick<FSWatcher, 'close' | 'on'>;

export interface PathWatch {
  close(): void;
}

/** An editor's rename, and the pieces in which a file is written, are one change. */
const TOGETHER_MS = 20;
const POLL_MS = 5000;
/** The way may change while it is watched. */
const TRIES = 5;

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: '`sysctl fs.inotify.max_user_watches` is how many watches a user may have',
  EMFILE: '`sysctl fs.inotify.max_user_instances` is how many programs of a user may watch',
};

function cannotWatch(path: string, error: unknown): Problem {
  const why = error instanceof Error ? error.message : String(error);
  const code = Object.keys(HINTS).find((candidate) => hasCode(error, candidate));
  const hint = code === undefined ? undefined : HINTS[code];
  const message = `changes of ${path} are looked for every ${POLL_MS / 1000} seconds, as the kernel does not tell of them: ${why}`;
  return warning('file-unwatched', message, hint === undefined ? {} : { hint });
}

/** Another one for another file, and for the same one with other bytes, as far as its times tell. */
function stampOf(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return `${dev}:${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch {
    return '';
  }
}

class Watching implements PathWatch {
  readonly #path: string;
  readonly #whole: boolean;
  readonly #listener: PathListener;
  readonly #watch: WatchFolder;
  readonly #pollMs: number;
  #watchers: Pick<FSWatcher, 'close'>[] = [];
  #way: Way | null = null;
  /** Something happened on the way that its signature may not show: a folder that was made anew can have the old number. */
  #stale = false;
  #gathering: NodeJS.Timeout | undefined;
  #poll: NodeJS.Timeout | undefined;
  /** Why it polls. */
  #problem: Problem | null = null;
  #told: Problem | null = null;
  #stamp = '';
  #closed = false;

  constructor(path: string, whole: boolean, listener: PathListener, watch: WatchFolder, pollMs: number) {
    this.#path = resolve(path);
    this.#whole = whole;
    this.#listener = listener;
    this.#watch = watch;
    this.#pollMs = pollMs;
    this.#attend();
    if (this.#problem !== null) this.#gather();
  }

  /** Watches the way as it is now, or looks from time to time where that cannot be. */
  #attend(): void {
    try {
      this.#follow();
      clearInterval(this.#poll);
      this.#poll = undefined;
      this.#problem = null;
    } catch (error) {
      this.#unwatch();
      if (this.#problem === null) this.#stamp = stampOf(this.#path);
      this.#problem ??= cannotWatch(this.#path, error);
      this.#poll ??= setInterval(() => this.#lookAgain(), this.#pollMs);
    }
  }

  /** @throws Node's error when a folder that is there cannot be watched. */
  #follow(): void {
    for (let tries = 0; tries < TRIES; tries++) {
      const way = wayTo(this.#path);
      if (!this.#stale && way.signature === this.#way?.signature) return;
      this.#unwatch();
      this.#stale = false;
      this.#way = way;
      for (const [folder, names] of way.folders) this.#follows(way, folder, names);
      if (this.#whole) this.#follows(way, way.end, null);
    }
    // It changes all the time.
    this.#stale = true;
    this.#gather();
  }

  /** @param names null: all. */
  #follows(way: Way, folder: string, names: ReadonlySet<string> | null): void {
    try {
      const watcher = this.#watch(folder, (event, name) => {
        const itself = name === basename(folder) && event === 'rename';
        if (name !== null && !itself && names !== null && !names.has(name)) return;
        if (itself || (names !== null && (name === null || join(folder, name) !== way.end))) this.#stale = true;
        this.#gather();
      });
      watcher.on('error', () => {
        this.#stale = true;
        this.#gather();
      });
      this.#watchers.push(watcher);
    } catch (error) {
      // It went, or is no folder: the next look at the way finds out.
      if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error;
    }
  }

  #unwatch(): void {
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
    this.#way = null;
  }

  #gather(): void {
    if (this.#closed) return;
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      this.#tell(true);
    }, TOGETHER_MS);
  }

  #lookAgain(): void {
    const stamp = stampOf(this.#path);
    const changed = stamp !== this.#stamp;
    this.#stamp = stamp;
    this.#tell(changed);
  }

  #tell(changed: boolean): void {
    const before = this.#told;
    this.#attend();
    this.#told = this.#problem;
    const turned = (before === null) !== (this.#told === null);
    if (turned) this.#listener.polling(this.#told);
    if ((changed || turned) && !this.#closed) this.#listener.changed();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#gathering);
    clearInterval(this.#poll);
    this.#unwatch();
  }
}

export interface WatchOptions {
  readonly watch?: WatchFolder;
  readonly pollMs?: number;
}

const byInotify: WatchFolder = (folder, heard) => nodeWatch(folder, heard);

/**
 * Follows a file through symbolic links, renames and folders that come and go; it need not exist. Nothing is told before
 * this returns. Costs nothing while nothing happens.
 */
export function watchFile(path: string, listener: PathListener, options: WatchOptions = {}): PathWatch {
  return new Watching(path, false, listener, options.watch ?? byInotify, options.pollMs ?? POLL_MS);
}

/** The same for what stands right in a folder. While it polls, files that only have other bytes go unnoticed. */
export function watchFolder(path: string, listener: PathListener, options: WatchOptions = {}): PathWatch {
  return new Watching(path, true, listener, options.watch ?? byInotify, options.pollMs ?? POLL_MS);
}
