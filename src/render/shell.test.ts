import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { command, comment, inQuotes, quoted } from './shell.ts';

const cases = [
  { in: 'vxlan0', want: 'vxlan0' },
  { in: '169.254.0.1/24', want: '169.254.0.1/24' },
  { in: 'fd00::1', want: 'fd00::1' },
  { in: '', want: "''" },
  { in: 'a b', want: "'a b'" },
  { in: '$(reboot)', want: "'$(reboot)'" },
  { in: "it's", want: "'it'\\''s'" },
  { in: '-n', want: '-n' },
  { in: '*', want: "'*'" },
  { in: '~root', want: "'~root'" },
  { in: 'é', want: "'é'" },
];

for (const { in: text, want } of cases) {
  test(`${JSON.stringify(text)} in a script`, () => assert.equal(quoted(text), want));
}

/** Text made of what shells take for something. */
const hostile = fc.string({
  unit: fc.constantFrom(...'\'"$`\\;&|<>(){}[]*?!~#=^% \t\n\r-+ab0éあ\u0085\u2028'),
  maxLength: 12,
});

test('a shell reads back every word as it was', () => {
  fc.assert(
    fc.property(fc.array(hostile, { minLength: 1, maxLength: 40 }), (words) => {
      const script = `printf '%s\\0' ${command(...words)}; printf '%s\\0' ${words.map(inQuotes).join(' ')}`;
      const read = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' }).split('\0');
      assert.deepEqual(read, [...words, ...words, '']);
    }),
    { numRuns: 50 },
  );
});

test('a comment is one line', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const line = comment(text);
      assert.match(line, /^#/);
      assert.equal(execFileSync('/bin/sh', ['-c', `${line}\necho after`], { encoding: 'utf8' }), 'after\n');
    }),
    { numRuns: 50 },
  );
});
