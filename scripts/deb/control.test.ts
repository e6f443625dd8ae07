import assert from 'node:assert/strict';
import test from 'node:test';
import { type ControlInput, conffilesFile, controlFile, md5sumsFile } from './control.ts';

const file = (to: string, size: number): ControlInput['files'][number] => ({
  to,
  content: new Uint8Array(size),
  mode: 0o644,
});
const FILES = [file('/usr/lib/x/b', 1025), file('/usr/lib/x/a', 1), file('/etc/x/y', 10)];

test('controlFile', () => {
  const text = controlFile({
    name: 'x',
    version: '1.2.3',
    arch: 'amd64',
    control: {
      section: 'net',
      summary: 'does it',
      description: [`${'word '.repeat(20)}end`, 'Second.'],
      relations: { Depends: ['a (>= 1)', 'b'] },
    },
    files: FILES,
    folders: ['/etc/x/empty'],
  });
  const lines = text.split('\n');
  // Five folders with files, one without, and four KiB.
  assert.ok(lines.includes('Installed-Size: 10'), text);
  assert.ok(lines.includes('Depends: a (>= 1), b'));
  assert.equal(lines.at(-1), '');
  assert.deepEqual(lines.slice(lines.indexOf('Description: does it') + 1, -1), [
    ` ${'word '.repeat(15).trim()}`,
    ' word word word word word end',
    ' .',
    ' Second.',
  ]);
});

test('md5sumsFile: sorted, without conffiles', () => {
  assert.equal(md5sumsFile(FILES).replace(/^[0-9a-f]{32}/gm, 'SUM'), 'SUM  usr/lib/x/a\nSUM  usr/lib/x/b\n');
});

test('conffilesFile', () => assert.equal(conffilesFile(FILES), '/etc/x/y\n'));
