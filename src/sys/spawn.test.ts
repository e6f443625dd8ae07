import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SysError } from './errno.ts';
import { openPipe, readPipe } from './pipe.ts';
import { close } from './socket.ts';
import { type Exit, poll, type SpawnOptions, spawn, wait } from './spawn.ts';

const folder = mkdtempSync(join(tmpdir(), 'everlan-spawn-'));
after(() => rmSync(folder, { recursive: true }));

function script(name: string, text: string, mode = 0o755): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode });
  return path;
}

/** Runs a program to its end; what it printed on both outputs. */
function run(options: Partial<Omit<SpawnOptions, 'path'>> & { readonly path: string }): { exit: Exit; output: string } {
  const { read, write } = openPipe();
  const exit = ((): Exit => {
    try {
      return wait(
        spawn({
          argv: [options.path],
          env: ['PATH=/usr/bin:/bin'],
          stdout: write,
          stderr: write,
          group: 'own',
          ...options,
        }),
      );
    } finally {
      close(write);
    }
  })();
  const buffer = Buffer.alloc(65_536);
  const parts: string[] = [];
  for (let length = readPipe(read, buffer); length > 0; length = readPipe(read, buffer)) {
    parts.push(buffer.toString('utf8', 0, length));
  }
  close(read);
  return { exit, output: parts.join('') };
}

const sh = (line: string, options: Partial<Omit<SpawnOptions, 'path'>> = {}) =>
  run({ path: '/bin/sh', argv: ['sh', '-c', line], ...options });

const ends: readonly { name: string; in: string; want: Exit }[] = [
  { name: 'success', in: 'exit 0', want: { kind: 'exited', code: 0 } },
  { name: 'a code', in: 'exit 3', want: { kind: 'exited', code: 3 } },
  { name: 'the highest code', in: 'exit 255', want: { kind: 'exited', code: 255 } },
  { name: 'a signal', in: 'kill -9 $$', want: { kind: 'killed', signal: 9 } },
  { name: 'SIGPIPE, which Node ignores', in: 'kill -PIPE $$; exit 1', want: { kind: 'killed', signal: 13 } },
  { name: 'a signal with a core', in: 'ulimit -c 0; kill -ABRT $$', want: { kind: 'killed', signal: 6 } },
];
for (const { name, in: line, want } of ends) {
  test(`its end is told: ${name}`, () => assert.deepEqual(sh(line).exit, want));
}

test('the environment is what is given, byte for byte', () => {
  const env = ['A=1', 'B=two words', 'EMPTY=', Buffer.from('RAW=\xff\n', 'latin1'), 'Ä=ü'];
  const { output } = run({ path: '/bin/cat', argv: ['cat', '/proc/self/environ'], env });
  assert.equal(output, `${'A=1\0B=two words\0EMPTY=\0'}${Buffer.from('RAW=\xff\n\0', 'latin1').toString()}Ä=ü\0`);
});

test('many and long arguments arrive', () => {
  const argv = [
    'sh',
    '-c',
    'shift 9; echo "$# $1"; printf %s "$*" | wc -c',
    ...Array.from({ length: 5000 }, (_, i) => `-é${i}`),
  ];
  const { output } = run({ path: '/bin/sh', argv });
  assert.equal(output, `4990 -é10\n${4990 + argv.slice(13).join('').length + 4990 - 1}\n`);
});

test('signals are as a new program expects them: none blocked, none ignored', () => {
  const { output } = run({ path: '/bin/grep', argv: ['grep', '-E', 'SigBlk|SigIgn', '/proc/self/status'] });
  assert.equal(output, `SigBlk:\t${'0'.repeat(16)}\nSigIgn:\t${'0'.repeat(16)}\n`);
});

test('nothing is open but the three, whatever we have open', () => {
  const open = [openSync('/dev/null', 'r'), openSync('/dev/null', 'r')];
  try {
    // 3 is the folder that ls reads.
    assert.equal(run({ path: '/bin/ls', argv: ['ls', '/proc/self/fd'] }).output, '0\n1\n2\n3\n');
    const [fd = -1] = open;
    const kept = sh(`[ -e /proc/$$/fd/${fd} ] && echo open`, { keep: [fd] });
    assert.equal(kept.output, 'open\n');
  } finally {
    open.forEach(closeSync);
  }
});

test('standard input is empty, or what is given', () => {
  assert.deepEqual(sh('readlink /proc/self/fd/0; cat').output, '/dev/null\n');
  const fd = openSync(script('input', 'a line\n'), 'r');
  try {
    assert.equal(sh('cat', { stdin: fd }).output, 'a line\n');
  } finally {
    closeSync(fd);
  }
});

const groups: readonly { in: 'own' | 'session' | 'same'; want: string }[] = [
  { in: 'own', want: 'own group, our session' },
  { in: 'session', want: 'own group, own session' },
  { in: 'same', want: 'our group, our session' },
];
for (const { in: group, want } of groups) {
  test(`group: ${group}`, () => {
    const [, , pgrp, session] = readFileSync('/proc/self/stat', 'latin1')
      .replace(/^.*\) /, '')
      .split(' ');
    const { output } = sh('read -r p _ _ _ g s _ </proc/$$/stat; echo $p $g $s', { group });
    const [pid, itsGroup, itsSession] = output.trim().split(' ');
    const told = [
      itsGroup === pid ? 'own group' : itsGroup === pgrp ? 'our group' : 'strange group',
      itsSession === pid ? 'own session' : itsSession === session ? 'our session' : 'strange session',
    ];
    assert.equal(told.join(', '), want);
  });
}

test('its streams block, whatever Node made of them', () => {
  const { read, write } = openPipe();
  const code = `
    import { spawn, wait } from ${JSON.stringify(new URL('spawn.ts', import.meta.url).href)};
    process.stdout.write('');
    process.stderr.write('');
    const argv = ['grep', 'flags', '/proc/self/fdinfo/1', '/proc/self/fdinfo/2'];
    wait(spawn({ path: '/bin/grep', argv, env: [], stdout: 1, stderr: 2, group: 'same' }));`;
  wait(
    spawn({
      path: process.execPath,
      argv: ['node', '--input-type=module', '-e', code],
      env: [],
      stdout: write,
      stderr: write,
      group: 'own',
    }),
  );
  close(write);
  const buffer = Buffer.alloc(1000);
  assert.equal(
    buffer.toString('utf8', 0, readPipe(read, buffer)),
    '/proc/self/fdinfo/1:flags:\t01\n/proc/self/fdinfo/2:flags:\t01\n',
  );
  close(read);
});

test('the working folder', () => {
  assert.equal(sh('pwd', { cwd: '/usr' }).output, '/usr\n');
  assert.equal(sh('pwd').output, `${process.cwd()}\n`);
});

test('$0 of a script is its path', () => {
  const path = script('zero', '#!/bin/sh\necho "$0" "$@"\n');
  assert.equal(run({ path, argv: [path, 'a'] }).output, `${path} a\n`);
});

const refused: readonly { name: string; path: () => string; want: string }[] = [
  { name: 'no such file', path: () => join(folder, 'none'), want: 'ENOENT' },
  { name: 'no such interpreter', path: () => script('bad', '#!/no/such\n'), want: 'ENOENT' },
  { name: 'no shebang', path: () => script('plain', 'echo hello\n'), want: 'ENOEXEC' },
  { name: 'an empty file', path: () => script('empty', ''), want: 'ENOEXEC' },
  { name: 'not executable', path: () => script('data', '#!/bin/sh\n', 0o644), want: 'EACCES' },
  { name: 'a folder', path: () => folder, want: 'EACCES' },
  { name: 'a NUL in the path', path: () => '/bin/true\0x', want: 'EINVAL' },
];
for (const { name, path, want } of refused) {
  test(`refused: ${name}`, () => {
    assert.throws(
      () => run({ path: path() }),
      (error) => error instanceof SysError && error.code === want && error.call === 'posix_spawn',
    );
  });
}

test('too large an environment is refused, and the next program starts', () => {
  assert.throws(() => run({ path: '/bin/true', env: [`A=${'x'.repeat(200_000)}`] }), { code: 'E2BIG' });
  assert.throws(() => run({ path: '/bin/true', env: ['A=\0'] }), { code: 'EINVAL' });
  assert.deepEqual(run({ path: '/bin/true' }).exit, { kind: 'exited', code: 0 });
});

test('one that still runs is told apart, and a strange one is an error', () => {
  const pid = spawn({ path: '/bin/sleep', argv: ['sleep', '100'], env: [], stdout: 1, stderr: 2, group: 'own' });
  assert.equal(poll(pid), null);
  process.kill(pid, 'SIGKILL');
  assert.deepEqual(wait(pid), { kind: 'killed', signal: 9 });
  assert.throws(() => poll(pid), { code: 'ECHILD' });
  assert.throws(() => wait(1), { code: 'ECHILD' });
});
