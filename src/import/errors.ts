/** What can be wrong with an import, whatever its source: one row each, for docs/errors.md. */
import { type Place, type Problem, type ProblemExtra, problem, warning } from '../model/problem.ts';
import type { ErrorRow } from '../text/errors.ts';
import { TOOL_ERRORS } from './tool-errors.ts';

const row = (severity: 'error' | 'warning', text: string, hint?: string): ErrorRow =>
  hint === undefined ? { severity, text } : { severity, text, hint };

export const IMPORT_ERRORS = {
  'import-nothing': row('error', 'The source has no VXLAN link.'),
  'import-underlay': row(
    'error',
    'Nothing tells under which address the others reach a host.',
    'say it with --underlay ADDRESS',
  ),
  'import-vni': row('error', 'Two links point at each other and have different VNIs.'),
  'import-port': row('error', 'Two links point at each other and use different UDP ports.'),
  'import-peer': row('error', 'A link points at a host that has no such link.'),
  'import-peer-back': row('error', 'A link points at a host whose link does not point back.'),
  'import-peers-differ': row(
    'error',
    'The members of an overlay have different peers. In a fabric, every member’s peers are all others.',
  ),
  'import-name': row('error', 'One overlay has different names on two hosts. In a fabric it has one.'),
  'import-differs': row('error', 'Two hosts say different things where an overlay of a fabric can say one.'),
  'import-address-twice': row('error', 'Two members of an overlay have the same address on it.'),
  'import-mac-twice': row('error', 'Two members of an overlay have the same MAC address.'),
  'import-one-sided': row('warning', 'One host says what the other leaves open. The file then says it for both.'),
  'import-subnets': row('warning', 'Two members of an overlay have no network in common.'),
  'import-left-out': row('warning', 'A link that a fabric file cannot say was left out.'),
  'import-unsaid': row('warning', 'Something about a link that a fabric file cannot say was left out.'),
} as const satisfies Record<string, ErrorRow>;

/** The catalogue with the headings of docs/errors.md. */
export const IMPORT_ERROR_GROUPS = [
  { title: 'Import: files of other tools', rows: TOOL_ERRORS },
  { title: 'Import: from links to one fabric', rows: IMPORT_ERRORS },
] as const;

export type ImportCode = keyof typeof IMPORT_ERRORS;

/** A problem with its row's severity and hint, unless `extra` has a better one. */
export function importProblem(code: ImportCode, message: string, extra: ProblemExtra = {}): Problem {
  const { severity, hint }: ErrorRow = IMPORT_ERRORS[code];
  const make = severity === 'error' ? problem : warning;
  return make(code, message, hint === undefined ? extra : { hint, ...extra });
}

/** `alpha.sh:3`, for sentences and comments. */
export const at = ({ file, line }: Place): string => `${file}:${line}`;
