/** Folders and files that root may trust: nobody else can have put them there or change them. */
import {
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { hasCode } from './errno.ts';

/** A folder that somebody else could have prepared. */
export class UnsafePathError extends Error {
  override readonly name = 'UnsafePathError';

  constructor(path: string, why: string) {
    super(`${path} ${why}`);
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, 0o755);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
}

function checkFolder(path: string): void {
  const found = lstatSync(path);
  if (found.isSymbolicLink()) throw new UnsafePathError(path, 'is a symbolic link');
  if (!found.isDirectory()) throw new UnsafePathError(path, 'is not a folder');
  if (found.uid !== 0 && found.uid !== process.geteuid?.()) {
    throw new UnsafePathError(path, `belongs to user ${found.uid}`);
  }
  if ((found.mode & 0o022) !== 0) throw new UnsafePathError(path, 'can be written by others');
}

/**
 * Makes the folder and those above it, up to `below`, which is trusted as it is. Each must be a folder, no symbolic
 * link, of root or of us, and writable by its owner alone.
 * @throws UnsafePathError, or Node's error when it cannot be made.
 */
export function ensureDir(path: string, below = '/run'): void {
  const parts = relative(below, resolve(path)).split('/');
  if (parts[0] === '' || parts[0] === '..') throw new UnsafePathError(path, `is not below ${below}`);
  let folder = below;
  for (const part of parts) {
    folder = join(folder, part);
    makeFolder(folder);
    checkFolder(folder);
  }
}

/** Removes a file, if there is one. Node's own rmSync does not tell a disk that cannot be written by its code. @throws Node's error. */
export function removeFile(path: string): void {
  try {
    if (existsSync(path)) unlinkSync(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

/** Writes what the folder lists to the disk, so that a rename outlives a loss of power. */
function syncFolder(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } catch (error) {
    // fsync(2): this kind of file system does so by itself, or never.
    if (!hasCode(error, 'EINVAL')) throw error;
  } finally {
    closeSync(fd);
  }
}

/** Two of one process, and of two, never have the same. Not secret: the folder is ours, and what has the name is not opened. */
const uniqueSuffix = (): string => `${process.pid.toString(36)}-${process.hrtime.bigint().toString(36)}`;

/**
 * Replaces the file at once: a reader sees the old text or the new. `durable` flushes it to the disk before and after, so
 * that a loss of power leaves one of the two as well; /run, which is memory, needs no such thing. The folder must be ours
 * (`ensureDir`).
 * @throws Node's error; then the old text is still there, but for one in the last step, the flush of the folder.
 */
export function writeAtomic(
  path: string,
  text: string | Uint8Array,
  mode = 0o644,
  { durable = false }: { readonly durable?: boolean } = {},
): void {
  const temporary = join(dirname(path), `.${basename(path)}.${uniqueSuffix()}`);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const fd = openSync(temporary, flags, mode);
  try {
    try {
      writeFileSync(fd, text);
      if (durable) fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  if (durable) syncFolder(dirname(path));
}
