import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problem, warning } from '../model/problem.ts';
import { PLAIN, render, renderAll } from './render.ts';

const at = (text: string, column: number, length = 1) => ({ file: 'f.yaml', line: 3, column, length, text });

const rows: { name: string; in: ReturnType<typeof problem>; want: string }[] = [
  {
    name: 'no place',
    in: problem('x', 'no such file', { hint: 'make one' }),
    want: 'error: no such file\nhint: make one',
  },
  {
    name: 'a warning',
    in: warning('x', 'hm', { place: at('a: b', 4) }),
    want: 'f.yaml:3:4: warning: hm\n    a: b\n       ^',
  },
  {
    name: 'a range',
    in: problem('x', 'bad', { place: at('  vni: 1234', 8, 4) }),
    want: 'f.yaml:3:8: error: bad\n      vni: 1234\n           ^^^^',
  },
  {
    name: 'wide characters before and under the caret',
    in: problem('x', 'bad', { place: at('日本: 値段', 5, 2) }),
    want: 'f.yaml:3:5: error: bad\n    日本: 値段\n          ^^^^',
  },
  {
    name: 'tabs',
    in: problem('x', 'bad', { place: at('a:\tb\tc', 6) }),
    want: 'f.yaml:3:6: error: bad\n    a:  b   c\n            ^',
  },
  {
    name: 'combining marks take no room',
    in: problem('x', 'bad', { place: at('e\u0301: 1', 5) }),
    want: 'f.yaml:3:5: error: bad\n    e\u0301: 1\n       ^',
  },
  {
    name: 'a caret behind the end',
    in: problem('x', 'bad', { place: at('a: [', 5) }),
    want: 'f.yaml:3:5: error: bad\n    a: [\n        ^',
  },
  {
    name: 'control characters do not reach the terminal',
    in: problem('x', 'bad \u001b[31m', { place: { ...at('a: \u001b[2J', 1), file: 'f\n.yaml' } }),
    want: 'f\ufffd.yaml:3:1: error: bad \ufffd[31m\n    a: \ufffd[2J\n    ^',
  },
];

for (const row of rows) test(`render: ${row.name}`, () => assert.equal(render(row.in), row.want));

test('render: a long line is cut round the caret', () => {
  for (const [before, after] of [
    [500, 500],
    [0, 500],
    [500, 0],
    [100_000, 100_000],
  ] as const) {
    const text = `${'a'.repeat(before)}X${'b'.repeat(after)}`;
    const [, line = '', caret = ''] = render(problem('x', 'bad', { place: at(text, before + 1) })).split('\n');
    assert.ok(line.length <= 106, `${line.length}`);
    assert.equal(line[caret.indexOf('^')], 'X');
    assert.equal(line.startsWith('    …'), before > 0);
    assert.equal(line.endsWith('…'), after > 0);
  }
});

test('render: a style paints the parts', () => {
  const style = {
    ...PLAIN,
    error: (t: string) => `<${t}>`,
    caret: (t: string) => `{${t}}`,
    hint: (t: string) => `(${t})`,
  };
  const got = render(problem('x', 'bad', { hint: 'h', place: at('a', 1) }), style);
  assert.equal(got, 'f.yaml:3:1: <error:> bad\n    a\n    {^}\n(hint:) h');
});

test('renderAll: says how many it leaves out', () => {
  const many = Array.from({ length: 5 }, (_, i) => problem('x', `p${i}`));
  assert.equal(renderAll(many, PLAIN, 2), 'error: p0\n\nerror: p1\n\nand 3 more');
  assert.equal(renderAll([]), '');
});
