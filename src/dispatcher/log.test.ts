import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Level, levelOf, openLog } from './log.ts';

function written(level: Level, journal: boolean) {
  const lines: string[] = [];
  const sink = {
    out: (line: string) => void lines.push(`out ${line}`),
    err: (line: string) => void lines.push(`err ${line}`),
    outIsJournal: journal,
    errIsJournal: journal,
  };
  return { lines, log: openLog(level, sink) };
}

const VERBOSITY: readonly (readonly [number, Level])[] = [
  [-5, 'CRITICAL'],
  [-2, 'CRITICAL'],
  [-1, 'ERROR'],
  [0, 'WARNING'],
  [1, 'INFO'],
  [2, 'DEBUG'],
  [9, 'DEBUG'],
];

for (const [verbosity, level] of VERBOSITY) {
  test(`verbosity ${verbosity} is ${level}`, () => assert.equal(levelOf(verbosity), level));
}

test('levels that are asked for, and no others', () => {
  const { log, lines } = written('WARNING', false);
  log.critical('a');
  log.error('b');
  log.warning('c');
  log.info('d');
  log.debug('e');
  assert.deepEqual(lines, ['err CRITICAL:a', 'err ERROR:b', 'err WARNING:c']);
});

test('under the journal each line has its priority', () => {
  const { log, lines } = written('DEBUG', true);
  log.warning('a');
  log.debug('b');
  log.output('10-x', 'says', 'stdout');
  log.output('10-x', '<3>fails', 'stderr');
  assert.deepEqual(lines, ['err <4>WARNING:a', 'err <7>DEBUG:b', 'out <6>10-x: says', 'err <3>10-x: fails']);
});

test('what a script prints bears its name, at every level', () => {
  const { log, lines } = written('CRITICAL', false);
  log.output('10-x', '<3>says', 'stdout');
  log.output('10-x', 'complains', 'stderr');
  assert.deepEqual(lines, ['out 10-x: <3>says', 'err 10-x: complains']);
});

test('a name cannot make a line of its own', () => {
  const { log, lines } = written('INFO', false);
  log.error('invalid permissions on /etc/x\nINFO:forged');
  log.error('the bus \0name');
  log.output('x\nINFO:forged', 'y', 'stderr');
  assert.deepEqual(lines, [
    'err ERROR:invalid permissions on /etc/x\\nINFO:forged',
    'err ERROR:the bus \\x00name',
    'err x\\nINFO:forged: y',
  ]);
});
