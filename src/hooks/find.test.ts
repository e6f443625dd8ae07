import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { byCodePoint, findScripts, isBackupName } from './find.ts';
import { fileAt, folderAt, needsRoot, noPlace, OUR_RULE, STRANGER, safeFolder } from './folder.testing.ts';
import type { Finding } from './script.ts';
import { ADMINISTRATIVE, HOOK_STATES, isAdministrativeState, isOperationalState, OPERATIONAL } from './states.ts';

/** `ETC/a: runs`, `LIB/a: overridden`, in order. */
function show(findings: readonly Finding[], base: string): string[] {
  const short = (path: string) =>
    path.replace(base, '').replace(/\/(\w+)\/routable\.d/, (_, name: string) => name.toUpperCase());
  return findings.map((finding) => `${short(finding.path)}: ${finding.runs ? 'runs' : finding.reason}`);
}

const find = (base: string, rule = OUR_RULE): Finding[] =>
  findScripts([join(base, 'etc'), join(base, 'lib')], 'routable', rule);

const put = (base: string, where: 'etc' | 'lib', name: string, text = ':', mode = 0o755): string =>
  fileAt(join(base, where, 'routable.d', name), text, mode);

const cases: readonly {
  name: string;
  skip?: string | false;
  build: (base: string) => void;
  want: readonly string[];
}[] = [
  { name: 'no folders', build: () => undefined, want: [] },
  {
    name: 'the names of all folders, by code point',
    build: (b) => {
      for (const name of ['z', '10-b', 'B']) put(b, 'etc', name);
      for (const name of ['a', '9', '10-a', '\u{1f600}', '\uff5e', '-x', ' y', 'ä']) put(b, 'lib', name);
    },
    want: [
      ...['LIB/ y: runs', 'LIB/-x: runs', 'LIB/10-a: runs', 'ETC/10-b: runs', 'LIB/9: runs', 'ETC/B: runs'],
      ...['LIB/a: runs', 'ETC/z: runs', 'LIB/ä: runs', 'LIB/\uff5e: runs', 'LIB/\u{1f600}: runs'],
    ],
  },
  {
    name: 'the first of a name runs',
    build: (b) => [put(b, 'etc', 'a'), put(b, 'lib', 'a')],
    want: ['ETC/a: runs', 'LIB/a: overridden'],
  },
  {
    name: 'the first that may run does',
    build: (b) => [put(b, 'etc', 'a', ':', 0o644), put(b, 'lib', 'a')],
    want: ['ETC/a: permissions', 'LIB/a: runs'],
  },
  {
    name: 'an empty file masks, whatever its mode',
    build: (b) => [put(b, 'etc', 'a', '', 0o644), put(b, 'lib', 'a'), put(b, 'etc', 'b', ''), put(b, 'lib', 'b')],
    want: ['ETC/a: mask', 'LIB/a: masked', 'ETC/b: mask', 'LIB/b: masked'],
  },
  {
    name: 'a link to /dev/null masks',
    build: (b) => {
      symlinkSync('/dev/null', join(folderAt(join(b, 'etc/routable.d')), 'a'));
      put(b, 'lib', 'a');
    },
    want: ['ETC/a: mask', 'LIB/a: masked'],
  },
  {
    name: 'a mask in a later folder masks nothing before it',
    build: (b) => [put(b, 'etc', 'a'), put(b, 'lib', 'a', '')],
    want: ['ETC/a: runs', 'LIB/a: overridden'],
  },
  {
    name: 'a mask that anybody could have put counts for nothing',
    build: (b) => {
      put(b, 'etc', 'a', '');
      put(b, 'lib', 'a');
      chmodSync(join(b, 'etc/routable.d'), 0o777);
    },
    want: ['ETC/a: permissions', 'LIB/a: runs'],
  },
  {
    name: 'a mask of somebody else counts for nothing',
    skip: needsRoot,
    build: (b) => {
      chownSync(put(b, 'etc', 'a', ''), STRANGER, STRANGER);
      put(b, 'lib', 'a');
    },
    want: ['ETC/a: permissions', 'LIB/a: runs'],
  },
  {
    name: 'backup files',
    build: (b) => {
      for (const name of ['a~', '.hidden', 'a.dpkg-old', 'a.swp', 'a.rpmsave', 'a']) put(b, 'etc', name);
    },
    want: [
      ...['ETC/.hidden: backup', 'ETC/a: runs', 'ETC/a.dpkg-old: backup', 'ETC/a.rpmsave: backup', 'ETC/a.swp: backup'],
      'ETC/a~: backup',
    ],
  },
  {
    name: 'a backup file does not stand for its namesake',
    build: (b) => [put(b, 'etc', '.a', ''), put(b, 'lib', '.a')],
    want: ['ETC/.a: backup', 'LIB/.a: backup'],
  },
  {
    name: 'what is no file',
    build: (b) => {
      const folder = folderAt(join(b, 'etc/routable.d'));
      mkdirSync(join(folder, 'folder'));
      symlinkSync('none', join(folder, 'broken'));
      symlinkSync('loop', join(folder, 'loop'));
      symlinkSync('/dev/zero', join(folder, 'device'));
      put(b, 'lib', 'folder');
    },
    want: [
      ...['ETC/broken: not-a-file', 'ETC/device: not-a-file', 'ETC/folder: not-a-file', 'LIB/folder: runs'],
      'ETC/loop: not-a-file',
    ],
  },
  {
    name: 'a link to a script elsewhere',
    build: (b) => {
      fileAt(join(b, 'share/a'), ':');
      symlinkSync(join(b, 'share/a'), join(folderAt(join(b, 'etc/routable.d')), 'a'));
    },
    want: ['ETC/a: runs'],
  },
  {
    name: 'a base folder that others can write',
    build: (b) => {
      put(b, 'etc', 'a');
      put(b, 'lib', 'a');
      chmodSync(join(b, 'etc'), 0o777);
    },
    want: ['ETC/a: unsafe', 'LIB/a: runs'],
  },
  {
    name: 'a link to a script whose folder others can write',
    build: (b) => {
      fileAt(join(b, 'open/a'), ':');
      chmodSync(join(b, 'open'), 0o1777);
      symlinkSync(join(b, 'open/a'), join(folderAt(join(b, 'etc/routable.d')), 'a'));
    },
    want: ['ETC/a: unsafe'],
  },
  {
    name: 'a folder of the state that is a link',
    build: (b) => {
      fileAt(join(b, 'real/a'), ':');
      mkdirSync(join(b, 'etc'));
      symlinkSync('../real', join(b, 'etc/routable.d'));
    },
    want: ['ETC/a: permissions'],
  },
  {
    name: 'a file where the folder should be',
    build: (b) => fileAt(join(b, 'etc/routable.d'), ':'),
    want: ['ETC: unreadable'],
  },
  {
    name: 'a name that is no UTF-8 neither runs nor gets in the way',
    build: (b) => {
      const folder = folderAt(join(b, 'etc/routable.d'));
      writeFileSync(Buffer.from(`${folder}/\xff`, 'latin1'), '#!/bin/sh\n', { mode: 0o755 });
      put(b, 'etc', 'b');
    },
    want: ['ETC/\ufffd: name', 'ETC/b: runs'],
  },
];

for (const { name, skip, build, want } of cases) {
  test(`found: ${name}`, { skip: skip ?? noPlace }, (t) => {
    const base = safeFolder(t);
    build(base);
    assert.deepEqual(show(find(base), base), want);
  });
}

const modes: readonly { in: number; want: string }[] = [
  { in: 0o644, want: '0o644' },
  { in: 0o777, want: '0o777' },
  { in: 0o4755, want: '0o4755' },
  { in: 0o700, want: '0o700' },
];
for (const { in: mode, want } of modes) {
  test(`a file of mode ${want}: networkd-dispatcher's words`, { skip: noPlace }, (t) => {
    const base = safeFolder(t);
    const path = put(base, 'etc', 'a', ':', mode);
    const ids = `uid=${OUR_RULE.exactly?.uid}, gid=${OUR_RULE.exactly?.gid}`;
    const [finding] = find(base);
    const error = `invalid permissions on ${path}. expected mode=0o755, ${ids}; got mode=${want}, ${ids}`;
    assert.equal(finding?.runs === false && finding.error, error);
  });
}

test('a folder of the wrong mode is named, once for each file', { skip: noPlace }, (t) => {
  const base = safeFolder(t);
  put(base, 'etc', 'a');
  put(base, 'etc', 'b', ':', 0o644);
  chmodSync(join(base, 'etc/routable.d'), 0o750);
  const errors = find(base).map((finding) => (finding.runs ? null : finding.error));
  assert.equal(errors.length, 2);
  for (const error of errors)
    assert.match(error ?? '', /^invalid permissions on \S+\/etc\/routable\.d\. .*got mode=0o750/);
});

test('behind a link, the file is named', { skip: needsRoot }, (t) => {
  const base = safeFolder(t);
  const real = fileAt(join(base, 'share/a'), ':');
  chownSync(real, 0, 7);
  symlinkSync(real, join(folderAt(join(base, 'etc/routable.d')), 'link'));
  const [finding] = find(base);
  const want = `invalid permissions on ${real}. expected mode=0o755, uid=0, gid=0; got mode=0o755, uid=0, gid=7`;
  assert.equal(finding?.runs === false && finding.error, want);
});

test('what is skipped in silence, and what is not', { skip: noPlace }, (t) => {
  const base = safeFolder(t);
  put(base, 'etc', 'mask', '');
  put(base, 'lib', 'mask');
  put(base, 'etc', 'back~');
  mkdirSync(join(base, 'etc/routable.d/folder'));
  for (const finding of find(base)) assert.equal(finding.runs ? 'runs' : finding.error, null);
  put(base, 'etc', 'open');
  chmodSync(join(base, 'etc'), 0o777);
  const unsafe = find(base).find(({ name }) => name === 'open');
  const why = `${join(base, 'etc')} can be written by everybody (mode 0777)`;
  assert.equal(unsafe?.runs === false && unsafe.error, `unsafe script ${join(base, 'etc/routable.d/open')}: ${why}`);
});

test('the path is as the base folder was given', { skip: noPlace }, (t) => {
  const base = safeFolder(t);
  put(base, 'etc', 'a');
  const path = (given: string) => findScripts(['', given], 'routable', OUR_RULE)[0]?.path;
  assert.equal(path(`${base}/etc/`), `${base}/etc/routable.d/a`);
  assert.equal(path(`${base}/lib/../etc`), undefined);
  folderAt(join(base, 'lib'));
  assert.equal(path(`${base}/lib/../etc`), `${base}/lib/../etc/routable.d/a`);
});

const noStates = [
  ...[
    '',
    '.',
    '..',
    '../evil',
    'routable/../../evil',
    'routable\0',
    'routable ',
    'Routable',
    'routable.d',
    'routable\n',
  ],
  ...['/etc', 'no_carrier', '__proto__', 'constructor', 'off/', '*'],
];
for (const state of noStates) {
  test(`no path is made of ${JSON.stringify(state)}`, { skip: noPlace }, (t) => {
    const base = safeFolder(t);
    // What the traversal would reach.
    fileAt(join(base, 'evil.d/a'), ':');
    fileAt(join(base, 'etc/routable.d/a'), ':');
    assert.throws(() => findScripts([join(base, 'etc')], state, OUR_RULE), TypeError);
    assert.equal(isAdministrativeState(state) || isOperationalState(state), false);
  });
}

test('seven administrative and nine operational states', () => {
  assert.equal(ADMINISTRATIVE.length, 7);
  assert.equal(OPERATIONAL.length, 9);
  assert.equal(new Set(HOOK_STATES).size, 16);
  assert.ok(ADMINISTRATIVE.every(isAdministrativeState) && OPERATIONAL.every(isOperationalState));
  assert.equal(isOperationalState('configured') || isAdministrativeState('routable'), false);
});

const names: readonly { in: string; want: boolean }[] = [
  ...['a~', '.a', 'a.swp', '.a.swp', 'a.dpkg-old', 'a.dpkg-dist', 'a.dpkg-new', 'a.dpkg-tmp', 'a.dpkg-bak'],
  ...['a.ucf-old', 'a.ucf-dist', 'a.rpmnew', 'a.rpmsave', 'a.rpmorig', '#a#', '.', '..', '.#a'],
].map((name) => ({ in: name, want: true }));
const goodNames = ['a', 'a.sh', '10-x', 'dpkg-old', 'a.dpkg', 'swp', 'a~b', 'rpm', '#a', 'a#', 'a.rpm', 'a.bash'];
for (const { in: name, want } of [...names, ...goodNames.map((text) => ({ in: text, want: false }))]) {
  test(`${name} is ${want ? 'a' : 'no'} backup file`, () => assert.equal(isBackupName(name), want));
}

test('code points, not UTF-16', () => {
  assert.deepEqual(['\u{10000}', '\uffff', 'b', 'a'].sort(byCodePoint), ['a', 'b', '\uffff', '\u{10000}']);
});
