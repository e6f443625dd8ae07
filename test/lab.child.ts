/**
 * Run by lab.test.ts as a program of its own, to be killed or sent signals: `up NAME EXAMPLE`, `reboot NAME HOST`, `exec NAME HOST COMMAND…`.
 * Says `ready` before it starts.
 */
import { writeSync } from 'node:fs';
import { labExec, labReboot, labUp } from '../src/lab/lab.ts';
import { EverlanError } from '../src/model/problem.ts';
import { example, sourceOf } from './lab.testing.ts';

const [, , task, name = '', ...rest] = process.argv;
const say = (text: string) => writeSync(1, `${text}\n`);

try {
  say('ready');
  if (task === 'up') {
    const report = await labUp(sourceOf(example(rest[0] ?? ''), name));
    say(report.ok ? 'up' : 'silent');
  } else if (task === 'reboot') {
    await labReboot(name, rest[0] ?? '');
  } else {
    const [host = '', ...argv] = rest;
    process.exitCode = await labExec(name, host, argv);
  }
} catch (error) {
  if (!(error instanceof EverlanError)) throw error;
  say(`${error.problems[0]?.code}: ${error.problems[0]?.message}`);
  process.exitCode = error.exitCode;
}
