import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Child } from './child.ts';
import type { Exit } from './spawn.ts';

const folder = mkdtempSync(join(tmpdir(), 'everlan-child-'));
const silence = openSync('/dev/null', 'w');
after(() => {
  closeSync(silence);
  rmSync(folder, { recursive: true });
});

interface Started {
  readonly child: Child;
  readonly exit: Promise<Exit>;
}

function start(line: string): Started {
  const options = {
    path: '/bin/sh',
    argv: ['sh', '-c', line],
    env: ['PATH=/usr/bin:/bin'],
    stdout: silence,
    stderr: silence,
  };
  let tell: (exit: Exit) => void = () => undefined;
  const exit = new Promise<Exit>((resolve) => {
    tell = resolve;
  });
  return { child: Child.start({ ...options, group: 'own' }, (found) => tell(found)), exit };
}

/** The state letter of a process, as in `ps`; null when there is none. */
function stateOf(pid: number): string | null {
  try {
    return /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1] ?? null;
  } catch {
    return null;
  }
}

/** Waits for a file that a script makes to say where it is; its text. */
async function said(name: string): Promise<string> {
  for (;;) {
    try {
      const text = readFileSync(join(folder, name), 'utf8');
      if (text.endsWith('\n')) return text.trim();
    } catch {
      // Not there yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Until a process that is no child of ours is dead; whoever collects orphans may take its time. */
async function dead(pid: number): Promise<void> {
  while (!/^[ZX]$/.test(stateOf(pid) ?? 'X')) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('the end is told once, and no zombie stays', async () => {
  const { child, exit } = start('exit 7');
  assert.deepEqual(await exit, { kind: 'exited', code: 7 });
  assert.equal(stateOf(child.pid), null);
});

test('many at once', async () => {
  const all = Array.from({ length: 50 }, (_, code) => start(`exit ${code}`).exit);
  assert.deepEqual(
    await Promise.all(all),
    all.map((_, code) => ({ kind: 'exited', code })),
  );
});

test('a child that nobody keeps is waited for', async () => {
  const pids = Array.from({ length: 20 }, () => start('exit 0').child.pid);
  const gc: unknown = Reflect.get(globalThis, 'gc');
  if (typeof gc === 'function') gc();
  await start('sleep 0.2').exit;
  assert.deepEqual(
    pids.map(stateOf),
    pids.map(() => null),
  );
});

test('ended politely, with what it started', async () => {
  const { child, exit } = start(
    `sleep 100 & echo $! > ${folder}/polite; trap 'echo bye > ${folder}/bye; exit 4' TERM; wait`,
  );
  const inner = Number(await said('polite'));
  child.end(60_000);
  assert.deepEqual(await exit, { kind: 'exited', code: 4 });
  assert.equal(await said('bye'), 'bye');
  await dead(inner);
});

test('ended, and then not politely', async () => {
  const { child, exit } = start(`trap '' TERM; echo $$ > ${folder}/deaf; while :; do sleep 0.05; done`);
  await said('deaf');
  child.end(100);
  assert.deepEqual(await exit, { kind: 'killed', signal: 9 });
});

test('what ignores the request after the first process has gone is killed too', async () => {
  const deaf = `trap "" TERM; echo $$ > ${folder}/left; while :; do sleep 0.05; done`;
  const { child, exit } = start(`sh -c '${deaf}' & wait`);
  const inner = Number(await said('left'));
  child.end(150);
  assert.deepEqual(await exit, { kind: 'killed', signal: 15 });
  await dead(inner);
});

test('one that finishes its work within the grace does', async () => {
  const slow = `trap "sleep 0.2; echo done > ${folder}/work; exit" TERM; echo $$ > ${folder}/slow; while :; do sleep 0.02; done`;
  const { child, exit } = start(`sh -c '${slow}' & wait`);
  await said('slow');
  child.end(60_000);
  await exit;
  assert.equal(await said('work'), 'done');
});

test('one that is stopped ends as well', async () => {
  const { child, exit } = start(`echo $$ > ${folder}/stopped; kill -STOP $$; exit 0`);
  await said('stopped');
  while (stateOf(child.pid) !== 'T') await new Promise((resolve) => setTimeout(resolve, 5));
  child.end(60_000);
  assert.deepEqual(await exit, { kind: 'killed', signal: 15 });
});

test('ending twice, or one that is over, does nothing', async () => {
  const { child, exit } = start('sleep 100');
  child.end(60_000);
  child.end(1);
  assert.deepEqual(await exit, { kind: 'killed', signal: 15 });
  child.end(1);
});

// Without descriptors there is no pidfd: then it is looked for from time to time.
test('with no descriptor left, the end is told all the same', () => {
  const code = `
    import { openSync } from 'node:fs';
    import { Child } from ${JSON.stringify(new URL('child.ts', import.meta.url).href)};
    const options = { path: '/bin/sh', argv: ['sh', '-c', 'exit 5'], env: [], stdout: 2, stderr: 2, group: 'own' };
    await new Promise((resolve) => Child.start(options, resolve));
    const start = (line, told) => Child.start({ ...options, argv: ['sh', '-c', line] }, told);
    try { for (;;) openSync('/dev/null', 'r'); } catch {}
    start('exit 6', (exit) => {
      process.stdout.write(JSON.stringify(exit));
      const child = start('trap "exit 8" TERM; while :; do sleep 0.01; done', (exit) => {
        process.stdout.write(JSON.stringify(exit));
      });
      setTimeout(() => child.end(300), 200);
    });`;
  const line = `ulimit -n 60; exec "$0" --input-type=module -e "$1"`;
  const run = spawnSync('sh', ['-c', line, process.execPath, code], { encoding: 'utf8' });
  assert.equal(run.stdout, '{"kind":"exited","code":6}{"kind":"exited","code":8}', run.stderr);
});
