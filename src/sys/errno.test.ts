import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errnoName, errnoText, hasCode, SysError } from './errno.ts';

const cases: readonly { in: number; name: string; text: string }[] = [
  { in: 1, name: 'EPERM', text: 'operation not permitted' },
  { in: 11, name: 'EAGAIN', text: 'resource temporarily unavailable' },
  { in: 17, name: 'EEXIST', text: 'file already exists' },
  { in: 19, name: 'ENODEV', text: 'no such device' },
  { in: 105, name: 'ENOBUFS', text: 'no buffer space available' },
  { in: 108, name: 'ESHUTDOWN', text: 'cannot send after transport endpoint shutdown' },
  { in: 512, name: 'E512', text: 'error 512' },
];
for (const { in: errno, name, text } of cases) {
  test(`errno ${errno} is ${name}`, () => {
    assert.equal(errnoName(errno), name);
    assert.equal(errnoText(errno), text);
  });
}

test('an error says what was called, about what, and why', () => {
  const error = new SysError('setns', 1, 'alpha');
  assert.equal(error.message, 'setns alpha: operation not permitted (EPERM)');
  assert.deepEqual([error.errno, error.code, error.call, error.name], [1, 'EPERM', 'setns', 'SysError']);
  assert.equal(new SysError('socket', 24).message, 'socket: too many open files (EMFILE)');
});

test('a code is known on our errors and on those of Node', () => {
  assert.equal(hasCode(new SysError('open', 2), 'EPERM', 'ENOENT'), true);
  assert.equal(hasCode(new SysError('open', 2), 'EPERM'), false);
  assert.equal(hasCode(Object.assign(new Error(), { code: 'EEXIST' }), 'EEXIST'), true);
  for (const other of [null, 'ENOENT', { code: 'ENOENT' }, new Error('ENOENT')])
    assert.equal(hasCode(other, 'ENOENT'), false);
});
