import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { UnsafePathError } from './safe-dir.ts';
import { writeTree } from './write-tree.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'everlan-tree-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const modeOf = (path: string): number => statSync(path).mode & 0o7777;

test('a tree, with folders and modes, whatever the umask is', (t) => {
  const root = join(folder(t), 'new', 'root');
  const before = process.umask(0o077);
  t.after(() => process.umask(before));
  writeTree(root, [
    { path: 'etc/a', text: 'one\n', mode: 0o644 },
    { path: 'etc/deep/er/b', text: 'two\n', mode: 0o755 },
    { path: 'secret', text: 'three\n', mode: 0o600 },
  ]);
  assert.equal(readFileSync(join(root, 'etc/a'), 'utf8'), 'one\n');
  assert.equal(readFileSync(join(root, 'etc/deep/er/b'), 'utf8'), 'two\n');
  assert.deepEqual(
    ['etc', 'etc/deep/er', 'etc/a', 'etc/deep/er/b', 'secret'].map((path) => modeOf(join(root, path))),
    [0o755, 0o755, 0o644, 0o755, 0o600],
  );
});

test('a file that is there is replaced, with its mode, and nothing is left beside it', (t) => {
  const root = folder(t);
  writeFileSync(join(root, 'a'), 'old', { mode: 0o666 });
  writeTree(root, [{ path: 'a', text: 'new', mode: 0o600 }]);
  assert.equal(readFileSync(join(root, 'a'), 'utf8'), 'new');
  assert.equal(modeOf(join(root, 'a')), 0o600);
  assert.deepEqual(readdirSync(root), ['a']);
});

test('a file that is as it should be is not touched, one with another mode is made anew', (t) => {
  const root = folder(t);
  const file = { path: 'a', text: 'é\n', mode: 0o644 };
  writeTree(root, [file]);
  const before = statSync(join(root, 'a'), { bigint: true });
  writeTree(root, [file]);
  const after = statSync(join(root, 'a'), { bigint: true });
  assert.deepEqual([after.ino, after.mtimeNs], [before.ino, before.mtimeNs]);
  chmodSync(join(root, 'a'), 0o666);
  writeTree(root, [file]);
  assert.equal(modeOf(join(root, 'a')), 0o644);
});

test('a symbolic link in the place of a file is replaced, not followed', (t) => {
  const [root, outside] = [folder(t), folder(t)];
  writeFileSync(join(outside, 'victim'), 'untouched');
  symlinkSync(join(outside, 'victim'), join(root, 'a'));
  writeTree(root, [{ path: 'a', text: 'new', mode: 0o644 }]);
  assert.equal(readFileSync(join(outside, 'victim'), 'utf8'), 'untouched');
  assert.equal(readFileSync(join(root, 'a'), 'utf8'), 'new');
});

test('a symbolic link on the way is refused', (t) => {
  const [root, outside] = [folder(t), folder(t)];
  symlinkSync(outside, join(root, 'etc'));
  assert.throws(() => writeTree(root, [{ path: 'etc/a', text: '', mode: 0o644 }]), UnsafePathError);
  assert.deepEqual(readdirSync(outside), []);
});

test('a folder in the place of a file stays, with no trace of the try', (t) => {
  const root = folder(t);
  mkdirSync(join(root, 'a'));
  assert.throws(() => writeTree(root, [{ path: 'a', text: '', mode: 0o644 }]), { code: 'EISDIR' });
  assert.deepEqual(readdirSync(root), ['a']);
});

for (const path of ['../a', '/a', 'a/../../b', '', 'a/', './a', 'a//b', 'a\0b']) {
  test(`${JSON.stringify(path)} is refused before anything is written`, (t) => {
    const root = folder(t);
    const files = [
      { path: 'fine', text: '', mode: 0o644 },
      { path, text: '', mode: 0o644 },
    ];
    assert.throws(() => writeTree(root, files), UnsafePathError);
    assert.deepEqual(readdirSync(root), []);
  });
}
