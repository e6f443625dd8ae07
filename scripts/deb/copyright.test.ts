import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { copyrightFile } from './copyright.ts';

const APACHE = readFileSync(join(import.meta.dirname, '..', '..', 'LICENSE'), 'utf8');

test('copyrightFile: ours, and each that is carried with its version', () => {
  const text = copyrightFile([
    { name: 'a', version: '1.0', licence: 'Copyright A  \r\n\fFree.\n\n' },
    { name: 'b', version: '2.0', licence: 'Copyright B\n' },
  ]);
  assert.match(text, /^everlan\nCopyright \(C\) 2026/);
  assert.ok(text.includes('\na 1.0\n\nCopyright A\nFree.\n\n---'), text);
  assert.ok(text.endsWith('\nb 2.0\n\nCopyright B\n'), text);
});

test('copyrightFile: the Apache License is named, what stands around it stays', () => {
  const text = copyrightFile([{ name: 'a', version: '1.0', licence: `before\n${APACHE}\nbetween\n${APACHE}\nafter` }]);
  assert.doesNotMatch(text, /TERMS AND CONDITIONS FOR USE/);
  assert.equal(text.match(/common-licenses\/Apache-2\.0\]/g)?.length, 2);
  for (const word of ['before', 'between', 'after']) assert.ok(text.includes(`\n${word}\n`));
});
