import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EverlanError, EXIT, problem } from '../model/problem.ts';
import { SysError } from '../sys/errno.ts';
import { paints } from './colour.ts';
import { failureOf, showFailure } from './errors.ts';

const plain = paints(false);

const cases = [
  {
    name: 'ours: its own words and exit code',
    error: new EverlanError(problem('x', 'that was wrong', { hint: 'do this' }), EXIT.usage),
    code: 2,
    says: 'error: that was wrong\nhint: do this',
  },
  {
    name: 'no right to enter a namespace',
    error: new SysError('setns', 1),
    code: 1,
    says: 'error: to enter a network namespace, everlan needs CAP_SYS_ADMIN, which it does not have\nhint: run as root',
  },
  {
    name: 'no right to send echoes',
    error: new SysError('socket', 1),
    code: 1,
    says: 'error: to send echoes, everlan needs CAP_NET_RAW, which it does not have\nhint: run as root',
  },
  {
    name: 'a call refused for another reason',
    error: new SysError('setns', 22, '/etc/passwd'),
    code: 1,
    says: 'error: the system refused a call: setns /etc/passwd: invalid argument (EINVAL)',
  },
  {
    name: 'a full disk',
    error: Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }),
    code: 1,
    says: 'error: cannot write: ENOSPC: no space left on device, write',
  },
  {
    name: 'a defect: one line',
    error: new TypeError('x is not a function\nof anything'),
    code: 1,
    says: 'everlan: internal error: x is not a function, please report',
  },
  {
    name: 'something thrown that is no error',
    error: 'words',
    code: 1,
    says: 'everlan: internal error: words, please report',
  },
];

for (const { name, error, code, says } of cases) {
  test(name, () => {
    const failure = failureOf(error);
    assert.equal(failure.exitCode, code);
    assert.equal(showFailure(failure, plain, false), says);
  });
}

test('a stack trace comes only when it was asked for', () => {
  const failure = failureOf(new TypeError('x'));
  assert.doesNotMatch(showFailure(failure, plain, false), /\n/);
  assert.match(showFailure(failure, plain, true), /please report\nTypeError: x\n +at /);
});
