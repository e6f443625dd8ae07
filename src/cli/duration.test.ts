import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EverlanError } from '../model/problem.ts';
import { parseDuration, showDuration } from './duration.ts';

for (const [text, seconds, shown] of [
  ['1s', 1, '1s'],
  ['60s', 60, '1m'],
  ['90s', 90, '1m 30s'],
  ['5m', 300, '5m'],
  ['1h', 3600, '1h'],
  ['24h', 86400, '24h'],
  ['3661s', 3661, '1h 1m 1s'],
] as const) {
  test(`${text} is ${seconds} seconds`, () => {
    assert.equal(parseDuration(text, '--confirm'), seconds);
    assert.equal(showDuration(seconds), shown);
  });
}

for (const text of ['', '0s', '60', 's', '1d', '-1s', '1.5m', '01s', '1 s', '25h', '99999999s', '1s ', 'NaNs']) {
  test(`“${text}” is no duration`, () => {
    assert.throws(
      () => parseDuration(text, '--confirm'),
      (error) => error instanceof EverlanError && error.exitCode === 2 && error.message.includes('--confirm'),
    );
  });
}
