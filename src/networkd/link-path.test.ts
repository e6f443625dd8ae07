import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linkIndex, linkPath } from './link-path.ts';

test('indices as paths, and back', () => {
  const cases: readonly { in: number; want: string }[] = [
    { in: 1, want: '/org/freedesktop/network1/link/_31' },
    { in: 12, want: '/org/freedesktop/network1/link/_312' },
    { in: 2147483647, want: '/org/freedesktop/network1/link/_32147483647' },
  ];
  for (const { in: index, want } of cases) {
    assert.equal(linkPath(index), want);
    assert.equal(linkIndex(want), index);
  }
});

test('what is no link', () => {
  const prefix = '/org/freedesktop/network1/link/';
  const labels = [
    '',
    '_3',
    '_30',
    '_301',
    '2',
    '_42',
    '_3a',
    '_31/x',
    '_31_32',
    '_3-1',
    '_32147483648',
    '_399999999999',
    '_31\n',
  ];
  const paths = [
    ...labels.map((label) => prefix + label),
    '/org/freedesktop/network1',
    '/org/freedesktop/network2/link/_31',
  ];
  for (const path of paths) assert.equal(linkIndex(path), null, path);
});
