import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { OPTION_NAMES } from '../model/options.ts';
import { TARGET_NAMES, TARGETS } from './targets.ts';
import { targetsDocument } from './targets-document.ts';

test('docs/targets.md is what the targets say of themselves (make docs writes it)', async () => {
  const text = readFileSync(new URL('../../docs/targets.md', import.meta.url), 'utf8');
  assert.equal(text, await targetsDocument());
});

test('every target is called by its name, and says something of every option', async () => {
  for (const name of TARGET_NAMES) {
    const target = await TARGETS[name]();
    assert.equal(target.name, name);
    assert.deepEqual(Object.keys(target.support).sort(), [...OPTION_NAMES].sort());
  }
});
