/** What everlan keeps under /run, when another version of it, or nobody knows who, wrote it. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStore } from '../src/apply/store.ts';
import { needsRoot } from './support/host.ts';

test('a form that is not understood is as if nothing were known', { skip: needsRoot }, (t) => {
  const store = openStore('storetest', `test-${randomBytes(6).toString('hex')}`);
  mkdirSync(store.folder, { recursive: true });
  t.after(() => rmSync(store.folder, { recursive: true }));
  for (const text of ['', '{"vxlan0":', '{"vxlan0":null}', '{"vxlan0":{"addresses":7}}', '7', 'null', '[null]']) {
    for (const what of ['applied', 'pending']) writeFileSync(join(store.folder, `storetest.${what}`), text);
    assert.equal(store.remembered().links.size, 0, text);
    assert.equal(store.pending(), null, text);
  }
});
