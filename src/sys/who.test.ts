import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { whoIs } from './who.ts';

/** A process that has begun, with these arguments, of which the first is its name. */
async function started(t: TestContext, argv0: string, ...args: string[]): Promise<number> {
  const child = spawn('/bin/sh', ['-c', 'echo; read line', ...args], { argv0, stdio: ['pipe', 'pipe', 'ignore'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  assert.ok(child.pid !== undefined);
  return child.pid;
}

test('ourselves', () => {
  const found = whoIs(process.pid);
  assert.equal(found?.pid, process.pid);
  assert.equal(found.name, readFileSync('/proc/self/comm', 'utf8').trimEnd());
  assert.match(found.command, /^\S*node /);
});

const commands: readonly { name: string; args: readonly [string, ...string[]]; want: string }[] = [
  { name: 'its arguments', args: ['sh', 'a', '-b'], want: 'sh -c echo; read line a -b' },
  {
    name: 'line feeds and escapes',
    args: ['sh', 'one\ntwo', '\u001b[2J', '\u0085\u2028\u202e'],
    want: 'sh -c echo; read line one?two ?[2J ???',
  },
  { name: 'a long line is cut', args: ['sh', 'x'.repeat(300)], want: `sh -c echo; read line ${'x'.repeat(178)}…` },
  {
    name: 'a character in two halves is cut whole',
    args: ['sh', `${'x'.repeat(177)}😀😀`],
    want: `sh -c echo; read line ${'x'.repeat(177)}…`,
  },
];

for (const { name, args, want } of commands) {
  test(name, async (t) => {
    const pid = await started(t, ...args);
    assert.deepEqual(whoIs(pid), { pid, name: 'sh', command: want });
  });
}

test('a process that is gone', async () => {
  const child = spawn('/bin/true', { stdio: 'ignore' });
  await once(child, 'exit');
  assert.ok(child.pid !== undefined);
  assert.equal(whoIs(child.pid), null);
});

for (const pid of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 4_194_305, 0xffff_f000]) {
  test(`${pid} is no process`, () => assert.equal(whoIs(pid), null));
}
