import assert from 'node:assert/strict';
import test from 'node:test';
import { example, flags, inline, plain } from './roff.ts';

const CASES: readonly { name: string; in: string; make: (text: string) => string; want: string }[] = [
  { name: 'a hyphen that can be copied', in: 'no-color', make: plain, want: 'no\\-color' },
  { name: 'a backslash', in: 'a\\b', make: plain, want: 'a\\(rsb' },
  { name: 'other than ASCII', in: 'peer’s … →', make: plain, want: 'peer\\(cqs ... \\(->' },
  {
    name: 'code',
    in: 'keep what `apply --confirm` did',
    make: inline,
    want: 'keep what \\fBapply \\-\\-confirm\\fR did',
  },
  { name: 'a dot at the start', in: '.network', make: inline, want: '\\&.network' },
  {
    name: 'an option with a value',
    in: '-f, --file <FILE>',
    make: flags,
    want: '\\fB\\-f, \\-\\-file \\fR\\fIFILE\\fR',
  },
  { name: 'lines', in: "a\n.b\n'c\n", make: example, want: '.PP\n.RS 4\n.nf\na\n\\&.b\n\\(aqc\n.fi\n.RE' },
];
for (const { name, in: given, make, want } of CASES) test(`${name}: ${given}`, () => assert.equal(make(given), want));

test('plain: what has no name is an error, not a gap', () => assert.throws(() => plain('日'), /no name for 日/));
