/**
 * Checks what the checkout says: it speaks of itself alone, leaves nothing open without saying what, and skips no test
 * without saying why. Prints `FILE:LINE: REASON` for each breach; exits 1 then.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

interface Rule {
  /** The paths that it is about. */
  readonly files: RegExp;
  /** What must not stand on any line. */
  readonly refused: RegExp;
  readonly why: string;
}

const ALL = /./;
const CODE = /\.[cm]?[jt]s$/;

const RULES: readonly Rule[] = [
  {
    files: ALL,
    refused: /(?<![\w.$}-])\/(?:Users|home\/(?!USER\b)[\w-]+)\//,
    why: 'a path of somebody’s machine',
  },
  { files: ALL, refused: /\bregistry\.[a-z0-9-]+\.[a-z]{2,}|\bnpmmirror\b/i, why: 'the host of a package registry' },
  {
    files: /(?:^|\/)package-lock\.json$/,
    refused: /"resolved": "(?!file:)/,
    why: 'where a package came from; .npmrc keeps that out of the lock file',
  },
  { files: ALL, refused: /\b(?:issues? #?\d+|pull request #?\d+)\b/i, why: 'a number that means nothing to a reader' },
  {
    files: ALL,
    refused: /\b(?:TODO|FIXME|XXX)\b(?!: \S+ \S+ \S+)/,
    why: 'left open without saying what: write `TODO: what is to be done`',
  },
  {
    files: CODE,
    refused: /\b(?:test|it|suite|describe)\.(?:skip|todo)\(|\b(?:skip|todo): true\b|\.(?:skip|todo)\(\)/,
    why: 'skipped without a reason: use { skip: "the reason" }',
  },
  { files: CODE, refused: /\b(?:test|it|suite|describe)\.only\(|\bonly: true\b/, why: 'leaves the other tests out' },
  { files: CODE, refused: /@ts-(?:ignore|nocheck|expect-error)|biome-ignore/, why: 'silences a check' },
];

/** These two must write what they refuse. */
const EXEMPT = /^scripts\/words(?:\.test)?\.ts$/;
const LEFT_OUT = new Set(['node_modules', 'dist', 'dist.new', 'dist.old', 'dist-deb', '.git', '.cache']);

/** The breaches of one file, a line each. */
export function checkWords(path: string, text: string): string[] {
  if (EXEMPT.test(path)) return [];
  const rules = RULES.filter(({ files }) => files.test(path));
  return text.split('\n').flatMap((line, index) =>
    rules.flatMap(({ refused, why }) => {
      const match = refused.exec(line);
      return match === null ? [] : [`${path}:${index + 1}: ${match[0].trim()}: ${why}`];
    }),
  );
}

function* filesUnder(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (LEFT_OUT.has(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesUnder(path);
    else if (entry.isFile()) yield path;
  }
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..');
  const files = [...filesUnder(root)].sort();
  const found = files.flatMap((path) => checkWords(relative(root, path), readFileSync(path, 'utf8')));
  for (const line of found) console.error(line);
  if (found.length === 0) console.log(`words: nothing amiss in ${files.length} files`);
  else process.exitCode = 1;
}
