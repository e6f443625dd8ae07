/** Columns, counts and lists, as people read them. */
import { textWidth } from '../text/width.ts';
import type { Paint } from './colour.ts';

export interface Cell {
  readonly text: string;
  readonly paint?: Paint;
}

/** Rows with aligned columns, two blanks between; the last column is not padded. */
export function columns(rows: readonly (readonly (string | Cell)[])[], indent = ''): string[] {
  const cells = rows.map((row) => row.map((cell): Cell => (typeof cell === 'string' ? { text: cell } : cell)));
  const widths: number[] = [];
  for (const row of cells) {
    for (const [i, { text }] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, textWidth(text));
  }
  return cells.map((row) => {
    const parts = row.map(({ text, paint }, i) => {
      const pad = i === row.length - 1 ? 0 : (widths[i] ?? 0) - textWidth(text);
      return `${paint === undefined ? text : paint(text)}${' '.repeat(pad)}`;
    });
    return `${indent}${parts.join('  ')}`.trimEnd();
  });
}

/** `12800` → `12,800`. */
export function thousands(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `1 step`, `4,000 steps`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${thousands(count)} ${count === 1 ? one : many}`;
}

/** `a, b, c and 9 more`. */
export function fewOf(items: readonly string[], most: number): string {
  // One name takes no more room than “and 1 more”.
  if (items.length <= most + 1) return items.join(', ');
  return `${items.slice(0, most).join(', ')} and ${thousands(items.length - most)} more`;
}
