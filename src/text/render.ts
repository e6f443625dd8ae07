/** A problem as a person reads it: what, the line, a caret, what to do. */
import type { Place, Problem } from '../model/problem.ts';
import { printable, textWidth } from './width.ts';

type Paint = (text: string) => string;

/** How each part is coloured; PLAIN colours nothing. */
export interface Style {
  readonly place: Paint;
  readonly error: Paint;
  readonly warning: Paint;
  readonly caret: Paint;
  readonly hint: Paint;
}

const same: Paint = (text) => text;
export const PLAIN: Style = { place: same, error: same, warning: same, caret: same, hint: same };

/** Columns of the excerpt; a longer line is cut round the caret. */
const COLUMNS = 100;
const INDENT = '    ';
const TAB = 4;

/**
 *     fabric.yaml:7:10: error: vni must be a whole number from 1 to 16777215, not 0
 *         vni: 0
 *              ^
 *     hint: …
 *
 * Other places follow in the same way, with their own words. Lines end without a line feed at the very end. Without a place only the first and the last line are there.
 */
export function render(problem: Problem, style: Style = PLAIN): string {
  const { place } = problem;
  const severity = style[problem.severity](`${problem.severity}:`);
  const where = place === undefined ? '' : style.place(located(place));
  const lines = [[where, severity, printable(problem.message)].filter((part) => part !== '').join(' ')];
  if (place !== undefined) lines.push(...excerpt(place, style));
  for (const other of problem.also ?? []) {
    lines.push(`${style.place(located(other.place))} ${printable(other.message)}`, ...excerpt(other.place, style));
  }
  if (problem.hint !== undefined) lines.push(`${style.hint('hint:')} ${printable(problem.hint)}`);
  return lines.join('\n');
}

const located = ({ file, line, column }: Place): string => `${printable(file)}:${line}:${column}:`;

/** All of them, an empty line between two, at most `limit`; then how many more there are. */
export function renderAll(problems: readonly Problem[], style: Style = PLAIN, limit = 100): string {
  const shown = problems.slice(0, limit).map((problem) => render(problem, style));
  const more = problems.length - shown.length;
  if (more > 0) shown.push(`and ${more} more`);
  return shown.join('\n\n');
}

function excerpt(place: Place, style: Style): string[] {
  const { cells, before, after } = around(place.text, place.column - 1);
  const first = Math.min(place.column - 1 - before, cells.length);
  const { from, to } = visible(cells, first);
  const left = before > 0 || from > 0 ? '…' : '';
  const right = after || to < cells.length ? '…' : '';
  const pad = left.length + width(cells.slice(from, first));
  const marked = width(cells.slice(first, Math.min(first + place.length, to)));
  return [
    `${INDENT}${left}${cells.slice(from, to).join('')}${right}`.trimEnd(),
    `${INDENT}${' '.repeat(pad)}${style.caret('^'.repeat(Math.max(1, marked)))}`,
  ];
}

/** One text for each character near the caret, tabs as spaces: a file of one line may be 4 MiB long. */
function around(line: string, caret: number): { cells: string[]; before: number; after: boolean } {
  const before = Math.max(0, caret - 2 * COLUMNS);
  const cells: string[] = [];
  let column = 0;
  let index = 0;
  for (const character of line) {
    if (index++ < before) continue;
    if (index > caret + 2 * COLUMNS) return { cells, before, after: true };
    const cell = character === '\t' ? ' '.repeat(TAB - (column % TAB)) : printable(character);
    cells.push(cell);
    column += textWidth(cell);
  }
  return { cells, before, after: false };
}

/** The part of a long line that is shown: a third of the room before the caret. */
function visible(cells: readonly string[], first: number): { from: number; to: number } {
  if (width(cells) <= COLUMNS) return { from: 0, to: cells.length };
  let from = first;
  while (from > 0 && width(cells.slice(from, first)) < COLUMNS / 3) from--;
  let to = first;
  while (to < cells.length && width(cells.slice(from, to + 1)) <= COLUMNS) to++;
  return { from, to };
}

function width(cells: readonly string[]): number {
  return textWidth(cells.join(''));
}
