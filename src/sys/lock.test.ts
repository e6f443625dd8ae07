import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { LockedError, lockFile, readHolder } from './lock.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'everlan-lock-'));
  path = join(folder, 'article.lock');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('the file says who holds it, and nobody after release', async () => {
  const lock = await lockFile(path, { waitMs: 0, describe: 'everlan apply' });
  const holder = readHolder(path);
  assert.equal(holder?.pid, process.pid);
  assert.equal(holder.command, 'everlan apply');
  assert.ok(Math.abs(Date.parse(holder.since) - Date.now()) < 60_000);
  assert.equal(lstatSync(path).mode & 0o777, 0o600);
  lock.release();
  lock.release();
  assert.equal(readHolder(path), null);
  assert.equal(readFileSync(path, 'utf8'), '');
});

test('a second one is told who has it', async () => {
  const first = await lockFile(path, { waitMs: 0, describe: 'everlan apply' });
  let waitedFor: string | undefined;
  await assert.rejects(
    lockFile(path, { waitMs: 60, describe: 'everlan down', onWait: (holder) => (waitedFor = holder?.command) }),
    (error) => error instanceof LockedError && /everlan apply \(process \d+, since 2/.test(error.message),
  );
  assert.equal(waitedFor, 'everlan apply');
  first.release();
  (await lockFile(path, { waitMs: 0, describe: 'everlan down' })).release();
});

test('a second one waits, and gets it when the first lets go', async () => {
  const first = await lockFile(path, { waitMs: 0, describe: 'first' });
  const order: string[] = [];
  const second = lockFile(path, { waitMs: 10_000, describe: 'second' }).then((lock) => {
    order.push('second');
    lock.release();
  });
  order.push('first');
  first.release();
  await second;
  assert.deepEqual(order, ['first', 'second']);
});

test('of many at once, one holds it at a time', async () => {
  let inside = 0;
  const run = async (describe: string) => {
    const lock = await lockFile(path, { waitMs: 60_000, describe });
    assert.equal(++inside, 1);
    await new Promise((resolve) => setImmediate(resolve));
    inside--;
    lock.release();
  };
  await Promise.all(['a', 'b', 'c', 'd', 'e'].map(run));
});

test('a holder that is killed holds nothing', async () => {
  const code = `import { lockFile } from ${JSON.stringify(new URL('lock.ts', import.meta.url).href)};
    await lockFile(process.argv[1], { waitMs: 0, describe: 'victim' });
    process.stdout.write('held'); setInterval(() => {}, 1e6);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(child.stdout, 'data');
    await assert.rejects(lockFile(path, { waitMs: 0, describe: 'other' }), /held by victim/);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  (await lockFile(path, { waitMs: 0, describe: 'other' })).release();
});

test('a lock on a file that was removed is not believed', async () => {
  const old = await lockFile(path, { waitMs: 0, describe: 'old' });
  unlinkSync(path);
  const fresh = await lockFile(path, { waitMs: 0, describe: 'fresh' });
  assert.equal(readHolder(path)?.command, 'fresh');
  old.release();
  assert.equal(readHolder(path)?.command, 'fresh');
  fresh.release();
});

test('where nothing can be written the lock is taken all the same, and given back', async () => {
  // A device that is always full.
  for (let i = 0; i < 2; i++) (await lockFile('/dev/full', { waitMs: 0, describe: 'x' })).release();
});

test('a symbolic link is not followed', async () => {
  const target = join(folder, 'target');
  symlinkSync(target, path);
  await assert.rejects(lockFile(path, { waitMs: 0, describe: 'x' }), { code: 'ELOOP' });
  assert.throws(() => lstatSync(target), { code: 'ENOENT' });
});

for (const content of ['', '{', 'null', '[]', '{"pid":1}', '{"pid":"1","command":"x","since":"y"}']) {
  test(`no holder is read from ${JSON.stringify(content)}`, () => {
    writeFileSync(path, content);
    assert.equal(readHolder(path), null);
  });
}
