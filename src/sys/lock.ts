/** One holder at a time, told by flock(2): released also when the holder dies, however it dies. */
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode, SysError } from './errno.ts';
import { lastErrno, libc } from './libc.ts';

const LOCK_EX = 2; // <asm-generic/fcntl.h>
const LOCK_NB = 4;
const EWOULDBLOCK = 11; // <asm-generic/errno-base.h>
const RETRY_MS = 50;

export interface LockOptions {
  /** How long to wait for the holder, in milliseconds; 0: one try. */
  readonly waitMs: number;
  /** What we are doing, for those who wait for us: `everlan apply`. */
  readonly describe: string;
  /** Called once, when there is somebody to wait for. */
  readonly onWait?: (holder: Holder | null) => void;
}

export interface Holder {
  readonly pid: number;
  readonly command: string;
  /** ISO 8601. */
  readonly since: string;
}

export interface Lock {
  release(): void;
}

/** Somebody else held the lock for all of the time. */
export class LockedError extends Error {
  override readonly name = 'LockedError';
  /** null: the holder has not said who it is. */
  readonly holder: Holder | null;

  constructor(path: string, holder: Holder | null) {
    const who =
      holder === null ? 'another process' : `${holder.command} (process ${holder.pid}, since ${holder.since})`;
    super(`${path} is held by ${who}`);
    this.holder = holder;
  }
}

/** Who wrote the file; null when it is empty or says something else. */
export function readHolder(path: string): Holder | null {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
  if (typeof content !== 'object' || content === null) return null;
  if (!('pid' in content && 'command' in content && 'since' in content)) return null;
  const { pid, command, since } = content;
  if (typeof pid !== 'number' || typeof command !== 'string' || typeof since !== 'string') return null;
  return { pid, command, since };
}

/** Whether `path` still names the open file: a lock on a file that was removed keeps nobody out. */
function isStill(path: string, fd: number): boolean {
  try {
    const named = statSync(path);
    const open = fstatSync(fd);
    return named.ino === open.ino && named.dev === open.dev;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/** For those who wait. A disk that is full keeps nobody from holding the lock, nor from giving it back. */
function sayWho(fd: number, text: string): void {
  try {
    ftruncateSync(fd, 0);
    writeSync(fd, text, 0);
  } catch {
    // They are told of another process.
  }
}

/** The locked descriptor, or null while somebody else has it. */
function tryLock(path: string): number | null {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600);
  const errno = libc.flock(fd, LOCK_EX | LOCK_NB) === 0 ? 0 : lastErrno();
  if (errno === 0 && isStill(path, fd)) return fd;
  closeSync(fd);
  if (errno !== 0 && errno !== EWOULDBLOCK) throw new SysError('flock', errno, path);
  return null;
}

/**
 * Takes the lock that the file stands for. The folder must be ours (`ensureDir`). The file stays after release: to
 * remove it would let two holders in.
 * @throws LockedError after `waitMs`, naming the holder; Node's errors for the file (ELOOP for a symbolic link).
 */
export async function lockFile(path: string, options: LockOptions): Promise<Lock> {
  const until = performance.now() + options.waitMs;
  let fd = tryLock(path);
  if (fd === null) options.onWait?.(readHolder(path));
  while (fd === null) {
    const left = until - performance.now();
    if (left <= 0) throw new LockedError(path, readHolder(path));
    await sleep(Math.min(RETRY_MS, left));
    fd = tryLock(path);
  }
  const held = fd;
  const me: Holder = { pid: process.pid, command: options.describe, since: new Date().toISOString() };
  sayWho(held, `${JSON.stringify(me)}\n`);
  let released = false;
  return {
    release() {
      if (released) return;
      released = true;
      sayWho(held, '');
      closeSync(held);
    },
  };
}
