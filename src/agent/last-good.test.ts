import assert from 'node:assert/strict';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { MAX_BYTES } from '../fabric/parse.ts';
import { openLastGood, stateFolder } from './last-good.ts';

const FILE = '/etc/everlan/fabric.yaml';

function folder(t: TestContext): string {
  const base = mkdtempSync(join(tmpdir(), 'everlan-good-'));
  t.after(() => rmSync(base, { recursive: true }));
  return join(base, 'state');
}

const places: readonly { in: string | undefined; want: string }[] = [
  { in: undefined, want: '/var/lib/everlan' },
  { in: '', want: '/var/lib/everlan' },
  { in: 'relative', want: '/var/lib/everlan' },
  { in: '/var/lib/other', want: '/var/lib/other' },
  { in: '/var/lib/one/:/var/lib/two', want: '/var/lib/one' },
];
for (const { in: given, want } of places) {
  test(`STATE_DIRECTORY ${given}: ${want}`, () => assert.equal(stateFolder({ STATE_DIRECTORY: given }), want));
}

test('what is kept is found again, by the next life too, and only by root', (t) => {
  const state = folder(t);
  const first = openLastGood(FILE, state);
  assert.equal(first.load(), null);
  assert.equal(first.keep('one'), null);
  assert.equal(first.keep('two ü'), null);
  const want = { text: 'two ü', name: join(state, 'fabric.yaml') };
  assert.deepEqual(first.load(), want);
  assert.deepEqual(openLastGood(FILE, state).load(), want);
  assert.equal(lstatSync(want.name).mode, 0o100600);
  assert.deepEqual(readdirSync(state), ['fabric.yaml']);
});

test('the same text is not written again', (t) => {
  const state = folder(t);
  const good = openLastGood(FILE, state);
  good.keep('one');
  const path = join(state, 'fabric.yaml');
  utimesSync(path, 1, 1);
  assert.equal(good.keep('one'), null);
  assert.equal(lstatSync(path).mtimeMs, 1000);
  good.keep('two');
  assert.notEqual(lstatSync(path).mtimeMs, 1000);
});

const names: readonly { in: string; want: RegExp }[] = [
  { in: '/etc/everlan/../everlan/fabric.yaml', want: /^fabric\.yaml$/ },
  { in: '/srv/fabric.yaml', want: /^fabric-[0-9a-f]{8}\.yaml$/ },
  { in: '/srv/lab.yml', want: /^lab-[0-9a-f]{8}\.yaml$/ },
  { in: '/srv/lab.txt', want: /^lab\.txt-[0-9a-f]{8}\.yaml$/ },
  { in: `/srv/${'x'.repeat(200)}`, want: /^x{40}-[0-9a-f]{8}\.yaml$/ },
];
for (const { in: file, want } of names) {
  test(`${file.slice(0, 40)} is kept as ${want.source}`, (t) => {
    const state = folder(t);
    openLastGood(file, state).keep('text');
    assert.match(readdirSync(state).join(), want);
  });
}

test('files of one name in two folders are kept apart', (t) => {
  const state = folder(t);
  openLastGood('/srv/a/fabric.yaml', state).keep('a');
  openLastGood('/srv/b/fabric.yaml', state).keep('b');
  assert.equal(openLastGood('/srv/a/fabric.yaml', state).load()?.text, 'a');
  assert.equal(openLastGood('/srv/b/fabric.yaml', state).load()?.text, 'b');
});

const spoilt: readonly { name: string; set: (path: string) => void }[] = [
  { name: 'no UTF-8', set: (path) => writeFileSync(path, '\xff', 'latin1') },
  { name: 'too much', set: (path) => writeFileSync(path, Buffer.alloc(MAX_BYTES + 1, '#')) },
  { name: 'a folder', set: (path) => mkdirSync(path) },
  {
    name: 'a link',
    set: (path) => {
      writeFileSync(`${path}-real`, 'text');
      symlinkSync(`${path}-real`, path);
    },
  },
];
for (const { name, set } of spoilt) {
  test(`what is kept is ${name}: nothing is`, (t) => {
    const state = folder(t);
    mkdirSync(state);
    set(join(state, 'fabric.yaml'));
    assert.equal(openLastGood(FILE, state).load(), null);
  });
}

test('a folder that others can write is neither believed nor written', (t) => {
  const state = folder(t);
  const good = openLastGood(FILE, state);
  good.keep('one');
  good.markUnconfirmed('bad');
  chmodSync(state, 0o777);
  assert.equal(good.load(), null);
  const problem = good.keep('two');
  assert.deepEqual([problem?.severity, problem?.code], ['warning', 'not-kept']);
  assert.match(problem?.message ?? '', /can be written by others$/);
  assert.equal(readFileSync(join(state, 'fabric.yaml'), 'utf8'), 'one');
});

test('a folder that cannot be made is a problem, not an error', (t) => {
  const state = folder(t);
  writeFileSync(state, '');
  const good = openLastGood(FILE, join(state, 'below'));
  for (const problem of [good.keep('one'), good.markUnconfirmed('two')])
    assert.match(problem?.message ?? '', /ENOTDIR/);
  assert.equal(good.load(), null);
  assert.ok(good.isUnconfirmed('two'));
});

test('unconfirmed texts are known to the next life until they are cleared', (t) => {
  const state = folder(t);
  const good = openLastGood(FILE, state);
  assert.ok(!good.isUnconfirmed('one'));
  assert.equal(good.markUnconfirmed('one'), null);
  assert.equal(good.markUnconfirmed('two'), null);
  const next = openLastGood(FILE, state);
  assert.deepEqual(
    ['one', 'two', 'three'].map((text) => next.isUnconfirmed(text)),
    [true, true, false],
  );
  assert.equal(next.clearUnconfirmed('one'), null);
  assert.equal(next.clearUnconfirmed('three'), null);
  assert.deepEqual(
    ['one', 'two'].map((text) => good.isUnconfirmed(text)),
    [false, true],
  );
  assert.equal(lstatSync(join(state, 'unconfirmed')).mode, 0o100600);
  assert.doesNotMatch(readFileSync(join(state, 'unconfirmed'), 'utf8'), /two/);
});

test('the last sixteen are kept', (t) => {
  const good = openLastGood(FILE, folder(t));
  const texts = Array.from({ length: 18 }, (_, i) => `text ${i}`);
  for (const text of texts) good.markUnconfirmed(text);
  assert.deepEqual(
    texts.filter((text) => !good.isUnconfirmed(text)),
    texts.slice(0, 2),
  );
});

test('marks that could not be written hold in this life, and are written with the next', (t) => {
  const state = folder(t);
  const good = openLastGood(FILE, state);
  good.markUnconfirmed('one');
  chmodSync(state, 0o777);
  assert.notEqual(good.markUnconfirmed('two'), null);
  assert.notEqual(good.clearUnconfirmed('one'), null);
  const holds = (of: typeof good): boolean[] => ['one', 'two', 'three'].map((text) => of.isUnconfirmed(text));
  assert.deepEqual(holds(good), [false, true, false]);
  chmodSync(state, 0o755);
  assert.deepEqual(holds(good), [false, true, false]);
  assert.equal(good.markUnconfirmed('three'), null);
  assert.deepEqual(holds(openLastGood(FILE, state)), [false, true, true]);
});

test('a spoilt list of unconfirmed texts is read as far as it goes', (t) => {
  const state = folder(t);
  const good = openLastGood(FILE, state);
  good.markUnconfirmed('one');
  const path = join(state, 'unconfirmed');
  writeFileSync(path, `rubbish\n\0\n${readFileSync(path, 'utf8')}abc`);
  assert.ok(good.isUnconfirmed('one'));
  assert.equal(good.markUnconfirmed('two'), null);
  assert.equal(readFileSync(path, 'utf8').split('\n').length, 3);
});
