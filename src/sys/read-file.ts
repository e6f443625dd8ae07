/** Bytes of a file, no more than wanted; and in plain words why there are none. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { hasCode, SysError } from './errno.ts';

const PIECE = 65536;
/** One for all: of folders with thousands of small files, each would fill one anew. */
let buffer: Uint8Array | undefined;
const BUSY_MS = 5;
const EISDIR = 21; // <asm-generic/errno-base.h>
const EINVAL = 22;

/**
 * All that is to be read, or as soon as it is more than `limit` bytes, what was read until then.
 * @throws Node's error.
 */
export function readAll(fd: number, limit: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  buffer ??= new Uint8Array(PIECE);
  for (let size = 0; size <= limit; ) {
    let length: number;
    try {
      length = readSync(fd, buffer);
    } catch (error) {
      // A non-blocking standard input that has nothing yet.
      if (!hasCode(error, 'EAGAIN')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_MS);
      continue;
    }
    if (length === 0) break;
    pieces.push(buffer.slice(0, length));
    size += length;
  }
  return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
}

/**
 * As `readAll`, of whatever the name leads to: it waits for the other end of a pipe.
 * @throws Node's error.
 */
export function readNamed(path: string, limit: number): Uint8Array {
  const fd = openSync(path, 'r');
  try {
    return readAll(fd, limit);
  } finally {
    closeSync(fd);
  }
}

/**
 * As `readAll`, of a regular file alone: it never waits, so a pipe in its place does no harm.
 * @param more flags of open(2), such as O_NOFOLLOW
 * @throws Node's error, or SysError EISDIR or EINVAL for what is no regular file.
 */
export function readRegular(path: string, limit: number, more = 0): Uint8Array {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | more);
  try {
    const found = fstatSync(fd);
    if (!found.isFile()) throw new SysError('open', found.isDirectory() ? EISDIR : EINVAL, path);
    return readAll(fd, limit);
  } finally {
    closeSync(fd);
  }
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist: something on its path is no folder',
  EISDIR: 'is a folder, not a file',
  EINVAL: 'is no regular file',
  EACCES: 'cannot be read: permission denied',
  EPERM: 'cannot be read: permission denied',
  ELOOP: 'cannot be read: its symbolic links lead in a circle',
  ENAMETOOLONG: 'cannot be read: its name is too long',
  ENXIO: 'cannot be read: it is a socket',
};

/** What follows the file's name in a sentence: `does not exist`; null when it was not the file that failed. */
export function whyUnreadable(error: unknown): string | null {
  const code = Object.keys(WHY).find((candidate) => hasCode(error, candidate));
  if (code !== undefined) return WHY[code] ?? null;
  return error instanceof Error && 'syscall' in error ? `cannot be read: ${error.message}` : null;
}
