/** The files of other tools: named ones, those of a folder, and those that a file names. */
import { globSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { FindFiles, SourceFile } from '../import/found.ts';
import { EverlanError, EXIT, problem } from '../model/problem.ts';
import { hasCode } from '../sys/errno.ts';
import { decode } from '../text/decode.ts';
import { readInput } from './read-input.ts';

/** Text in the order in which the tool reads it. @throws EverlanError, exit 2. */
export function readSources(paths: readonly string[], pattern: RegExp): readonly SourceFile[] {
  return paths.flatMap((path) => (isFolder(path) ? inFolders([path], pattern).map(readOne) : [readOne(path)]));
}

/**
 * From where the tool itself keeps them. Of files with the same path below two folders that of the first counts.
 * @throws EverlanError, exit 2, when there is nothing at all.
 */
export function readPlaces(places: readonly string[], pattern: RegExp): readonly SourceFile[] {
  const files = places.filter((place) => isFile(place));
  const found = [...files, ...inFolders(places.filter(isFolder), pattern)];
  if (found.length > 0) return found.map(readOne);
  const where = places.length === 0 ? '' : ` in ${places.join(', ')}`;
  const hint = { hint: 'name the files after the source' };
  throw new EverlanError(problem('file-unreadable', `there is nothing to import${where}`, hint), EXIT.usage);
}

/** What `source` lines and the like name; `*`, `?` and `[…]` as in a shell. */
export const findFiles: FindFiles = (pattern, { path }) => {
  const folder = path === STDIN_NAME ? '.' : dirname(path);
  const found = globSync(pattern, { cwd: folder }).map((each) => resolve(folder, each));
  // Among what a pattern matches, or a script calls, may be programs: they are no texts.
  return found
    .filter(isFile)
    .toSorted()
    .flatMap((each) => textOf(each) ?? []);
};

const STDIN_NAME = 'standard input';

function readOne(path: string): SourceFile {
  const { bytes, name } = readInput(path);
  const source = decode(bytes, name);
  if ('code' in source) throw new EverlanError(source, EXIT.usage);
  return { path: name, text: source.text };
}

function textOf(path: string): SourceFile | null {
  const { bytes, name } = readInput(path);
  const source = decode(bytes, name);
  return 'code' in source ? null : { path: name, text: source.text };
}

/** Paths of the fitting files, sorted by their path below their folder. */
function inFolders(folders: readonly string[], pattern: RegExp): readonly string[] {
  const found = new Map<string, string>();
  for (const folder of folders) {
    for (const below of list(folder)) {
      if (pattern.test(below) && !found.has(below)) found.set(below, join(folder, below));
    }
  }
  // By code unit, as tools that sort in the C locale do.
  return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
}

/** Names in the folder and, for drop-ins, in its folders `NAME.d`. */
function list(folder: string): readonly string[] {
  return entries(folder).flatMap((name) => {
    if (!name.endsWith('.d') || !isFolder(join(folder, name))) return [name];
    return entries(join(folder, name)).map((inner) => `${name}/${inner}`);
  });
}

function entries(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    const why = hasCode(error, 'EACCES', 'EPERM') ? 'permission denied' : error.message;
    throw new EverlanError(problem('file-unreadable', `${folder} cannot be read: ${why}`), EXIT.usage);
  }
}

function is(path: string, what: 'file' | 'folder'): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  // A file may be masked by a link to /dev/null: it then reads as empty.
  return found !== undefined && found.isDirectory() === (what === 'folder');
}

const isFolder = (path: string): boolean => path !== '-' && is(path, 'folder');
const isFile = (path: string): boolean => is(path, 'file');
