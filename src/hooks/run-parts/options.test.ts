import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isStop, type Options, readOptions, readUmask } from './options.ts';

const DEFAULTS: Options = {
  test: false,
  list: false,
  verbose: false,
  debug: false,
  report: false,
  reverse: false,
  exitOnError: false,
  newSession: false,
  stdin: false,
  names: { rule: 'classical' },
  umask: 0o022,
  args: [],
  folder: 'd',
};

const read: readonly { in: string; posix?: true; want: Partial<Options> }[] = [
  { in: 'd', want: {} },
  { in: '--test d', want: { test: true } },
  { in: 'd --list', want: { list: true } },
  { in: '-v d -v', want: { verbose: true } },
  { in: '--debug --report --reverse d', want: { debug: true, report: true, reverse: true } },
  { in: '--exit-on-error --new-session --stdin d', want: { exitOnError: true, newSession: true, stdin: true } },
  { in: '--e --n --s d', want: { exitOnError: true, newSession: true, stdin: true } },
  { in: '-a 1 --arg=2 --arg 3 -a4 d', want: { args: ['1', '2', '3', '4'] } },
  { in: '-a --test d', want: { args: ['--test'] } },
  { in: '--arg -- d', want: { args: ['--'] } },
  { in: '-u 77 d', want: { umask: 0o77 } },
  { in: '-vu077 d', want: { verbose: true, umask: 0o77 } },
  { in: '--umask=0 --um=7 d', want: { umask: 7 } },
  { in: '--lsb d', want: { names: { rule: 'lsb' } } },
  { in: '--regex=^a d', want: { names: { rule: 'custom', pattern: '^a' } } },
  { in: '--lsbsysinit --regex ^a d', want: { names: { rule: 'custom', pattern: '^a' } } },
  { in: '--regex ^a --lsbsysinit d', want: { names: { rule: 'lsb' } } },
  { in: '-- -d', want: { folder: '-d' } },
  { in: '-', want: { folder: '-' } },
  { in: '--test d', posix: true, want: { test: true } },
];
for (const { in: line, posix = false, want } of read) {
  test(`run-parts ${line}`, () => {
    assert.deepEqual(readOptions(line.split(' '), 'rp', posix), { ...DEFAULTS, ...want });
  });
}

const stopped: readonly { in: string; posix?: true; says: RegExp; code: 0 | 1 }[] = [
  { in: '--list --test d', says: /^run-parts: --list and --test can not be used together\nTry/, code: 1 },
  { in: 'd e', says: /^run-parts: missing operand\nTry/, code: 1 },
  { in: '--test', says: /^run-parts: missing operand\nTry/, code: 1 },
  { in: 'd --test', posix: true, says: /missing operand/, code: 1 },
  {
    in: '--frob d',
    says: /^rp: unrecognized option '--frob'\nTry `run-parts --help' for more information\.\n$/,
    code: 1,
  },
  { in: '-d d', says: /^rp: invalid option -- 'd'\n/, code: 1 },
  { in: '--re d', says: /^rp: option '--re' is ambiguous; possibilities: '--report' '--reverse' '--regex'\n/, code: 1 },
  { in: '--test=1 d', says: /^rp: option '--test' doesn't allow an argument\n/, code: 1 },
  { in: '--arg', says: /^rp: option '--arg' requires an argument\n/, code: 1 },
  { in: '-a', says: /^rp: option requires an argument -- 'a'\n/, code: 1 },
  { in: '-u 8 --frob', says: /^run-parts: bad umask value\n$/, code: 1 },
  { in: '--help --frob', says: /^Usage: run-parts \[OPTION\]\.\.\. DIRECTORY\n/, code: 0 },
  { in: '-hx', says: /^Usage/, code: 0 },
];
for (const { in: line, posix = false, says, code } of stopped) {
  test(`run-parts ${line}: stops`, () => {
    const found = readOptions(line.split(' '), 'rp', posix);
    if (!isStop(found)) return assert.fail('goes on');
    assert.equal(found.code, code);
    assert.match(found.err, says);
    assert.equal(found.out, '');
  });
}

const masks: readonly { in: string; want: number | null }[] = [
  { in: '022', want: 0o22 },
  { in: '7777', want: 0o7777 },
  { in: '10000', want: null },
  { in: '9', want: null },
  { in: '', want: null },
  { in: 'x', want: null },
  { in: ' 27', want: 0o27 },
  { in: '+2', want: 2 },
  { in: '-1', want: null },
  { in: '-0', want: 0 },
  { in: '089', want: 0 },
  { in: '40000000022', want: 0o22 },
];
for (const { in: text, want } of masks) {
  test(`umask ${JSON.stringify(text)}`, () => assert.equal(readUmask(text), want));
}
