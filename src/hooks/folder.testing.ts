/** Folders that pass as safe, for tests: nobody but root and us can have changed what leads to them. */
import { accessSync, chmodSync, constants, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Rule } from './script.ts';
import { trust } from './trust.ts';

const me = process.geteuid?.() ?? 0;
const group = process.getegid?.() ?? 0;
const OWNERS = [...new Set([0, me])];

/** As root's rules, for the user that runs the tests. */
export const OUR_RULE: Rule = { exactly: { mode: 0o755, uid: me, gid: group }, owners: OWNERS };
export const isRoot = me === 0;

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const places = isRoot ? ['/run'] : [process.env.XDG_RUNTIME_DIR || homedir(), homedir()];
const place = places.find((path) => trust(path, OWNERS).trusted && mayWrite(path));

/** Why a test cannot run; false: it can. */
export const noPlace: string | false =
  place === undefined ? `no folder that nobody else can change: ${places.join(', ')}` : false;
export const needsRoot: string | false =
  noPlace === false && !isRoot ? 'needs root: it gives files to another user' : noPlace;

/** Another user. */
export const STRANGER = 65_534;

export function safeFolder(t: TestContext): string {
  const path = mkdtempSync(join(place ?? '', 'everlan-hooks-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  chmodSync(path, 0o755);
  return path;
}

/** A folder and those above it, whatever the umask. */
export function folderAt(path: string, mode = 0o755): string {
  mkdirSync(path, { recursive: true, mode: 0o755 });
  chmodSync(path, mode);
  return path;
}

/** A file with its folder, whatever the umask. `text` is a shell script unless it says itself what it is. */
export function fileAt(path: string, text: string, mode = 0o755): string {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  chmodSync(dirname(path), 0o755);
  writeFileSync(path, text === '' || text.startsWith('#!') ? text : `#!/bin/sh\n${text}\n`);
  chmodSync(path, mode);
  return path;
}
