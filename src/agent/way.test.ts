import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { wayTo } from './way.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'everlan-way-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

const cases: readonly {
  name: string;
  set: (base: string) => void;
  path?: string;
  /** Folder below the test's own → names. */
  want: Record<string, readonly string[]>;
  end: string;
}[] = [
  {
    name: 'a file',
    set: (base) => {
      mkdirSync(join(base, 'etc'));
      writeFileSync(join(base, 'etc/file'), '');
    },
    want: { '': ['etc'], '/etc': ['file'] },
    end: '/etc/file',
  },
  { name: 'no folder', set: () => undefined, want: { '': ['etc'] }, end: '/etc' },
  {
    name: 'a file where a folder should be',
    set: (base) => writeFileSync(join(base, 'etc'), ''),
    want: { '': ['etc'] },
    end: '/etc',
  },
  {
    name: 'a link to a file elsewhere',
    set: (base) => {
      mkdirSync(join(base, 'etc'));
      mkdirSync(join(base, 'far'));
      symlinkSync('../far/real', join(base, 'etc/file'));
      writeFileSync(join(base, 'far/real'), '');
    },
    want: { '': ['etc', 'far'], '/etc': ['file'], '/far': ['real'] },
    end: '/far/real',
  },
  {
    name: 'a link that leads nowhere yet',
    set: (base) => {
      mkdirSync(join(base, 'etc'));
      symlinkSync(`${base}/far/real`, join(base, 'etc/file'));
    },
    want: { '': ['etc', 'far'], '/etc': ['file'] },
    end: '/far',
  },
  {
    name: 'Kubernetes: a link through a link to a folder',
    set: (base) => {
      mkdirSync(join(base, 'etc/..1'), { recursive: true });
      symlinkSync('..1', join(base, 'etc/..data'));
      symlinkSync('..data/file', join(base, 'etc/file'));
      writeFileSync(join(base, 'etc/..1/file'), '');
    },
    want: { '': ['etc'], '/etc': ['..1', '..data', 'file'], '/etc/..1': ['file'] },
    end: '/etc/..1/file',
  },
  {
    name: 'dots, and slashes too many',
    set: (base) => mkdirSync(join(base, 'etc')),
    path: './/etc/../etc/./file',
    want: { '': ['etc'], '/etc': ['file'] },
    end: '/etc/file',
  },
  {
    name: 'a circle',
    set: (base) => {
      symlinkSync('b', join(base, 'a'));
      symlinkSync('a', join(base, 'b'));
    },
    path: 'a',
    want: { '': ['a', 'b'] },
    end: '/a',
  },
];

for (const { name, set, path = 'etc/file', want, end } of cases) {
  test(name, (t) => {
    const base = folder(t);
    set(base);
    const way = wayTo(`${base}/${path}`);
    const below = [...way.folders].filter(([key]) => key.startsWith(base));
    const found = below.map(([key, names]) => [key.slice(base.length), [...names].toSorted()]);
    assert.deepEqual(Object.fromEntries(found), want);
    assert.equal(way.end, base + end);
    // And every folder above.
    assert.ok(way.folders.has('/'));
    assert.equal(wayTo(`${base}/${path}`).signature, way.signature);
  });
}

test('another file of the same name is the same way, another folder is not', (t) => {
  const base = folder(t);
  const path = join(base, 'etc/file');
  mkdirSync(join(base, 'etc'));
  const none = wayTo(path).signature;
  writeFileSync(path, 'one');
  const first = wayTo(path).signature;
  writeFileSync(join(base, 'etc/.new'), 'two');
  renameSync(join(base, 'etc/.new'), path);
  assert.equal(wayTo(path).signature, first);
  assert.equal(none, first);
  mkdirSync(join(base, 'new'));
  renameSync(join(base, 'etc'), join(base, 'old'));
  renameSync(join(base, 'new'), join(base, 'etc'));
  assert.notEqual(wayTo(path).signature, first);
});

test('a file whose name is too long, and one below a file', () => {
  assert.equal(wayTo(`/${'x'.repeat(300)}`).end, `/${'x'.repeat(300)}`);
  assert.equal(wayTo('/proc/self/comm/below').end.endsWith('/comm'), true);
});
