import assert from 'node:assert/strict';
import test from 'node:test';
import pkg from '../../package.json' with { type: 'json' };
import { readChangelog } from './changelog.ts';

test('packaging/changelog is of the version of package.json', () => {
  assert.equal(readChangelog().version, pkg.version);
});

test('readChangelog: the newest entry', () => {
  const entry = (version: string, date: string): string =>
    `everlan (${version}) unstable; urgency=medium\n\n  * Text.\n\n -- somebody <a@b.example>  ${date}\n\n`;
  const text = entry('1.2.0', 'Mon, 02 Jan 2006 15:04:05 -0700') + entry('1.1.0', 'Sun, 01 Jan 2006 00:00:00 +0000');
  assert.deepEqual(readChangelog(text), { version: '1.2.0', seconds: 1136239445 });
  assert.throws(() => readChangelog('everlan 1.2.0\n'), /no version or no date/);
});
