import assert from 'node:assert/strict';
import test from 'node:test';
import { compareVersions, merge, readNeeded, tooNew } from './elf.ts';

const READELF = `
Version definition section '.gnu.version_d' contains 1 entry:
  000000: Rev: 1  Flags: BASE  Index: 1  Cnt: 1  Name: GLIBC_2.99

Version needs section '.gnu.version_r' contains 2 entries:
 Addr: 0x0000000000ad8e50  Offset: 0x6d8e50  Link: 6 (.dynstr)
  000000: Version: 1  File: libc.so.6  Cnt: 3
  0x0010:   Name: GLIBC_2.9  Flags: none  Version: 12
  0x0020:   Name: GLIBC_2.28  Flags: none  Version: 11
  0x0030:   Name: GLIBC_2.2.5  Flags: none  Version: 5
  000040: Version: 1  File: libstdc++.so.6  Cnt: 1
  0x0050:   Name: GLIBCXX_3.4.21  Flags: none  Version: 10
`;

test('readNeeded: the highest of each set, of what is needed, not of what is defined', () => {
  assert.deepEqual(
    readNeeded(READELF),
    new Map([
      ['GLIBC', '2.28'],
      ['GLIBCXX', '3.4.21'],
    ]),
  );
});

const ORDER: readonly { a: string; b: string; want: number }[] = [
  { a: '2.9', b: '2.28', want: -1 },
  { a: '2.28', b: '2.28', want: 0 },
  { a: '2.2.5', b: '2.2', want: 1 },
];
for (const { a, b, want } of ORDER) {
  test(`compareVersions: ${a}, ${b}`, () => {
    assert.equal(Math.sign(compareVersions(a, b)), want);
    assert.equal(Math.sign(compareVersions(b, a)), -want + 0);
  });
}

const BOUNDS: readonly { name: string; in: [string, string][]; want: string[] }[] = [
  { name: 'as new as Ubuntu 20.04', in: [['GLIBC', '2.31']], want: [] },
  {
    name: 'newer',
    in: [
      ['GLIBC', '2.32'],
      ['GLIBCXX', '3.4.21'],
    ],
    want: ['needs GLIBC_2.32, and at most GLIBC_2.31 is allowed'],
  },
  {
    name: 'a set that nobody knows',
    in: [['OPENSSL', '3.0.0']],
    want: ['needs OPENSSL_3.0.0, and at most nothing of it is allowed'],
  },
];
for (const { name, in: given, want } of BOUNDS) {
  test(`tooNew: ${name}`, () => assert.deepEqual(tooNew(new Map(given)), want));
}

test('merge: the highest of all', () => {
  assert.deepEqual(merge(new Map([['GLIBC', '2.25']]), new Map([['GLIBC', '2.28']])), new Map([['GLIBC', '2.28']]));
});
