import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { firstLine } from '../../test/support/process.ts';
import { EverlanError, problem } from '../model/problem.ts';
import { FakeDoor, fakeEvent } from './door.testing.ts';
import { groupId, serve } from './server.ts';
import { type Json, rawEnd, served, socketFolder, until } from './socket.testing.ts';

const APPLY = { op: 'apply', text: 'fabric: x', file: '/f', adopt: true, prune: false, trial: null } as const;

const groups = 'root:x:0:\neverlan-x:x:5:\nbad:x:y:\neverlan:x:998:alice,bob\n';
const ids: readonly { name: string; want: number | null }[] = [
  { name: 'everlan', want: 998 },
  { name: 'root', want: 0 },
  { name: 'bad', want: null },
  { name: 'ever', want: null },
];
for (const { name, want } of ids) test(`the group ${name}`, () => assert.equal(groupId(groups, name), want));

test('every operation', async (t) => {
  const { door, path, defects } = await served(t);
  door.happened = [fakeEvent(1), fakeEvent(2), fakeEvent(3)];
  const end = rawEnd(t, path);
  assert.deepEqual(await end.ask({ op: 'info' }), { ok: true, info: door.said });
  const { status, problems } = await end.ask({ op: 'status' });
  assert.deepEqual([status, problems], [door.stands, []]);
  assert.deepEqual(await end.ask({ op: 'events', last: 2, follow: false }), {
    ok: true,
    events: [fakeEvent(2), fakeEvent(3)],
  });
  assert.deepEqual((await end.ask({ op: 'events', last: 0, follow: false })).events, []);
  const applied = await end.ask(APPLY);
  assert.deepEqual([applied.ok, applied.fabric, applied.host, applied.waiting], [true, 'faketest', 'alpha', []]);
  assert.deepEqual(await end.ask({ op: 'confirm' }), { ok: true });
  assert.deepEqual(await end.ask({ op: 'revert', token: 't' }), { ok: true, left: [] });
  assert.equal((await end.ask({ op: 'down' })).ok, true);
  const { op: _, ...wanted } = APPLY;
  assert.deepEqual(door.asked, [{ ...wanted, host: undefined }, 'confirm', 'revert t', 'down']);
  assert.deepEqual(defects, []);
});

test('what the agent refuses, and what is a defect of it', async (t) => {
  const { door, path, defects } = await served(t);
  const end = rawEnd(t, path);
  const why = problem('x', 'no such host', { hint: 'look' });
  door.failure = new EverlanError(why, 2);
  assert.deepEqual(await end.ask(APPLY), { ok: false, problems: [why], exitCode: 2 });
  door.failure = new TypeError('oops');
  const failed = await end.ask({ op: 'down' });
  assert.deepEqual([failed.ok, failed.exitCode], [false, 1]);
  assert.match(JSON.stringify(failed.problems), /the agent failed: oops/);
  assert.deepEqual(defects, [door.failure]);
  door.stands = null;
  const seen = await end.ask({ op: 'status' });
  assert.deepEqual([seen.ok, seen.status], [true, null]);
  assert.match(JSON.stringify(seen.problems), /no good file/);
});

test('requests in one piece, in many pieces, and after the last word of whoever asks', async (t) => {
  const { path, door } = await served(t);
  const end = rawEnd(t, path);
  const line = (op: string): string => `${JSON.stringify({ version: 1, op })}\n`;
  end.write(`${line('confirm')}${line('info')}${line('down').slice(0, 5)}`);
  assert.deepEqual(await end.next(), { ok: true });
  assert.equal(typeof (await end.next()).info, 'object');
  for (const letter of line('down').slice(5)) end.write(letter);
  end.socket.end(`${line('confirm')}${line('info')}{"half`);
  assert.equal(typeof (await end.next()).plan, 'object');
  assert.deepEqual(await end.next(), { ok: true });
  assert.equal(typeof (await end.next()).info, 'object');
  await end.closed;
  assert.deepEqual(door.asked, ['confirm', 'down', 'confirm']);
});

const garbage: readonly { name: string; in: string | Uint8Array }[] = [
  { name: 'no JSON', in: 'GET / HTTP/1.1\r\n\r\n' },
  { name: 'an empty line', in: '\n' },
  { name: 'bytes', in: Uint8Array.of(0, 255, 254, 10) },
  { name: 'an unknown operation', in: '{"version":1,"op":"x"}\n' },
  { name: 'many lists', in: `${'['.repeat(100_000)}\n` },
];

for (const { name, in: bytes } of garbage) {
  test(`refused and closed: ${name}`, async (t) => {
    const { path, defects } = await served(t);
    const end = rawEnd(t, path);
    end.write(bytes);
    const { ok, problems } = await end.next();
    assert.equal(ok, false);
    assert.match(JSON.stringify(problems), /asked in a wrong way/);
    await end.closed;
    assert.equal((await rawEnd(t, path).ask({ op: 'info' })).ok, true);
    assert.deepEqual(defects, []);
  });
}

test('any bytes at all, in any pieces: the next one is answered', async (t) => {
  const { path, defects, door } = await served(t);
  const request = fc.constantFrom(
    '{"version":1,"op":"info"}\n',
    '{"version":1,"op":"watch"}\n',
    '{"version":1,"op":"events","last":1,"follow":true}\n',
    '{"version":1,',
    '"op":"down"}\n',
  );
  const piece = fc.oneof(fc.uint8Array({ maxLength: 50 }), request);
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 6 }), fc.boolean(), async (pieces, waits) => {
      const end = rawEnd(t, path);
      for (const one of pieces) end.write(one);
      if (waits) end.socket.end();
      else end.end();
      await end.closed;
      const next = rawEnd(t, path);
      assert.equal((await next.ask({ op: 'info' })).ok, true);
      next.end();
    }),
    { numRuns: 60 },
  );
  assert.deepEqual(defects, []);
  await until(() => door.eventListeners.size === 0 && door.statusListeners.size === 0);
});

test('a request that is too long, with and without an end', async (t) => {
  const { path, door } = await served(t, { limits: { request: 1000 } });
  for (const last of ['', '\n']) {
    const end = rawEnd(t, path);
    end.write(`{"version":1,"op":"${'x'.repeat(1000)}${last}`);
    assert.match(JSON.stringify(await end.next()), /too long/);
    await end.closed;
  }
  assert.deepEqual(door.asked, []);
});

test('the largest file goes through, however JSON writes it', async (t) => {
  const { path, door } = await served(t);
  const text = '"\n'.repeat(2 * 1024 * 1024);
  assert.equal((await rawEnd(t, path).ask({ ...APPLY, text })).ok, true);
  const [asked] = door.asked;
  assert.ok(typeof asked === 'object' && asked.text === text);
});

test('one who asks nothing, or half, is not waited for', async (t) => {
  const { path } = await served(t, { limits: { idleMs: 20 } });
  await rawEnd(t, path).closed;
  const half = rawEnd(t, path);
  half.write('{"version"');
  await half.closed;
});

test('a change that takes its time is waited for, also while others ask', async (t) => {
  const { path, door } = await served(t, { limits: { idleMs: 20 } });
  const gate = Promise.withResolvers<void>();
  door.gate = gate.promise;
  const end = rawEnd(t, path);
  const answer = end.ask({ op: 'down' });
  await until(() => door.asked.length === 1);
  assert.equal((await rawEnd(t, path).ask({ op: 'info' })).ok, true);
  // Longer than an idle one may take.
  await rawEnd(t, path).closed;
  gate.resolve();
  assert.equal((await answer).ok, true);
});

test('no more than so many at once, and a place is free again afterwards', async (t) => {
  const { path } = await served(t, { limits: { connections: 3 } });
  const inside = [rawEnd(t, path), rawEnd(t, path), rawEnd(t, path)];
  for (const end of inside) assert.equal((await end.ask({ op: 'info' })).ok, true);
  const fourth = rawEnd(t, path);
  assert.match(JSON.stringify(await fourth.next()), /as many others as it can/);
  await fourth.closed;
  inside[0]?.end();
  await inside[0]?.closed;
  let reply: Json = {};
  // The server hears of the end a moment later.
  while (reply.ok !== true)
    reply = await rawEnd(t, path)
      .ask({ op: 'info' })
      .catch(() => ({}));
});

test('watch: the state now, and each other one; changes that come together are told together', async (t) => {
  const { path, door } = await served(t, { limits: { togetherMs: 10 } });
  const end = rawEnd(t, path);
  assert.equal((await end.ask({ op: 'watch' })).ok, true);
  const before = door.looks;
  // Nothing that is told: no line.
  door.changed();
  await until(() => door.looks > before);
  door.said = { ...door.said, mode: 'suspended' };
  const asked = door.looks;
  for (let i = 0; i < 100; i++) door.changed();
  assert.deepEqual((await end.next()).info, door.said);
  assert.equal(door.looks, asked + 1);
  end.end();
  await until(() => door.statusListeners.size === 0);
});

test('a slow reader: states in between are dropped, and the last one comes', async (t) => {
  const { path, door } = await served(t, { limits: { togetherMs: 0 } });
  const host = (i: number): string => `${i} ${'x'.repeat(100_000)}`;
  const end = rawEnd(t, path, false);
  end.socket.pause();
  end.write('{"version":1,"op":"watch"}\n');
  const states = 100;
  for (let i = 1; i <= states; i++) {
    const before = door.looks;
    door.said = { ...door.said, host: host(i) };
    if (door.statusListeners.size === 0) await until(() => door.statusListeners.size > 0);
    door.changed();
    await until(() => door.looks > before);
  }
  const seen: string[] = [];
  let text = '';
  end.socket.setEncoding('utf8').on('data', (piece: string) => {
    const lines = `${text}${piece}`.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) seen.push(JSON.parse(line).info.host);
  });
  end.socket.resume();
  await until(() => seen.at(-1) === host(states));
  // What fits into the socket, and one that waits: not the hundred.
  assert.ok(seen.length < 20, `${seen.length} states were kept`);
});

test('a reader that never reads is cut off, and costs no memory until then', async (t) => {
  const { path, door } = await served(t, { limits: { togetherMs: 0, stallMs: 100 } });
  const end = rawEnd(t, path, false);
  end.socket.pause();
  end.write('{"version":1,"op":"events","last":1,"follow":true}\n');
  await until(() => door.eventListeners.size === 1);
  for (let i = 1; door.eventListeners.size === 1; i++) {
    // The agent keeps the last ones only.
    if (door.happened.length === 10) door.happened.shift();
    door.happen(fakeEvent(i, { message: 'x'.repeat(10_000) }));
    if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  end.socket.resume();
  await end.closed;
  assert.ok(end.socket.bytesRead < 2_000_000, `${end.socket.bytesRead} bytes were kept`);
});

test('a reader of answers that does not read them gets no more of them', async (t) => {
  const { path, door } = await served(t, { limits: { stallMs: 100 } });
  door.said = { ...door.said, host: 'x'.repeat(200_000) };
  const end = rawEnd(t, path, false);
  end.socket.pause();
  end.write('{"version":1,"op":"status"}\n'.repeat(1000));
  await once(end.socket, 'ready');
  // Cut off: what it writes then is refused.
  while (!end.socket.destroyed) {
    end.write('\n');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.ok(door.looks < 20, `${door.looks} answers were made`);
});

test('follow: the last events, then each one that comes', async (t) => {
  const { path, door } = await served(t);
  door.happened = [fakeEvent(1), fakeEvent(2)];
  const end = rawEnd(t, path);
  assert.deepEqual((await end.ask({ op: 'events', last: 1, follow: true })).events, [fakeEvent(2)]);
  door.happen(fakeEvent(3));
  assert.deepEqual((await end.next()).events, [fakeEvent(3)]);
  end.end();
  await until(() => door.eventListeners.size === 0);
});

test('mode, group, and an old socket that nobody listens at', async (t) => {
  const folder = socketFolder(t);
  const path = join(folder, 'agent.sock');
  const dead = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
  const child = spawn(process.execPath, ['-e', dead], { stdio: ['ignore', 'pipe', 'inherit'] });
  await firstLine(child);
  await assert.rejects(serve(new FakeDoor(), path), /another agent listens/);
  assert.ok(existsSync(path));
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.ok(existsSync(path));
  const isRoot = process.getuid?.() === 0;
  const group = isRoot ? 'daemon' : 'no such group';
  const server = await serve(new FakeDoor(), path, { group });
  assert.equal(statSync(path).mode & 0o7777, 0o660);
  const want = isRoot ? groupId(readFileSync('/etc/group', 'utf8'), group) : process.getgid?.();
  assert.equal(statSync(path).gid, want);
  assert.equal(process.umask(), process.umask(process.umask()));
  await server.close();
  assert.ok(!existsSync(path));
});

test('close: what is being done is done and answered, the rest ends', async (t) => {
  const { path, door, server } = await served(t);
  const gate = Promise.withResolvers<void>();
  door.gate = gate.promise;
  const changing = rawEnd(t, path);
  const answer = changing.ask({ op: 'down' });
  const watching = rawEnd(t, path);
  await watching.ask({ op: 'watch' });
  const idle = rawEnd(t, path);
  await idle.ask({ op: 'info' });
  await until(() => door.asked.length === 1);
  const closed = server.close();
  await Promise.all([watching.closed, idle.closed]);
  gate.resolve();
  assert.equal((await answer).ok, true);
  await closed;
});

/** The lines that somebody without rights is answered, or the error that they get. */
async function asNobody(groups: readonly string[], path: string, lines: readonly string[]): Promise<Json[]> {
  const code = `const s = require('node:net').connect(${JSON.stringify(path)});
    s.on('error', (e) => console.log(JSON.stringify({ code: e.code })));
    s.pipe(process.stdout);
    process.stdin.pipe(s);`;
  const who = ['--reuid=65534', '--regid=65534', ...groups];
  const child = spawn('setpriv', [...who, process.execPath, '-e', code], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => undefined);
  child.stdin.end(lines.map((line) => `${line}\n`).join(''));
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  await once(child, 'close');
  const said = out.split('\n').filter((line) => line !== '');
  return said.map((line): Json => JSON.parse(line));
}

const needsRoot = process.getuid?.() === 0 ? false : 'needs root: it asks as another user';
const ask = (op: string, more: object = {}): string => JSON.stringify({ version: 1, op, ...more });

test('others do not even get in', { skip: needsRoot }, async (t) => {
  const { path } = await served(t, { group: 'daemon' });
  assert.deepEqual(await asNobody(['--clear-groups'], path, [ask('info')]), [{ code: 'EACCES' }]);
});

test('the group may ask, and change nothing', { skip: needsRoot }, async (t) => {
  const { path, door } = await served(t, { group: 'daemon' });
  const member = [`--groups=${statSync(path).gid}`];
  const events = ask('events', { last: 1, follow: false });
  const [info, status, told] = await asNobody(member, path, [ask('info'), ask('status'), events]);
  assert.deepEqual([info?.ok, status?.ok, told?.ok], [true, true, true]);
  const changes = [ask(APPLY.op, APPLY), ask('confirm'), ask('revert', { token: 't' }), ask('down')];
  const refused = await asNobody(member, path, changes);
  assert.equal(refused.length, changes.length);
  for (const { ok, problems, exitCode } of refused) {
    assert.deepEqual([ok, exitCode], [false, 1]);
    assert.match(JSON.stringify(problems), /only root may ask the agent to change anything/);
  }
  const [large] = await asNobody(member, path, [ask('apply', { ...APPLY, text: 'x'.repeat(4_000_000) })]);
  assert.match(JSON.stringify(large), /only root may ask the agent to change anything/);
  assert.deepEqual(door.asked, []);
});

test('the group cannot keep root out', { skip: needsRoot }, async (t) => {
  const { path } = await served(t, { group: 'daemon', limits: { readers: 0 } });
  const [refused] = await asNobody([`--groups=${statSync(path).gid}`], path, [ask('info')]);
  assert.match(JSON.stringify(refused), /as many others as it can/);
  assert.equal((await rawEnd(t, path).ask({ op: 'info' })).ok, true);
});
