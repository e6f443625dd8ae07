/** A place that is looked up when somebody reads it: of thousands that an importer keeps, messages need a few. */
import type { Place } from '../model/problem.ts';
import type { Lines } from '../text/lines.ts';

export abstract class LazyPlace implements Place {
  #found: Place | undefined;

  protected abstract find(): Place;

  get #place(): Place {
    this.#found ??= this.find();
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

/** Between two offsets of a text. */
export class SpanPlace extends LazyPlace {
  readonly #lines: Lines;
  readonly #start: number;
  readonly #end: number;

  /** @param start UTF-16 offsets, as `Lines` takes them. */
  constructor(lines: Lines, start: number, end: number) {
    super();
    this.#lines = lines;
    this.#start = start;
    this.#end = end;
  }

  protected override find(): Place {
    return this.#lines.place(this.#start, this.#end);
  }

  override get file(): string {
    return this.#lines.file;
  }

  /** Asked of every link, unlike the rest. */
  override get line(): number {
    return this.#lines.lineOf(this.#start);
  }
}
