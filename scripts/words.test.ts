import assert from 'node:assert/strict';
import test from 'node:test';
import { checkWords } from './words.ts';

const refused: readonly { name: string; path?: string; in: string; want: string }[] = [
  { name: 'a home', in: 'see /Users/ann/notes', want: '/Users/: a path of somebody’s machine' },
  { name: 'a home', in: '"/home/ann/x"', want: '/home/ann/: a path of somebody’s machine' },
  {
    name: 'a registry',
    in: 'https://registry.example.org/x',
    want: 'registry.example.org: the host of a package registry',
  },
  {
    name: 'a resolved package',
    path: 'package-lock.json',
    in: '"resolved": "https://example.org/a.tgz"',
    want: '"resolved": ": where a package came from; .npmrc keeps that out of the lock file',
  },
  { name: 'a bare number', in: 'as issue 12 says', want: 'issue 12: a number that means nothing to a reader' },
  {
    name: 'left open',
    in: '// TODO later',
    want: 'TODO: left open without saying what: write `TODO: what is to be done`',
  },
  {
    name: 'skipped',
    in: "test.skip('a', () => {});",
    want: 'test.skip(: skipped without a reason: use { skip: "the reason" }',
  },
  {
    name: 'skipped by option',
    in: "test('a', { skip: true }, () => {});",
    want: 'skip: true: skipped without a reason: use { skip: "the reason" }',
  },
  {
    name: 'skipped from inside',
    in: 'if (!root) t.skip();',
    want: '.skip(): skipped without a reason: use { skip: "the reason" }',
  },
  { name: 'alone', in: "it.only('a', () => {});", want: 'it.only(: leaves the other tests out' },
  { name: 'silenced', in: '// @ts-ignore', want: '@ts-ignore: silences a check' },
];
for (const { name, path = 'src/a/b.ts', in: text, want } of refused) {
  test(`words: refuses ${name}`, () => assert.deepEqual(checkWords(path, `\n${text}\n`), [`${path}:2: ${want}`]));
}

const allowed: readonly { name: string; path?: string; in: string }[] = [
  { name: 'a folder of that name elsewhere', in: "join(root, 'a/Users/b'), ./Users/b, $HOME/Users/" },
  { name: 'system folders', in: '/run/everlan /etc/everlan /tmp/everlan /home/USER/' },
  { name: 'a task that says what', in: '// TODO: use node:ffi once it is stable' },
  { name: 'a reason', in: "test('a', { skip: 'needs root' }, () => {}); t.skip('no ip(8)');" },
  { name: 'prose about tests', path: 'docs/a.md', in: 'no test.skip( without a reason' },
  { name: 'a page about a project', path: 'package-lock.json', in: '"url": "https://opencollective.com/a"' },
];
for (const { name, path = 'src/a/b.ts', in: text } of allowed) {
  test(`words: allows ${name}`, () => assert.deepEqual(checkWords(path, text), []));
}
