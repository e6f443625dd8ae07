import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { ensureDir, UnsafePathError, writeAtomic } from './safe-dir.ts';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'everlan-dir-'));
});
afterEach(() => rmSync(base, { recursive: true }));

test('makes every folder, for the owner alone to write, and may be called again', () => {
  const path = join(base, 'everlan', '4026531840');
  ensureDir(path, base);
  ensureDir(path, base);
  for (const folder of [path, join(base, 'everlan')]) {
    const found = lstatSync(folder);
    assert.ok(found.isDirectory());
    assert.equal(found.mode & 0o022, 0);
    assert.equal(found.uid, process.geteuid?.());
  }
});

const traps: readonly { name: string; root?: true; set: () => void; says: RegExp }[] = [
  {
    name: 'a symbolic link',
    set: () => {
      mkdirSync(join(base, 'real'));
      symlinkSync('real', join(base, 'a'));
    },
    says: /a is a symbolic link$/,
  },
  { name: 'a file', set: () => writeFileSync(join(base, 'a'), ''), says: /a is not a folder$/ },
  {
    name: 'a folder that the group can write',
    set: () => {
      mkdirSync(join(base, 'a'));
      chmodSync(join(base, 'a'), 0o775);
    },
    says: /can be written by others$/,
  },
  {
    name: 'a sticky folder for everybody',
    set: () => {
      mkdirSync(join(base, 'a'));
      chmodSync(join(base, 'a'), 0o1777);
    },
    says: /can be written by others$/,
  },
  {
    name: "another user's folder",
    root: true,
    set: () => {
      mkdirSync(join(base, 'a'));
      chownSync(join(base, 'a'), 65534, 65534);
    },
    says: /belongs to user 65534$/,
  },
];

for (const { name, root, set, says } of traps) {
  const skip = root && process.geteuid?.() !== 0 ? 'needs root: gives a folder away' : false;
  test(`refuses ${name}`, { skip }, () => {
    set();
    const refused = (error: unknown) => error instanceof UnsafePathError && says.test(error.message);
    assert.throws(() => ensureDir(join(base, 'a'), base), refused);
    assert.throws(() => ensureDir(join(base, 'a', 'b'), base), refused);
  });
}

for (const path of ['/etc/x', '/run', '/run/', '/run/../etc', '/runner']) {
  test(`${path} is not below /run`, () => assert.throws(() => ensureDir(path), UnsafePathError));
}

for (const durable of [false, true]) {
  test(`a file is replaced whole, and nothing else is left${durable ? ', also durably' : ''}`, () => {
    const path = join(base, 'state.json');
    writeAtomic(path, 'one', 0o600, { durable });
    writeAtomic(path, 'two', 0o600, { durable });
    assert.equal(readFileSync(path, 'utf8'), 'two');
    assert.equal(lstatSync(path).mode, 0o100600);
    assert.deepEqual(readdirSync(base), ['state.json']);
  });
}

test('a symbolic link in its place is replaced, not followed', () => {
  const target = join(base, 'target');
  writeFileSync(target, 'kept');
  symlinkSync(target, join(base, 'state'));
  writeAtomic(join(base, 'state'), 'new', 0o600);
  assert.equal(readFileSync(target, 'utf8'), 'kept');
  assert.equal(lstatSync(join(base, 'state')).mode, 0o100600);
});

test('a failure leaves nothing behind', () => {
  mkdirSync(join(base, 'state'));
  assert.throws(() => writeAtomic(join(base, 'state'), 'text'), { code: 'EISDIR' });
  assert.deepEqual(readdirSync(base), ['state']);
});
