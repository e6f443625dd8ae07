/** Rows of the catalogue (docs/errors.md) for what can be wrong with a file before its meaning is looked at. */
import { type Place, type Problem, problem } from '../model/problem.ts';

/** One row: what it is, in a sentence or two for the manual, and what to do where nothing more exact is known. */
export interface ErrorRow {
  readonly severity: 'error' | 'warning';
  readonly text: string;
  readonly hint?: string;
}

const row = (text: string, hint?: string): ErrorRow =>
  hint === undefined ? { severity: 'error', text } : { severity: 'error', text, hint };

export const TEXT_ERRORS = {
  'file-size': row('A file is at most 4 MiB.', 'use fewer lines, or split the fabric in two'),
  'not-utf8': row('A file is UTF-8 text.', 'save the file as UTF-8'),
  'yaml-syntax': row('The file is not YAML 1.2.'),
  'yaml-empty': row('The file holds no value at all.', 'start from one of the files in examples/'),
  'yaml-documents': row('A file holds one YAML document; a second one begins with “---”.', 'make two files of it'),
  'yaml-duplicate-key': row('A key stands twice in one map. Readers disagree which of the two counts.', 'keep one'),
  'yaml-key': row('A key is plain text, not a list or a map.'),
  'yaml-alias': row(
    'Aliases (*name) may stand anywhere, but not inside the value that they name, and all together they may stand for at most 500,000 values.',
    'write the values out, or split the file',
  ),
} as const satisfies Record<string, ErrorRow>;

export type TextCode = keyof typeof TEXT_ERRORS;

/** A problem with its row's hint, unless `extra` has a better one. */
export function textProblem(code: TextCode, message: string, extra: { hint?: string; place?: Place } = {}): Problem {
  const { hint }: ErrorRow = TEXT_ERRORS[code];
  return problem(code, message, hint === undefined ? extra : { hint, ...extra });
}
