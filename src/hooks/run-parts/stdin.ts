/** `--stdin`: every script reads all of our standard input, from a file without a name. */
import { constants, openSync, readSync, writeSync } from 'node:fs';
import { hasCode } from '../../sys/errno.ts';
import { libc } from '../../sys/libc.ts';
import { complain } from './output.ts';

const STDIN = 0;
const CHUNK = 4096;
// __O_TMPFILE of <asm-generic/fcntl.h>; O_TMPFILE has O_DIRECTORY in it, which differs among machines.
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;
const SEEK_SET = 0;

function openTemporary(): number | null {
  try {
    return openSync(process.env.TMPDIR ?? '/tmp', constants.O_RDWR | constants.O_EXCL | O_TMPFILE, 0o600);
  } catch {
    return null;
  }
}

/** null: nothing more; undefined: it cannot be read. */
function read(buffer: Uint8Array): number | null | undefined {
  for (;;) {
    try {
      return readSync(STDIN, buffer) || null;
    } catch (error) {
      if (hasCode(error, 'EOF')) return null;
      if (!hasCode(error, 'EAGAIN')) return undefined;
      libc.poll(new Int32Array([STDIN, 1]), 1, -1);
    }
  }
}

function write(fd: number, bytes: Uint8Array): boolean {
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    return true;
  } catch {
    return false;
  }
}

/** The file's descriptor; null after a complaint. */
export function copyStdin(): number | null {
  const fd = openTemporary();
  const buffer = new Uint8Array(CHUNK);
  for (let length = read(buffer); length !== null; length = read(buffer)) {
    if (length === undefined) {
      complain('run-parts: failed to read from stdin\n');
      return null;
    }
    if (fd === null || !write(fd, buffer.subarray(0, length))) {
      complain('run-parts: failed to write to temporary file\n');
      return null;
    }
  }
  return fd;
}

/** The next script begins at its begin. */
export function rewind(fd: number): void {
  libc.lseek(fd, 0, SEEK_SET);
}
