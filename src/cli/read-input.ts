/** The fabric file's bytes, or why they cannot be read, in plain words. */
import { closeSync, openSync, readSync } from 'node:fs';
import { DEFAULT_FILE } from '../model/fabric.ts';
import { EverlanError, EXIT, type Problem, problem } from '../model/problem.ts';
import { hasCode } from '../sys/errno.ts';
import { MAX_BYTES } from '../text/decode.ts';

const STDIN = 0;
const PIECE = 65536;
const BUSY_MS = 5;

export interface Input {
  readonly bytes: Uint8Array;
  /** For messages. */
  readonly name: string;
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist: something on its path is no folder',
  EISDIR: 'is a folder, not a file',
  EACCES: 'cannot be read: permission denied',
  EPERM: 'cannot be read: permission denied',
  ELOOP: 'cannot be read: its symbolic links lead in a circle',
  ENAMETOOLONG: 'cannot be read: its name is too long',
  ENXIO: 'cannot be read: it is a socket',
};

function unreadable(file: string, error: unknown): Problem | null {
  const code = Object.keys(WHY).find((candidate) => hasCode(error, candidate));
  if (code === undefined && !(error instanceof Error && 'syscall' in error)) return null;
  const why = code === undefined ? `cannot be read: ${error instanceof Error ? error.message : ''}` : WHY[code];
  return problem(
    'file-unreadable',
    `${file} ${why}`,
    file === DEFAULT_FILE ? { hint: 'name another with -f FILE' } : {},
  );
}

/** Up to one piece more than any file may have: whoever decodes the text says that it is too large. */
function readAll(fd: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (let size = 0; size <= MAX_BYTES; ) {
    const piece = new Uint8Array(PIECE);
    let length: number;
    try {
      length = readSync(fd, piece);
    } catch (error) {
      // A non-blocking standard input that has nothing yet.
      if (!hasCode(error, 'EAGAIN')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_MS);
      continue;
    }
    if (length === 0) break;
    pieces.push(piece.subarray(0, length));
    size += length;
  }
  return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
}

/**
 * @param file `-`: standard input.
 * @throws EverlanError, exit 2.
 */
export function readInput(file: string): Input {
  const name = file === '-' ? 'standard input' : file;
  try {
    if (file === '-') return { bytes: readAll(STDIN), name };
    const fd = openSync(file, 'r');
    try {
      return { bytes: readAll(fd), name };
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const found = unreadable(name, error);
    if (found === null) throw error;
    throw new EverlanError(found, EXIT.usage);
  }
}
