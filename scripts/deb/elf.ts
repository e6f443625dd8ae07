/** What a binary asks of the system's libraries: the packages shall run where glibc is as old as Ubuntu 20.04's. */
import { run } from './run.ts';

/** By the name of a set of symbol versions, the highest that is needed: `GLIBC` → `2.28`. */
export type Needed = ReadonlyMap<string, string>;

/** Of each set, the highest that a system may be asked for: what Ubuntu 20.04 and GCC 9 have. */
export const HIGHEST: Needed = new Map([
  ['GLIBC', '2.31'],
  ['GLIBCXX', '3.4.28'],
  ['CXXABI', '1.3.12'],
  ['GCC', '7.0.0'],
]);

/** Debian's packages of these libraries, for Depends. libstdc++6 bears GCC's version, and the bound is that of GCC 9. */
export function libraryPackages(needed: Needed): string[] {
  return [`libc6 (>= ${needed.get('GLIBC')})`, ...(needed.has('GLIBCXX') ? ['libstdc++6 (>= 9)'] : [])];
}

/** `a` before `b` as numbers, part by part. */
export function compareVersions(a: string, b: string): number {
  const left = a.split('.').map(Number);
  const right = b.split('.').map(Number);
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** @param text what `readelf --version-info --wide` prints. */
export function readNeeded(text: string): Needed {
  const needs = text.slice(Math.max(0, text.indexOf('Version needs section')));
  const highest = new Map<string, string>();
  for (const [, set = '', version = ''] of needs.matchAll(/\bName: ([A-Z]+)_([0-9.]+)\b/g)) {
    const known = highest.get(set);
    if (known === undefined || compareVersions(version, known) > 0) highest.set(set, version);
  }
  return highest;
}

export function merge(...all: readonly Needed[]): Needed {
  const merged = new Map<string, string>();
  for (const [set, version] of all.flatMap((each) => [...each])) {
    if (compareVersions(version, merged.get(set) ?? '0') > 0) merged.set(set, version);
  }
  return merged;
}

/** What is above the bound, a sentence each. */
export function tooNew(needed: Needed): string[] {
  return [...needed].flatMap(([set, version]) => {
    const bound = HIGHEST.get(set);
    if (bound !== undefined && compareVersions(version, bound) <= 0) return [];
    return [
      `needs ${set}_${version}, and at most ${bound === undefined ? 'nothing of it' : `${set}_${bound}`} is allowed`,
    ];
  });
}

/** @throws Error when a binary needs more than is allowed. */
export function neededBy(binary: string): Needed {
  const needed = readNeeded(run('readelf', ['--version-info', '--wide', binary]));
  if (needed.size === 0) throw new Error(`${binary}: readelf finds no needed versions`);
  const [wrong] = tooNew(needed);
  if (wrong !== undefined) throw new Error(`${binary}: ${wrong}`);
  return needed;
}
