/**
 * Files below a folder. Nothing in it is followed out of it: each folder on the way is opened without following a symbolic
 * link, and the next name is looked up in what was opened (/proc/self/fd), so that nobody can put another in its place.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
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

function fill(fd: number, { text, mode }: TreeFile): void {
  try {
    writeFileSync(fd, text);
    fchmodSync(fd, mode);
  } finally {
    closeSync(fd);
  }
}

/** Whether the file is there already, as it should be. Not blocking, should a FIFO be there. */
function isSame(path: string, { text, mode }: TreeFile): boolean {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return false;
  }
  try {
    const found = fstatSync(fd);
    const alike = found.isFile() && (found.mode & 0o7777) === mode && found.size === Buffer.byteLength(text);
    return alike && readFileSync(fd, 'utf8') === text;
  } finally {
    closeSync(fd);
  }
}

/** Replaces what has the name at once, without following it: a reader sees the old text or the new. */
function replace(folder: number, name: string, file: TreeFile): void {
  const temporary = inside(folder, `.${name}.${randomBytes(6).toString('hex')}`);
  try {
    fill(openSync(temporary, NEW_FILE, 0o600), file);
    renameSync(temporary, inside(folder, name));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** A file that is as it should be is left alone: a rename would make the filesystem write it out, again and again. */
function writeFile(folder: number, name: string, file: TreeFile): void {
  const path = inside(folder, name);
  let fd: number;
  try {
    fd = openSync(path, NEW_FILE, 0o600);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    if (!isSame(path, file)) replace(folder, name, file);
    return;
  }
  fill(fd, file);
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
