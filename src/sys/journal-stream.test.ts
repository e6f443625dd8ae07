import assert from 'node:assert/strict';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { leadsToJournal } from './journal-stream.ts';

test('the stream is the one that the environment names', (t) => {
  const fd = openSync('/dev/null', 'r');
  t.after(() => closeSync(fd));
  const { dev, ino } = fstatSync(fd);
  for (const [stream, want] of [
    [`${dev}:${ino}`, true],
    [`${dev}:${ino + 1}`, false],
    [`${dev + 1}:${ino}`, false],
    ['', false],
    [undefined, false],
  ] as const) {
    assert.equal(leadsToJournal(fd, { JOURNAL_STREAM: stream }), want, stream);
  }
});

test('a descriptor that is not open', () => assert.equal(leadsToJournal(9999, { JOURNAL_STREAM: '1:2' }), false));
