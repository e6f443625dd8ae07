/** A place that is looked up when somebody reads it: of thousands that an importer keeps, messages need a few. */
import type { Place } from '../model/problem.ts';
import type { Lines } from '../text/lines.ts';

export class LazyPlace implements Place {
  readonly #lines: Lines;
  readonly #start: number;
  readonly #end: number;
  #found: Place | undefined;

  /** @param start UTF-16 offsets, as `Lines` takes them. */
  constructor(lines: Lines, start: number, end: number) {
    this.#lines = lines;
    this.#start = start;
    this.#end = end;
  }

  get #place(): Place {
    this.#found ??= this.#lines.place(this.#start, this.#end);
    return this.#found;
  }

  get file(): string {
    return this.#lines.file;
  }

  get line(): number {
    return this.#lines.lineOf(this.#start);
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
