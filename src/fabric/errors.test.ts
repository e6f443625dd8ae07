import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { IMPORT_ERROR_GROUPS } from '../import/errors.ts';
import { ERROR_GROUPS, ERRORS } from './errors.ts';
import { errorsDocument } from './errors-document.ts';

test('docs/errors.md is what the catalogue says', () => {
  const written = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  assert.equal(written, errorsDocument(IMPORT_ERROR_GROUPS), 'stale: run `node scripts/errors-doc.ts`');
});

test('every code stands in one group', () => {
  const codes = ERROR_GROUPS.flatMap(({ rows }) => Object.keys(rows));
  assert.deepEqual(codes.toSorted(), Object.keys(ERRORS).toSorted());
});

test('texts are sentences, hints are not', () => {
  for (const [code, { text, hint }] of ERROR_GROUPS.flatMap(({ rows }) => Object.entries(rows))) {
    assert.match(code, /^[a-z][a-z0-9-]+$/);
    assert.match(text, /\.$/, code);
    if (hint !== undefined) assert.doesNotMatch(hint, /\.$/, code);
  }
});
