/** One value of a YAML file of which every scalar is text, and where it stands. */
import type { Place } from '../model/problem.ts';
import type { Source } from '../text/lines.ts';
import { type Part, type Path, Positions } from '../text/positions.ts';
import type { YamlMap, YamlValue } from '../text/value.ts';

/** Places are looked up when they are asked for: most values are good. */
export class OpenFile {
  readonly #source: Source;
  #positions: Positions | null = null;

  constructor(source: Source) {
    this.#source = source;
  }

  locate(path: Path, part: Part): Place {
    this.#positions ??= new Positions(this.#source, 'text');
    return this.#positions.locate(path, part);
  }
}

export class Cell {
  readonly file: OpenFile;
  readonly path: Path;
  readonly value: YamlValue;

  constructor(file: OpenFile, path: Path, value: YamlValue) {
    this.file = file;
    this.path = path;
    this.value = value;
  }

  place(part: Part = 'value'): Place {
    return this.file.locate(this.path, part);
  }

  /** The scalar; undefined for a list or a map. */
  get text(): string | undefined {
    return typeof this.value === 'string' ? this.value : undefined;
  }

  get isMap(): boolean {
    return this.value instanceof Map;
  }

  get isList(): boolean {
    return Array.isArray(this.value);
  }

  /** Of a map, in the order of the file; keys that are no scalars were refused when the file was read. */
  entries(): readonly (readonly [string, Cell])[] {
    if (!(this.value instanceof Map)) return [];
    return [...(this.value as YamlMap)].map(([key, value]) => [
      String(key),
      new Cell(this.file, [...this.path, key], value),
    ]);
  }

  items(): readonly Cell[] {
    if (!Array.isArray(this.value)) return [];
    return (this.value as readonly YamlValue[]).map((item, i) => new Cell(this.file, [...this.path, i], item));
  }

  child(key: string): Cell | undefined {
    const value = this.value instanceof Map ? (this.value as YamlMap).get(key) : undefined;
    return value === undefined ? undefined : new Cell(this.file, [...this.path, key], value);
  }
}
