/** A place that is looked up when somebody reads it: of thousands that an importer keeps, messages need a few. */
import type { Place } from '../model/problem.ts';
import type { Lines } from '../text/lines.ts';
import type { Span } from './shell-tree.ts';

export class LazyPlace implements Place {
  readonly #lines: Lines;
  readonly #span: Span;
  #found: Place | undefined;

  constructor(lines: Lines, span: Span) {
    this.#lines = lines;
    this.#span = span;
  }

  get #place(): Place {
    this.#found ??= this.#lines.place(this.#span.start, this.#span.end);
    return this.#found;
  }

  get file(): string {
    return this.#place.file;
  }

  get line(): number {
    return this.#place.line;
  }

  get column(): number {
    return this.#place.column;
  }

  get length(): number {
    return this.#place.length;
  }

  get text(): string {
    return this.#place.text;
  }
}
