import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findScripts } from './find.ts';
import { fileAt, folderAt, needsRoot, noPlace, OUR_RULE, STRANGER, safeFolder } from './folder.testing.ts';
import { type Outcome, type RunOptions, runHook, type Stream } from './run.ts';
import type { Script } from './script.ts';

const ENV = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };

const scriptsIn = (...bases: string[]): Script[] =>
  findScripts(bases, 'routable', OUR_RULE).filter((finding) => finding.runs);

function only(base: string): Script {
  const [script, ...rest] = scriptsIn(base);
  if (script === undefined || rest.length > 0) return assert.fail(`${rest.length} scripts too many`);
  return script;
}

const at = (base: string, name: string): string => join(base, 'routable.d', name);

interface Ran {
  readonly outcome: Outcome;
  readonly lines: readonly string[];
}

/** Runs a script and waits for its end and for that of everything that holds its output open. */
async function run(script: Script, options: Partial<RunOptions> = {}): Promise<Ran> {
  const lines: string[] = [];
  const onLine = (line: string, stream: Stream) => {
    lines.push(stream === 'stdout' ? line : `${stream}: ${line}`);
  };
  const outcome = await runHook(script, { env: ENV, timeoutMs: 60_000, onLine, ...options });
  return { outcome, lines };
}

async function runText(t: TestContext, text: string, options: Partial<RunOptions> = {}): Promise<Ran> {
  const base = safeFolder(t);
  fileAt(at(base, 'a'), text);
  return run(only(base), options);
}

/** Without the time that it took. */
function end(outcome: Outcome): unknown {
  const { ms, ...rest } = outcome;
  assert.ok(ms >= 0);
  return rest;
}

const exited = (code: number, timedOut = false) => ({ kind: 'exited', code, timedOut });
const killed = (signal: number, timedOut = false) => ({ kind: 'killed', signal, timedOut });
const failed = (why: string) => ({ kind: 'not started', cause: 'failed', why });

const outcomes: readonly { name: string; text: string; end: unknown; lines: readonly string[] }[] = [
  { name: 'success', text: 'echo hello', end: exited(0), lines: ['hello'] },
  { name: 'a code', text: 'exit 3', end: exited(3), lines: [] },
  { name: 'a signal', text: 'kill -9 $$', end: killed(9), lines: [] },
  { name: 'both outputs', text: 'echo a; echo b >&2; echo c', end: exited(0), lines: ['a', 'c', 'stderr: b'] },
  { name: 'a last line without an end', text: 'printf "a\\nb"', end: exited(0), lines: ['a', 'b'] },
  { name: 'empty lines', text: 'printf "\\n\\na\\n"', end: exited(0), lines: ['', '', 'a'] },
  { name: 'no arguments', text: 'echo $#', end: exited(0), lines: ['0'] },
  { name: 'nothing to read', text: 'cat; echo end', end: exited(0), lines: ['end'] },
  { name: 'a reader that stops', text: 'yes | head -n 1', end: exited(0), lines: ['y'] },
  { name: 'no shebang', text: '#!\necho no', end: failed('Exec format error'), lines: [] },
  { name: 'no interpreter', text: '#!/no/such/thing', end: failed('No such file or directory'), lines: [] },
];
for (const { name, text, end: want, lines } of outcomes) {
  test(`run: ${name}`, { skip: noPlace }, async (t) => {
    const ran = await runText(t, text);
    assert.deepEqual(end(ran.outcome), want);
    // The order of two pipes is nobody's.
    assert.deepEqual([...ran.lines].sort(), [...lines].sort());
  });
}

test('a text without a shebang is not handed to a shell', { skip: noPlace }, async (t) => {
  const base = safeFolder(t);
  const mark = join(base, 'mark');
  writeFileSync(fileAt(at(base, 'a'), ':'), `echo > ${mark}\n`);
  assert.deepEqual(end((await run(only(base))).outcome), failed('Exec format error'));
  assert.equal(existsSync(mark), false);
});

test('$0 is the path, also of a link', { skip: noPlace }, async (t) => {
  const base = safeFolder(t);
  fileAt(join(base, 'share/real'), 'echo "$0"');
  symlinkSync('../share/real', join(folderAt(join(base, 'routable.d')), 'a'));
  assert.deepEqual((await run(only(base))).lines, [at(base, 'a')]);
});

const hostile = ['-rf', ' ', 'a b', '$(id)', ';id', "'", '"', '\n', '\u{1f600}', '*', '\\', '--help'];
for (const name of hostile) {
  test(`a script called ${JSON.stringify(name)} is a path and nothing else`, { skip: noPlace }, async (t) => {
    const base = safeFolder(t);
    fileAt(at(base, name), 'printf "%s" "$0" | od -An -c -v | tr -d " \\n"; [ -e "$0" ] && echo " there"');
    const ran = await run(only(base));
    assert.match(ran.lines.join(''), / there$/);
    assert.deepEqual(end(ran.outcome), exited(0));
  });
}

test('the environment is what is given, and nothing of ours', { skip: noPlace }, async (t) => {
  process.env.NOTIFY_SOCKET = '/run/secret';
  t.after(() => delete process.env.NOTIFY_SOCKET);
  const hostileValue = '$(id); `id` "\'\n-x';
  const env = { IFACE: hostileValue, ESSID: 'a\0b', EMPTY: '' };
  const ran = await runText(t, '#!/usr/bin/env -S cat /proc/self/environ', { env });
  assert.deepEqual(ran.lines.join('\n').split('\0').sort(), [
    // cat is given the script's path as well.
    '#!/usr/bin/env -S cat /proc/self/environ',
    ...['EMPTY=', 'ESSID=a', `IFACE=${hostileValue}`],
  ]);
});

test('too large an environment is a result', { skip: noPlace }, async (t) => {
  const ran = await runText(t, ':', { env: { json: 'x'.repeat(200_000) } });
  assert.deepEqual(end(ran.outcome), failed('Argument list too long'));
});

test('its own process group, and no descriptor but three', { skip: noPlace }, async (t) => {
  const ran = await runText(t, 'read -r p _ _ _ g _ </proc/$$/stat; [ $p = $g ] && echo own; ls /proc/self/fd | wc -l');
  assert.deepEqual(ran.lines, ['own', '4']);
});

test('too slow: ended with all that it started', { skip: noPlace }, async (t) => {
  const text = 'sleep 100 & sleep 100; echo not reached';
  const ran = await runText(t, text, { timeoutMs: 100, graceMs: 60_000 });
  assert.deepEqual(end(ran.outcome), killed(15, true));
  assert.deepEqual(ran.lines, []);
});

test('too slow, ends by itself when asked', { skip: noPlace }, async (t) => {
  const text = 'trap "echo tidied up; exit 4" TERM; while :; do sleep 0.02; done';
  const ran = await runText(t, text, { timeoutMs: 1000, graceMs: 60_000 });
  assert.deepEqual(end(ran.outcome), exited(4, true));
  assert.ok(ran.lines.includes('tidied up'));
});

test('too slow and deaf: killed', { skip: noPlace }, async (t) => {
  const ran = await runText(t, "trap '' TERM; while :; do sleep 0.02; done", { timeoutMs: 1000, graceMs: 100 });
  assert.deepEqual(end(ran.outcome), killed(9, true));
});

test('what runs on in the background is not waited for, and still heard', { skip: noPlace }, async (t) => {
  const base = safeFolder(t);
  const go = join(base, 'go');
  fileAt(at(base, 'a'), `(while [ -e ${base} ] && [ ! -e ${go} ]; do sleep 0.01; done; echo late) & echo early`);
  let hear: (line: string) => void = () => undefined;
  const late = new Promise<string>((resolve) => {
    hear = resolve;
  });
  const lines: string[] = [];
  const onLine = (line: string) => {
    lines.push(line);
    if (line === 'late') hear(line);
  };
  const outcome = await runHook(only(base), { env: ENV, timeoutMs: 60_000, onLine });
  assert.deepEqual(end(outcome), exited(0));
  assert.deepEqual(lines, ['early']);
  writeFileSync(go, '');
  assert.equal(await late, 'late');
});

test('of many that leave something running, the oldest is no longer heard', { skip: noPlace }, async (t) => {
  const base = safeFolder(t);
  const go = join(base, 'go');
  // Each is two pipes as long as it is heard.
  fileAt(at(base, 'a'), `(while [ -e ${base} ] && [ ! -e ${go} ]; do sleep 0.1; done; echo late) & :`);
  const script = only(base);
  let heard = 0;
  let all: () => void = () => undefined;
  const last = new Promise<void>((resolve) => {
    all = resolve;
  });
  const COUNT = 40;
  for (let i = 0; i < COUNT; i++) {
    const onLine = () => {
      heard++;
      if (i === COUNT - 1) all();
    };
    assert.deepEqual(end(await runHook(script, { env: ENV, timeoutMs: 60_000, onLine })), exited(0));
  }
  writeFileSync(go, '');
  await last;
  assert.ok(heard <= 32, `${heard} are heard`);
});

test('a flood of output arrives whole', { skip: noPlace }, async (t) => {
  const ran = await runText(t, 'seq 1 200000');
  assert.equal(ran.lines.length, 200_000);
  assert.equal(ran.lines.at(-1), '200000');
});

test('a line without an end comes in pieces', { skip: noPlace }, async (t) => {
  const ran = await runText(t, 'head -c 1000000 /dev/zero | tr "\\0" x; echo; echo end');
  assert.equal(ran.lines.at(-1), 'end');
  assert.equal(ran.lines.slice(0, -1).join('').length, 1_000_000);
  assert.ok(ran.lines.every((line) => line.length <= 8192));
});

test('many at once', { skip: noPlace }, async (t) => {
  const base = safeFolder(t);
  for (let i = 0; i < 30; i++) fileAt(at(base, `${i}`.padStart(2, '0')), `echo ${i}; exit ${i}`);
  const all = await Promise.all(scriptsIn(base).map((script) => run(script)));
  assert.deepEqual(
    all.map(({ outcome, lines }) => [end(outcome), lines]),
    all.map((_, i) => [exited(i), [`${i}`]]),
  );
});

/** Two scripts, found together as for one event; the first, run as root would be, does `attack`. */
async function attacked(t: TestContext, attack: (base: string) => void): Promise<{ second: Outcome; ran: boolean }> {
  const base = safeFolder(t);
  const mark = join(base, 'mark');
  fileAt(at(base, '10'), ':');
  fileAt(at(base, '20'), ':');
  const [first, second] = scriptsIn(base);
  if (first === undefined || second === undefined) return assert.fail('not found');
  assert.deepEqual(end((await run(first)).outcome), exited(0));
  // What script 10 would do; here by our own hand, so that it need not be written as a script.
  attack(base);
  return { second: (await run(second)).outcome, ran: existsSync(mark) };
}

/** The script that must never run. */
const evil = (base: string): string => `#!/bin/sh\necho > ${join(base, 'mark')}\n`;

const attacks: readonly { name: string; skip?: string | false; attack: (base: string) => void; why: RegExp }[] = [
  {
    name: 'a file that everybody can write, in its place',
    attack: (b) => {
      rmSync(at(b, '20'));
      fileAt(at(b, '20'), evil(b), 0o777);
    },
    why: /20 can be written by everybody \(mode 0777\); now: invalid permissions on .*\/20\. .*got mode=0o777/,
  },
  {
    name: 'a file of another user, in its place',
    skip: needsRoot,
    attack: (b) => {
      fileAt(join(b, 'new'), evil(b));
      chownSync(join(b, 'new'), STRANGER, STRANGER);
      renameSync(join(b, 'new'), at(b, '20'));
    },
    why: /20 belongs to user 65534/,
  },
  {
    name: 'a link to where everybody can write, in its place',
    attack: (b) => {
      fileAt(join(b, 'tmp/evil'), evil(b));
      chmodSync(join(b, 'tmp'), 0o1777);
      rmSync(at(b, '20'));
      symlinkSync(join(b, 'tmp/evil'), at(b, '20'));
    },
    why: /\/tmp can be written by everybody \(mode 1777\)/,
  },
  {
    name: 'a script that everybody may write now',
    attack: (b) => {
      chmodSync(at(b, '20'), 0o777);
      writeFileSync(at(b, '20'), evil(b));
    },
    why: /20 can be written by everybody/,
  },
  {
    name: 'its folder that everybody may write now',
    attack: (b) => {
      chmodSync(join(b, 'routable.d'), 0o777);
      writeFileSync(at(b, '20'), evil(b));
    },
    why: /routable\.d can be written by everybody/,
  },
  {
    name: 'the folder above that everybody may write now',
    attack: (b) => {
      chmodSync(b, 0o777);
      renameSync(join(b, 'routable.d'), join(b, 'old'));
      fileAt(at(b, '20'), evil(b));
    },
    why: /can be written by everybody \(mode 0777\)/,
  },
  {
    name: 'its folder as a link to another',
    attack: (b) => {
      renameSync(join(b, 'routable.d'), join(b, 'old'));
      fileAt(join(b, 'open/20'), evil(b));
      chmodSync(join(b, 'open'), 0o777);
      symlinkSync('open', join(b, 'routable.d'));
    },
    why: /\/open can be written by everybody/,
  },
  {
    name: 'its folder as a link, to a safe one even',
    attack: (b) => {
      renameSync(join(b, 'routable.d'), join(b, 'old'));
      fileAt(join(b, 'other/20'), evil(b));
      symlinkSync('other', join(b, 'routable.d'));
    },
    why: /routable\.d was changed since it was looked at .*; now: invalid permissions on .*routable\.d\. /,
  },
  { name: 'nothing in its place', attack: (b) => rmSync(at(b, '20')), why: /20 does not exist/ },
];

for (const { name, skip, attack, why } of attacks) {
  test(`attack between the look and the exec: ${name}`, { skip: skip ?? noPlace }, async (t) => {
    const { second, ran } = await attacked(t, attack);
    assert.equal(ran, false);
    if (second.kind !== 'not started') return assert.fail('it ran');
    assert.equal(second.cause, 'changed');
    assert.match(second.why, why);
  });
}

test('one that root replaced by as good a one, as dpkg does, runs', { skip: noPlace }, async (t) => {
  const { second, ran } = await attacked(t, (b) => {
    fileAt(join(b, 'new'), evil(b));
    renameSync(join(b, 'new'), at(b, '20'));
  });
  assert.deepEqual(end(second), exited(0));
  assert.equal(ran, true);
});

test('a script can be removed or replaced by itself', { skip: noPlace }, async (t) => {
  const base = safeFolder(t);
  fileAt(at(base, 'a'), 'rm "$0"; echo gone');
  assert.deepEqual((await run(only(base))).lines, ['gone']);
});

test('without onLine it writes to our own output', { skip: noPlace }, async (t) => {
  const base = safeFolder(t);
  fileAt(at(base, 'a'), `exec 3>&1; readlink /proc/$$/fd/3 > ${base}/fd`);
  const outcome = await runHook(only(base), { env: ENV, timeoutMs: 0 });
  assert.deepEqual(end(outcome), exited(0));
  assert.equal(readFileSync(join(base, 'fd'), 'utf8').trim(), readlinkSync('/proc/self/fd/1'));
});
