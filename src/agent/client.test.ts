import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { firstLine } from '../../test/support/process.ts';
import { EverlanError, problem } from '../model/problem.ts';
import { planJson } from '../plan/explain.ts';
import { socketName } from './address.ts';
import { type AgentClient, findAgent } from './client.ts';
import { FAKE_PLAN, FakeDoor, fakeEvent } from './door.testing.ts';
import { serve } from './server.ts';
import { served, socketFolder, until } from './socket.testing.ts';
import { connectAgent } from './talk.ts';

const code = (wanted: string) => (error: unknown) =>
  error instanceof EverlanError && error.problems[0]?.code === wanted;
const APPLY = { text: 'fabric: x', file: '/f', host: undefined, adopt: true, prune: false, trial: 't' } as const;

async function found(t: TestContext, folder: string): Promise<AgentClient> {
  const client = await findAgent(folder, { fabric: 'faketest' });
  if (client === null) return assert.fail('no agent');
  t.after(() => client.close());
  return client;
}

test('nobody: no folder, no socket, and node:net is not even loaded', (t) => {
  const folder = socketFolder(t);
  const script = `import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
    const { findAgent } = await import(${JSON.stringify(new URL('client.ts', import.meta.url).href)});
    const none = await findAgent(${JSON.stringify(folder)}, { fabric: 'f' });
    const never = await findAgent('/does/not/exist', { file: '/f' });
    console.log(JSON.stringify({ none, never, loaded }));`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  const { none, never, loaded }: { none: null; never: null; loaded: string[] } = JSON.parse(stdout);
  assert.deepEqual([none, never], [null, null]);
  assert.ok(loaded.some((url) => url.endsWith('/address.ts')));
  assert.ok(!loaded.some((url) => url === 'node:net' || url.endsWith('/talk.ts')), String(loaded));
});

test('a socket that nobody listens at any more', async (t) => {
  const folder = socketFolder(t);
  const path = join(folder, 'agent.sock');
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await firstLine(child);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(await findAgent(folder, { fabric: 'faketest' }), null);
  writeFileSync(join(folder, 'agent-00000000.sock'), '');
  assert.equal(await findAgent(folder, { fabric: 'faketest' }), null);
});

test('the agent of a fabric, or of a file, among several', async (t) => {
  const { folder, door } = await served(t);
  const file = '/srv/other.yaml';
  const other = new FakeDoor({ fabric: 'other', file });
  const server = await serve(other, join(folder, socketName(file)));
  t.after(() => server.close());
  for (const [of, want] of [
    [{ fabric: 'faketest' }, door],
    [{ fabric: 'other' }, other],
    [{ file }, other],
    [{ file: '/etc/everlan/fabric.yaml' }, door],
    [{ fabric: 'none' }, null],
    [{ file: '/srv/none.yaml' }, null],
  ] as const) {
    const client = await findAgent(folder, of);
    assert.deepEqual(client?.info ?? null, want?.said ?? null);
    client?.close();
  }
  // A name says little: the agent itself says which file it watches.
  other.said = { ...other.said, file: '/srv/third.yaml' };
  assert.equal(await findAgent(folder, { file }), null);
});

test('every question', async (t) => {
  const { folder, door } = await served(t);
  door.happened = [fakeEvent(1), fakeEvent(2)];
  const client = await found(t, folder);
  assert.deepEqual(await client.status(), {
    ok: true,
    info: door.said,
    status: door.stands,
    problems: [],
    exitCode: 0,
  });
  assert.deepEqual(await client.events(1), [fakeEvent(2)]);
  const of = { fabric: 'f', host: 'h' };
  assert.deepEqual(planJson((await client.apply(APPLY)).plan, of), planJson(FAKE_PLAN, of));
  assert.deepEqual(planJson(await client.down(), of), planJson(FAKE_PLAN, of));
  await client.confirm();
  assert.deepEqual(await client.revert('token'), []);
  assert.deepEqual(door.asked, [APPLY, 'down', 'confirm', 'revert token']);
});

test('what the agent refuses is thrown as it was there', async (t) => {
  const { folder, door } = await served(t);
  const why = problem('vni-range', 'vni must be a whole number', {
    place: { file: 'f', line: 1, column: 2, length: 3, text: 'vni: 0' },
  });
  door.failure = new EverlanError([why], 2);
  const client = await found(t, folder);
  await assert.rejects(client.apply(APPLY), (error) => {
    assert.ok(error instanceof EverlanError);
    assert.deepEqual([error.problems, error.exitCode], [[why], 2]);
    return true;
  });
});

test('watch and follow, until we close', async (t) => {
  const { folder, door } = await served(t, { limits: { togetherMs: 0 } });
  const client = await found(t, folder);
  const modes: string[] = [];
  for await (const { info } of client.watch()) {
    modes.push(info.mode);
    if (modes.length === 2) client.close();
    door.said = { ...door.said, mode: 'trial' };
    door.changed();
  }
  assert.deepEqual(modes, ['running', 'trial']);
  const other = await found(t, folder);
  const numbers: number[] = [];
  for await (const events of other.follow(0)) {
    for (const { number } of events) numbers.push(number);
    if (numbers.length === 3) other.close();
    else door.happen(fakeEvent(numbers.length + 1));
  }
  assert.deepEqual(numbers, [1, 2, 3]);
  await until(() => door.eventListeners.size === 0 && door.statusListeners.size === 0);
});

test('many events: each comes once, in order, however slowly they are read', async (t) => {
  const { folder, door } = await served(t);
  const client = await found(t, folder);
  const stream = client.follow(0);
  const count = 2000;
  const numbers: number[] = [];
  for await (const events of stream) {
    if (events.length === 0) for (let i = 1; i <= count; i++) door.happen(fakeEvent(i, { message: 'x'.repeat(1000) }));
    for (const { number } of events) numbers.push(number);
    if (numbers.length === count) client.close();
  }
  assert.deepEqual(
    numbers,
    Array.from({ length: count }, (_, i) => i + 1),
  );
});

/** Listens, and does with each connection what it is told. */
async function impostor(t: TestContext, answer: string | null, closes: boolean): Promise<string> {
  const path = join(socketFolder(t), 'agent.sock');
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => {
      if (answer !== null) socket.write(answer);
      if (closes) socket.end();
    });
    t.after(() => socket.destroy());
  });
  server.listen(path);
  await once(server, 'listening');
  t.after(() => server.close());
  return path;
}

test('an agent that ends when it is greeted is none', async (t) => {
  assert.equal(await connectAgent(await impostor(t, null, true)), null);
  assert.equal(await connectAgent(await impostor(t, '{"half', true)), null);
});

test('an agent that does not answer', async (t) => {
  await assert.rejects(connectAgent(await impostor(t, null, false), 20), code('agent-silent'));
});

test('somebody who speaks another language', async (t) => {
  await assert.rejects(connectAgent(await impostor(t, 'hello\n', false)), code('agent-strange'));
});

test('an agent that ends in the middle', async (t) => {
  const path = await impostor(t, '{"ok":true,"info":{"pid":7}}\n', false);
  const client = await connectAgent(path);
  const dying = await connectAgent(await impostor(t, '{"ok":true,"info":{"pid":7}}\n{"ok":tr', true));
  client?.close();
  if (dying === null) return assert.fail('no agent');
  await assert.rejects(dying.down(), (error) => {
    assert.ok(error instanceof EverlanError);
    assert.equal(error.message, 'the agent (process 7) ended before it answered');
    assert.match(error.problems[0]?.hint ?? '', /everlan status/);
    return error.exitCode === 1;
  });
});

const needsRoot = process.getuid?.() === 0 ? false : 'needs root: it asks as another user';

test('a socket that is not for us says whom it is for', { skip: needsRoot }, async (t) => {
  const { folder } = await served(t);
  chmodSync(folder, 0o755);
  const script = `import { findAgent } from ${JSON.stringify(new URL('client.ts', import.meta.url).href)};
    await findAgent(${JSON.stringify(folder)}, { fabric: 'f' }).catch((error) => console.log(error.message));`;
  const who = ['--reuid=65534', '--regid=65534', '--clear-groups'];
  const child = spawn('setpriv', [...who, process.execPath, '--input-type=module', '-e', script]);
  assert.match(await firstLine(child), /^an agent runs, and only root and the group everlan may ask it/);
});
