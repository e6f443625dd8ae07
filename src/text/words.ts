/** Words for messages: what was found, what is near. */
import type { YamlValue } from './value.ts';

/** Text in quotation marks, cut to what fits on a line. */
export function quote(text: string): string {
  const characters = [...text];
  return characters.length > 60 ? `“${characters.slice(0, 57).join('')}…”` : `“${text}”`;
}

/** What stands in the file, for a sentence: `not “x”`, `not a list`. */
export function found(value: YamlValue): string {
  if (value === null) return 'nothing';
  if (typeof value === 'string') return quote(value);
  if (typeof value !== 'object') return String(value);
  return value instanceof Map ? 'a map' : 'a list';
}

/** `a, b or c`. */
export function oneOf(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** The word of `known` that was likely meant, or null: at most a third of its letters differ. */
export function nearest(word: string, known: Iterable<string>): string | null {
  if (word.length > 40) return null;
  let best: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const limit = Math.max(1, Math.floor(Math.max(candidate.length, word.length) / 3));
    if (Math.abs(candidate.length - word.length) > limit) continue;
    const steps = distance(word.toLowerCase(), candidate.toLowerCase());
    if (steps <= limit && steps < least) {
      least = steps;
      best = candidate;
    }
  }
  return best;
}

/** Edit distance in which two swapped neighbours are one mistake (optimal string alignment). */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let steps = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        steps = Math.min(steps, (before[j - 2] ?? 0) + 1);
      row.push(steps);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** `did you mean “x”?`, or undefined when nothing is near. */
export function didYouMean(word: string, known: Iterable<string>): string | undefined {
  const near = nearest(word, known);
  return near === null ? undefined : `did you mean “${near}”?`;
}
