/** Import of shell scripts: their `ip link add … type vxlan …` lines, and what they do to these links. Nothing is run. */
import type { FindFiles, Imported, Importer, SourceFile } from './found.ts';
import { Report } from './report.ts';
import { ScriptReader } from './script-reader.ts';
import { checkTwice } from './twice.ts';

export const importer: Importer = {
  name: 'script',
  summary: 'the ip and bridge lines of shell scripts',
  // Scripts of hook folders have no dot in their names (run-parts(8)), others end in .sh.
  pattern: /^[A-Za-z0-9_-]+(?:\.sh)?$/,
  read,
};

function read(files: readonly SourceFile[], find: FindFiles): Imported {
  const report = new Report();
  const reader = new ScriptReader(report, find);
  for (const { path, text } of files) reader.read({ file: path, text });
  const links = reader.finish();
  checkTwice(links, report);
  return { links, ...reader.host(), problems: report.problems(files) };
}
