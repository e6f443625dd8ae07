/** Our run-parts beside Debian's: the same folders, the same command lines, the same outputs and exit codes. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { type TestContext, test } from 'node:test';
import { inspect, isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { aCase, type Case, DEBIANS, makeFolder, NOBODY, OURS, run, type Said } from './run-parts.testing.ts';
import { everlan } from './support/program.ts';

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

/** A folder with one script. */
function oneScript(t: TestContext, body: string): string {
  const content = `#!/bin/sh\n${body}\n`;
  const { path, remove } = makeFolder([{ name: 'a', what: { kind: 'file', content, mode: 0o755 } }]);
  t.after(remove);
  return path;
}

/** The same shell line with each of the two as `$0`, the folder as `$1`. */
function both(line: string, folder: string): { readonly ours: unknown; readonly theirs: unknown } {
  const one = (program: string) => {
    const { status, signal, stdout, stderr } = spawnSync('/bin/bash', ['--norc', '-c', line, program, folder]);
    return { status, signal, out: stdout.toString(), err: stderr.toString() };
  };
  return { ours: one(OURS), theirs: one(DEBIANS) };
}

const lines: readonly { name: string; body: string; line: string; want: RegExp }[] = [
  {
    name: 'a descriptor that it was given is handed on',
    body: 'echo three >&3; echo nine >&9',
    line: 'exec 3>&1 9>&1; "$0" "$1"',
    want: /three\\nnine\\n/,
  },
  {
    name: 'SIGTERM ends it, and the script goes on',
    body: 'trap "" TERM; kill $PPID; sleep 1; echo went on',
    line: '"$0" "$1"; echo "ended with $?"',
    want: /ended with 143\\nwent on/,
  },
  {
    name: 'outputs that are one stay in order',
    body: 'echo 1; echo 2 >&2; echo 3; exit 4',
    line: '"$0" -v "$1" 2>&1',
    want: /executing .*1\\n2\\n3\\nrun-parts: .* return code 4/,
  },
  {
    name: 'a full disk is nobody’s business',
    body: 'echo 1 || echo cannot',
    line: '"$0" --report "$1" >/dev/full; echo $?; "$0" --list "$1" >/dev/full; echo $?',
    want: /"out":"0\\n0\\n"/,
  },
  {
    name: 'without standard input',
    body: 'cat; echo $?',
    line: '"$0" "$1" </dev/null; "$0" --stdin "$1" </dev/null',
    want: /"out":"0\\n0\\n"/,
  },
];

for (const { name, body, line, want } of lines) {
  test(`beside Debian's: ${name}`, { skip }, (t) => {
    const { ours, theirs } = both(line, oneScript(t, body));
    assert.deepEqual(ours, theirs);
    assert.match(JSON.stringify(theirs), want);
  });
}

test('a reader that goes away ends it by SIGPIPE', { skip }, async (t) => {
  const folder = oneScript(t, ':');
  for (const program of [OURS, DEBIANS]) {
    // The reader is gone before anything is written.
    const line = 'exec 4> >(:); wait $!; "$0" --test "$1" >&4; echo $? ';
    const { stdout } = spawnSync('/bin/bash', ['--norc', '-c', line, program, folder]);
    assert.equal(stdout.toString(), '141\n', program);
  }
});

test('called through a link, from anywhere', (t) => {
  const folder = oneScript(t, 'echo ran');
  const link = `${folder}-link`;
  symlinkSync(OURS, link);
  for (const args of [
    [link, '--', folder],
    ['./d-link', 'd'],
  ]) {
    const [program = '', ...rest] = args;
    const { stdout } = spawnSync(program, rest, { cwd: dirname(folder), encoding: 'utf8' });
    assert.equal(stdout, 'ran\n');
  }
});

test('as a command of everlan', (t) => {
  const folder = oneScript(t, 'echo "$@"');
  const ran = everlan(['run-parts', '-v', '--arg=--json', folder]);
  assert.deepEqual(ran, { code: 0, out: '--json\n', err: `run-parts: executing ${folder}/a --json\n` });
});
