import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/support/program.ts';
import { journalLines } from './journal.ts';

type Event = Parameters<typeof journalLines>[0];
const EVENT: Event = { level: 'info', message: 'vxlan0 was deleted', steps: [] };
const steps = (count: number): string[] => Array.from({ length: count }, (_, i) => `step ${i + 1}`);

const cases: readonly { name: string; in: Event; prefixed?: true; want: readonly string[] }[] = [
  { name: 'one line', in: EVENT, want: ['vxlan0 was deleted'] },
  {
    name: 'steps and a hint',
    in: { ...EVENT, steps: steps(2), hint: 'stop it' },
    want: ['vxlan0 was deleted', '  step 1', '  step 2', 'hint: stop it'],
  },
  {
    name: 'five steps are all shown',
    in: { ...EVENT, steps: steps(5) },
    want: ['vxlan0 was deleted', '  step 1', '  step 2', '  step 3', '  step 4', '  step 5'],
  },
  {
    name: 'of more the rest is counted',
    in: { ...EVENT, steps: steps(1007) },
    want: ['vxlan0 was deleted', '  step 1', '  step 2', '  step 3', '  step 4', '  step 5', '  and 1002 more'],
  },
  {
    name: 'texts of several lines',
    in: { ...EVENT, level: 'error', message: 'a\nb\r\nc', steps: ['d\n<0>e'], hint: 'f\ng' },
    prefixed: true,
    want: ['<3>a', '<3>b', '<3>c', '<3>  d', '<3>  <0>e', '<3>hint: f', '<3>g'],
  },
  { name: 'information', in: EVENT, prefixed: true, want: ['<6>vxlan0 was deleted'] },
  { name: 'a warning', in: { ...EVENT, level: 'warning' }, prefixed: true, want: ['<4>vxlan0 was deleted'] },
  { name: 'no priority but our own', in: { ...EVENT, message: '<0>x' }, prefixed: true, want: ['<6><0>x'] },
  { name: 'what drives a terminal', in: { ...EVENT, message: 'a\u001b[2J\u0000\u0085b\r' }, want: ['a?[2J??b?'] },
];

for (const { name, in: event, prefixed = false, want } of cases) {
  test(name, () => assert.deepEqual(journalLines(event, prefixed), want));
}

/** Standard error is a file, as it is the journal's stream under systemd. */
for (const matches of [true, false]) {
  test(`priorities ${matches ? 'for the journal' : 'for nobody else'}`, (t) => {
    const path = join(temporaryFolder(t), 'stderr');
    const fd = openSync(path, 'w');
    t.after(() => closeSync(fd));
    const { dev, ino } = fstatSync(fd);
    const program = `
      import { openJournal } from ${JSON.stringify(join(import.meta.dirname, 'journal.ts'))};
      const say = openJournal(process.env, (text) => process.stderr.write(text));
      say({ number: 1, at: '', kind: 'file', level: 'warning', message: 'one', overlays: [], steps: ['two'] });`;
    const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'ignore', fd],
      env: { JOURNAL_STREAM: `${dev}:${matches ? ino : ino + 1}` },
    });
    assert.equal(status, 0);
    assert.equal(readFileSync(path, 'utf8'), matches ? '<4>one\n<4>  two\n' : 'one\n  two\n');
  });
}
