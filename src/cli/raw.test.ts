import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rawCall } from './raw.ts';

test('everything behind its name is the command’s own', () => {
  const call = rawCall(['run-parts', '--help', '--json', '-v', 'run-parts']);
  assert.equal(call?.row.name, 'run-parts');
  assert.deepEqual(call.args, ['--help', '--json', '-v', 'run-parts']);
  assert.deepEqual(call.values, {});
});

for (const line of [[], ['plan', 'run-parts'], ['-v', 'run-parts'], ['lab', 'up'], ['lab'], ['nope']]) {
  test(`not with ${JSON.stringify(line)}`, () => assert.equal(rawCall(line), undefined));
}
