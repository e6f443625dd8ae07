import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { README, withParts } from './docs.ts';

test('README.md: the generated parts are up to date (make docs writes them)', () => {
  const text = readFileSync(README, 'utf8');
  assert.equal(text, withParts(text));
});

test('README.md: a missing marker is an error', () => {
  assert.throws(() => withParts('no markers'), /commands:begin/);
});
