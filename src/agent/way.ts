/** Every place at which the kernel looks on its way to a file (path_resolution(7)): what changes there can change the file. */
import { type BigIntStats, lstatSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Way {
  /** Folder, free of symbolic links → the names that are looked up in it. */
  readonly folders: ReadonlyMap<string, ReadonlySet<string>>;
  /** Where it ends: at the file, or where there is nothing to go on with. Free of symbolic links but for a dead end. */
  readonly end: string;
  /** The same for the same way: links that lead elsewhere and folders that are others make it another. */
  readonly signature: string;
}

/** As the kernel: more links than this are a circle (MAXSYMLINKS). */
const MOST_LINKS = 40;

function statOf(path: string): BigIntStats | null {
  try {
    return lstatSync(path, { bigint: true });
  } catch {
    // Whatever keeps us from it: here the way ends.
    return null;
  }
}

function targetOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    // It went a moment ago.
    return null;
  }
}

/** @param path absolute. Never throws. */
export function wayTo(path: string): Way {
  const folders = new Map<string, Set<string>>();
  const signature: string[] = [];
  const rest = path.split('/');
  let folder = '/';
  let end = '/';
  let links = 0;
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      folder = dirname(folder);
      end = folder;
      continue;
    }
    const names = folders.get(folder) ?? new Set();
    folders.set(folder, names.add(name));
    end = join(folder, name);
    const found = statOf(end);
    const target = found?.isSymbolicLink() === true ? targetOf(end) : null;
    if (target !== null) {
      signature.push(`${end} -> ${target}`);
      if (++links > MOST_LINKS) break;
      rest.unshift(...target.split('/'));
      if (target.startsWith('/')) folder = '/';
    } else if (found?.isDirectory() === true) {
      signature.push(`${end} ${found.dev}:${found.ino}`);
      folder = end;
    } else {
      signature.push(`${end} ${rest.some((part) => part !== '')}`);
      break;
    }
  }
  return { folders, end, signature: signature.join('\n') };
}
