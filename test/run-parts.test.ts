/** Our run-parts beside Debian's: the same folders, the same command lines, the same outputs and exit codes. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { inspect, isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { aCase, type Case, DEBIANS, makeFolder, NOBODY, OURS, run, type Said } from './run-parts.testing.ts';

const FOLDERS = Number(process.env.EVERLAN_FOLDERS ?? 300);
const SEED = Number(process.env.EVERLAN_SEED ?? 20_240_611);
const AT_ONCE = 2;

/** Whether an unprivileged user can reach our program at all. */
const nobodyCan =
  process.geteuid?.() === 0 && spawnSync(OURS, ['--help'], { uid: NOBODY, gid: NOBODY, cwd: '/' }).status === 0;

function firstDifference(a: string, b: string): number {
  for (let i = 0; i < a.length || i < b.length; i++) if (a[i] !== b[i]) return i;
  return Number.POSITIVE_INFINITY;
}

/** The second line of --version on says who wrote the program, which we did not write. */
function withoutAuthors(said: Said): Said {
  const version = /^Debian run-parts program, version [\d.]+$/m.exec(said.out)?.[0];
  return version === undefined ? said : { ...said, out: version };
}

const part = (text: string, from: number): string =>
  text.length < 1000 ? text : `… ${text.slice(Math.max(0, from - 100), from + 300)} …`;

/** What differs, for a person; null: nothing. */
async function compare(one: Case): Promise<string | null> {
  const folder = makeFolder(one.entries);
  try {
    const usable = { ...one, asNobody: one.asNobody && nobodyCan };
    const theirs = await run(DEBIANS, usable, folder.path);
    const ours = await run(OURS, usable, folder.path);
    if (isDeepStrictEqual(withoutAuthors(ours), withoutAuthors(theirs))) return null;
    const from = Math.min(firstDifference(ours.out, theirs.out), firstDifference(ours.err, theirs.err));
    const cut = (said: Said): Said => ({ ...said, out: part(said.out, from), err: part(said.err, from) });
    return inspect({ case: usable, ours: cut(ours), theirs: cut(theirs) }, { depth: null });
  } finally {
    folder.remove();
  }
}

const skip = existsSync(DEBIANS) ? false : `Debian's run-parts is not here: ${DEBIANS}`;

test(`${FOLDERS} folders: what Debian's run-parts says, ours says`, { skip }, async () => {
  const next = fc.sample(aCase, { seed: SEED, numRuns: FOLDERS }).values();
  const differences: string[] = [];
  const work = async () => {
    for (const one of next) {
      const difference = await compare(one);
      if (difference !== null) differences.push(difference);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  assert.equal(
    differences.length,
    0,
    `${differences.length} of ${FOLDERS} differ:\n${differences.slice(0, 5).join('\n')}`,
  );
});
