/** The Debian package of what is in dist/, made once for all tests of a run, and kept until something in it changes. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { hostArch } from '../../scripts/deb/arch.ts';
import { buildPackages } from '../../scripts/deb.ts';
import { CACHE } from './debian-root.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const PACKAGES = join(CACHE, 'packages');
/** All that a package is made of, and what makes it. */
const SOURCES = ['dist', 'packaging', 'examples', 'scripts/deb', 'scripts/deb.ts', 'scripts/man', 'package-lock.json'];
/** Made of other sources, and not by a run that goes on beside this one. */
const OLD_MS = 60 * 60 * 1000;

function filesOf(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesOf(join(path, name)));
}

/** @param level of xz: 0 is the fastest, 6 what is released. @returns the path of everlan's own package */
export function everlanPackage(level = '0'): string {
  const hash = createHash('sha256').update(level);
  for (const file of SOURCES.flatMap((name) => filesOf(join(ROOT, name)))) {
    hash.update(file.slice(ROOT.length)).update('\0').update(readFileSync(file));
  }
  const folder = join(PACKAGES, hash.digest('hex').slice(0, 16));
  if (!existsSync(folder)) make(folder, level);
  const name = readdirSync(folder).find((each) => each.startsWith('everlan_'));
  if (name === undefined) throw new Error(`no package in ${folder}`);
  return join(folder, name);
}

function make(folder: string, level: string): void {
  mkdirSync(PACKAGES, { recursive: true, mode: 0o755 });
  for (const name of readdirSync(PACKAGES)) {
    const old = join(PACKAGES, name);
    if (Date.now() - statSync(old).mtimeMs > OLD_MS) rmSync(old, { recursive: true, force: true });
  }
  const made = mkdtempSync(join(dirname(folder), `new-${basename(folder)}-`));
  buildPackages({ output: made, arch: hostArch(), level });
  try {
    renameSync(made, folder);
  } catch (error) {
    // Another test made the same meanwhile.
    rmSync(made, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}
