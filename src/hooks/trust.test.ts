import assert from 'node:assert/strict';
import { chmodSync, chownSync, lchownSync, lstatSync, renameSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileAt, folderAt, needsRoot, noPlace, OUR_RULE, STRANGER, safeFolder } from './folder.testing.ts';
import { type Identity, recheck, trust } from './trust.ts';

const { owners } = OUR_RULE;

/** Made below a safe folder; the path that is looked at. */
type Build = (base: string) => string;

const safe: readonly { name: string; skip?: string | false; build: Build; real: string }[] = [
  { name: 'a file', build: (base) => fileAt(join(base, 'a/b'), ''), real: 'a/b' },
  { name: 'whoever may read and execute it', build: (base) => fileAt(join(base, 'a'), '', 0o511), real: 'a' },
  {
    name: 'with dots, slashes and a parent in the path',
    build: (base) => `${fileAt(join(base, 'a/b'), '').slice(0, -3)}//./a/../a/b`,
    real: 'a/b',
  },
  {
    name: 'through a relative link',
    build: (base) => {
      fileAt(join(base, 'real/x'), '');
      symlinkSync('../real/x', join(folderAt(join(base, 'links')), 'x'));
      return join(base, 'links/x');
    },
    real: 'real/x',
  },
  {
    name: 'through an absolute link to a folder, and one in it',
    build: (base) => {
      fileAt(join(base, 'deep/real/x'), '');
      symlinkSync('real/x', join(base, 'deep/y'));
      symlinkSync(join(base, 'deep'), join(base, 'short'));
      return join(base, 'short/y');
    },
    real: 'deep/real/x',
  },
  {
    name: 'out of a linked folder by its parent, which is that of its target',
    build: (base) => {
      fileAt(join(base, 'a/sibling'), '');
      folderAt(join(base, 'a/b'));
      symlinkSync(join(base, 'a/b'), join(base, 'link'));
      return `${base}/link/../sibling`;
    },
    real: 'a/sibling',
  },
];

for (const { name, build, real } of safe) {
  test(`safe: ${name}`, { skip: noPlace }, (t) => {
    const base = safeFolder(t);
    const found = trust(build(base), owners);
    assert.deepEqual(found.trusted ? null : found.why, null);
    assert.equal(found.trusted && found.identity.real.path, join(base, real));
  });
}

const unsafe: readonly { name: string; skip?: string | false; build: Build; why: RegExp }[] = [
  {
    name: 'everybody may write the file',
    build: (b) => fileAt(join(b, 'a'), '', 0o757),
    why: /\/a can be written by everybody \(mode 0757\)$/,
  },
  {
    name: 'the group may write the file',
    build: (b) => fileAt(join(b, 'a'), '', 0o775),
    why: /\/a can be written by its group \(mode 0775\)$/,
  },
  {
    name: 'everybody may write the folder',
    build: (b) => {
      const path = fileAt(join(b, 'open/a'), '');
      chmodSync(join(b, 'open'), 0o777);
      return path;
    },
    why: /\/open can be written by everybody \(mode 0777\)$/,
  },
  {
    name: 'a folder high above',
    build: (b) => {
      const path = fileAt(join(b, 'open/a/b/c/d'), '');
      chmodSync(join(b, 'open'), 0o775);
      return path;
    },
    why: /\/open can be written by its group \(mode 0775\)$/,
  },
  {
    name: 'a sticky folder like /tmp',
    build: (b) => {
      const path = fileAt(join(b, 'tmp/a'), '');
      chmodSync(join(b, 'tmp'), 0o1777);
      return path;
    },
    why: /\/tmp can be written by everybody \(mode 1777\)$/,
  },
  {
    name: 'the folder of a link’s target',
    build: (b) => {
      fileAt(join(b, 'open/real'), '');
      chmodSync(join(b, 'open'), 0o777);
      symlinkSync('../open/real', join(folderAt(join(b, 'links')), 'x'));
      return join(b, 'links/x');
    },
    why: /\/open can be written by everybody/,
  },
  {
    name: 'a folder passed on the way, although it is left again',
    build: (b) => {
      fileAt(join(b, 'a'), '');
      folderAt(join(b, 'open'), 0o777);
      return `${b}/open/../a`;
    },
    why: /\/open can be written by everybody/,
  },
  {
    name: 'a link in the middle of a chain of links',
    build: (b) => {
      fileAt(join(b, 'real'), '');
      symlinkSync('../real', join(folderAt(join(b, 'open')), 'middle'));
      chmodSync(join(b, 'open'), 0o777);
      symlinkSync('open/middle', join(b, 'first'));
      return join(b, 'first');
    },
    why: /\/open can be written by everybody/,
  },
  {
    name: 'a file of somebody else',
    skip: needsRoot,
    build: (b) => {
      const path = fileAt(join(b, 'a'), '');
      chownSync(path, STRANGER, 0);
      return path;
    },
    why: /\/a belongs to user 65534$/,
  },
  {
    name: 'a folder of somebody else',
    skip: needsRoot,
    build: (b) => {
      const path = fileAt(join(b, 'theirs/deep/a'), '');
      chownSync(join(b, 'theirs'), STRANGER, 0);
      return path;
    },
    why: /\/theirs belongs to user 65534$/,
  },
  {
    name: 'a link of somebody else',
    skip: needsRoot,
    build: (b) => {
      fileAt(join(b, 'real'), '');
      symlinkSync('real', join(b, 'link'));
      lchownSync(join(b, 'link'), STRANGER, 0);
      return join(b, 'link');
    },
    why: /\/link belongs to user 65534$/,
  },
  { name: 'nothing there', build: (b) => join(b, 'none/x'), why: /\/none\/x does not exist$/ },
  {
    name: 'a link to nothing',
    build: (b) => {
      symlinkSync('none', join(b, 'link'));
      return join(b, 'link');
    },
    why: /\/link does not exist$/,
  },
  { name: 'a file as a folder', build: (b) => `${fileAt(join(b, 'a'), '')}/b`, why: /\/a is not a folder$/ },
  {
    name: 'links in a circle',
    build: (b) => {
      symlinkSync('two', join(b, 'one'));
      symlinkSync('one', join(b, 'two'));
      return join(b, 'one');
    },
    why: /\/one leads through too many symbolic links$/,
  },
  {
    name: 'links that grow',
    build: (b) => {
      symlinkSync('bomb/bomb/bomb', join(b, 'bomb'));
      return join(b, 'bomb');
    },
    why: /\/bomb leads through too many symbolic links$/,
  },
  { name: '/tmp itself', build: () => '/tmp/everlan-none', why: /^\/tmp can be written by everybody \(mode 1777\)$/ },
];

for (const { name, skip, build, why } of unsafe) {
  test(`not safe: ${name}`, { skip: skip ?? noPlace }, (t) => {
    const found = trust(build(safeFolder(t)), owners);
    if (found.trusted) return assert.fail('found safe');
    assert.match(found.why, why);
  });
}

test('a file that the tests’ own user has is not root’s', (t) => {
  if (process.geteuid?.() === 0) return t.skip('runs as root');
  if (noPlace !== false) return t.skip(noPlace);
  assert.equal(trust(fileAt(join(safeFolder(t), 'a'), ''), [0]).trusted, false);
});

/** Something done between the two looks at BASE/way -> BASE/dir, BASE/dir/x. */
const changes: readonly { name: string; skip?: string | false; change: (base: string) => void; why: RegExp | null }[] =
  [
    { name: 'nothing', change: () => undefined, why: null },
    { name: 'the text of the file', change: (b) => fileAt(join(b, 'dir/x'), 'echo other'), why: null },
    { name: 'a neighbour', change: (b) => fileAt(join(b, 'dir/y'), ''), why: null },
    {
      name: 'permissions of the file',
      change: (b) => chmodSync(join(b, 'dir/x'), 0o700),
      why: /dir\/x was changed .* \(mode\)$/,
    },
    {
      name: 'permissions of the file, opened',
      change: (b) => chmodSync(join(b, 'dir/x'), 0o777),
      why: /can be written by everybody/,
    },
    {
      name: 'permissions of the folder',
      change: (b) => chmodSync(join(b, 'dir'), 0o700),
      why: /\/dir was changed .* \(mode\)$/,
    },
    {
      name: 'permissions of the folder, opened',
      change: (b) => chmodSync(join(b, 'dir'), 0o775),
      why: /can be written by its group/,
    },
    {
      name: 'another file in its place',
      change: (b) => renameSync(fileAt(join(b, 'new'), ''), join(b, 'dir/x')),
      why: /dir\/x was changed .* \(ino\)$/,
    },
    {
      name: 'a link in its place',
      change: (b) => {
        fileAt(join(b, 'other'), '');
        unlinkSync(join(b, 'dir/x'));
        symlinkSync('../other', join(b, 'dir/x'));
      },
      why: /dir\/x was changed since it was looked at/,
    },
    {
      name: 'another folder in its place',
      change: (b) => {
        renameSync(join(b, 'dir'), join(b, 'old'));
        fileAt(join(b, 'dir/x'), '');
      },
      why: /\/dir was changed .* \(ino\)$/,
    },
    {
      name: 'a link that leads elsewhere',
      change: (b) => {
        fileAt(join(b, 'dir2/x'), '');
        unlinkSync(join(b, 'way'));
        symlinkSync('dir2', join(b, 'way'));
      },
      why: /\/way was changed since it was looked at \((ino|target)\)$/,
    },
    {
      name: 'more steps',
      change: (b) => {
        folderAt(join(b, 'more'));
        unlinkSync(join(b, 'way'));
        symlinkSync('more/../dir', join(b, 'way'));
      },
      why: /\/way was changed since it was looked at/,
    },
    { name: 'it is gone', change: (b) => rmSync(join(b, 'dir/x')), why: /does not exist$/ },
    {
      name: 'its owner',
      skip: needsRoot,
      change: (b) => chownSync(join(b, 'dir/x'), STRANGER, 0),
      why: /belongs to user 65534$/,
    },
    {
      name: 'its group',
      skip: needsRoot,
      change: (b) => chownSync(join(b, 'dir/x'), 0, 1),
      why: /dir\/x was changed .* \(gid\)$/,
    },
    {
      name: 'the link’s owner',
      skip: needsRoot,
      change: (b) => lchownSync(join(b, 'way'), STRANGER, 0),
      why: /way belongs to user/,
    },
  ];

for (const { name, skip, change, why } of changes) {
  test(`looked at again: ${name}`, { skip: skip ?? noPlace }, (t) => {
    const base = safeFolder(t);
    fileAt(join(base, 'dir/x'), '');
    symlinkSync('dir', join(base, 'way'));
    const identity = identityOf(join(base, 'way/x'));
    assert.equal(recheck(identity, owners), null);
    change(base);
    const found = recheck(identity, owners);
    if (why === null) assert.equal(found, null);
    else assert.match(found ?? 'nothing', why);
  });
}

function identityOf(path: string): Identity {
  const found = trust(path, owners);
  if (!found.trusted) return assert.fail(found.why);
  return found.identity;
}

test('every step is kept, from the root on', { skip: noPlace }, (t) => {
  const base = safeFolder(t);
  fileAt(join(base, 'dir/x'), '');
  symlinkSync('dir', join(base, 'way'));
  const { components } = identityOf(join(base, 'way/x'));
  assert.equal(components[0]?.path, '/');
  assert.deepEqual(
    components.slice(-4).map(({ path, target }) => [path.replace(base, ''), target]),
    [
      ['', null],
      ['/way', 'dir'],
      ['/dir', null],
      ['/dir/x', null],
    ],
  );
  const { ino, dev, mode, uid, gid } = lstatSync(join(base, 'dir/x'), { bigint: true });
  const { path: _, target: __, ...rest } = identityOf(join(base, 'way/x')).real;
  assert.deepEqual(rest, { ino, dev, mode: Number(mode), uid: Number(uid), gid: Number(gid) });
});
