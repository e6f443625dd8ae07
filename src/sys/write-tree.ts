/**
 * Files below a folder. Nothing in it is followed out of it: each folder on the way is opened without following a symbolic
 * link, and the next name is looked up in what was opened (/proc/self/fd), so that nobody can put another in its place.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, fchmodSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hasCode } from './errno.ts';
import { UnsafePathError } from './safe-dir.ts';

export interface TreeFile {
  /** Below the folder, without a slash before it. */
  readonly path: string;
  readonly text: string;
  readonly mode: number;
}

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

const inside = (fd: number, name: string): string => `/proc/self/fd/${fd}/${name}`;

/** @throws UnsafePathError for one that leads elsewhere. */
function partsOf(path: string): readonly string[] {
  const parts = path.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0'))) {
    throw new UnsafePathError(path, 'does not stay below the folder');
  }
  return parts;
}

/** Opens a folder in a folder, and makes it if it is not there: then everybody may read it, as services must. */
function enter(parent: number, name: string, path: string): number {
  let made = true;
  try {
    mkdirSync(inside(parent, name), 0o755);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    made = false;
  }
  try {
    const fd = openSync(inside(parent, name), FOLDER | constants.O_NOFOLLOW);
    if (made) fchmodSync(fd, 0o755);
    return fd;
  } catch (error) {
    // Linux says ENOTDIR of a symbolic link when both O_DIRECTORY and O_NOFOLLOW are asked for.
    if (hasCode(error, 'ELOOP', 'ENOTDIR')) throw new UnsafePathError(path, 'is a symbolic link, or no folder');
    throw error;
  }
}

/** Replaces a file at once: a reader sees the old text or the new. What has its name is replaced, not followed. */
function writeFile(folder: number, name: string, { text, mode }: TreeFile): void {
  const temporary = inside(folder, `.${name}.${randomBytes(6).toString('hex')}`);
  const fd = openSync(temporary, NEW_FILE, 0o600);
  try {
    try {
      writeFileSync(fd, text);
      fchmodSync(fd, mode);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, inside(folder, name));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/**
 * Writes all of them below `root`, which is made if it is not there and may itself be a symbolic link.
 * @throws UnsafePathError when something on the way leads elsewhere; Node's error when it cannot be written.
 */
export function writeTree(root: string, files: readonly TreeFile[]): void {
  const split = files.map((file) => ({ file, parts: partsOf(file.path) }));
  mkdirSync(root, { recursive: true });
  const folders = new Map<string, number>([['', openSync(root, FOLDER)]]);
  try {
    for (const { file, parts } of split) {
      let path = '';
      for (const part of parts.slice(0, -1)) {
        const parent = folders.get(path);
        path = path === '' ? part : `${path}/${part}`;
        if (parent !== undefined && !folders.has(path)) folders.set(path, enter(parent, part, `${root}/${path}`));
      }
      const folder = folders.get(path);
      if (folder !== undefined) writeFile(folder, parts.at(-1) ?? '', file);
    }
  } finally {
    for (const fd of folders.values()) closeSync(fd);
  }
}
