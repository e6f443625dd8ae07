import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_BYTES } from './decode.ts';
import { type ReadResult, readDocument, readText } from './document.ts';
import { render } from './render.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function said(result: ReadResult): string {
  return result.ok ? '' : result.problems.map((p) => `${p.code} ${render(p)}`).join('\n');
}

const good: { name: string; in: string; want: unknown }[] = [
  {
    name: 'a map keeps order and types of its keys',
    in: '2: b\n1: a\n',
    want: new Map([
      [2, 'b'],
      [1, 'a'],
    ]),
  },
  {
    name: 'core schema, not YAML 1.1',
    in: '[yes, on, 0o17, 0x1f, 010, ~, 1e3, 12:30]',
    want: ['yes', 'on', 15, 31, 10, null, 1000, '12:30'],
  },
  { name: 'a MAC address is text', in: '52:54:00:12:34:56: x', want: new Map([['52:54:00:12:34:56', 'x']]) },
  {
    name: 'anchors and aliases',
    in: 'a: &x [1, 2]\nb: *x\n',
    want: new Map([
      ['a', [1, 2]],
      ['b', [1, 2]],
    ]),
  },
  { name: 'a merge key is a key', in: 'a: {<<: 1}', want: new Map([['a', new Map([['<<', 1]])]]) },
  { name: '__proto__ is a key', in: '__proto__: 1', want: new Map([['__proto__', 1]]) },
  { name: 'a byte order mark', in: '\ufeffa: 1', want: new Map([['a', 1]]) },
  {
    name: 'CR LF and CR',
    in: 'a: 1\r\nb: 2\rc: 3',
    want: new Map([
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ]),
  },
  { name: 'document markers', in: '%YAML 1.2\n---\na: 1\n...\n', want: new Map([['a', 1]]) },
  { name: 'tabs between tokens', in: 'a:\t1\t# note\n', want: new Map([['a', 1]]) },
  { name: 'an empty text is a value', in: '""', want: '' },
];

for (const row of good) {
  test(`readDocument: ${row.name}`, () => {
    const result = readDocument(bytes(row.in), 'f.yaml');
    assert.ok(result.ok, said(result));
    assert.deepEqual(result.document.value, row.want);
  });
}

const nested = (levels: number, width: number): string =>
  Array.from(
    { length: levels },
    (_, i) =>
      `a${i}: &a${i} [${Array(width)
        .fill(i === 0 ? 'x' : `*a${i - 1}`)
        .join(', ')}]\n`,
  ).join('');

const bad: { name: string; in: string | Uint8Array; want: RegExp }[] = [
  { name: 'nothing', in: '', want: /^yaml-empty error: f.yaml is empty/ },
  { name: 'comments only', in: '# hello\n', want: /^yaml-empty/ },
  { name: 'an empty document', in: '---\n', want: /^yaml-empty/ },
  { name: 'two documents', in: 'a: 1\n---\nb: 2\n', want: /^yaml-documents f.yaml:2:1: error: a second document/ },
  { name: 'a document after an end mark', in: '---\na: 1\n...\n---\nb: 2\n', want: /^yaml-documents f.yaml:3:1/ },
  {
    name: 'keys twice, all of them',
    in: 'a: 1\nb: {c: 1, c: 2}\na: 2\n',
    want: /yaml-duplicate-key f.yaml:2:11: .*“c”[\s\S]*yaml-duplicate-key f.yaml:3:1: .*“a”[\s\S]*line 1/,
  },
  { name: 'a list as key', in: '[a]: 1\n', want: /^yaml-key f.yaml:1:1/ },
  { name: 'a tab as indentation', in: 'a:\n\tb: 1\n', want: /^yaml-syntax f.yaml:2:\d+: error: a tab is not allowed/ },
  { name: 'an unclosed bracket', in: 'a: [1, 2\n', want: /^yaml-syntax f.yaml:2:1: error: .*bracket/ },
  { name: 'an unknown tag', in: 'a: !secret x\n', want: /^yaml-syntax f.yaml:1:\d+: error: unknown scalar tag/ },
  { name: 'a timestamp tag', in: 'a: !!timestamp 2020-01-01\n', want: /^yaml-syntax/ },
  { name: 'an undefined alias', in: 'a: *b\n', want: /^yaml-syntax f.yaml:1:\d+: error: unidentified alias/ },
  {
    name: 'an alias in itself',
    in: 'a: &a [*a]\n',
    want: /^yaml-alias f.yaml:1:8: error: the alias \*a stands inside/,
  },
  { name: 'an alias bomb, narrow', in: nested(60, 2), want: /^yaml-alias .*more than 500,000/ },
  { name: 'an alias bomb, wide', in: nested(8, 10), want: /^yaml-alias/ },
  { name: 'too deep', in: '['.repeat(5000), want: /^yaml-syntax .*nesting/ },
  { name: 'a zero byte', in: 'a: \0', want: /^yaml-syntax f.yaml:1:4: error: a zero byte/ },
  { name: 'a control character', in: 'a: \u0007', want: /^yaml-syntax/ },
  {
    name: 'Latin-1',
    in: Uint8Array.of(...bytes('a: 1\nbé: '), 0xe9, 0x0a),
    want: /^not-utf8 f.yaml:2:5: error: byte 0xe9 at offset 10 is not UTF-8/,
  },
  {
    name: 'a cut sequence at the end',
    in: Uint8Array.of(0x61, 0x3a, 0xe3, 0x81),
    want: /^not-utf8 f.yaml:1:3: .*offset 2/,
  },
  { name: 'UTF-16', in: Uint8Array.of(0xff, 0xfe, 0x61, 0), want: /offset 0[\s\S]*UTF-16/ },
  {
    name: 'after a byte order mark the offset counts from the file’s start',
    in: Uint8Array.of(0xef, 0xbb, 0xbf, 0x61, 0x80),
    want: /1:2: .*offset 4/,
  },
  {
    name: 'more than 4 MiB',
    in: new Uint8Array(MAX_BYTES + 1).fill(0x23),
    want: /^file-size error: f.yaml is larger than 4 MiB/,
  },
];

for (const row of bad) {
  test(`readDocument refuses ${row.name}`, () => {
    const result = readDocument(typeof row.in === 'string' ? bytes(row.in) : row.in, 'f.yaml');
    assert.equal(result.ok, false);
    assert.match(said(result), row.want);
  });
}

test('keys that stand twice leave the document readable, the last one counts', () => {
  const result = readDocument(bytes('a: 1\na: 2\n'), 'f.yaml');
  assert.ok(!result.ok && result.document !== null);
  assert.deepEqual(result.document.value, new Map([['a', 2]]));
});

test('4,000 uses of one anchor are no bomb', () => {
  const text = `m: &m {${Array.from({ length: 30 }, (_, i) => `h${i}: 1`).join(', ')}}\n${Array.from({ length: 4000 }, (_, i) => `v${i}: *m\n`).join('')}`;
  assert.ok(readDocument(bytes(text), 'f.yaml').ok);
});

test('a file of exactly 4 MiB is read', () => {
  const text = Buffer.alloc(MAX_BYTES, '#');
  text.write('a: 1\n');
  assert.ok(readDocument(text, 'f.yaml').ok);
});

test('scalars as they are written', () => {
  const read = readText({ file: 'f', text: 'a: 0x10\nb: yes\nc:\n10: [1.0, ~]\n' }, 'text');
  assert.ok(read.ok);
  const want = new Map<string, unknown>([
    ['a', '0x10'],
    ['b', 'yes'],
    ['c', ''],
    ['10', ['1.0', '~']],
  ]);
  assert.deepEqual(read.document.value, want);
});
