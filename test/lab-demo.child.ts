/** Run by lab-demo.test.ts: the demo alone, as `everlan demo` runs it. */
import { runDemo } from '../src/lab/demo.ts';
import { EverlanError } from '../src/model/problem.ts';

try {
  process.exitCode = await runDemo({
    inside: process.argv.includes('--inside'),
    out: (line) => process.stdout.write(`${line}\n`),
    color: false,
    again: ['--inside'],
  });
} catch (error) {
  if (!(error instanceof EverlanError)) throw error;
  for (const { code, message, hint } of error.problems) process.stderr.write(`${code}: ${message}\n  ${hint ?? ''}\n`);
  process.exitCode = error.exitCode;
}
