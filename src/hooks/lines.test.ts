import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineSplitter, LONGEST_LINE } from './lines.ts';

function split(pieces: readonly Uint8Array[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const piece of pieces) splitter.add(piece);
  splitter.finish();
  return lines;
}

const bytes = (text: string): Buffer => Buffer.from(text);
const x = (count: number): string => 'x'.repeat(count);

const cases: readonly { name: string; in: readonly string[]; want: readonly string[] }[] = [
  { name: 'nothing', in: [''], want: [] },
  { name: 'one line', in: ['a\n'], want: ['a'] },
  { name: 'a line in two pieces', in: ['a', 'b\n'], want: ['ab'] },
  { name: 'a last line without an end', in: ['a\nb'], want: ['a', 'b'] },
  { name: 'empty lines', in: ['\n\n'], want: ['', ''] },
  { name: 'the longest line', in: [`${x(LONGEST_LINE)}\n`], want: [x(LONGEST_LINE)] },
  { name: 'one byte more', in: [`${x(LONGEST_LINE)}y\n`], want: [x(LONGEST_LINE), 'y'] },
  {
    name: 'a long line piece by piece',
    in: [x(5000), x(5000), '\n'],
    want: [x(LONGEST_LINE), x(10_000 - LONGEST_LINE)],
  },
  {
    name: 'no character is torn',
    in: [`${x(LONGEST_LINE - 1)}€\n`],
    want: [x(LONGEST_LINE - 1), '€'],
  },
];
for (const { name, in: pieces, want } of cases) {
  test(`lines: ${name}`, () => assert.deepEqual(split(pieces.map(bytes)), want));
}

test('bytes that are no text are replaced, and a long run of them comes in pieces', () => {
  assert.deepEqual(split([Buffer.from([0xff, 10])]), ['\ufffd']);
  const lines = split([Buffer.alloc(3 * LONGEST_LINE, 0x80)]);
  assert.equal(lines.length, 3);
});

test('however it comes, the lines are the same', () => {
  const pieces = fc.array(fc.string({ unit: fc.constantFrom('a', '\n', '€', '\u{1f600}'), maxLength: 20 }));
  fc.assert(
    fc.property(pieces, fc.integer({ min: 1, max: 7 }), (texts, size) => {
      const all = bytes(texts.join(''));
      const cut = Array.from({ length: Math.ceil(all.length / size) }, (_, i) =>
        all.subarray(i * size, (i + 1) * size),
      );
      const text = all.toString();
      const want = text === '' ? [] : text.replace(/\n$/, '').split('\n');
      assert.deepEqual(split(cut), want);
    }),
  );
});
