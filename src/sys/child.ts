/** A running child: told when it ends, and ended with all that it started. */
import { readdirSync, readFileSync } from 'node:fs';
import { libc } from './libc.ts';
import { close, onReadable } from './socket.ts';
import { type Exit, poll, type SpawnOptions, spawn } from './spawn.ts';

const SYS_PIDFD_OPEN = 434; // <asm-generic/unistd.h>, Linux 5.3; glibc has a function for it from 2.36 on
const POLL_MS = 20;
const FIRST_LOOK_MS = 10;

/** Those that run. They stand here so that nobody needs to keep them: each is waited for, whatever its owner does. */
const running = new Set<Child>();

/** `4711 (a) b) S 1 4700 …` of proc(5): whether it is alive and in the group. */
function isMember(stat: string, group: number): boolean {
  const [state = 'X', , inGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state !== 'Z' && state !== 'X' && Number(inGroup) === group;
}

function readStat(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    // Ended meanwhile.
    return '';
  }
}

/** Whether somebody else than its first process still runs in a group. Members are younger than the first. */
function hasMembers(group: number): boolean {
  return readdirSync('/proc').some((name) => Number(name) > group && isMember(readStat(name), group));
}

export class Child {
  readonly pid: number;
  readonly #onExit: (exit: Exit) => void;
  /** By a pidfd: the end is told while the process has not been waited for. */
  #watched = false;
  #over = false;
  #killed = false;
  /** While it is being ended: when patience is over. */
  #killing: NodeJS.Timeout | null = null;

  private constructor(pid: number, onExit: (exit: Exit) => void) {
    this.pid = pid;
    this.#onExit = onExit;
  }

  /**
   * Starts a program; `onExit` is called once, from the event loop. The process is always waited for: no zombie stays,
   * even if nobody keeps the Child.
   * @throws SysError as `spawn`.
   */
  static start(options: SpawnOptions & { readonly group: 'own' | 'session' }, onExit: (exit: Exit) => void): Child {
    const child = new Child(spawn(options), onExit);
    running.add(child);
    child.#waitForEnd();
    return child;
  }

  #waitForEnd(): void {
    const pidfd = libc.syscall(SYS_PIDFD_OPEN, this.pid, 0, 0);
    if (pidfd === -1) {
      this.#lookNowAndThen();
      return;
    }
    const watch = onReadable(pidfd, () => {
      watch.close();
      close(pidfd);
      this.#ended();
    });
    this.#watched = true;
  }

  /** No descriptor left, or a kernel without pidfds. */
  #lookNowAndThen(): void {
    const timer = setInterval(() => {
      // Waiting takes the number from the group, so while it is being ended nobody looks before patience is over.
      if (this.#killing !== null && !this.#killed) return;
      const exit = poll(this.pid);
      if (exit === null) return;
      clearInterval(timer);
      this.#finish(exit);
    }, POLL_MS);
  }

  /** Ended and not waited for yet: its number, which is its group's, cannot be given to anybody else. */
  #ended(): void {
    if (this.#killing === null) this.#reap();
    else this.#reapWhenAlone(FIRST_LOOK_MS);
  }

  /** Those in its group have as long to end as it had. */
  #reapWhenAlone(nextMs: number): void {
    if (this.#over) return;
    if (this.#killed || !hasMembers(this.pid)) this.#reap();
    else setTimeout(() => this.#reapWhenAlone(nextMs * 2), nextMs);
  }

  #reap(): void {
    const exit = poll(this.pid);
    if (exit !== null) this.#finish(exit);
  }

  #finish(exit: Exit): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#killing !== null) clearTimeout(this.#killing);
    running.delete(this);
    this.#onExit(exit);
  }

  #signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, signal);
    } catch {
      // Nobody is left, or nobody that we may signal.
    }
  }

  /**
   * Ends it and all that it started, unless they left its group: SIGTERM, and SIGKILL for those that are still there
   * after `graceMs`. `onExit` comes when all of them are gone or killed.
   */
  end(graceMs: number): void {
    if (this.#over || this.#killing !== null) return;
    this.#signal('SIGTERM');
    // One that is stopped gets to see it.
    this.#signal('SIGCONT');
    this.#killing = setTimeout(() => {
      this.#killed = true;
      this.#signal('SIGKILL');
      // If it ended before the rest of its group.
      if (this.#watched) this.#reap();
    }, graceMs);
  }
}
