/** From offsets in a text to places that a person can find. */
import type { Place } from '../model/problem.ts';

export interface Source {
  readonly file: string;
  /** Without a byte order mark. */
  readonly text: string;
}

/** Where each line begins. YAML 1.2 breaks lines at LF, CR and CR LF only (section 5.4). */
function lineStarts(text: string): number[] {
  const starts = [0];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 13 && text.charCodeAt(i + 1) === 10) continue;
    if (code === 10 || code === 13) starts.push(i + 1);
  }
  return starts;
}

export class Lines {
  readonly #source: Source;
  /** Found when the first place is asked for. */
  #starts: readonly number[] | undefined;

  constructor(source: Source) {
    this.#source = source;
  }

  get file(): string {
    return this.#source.file;
  }

  /** The line that an offset lies on, from 0, and where it and the next one begin. */
  #find(offset: number): { readonly index: number; readonly from: number; readonly to: number } {
    const { text } = this.#source;
    this.#starts ??= lineStarts(text);
    const starts = this.#starts;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { index: low, from: starts[low] ?? 0, to: starts[low + 1] ?? text.length };
  }

  /** The line of `place`, without the rest. */
  lineOf(start: number): number {
    return this.#find(start).index + 1;
  }

  /** The place of `start` up to `end` (UTF-16 offsets), cut at the end of its first line. */
  place(start: number, end: number): Place {
    const { text, file } = this.#source;
    const { index, from, to } = this.#find(start);
    const line = text.slice(from, to).replace(/[\r\n]+$/, '');
    const at = Math.min(start - from, line.length);
    const marked = line.slice(at, Math.max(at, end - from)).trimEnd();
    return {
      file,
      line: index + 1,
      column: characters(line.slice(0, at)) + 1,
      length: Math.max(1, characters(marked)),
      text: line,
    };
  }
}

const LINES = new WeakMap<Source, Lines>();

/** The lines of a text to which many come with places of their own. */
export function linesOf(source: Source): Lines {
  let lines = LINES.get(source);
  if (lines === undefined) {
    lines = new Lines(source);
    LINES.set(source, lines);
  }
  return lines;
}

function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
