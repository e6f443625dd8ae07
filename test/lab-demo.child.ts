/** Run by lab-demo.test.ts: the demo alone, as `everlan demo` runs it. The argument: another file than the article's. */
import { readFileSync } from 'node:fs';
import { runDemo } from '../src/lab/demo.ts';
import { EverlanError } from '../src/model/problem.ts';

const same = (text: string): string => text;
const [, , file] = process.argv;

try {
  process.exitCode = await runDemo({
    out: (text) => process.stdout.write(text),
    paints: { bold: same, red: same, green: same, cyan: same },
    ...(file === undefined ? {} : { source: { file, text: readFileSync(file) } }),
  });
} catch (error) {
  if (!(error instanceof EverlanError)) throw error;
  for (const { code, message, hint } of error.problems) process.stderr.write(`${code}: ${message}\n${hint ?? ''}\n`);
  process.exitCode = error.exitCode;
}
