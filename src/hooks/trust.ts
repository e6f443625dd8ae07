/**
 * Whether a file is safe for root to execute: nobody else can change it, replace it, or turn one of the folders or
 * symbolic links that lead to it somewhere else.
 */
import { type BigIntStats, lstatSync, readlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { hasCode } from '../sys/errno.ts';

/** One step on the way from `/` to a file: a folder, a symbolic link, or the file itself. */
export interface Component {
  readonly path: string;
  readonly dev: bigint;
  readonly ino: bigint;
  /** Type and permissions: st_mode. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Where a symbolic link points; else null. */
  readonly target: string | null;
}

/** What was looked at when a path was found safe. */
export interface Identity {
  /** Absolute. */
  readonly path: string;
  /** Every step, in the order of the way, those of the links' targets too. */
  readonly components: readonly Component[];
  /** What the path leads to, after all links: the last component. */
  readonly real: Component;
}

export type Trust =
  | { readonly trusted: true; readonly identity: Identity }
  /** In words: `/srv/hooks can be written by its group (mode 0775)`. */
  | { readonly trusted: false; readonly why: string };

/** As many as the kernel follows (path_resolution(7)). */
const MAX_LINKS = 40;

const S_IFMT = 0o170000; // <linux/stat.h>
const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;

export const isFolder = ({ mode }: { readonly mode: number }): boolean => (mode & S_IFMT) === S_IFDIR;
export const isFile = ({ mode }: { readonly mode: number }): boolean => (mode & S_IFMT) === S_IFREG;
const isLink = ({ mode }: { readonly mode: number }): boolean => (mode & S_IFMT) === S_IFLNK;

/** `0755`. */
const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0');

function componentOf(path: string, stats: BigIntStats): Component {
  const mode = Number(stats.mode);
  const target = isLink({ mode }) ? readlinkSync(path) : null;
  return { path, dev: stats.dev, ino: stats.ino, mode, uid: Number(stats.uid), gid: Number(stats.gid), target };
}

/** A symbolic link has no permissions of its own: who can write its folder can replace it, and only they. */
function whyUnsafe({ path, mode, uid, target }: Component, owners: readonly number[]): string | null {
  if (!owners.includes(uid)) return `${path} belongs to user ${uid}`;
  if (target !== null) return null;
  // A sticky folder that everybody can write is none to trust: names in it can be taken before their owner comes.
  if ((mode & 0o002) !== 0) return `${path} can be written by everybody (mode ${octal(mode)})`;
  if ((mode & 0o020) !== 0) return `${path} can be written by its group (mode ${octal(mode)})`;
  return null;
}

/** `/a/b` and `c` → `/a/b/c`; the path has no links left, so `..` is its parent. */
function step(folder: string, name: string): string {
  if (name === '..') return folder.slice(0, folder.lastIndexOf('/')) || '/';
  return folder === '/' ? `/${name}` : `${folder}/${name}`;
}

const namesOf = (path: string): string[] => path.split('/').filter((name) => name !== '' && name !== '.');

function walk(path: string, owners: readonly number[]): Trust {
  const components: Component[] = [];
  const names = namesOf(path).reverse();
  let links = 0;
  let here = '/';
  for (let name: string | undefined = ''; name !== undefined; name = names.pop()) {
    const next = name === '' ? '/' : step(here, name);
    const component = componentOf(next, lstatSync(next, { bigint: true }));
    const why = whyUnsafe(component, owners);
    if (why !== null) return { trusted: false, why };
    components.push(component);
    if (component.target === null) {
      if (names.length > 0 && !isFolder(component)) return { trusted: false, why: `${next} is not a folder` };
      here = next;
      continue;
    }
    if (++links > MAX_LINKS) return { trusted: false, why: `${path} leads through too many symbolic links` };
    names.push(...namesOf(component.target).reverse());
    if (component.target.startsWith('/')) here = '/';
  }
  const real = components.at(-1);
  if (real === undefined || real.target !== null) return { trusted: false, why: `${path} leads nowhere` };
  return { trusted: true, identity: { path, components, real } };
}

/**
 * Follows a path step by step. Each folder up to `/`, each symbolic link and what it leads to must belong to one of
 * `owners` and be writable by its owner alone; else it is not followed further. A relative path is taken from the
 * working directory.
 */
export function trust(path: string, owners: readonly number[]): Trust {
  const absolute = path.startsWith('/') ? path : resolve(path);
  try {
    return walk(absolute, owners);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return { trusted: false, why: `${absolute} does not exist` };
    if (error instanceof Error) return { trusted: false, why: `${absolute} cannot be looked at: ${error.message}` };
    throw error;
  }
}

const FIELDS = ['path', 'dev', 'ino', 'mode', 'uid', 'gid', 'target'] as const;

/** Looks again: null when everything is as it was, else what is not, in words. Call it right before the exec. */
export function recheck(identity: Identity, owners: readonly number[]): string | null {
  const now = trust(identity.path, owners);
  if (!now.trusted) return now.why;
  const { components } = now.identity;
  for (const [i, before] of identity.components.entries()) {
    const after = components[i];
    const field = FIELDS.find((name) => after?.[name] !== before[name]);
    if (field !== undefined) return `${before.path} was changed since it was looked at (${field})`;
  }
  return components.length === identity.components.length
    ? null
    : `${identity.path} was changed since it was looked at`;
}
