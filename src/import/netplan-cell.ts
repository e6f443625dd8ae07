/** One value of a YAML file of which every scalar is text, and where it stands. */
import type { Place } from '../model/problem.ts';
import type { Part, Path, Positions } from '../text/positions.ts';
import type { YamlMap, YamlScalar, YamlValue } from '../text/value.ts';
import { LazyPlace } from './lazy-place.ts';

/** Places are looked up when they are asked for: most values are good. */
export class OpenFile {
  readonly #places: () => Positions;
  #positions: Positions | null = null;

  constructor(places: () => Positions) {
    this.#places = places;
  }

  locate(path: Path, part: Part): Place {
    this.#positions ??= this.#places();
    return this.#positions.locate(path, part);
  }
}

export class Cell {
  readonly file: OpenFile;
  readonly value: YamlValue;
  /** What it is in, and its key or index there; null: the whole file. */
  readonly #up: Cell | null;
  readonly #step: YamlScalar;

  constructor(file: OpenFile, value: YamlValue, up: Cell | null = null, step: YamlScalar = null) {
    this.file = file;
    this.value = value;
    this.#up = up;
    this.#step = step;
  }

  get path(): Path {
    const path: YamlScalar[] = [];
    for (let cell: Cell = this; cell.#up !== null; cell = cell.#up) path.push(cell.#step);
    return path.reverse();
  }

  place(part: Part = 'value'): Place {
    return new CellPlace(this, part);
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
    return [...(this.value as YamlMap)].map(([key, value]) => [String(key), new Cell(this.file, value, this, key)]);
  }

  items(): readonly Cell[] {
    if (!Array.isArray(this.value)) return [];
    return (this.value as readonly YamlValue[]).map((item, i) => new Cell(this.file, item, this, i));
  }

  child(key: string): Cell | undefined {
    const value = this.value instanceof Map ? (this.value as YamlMap).get(key) : undefined;
    return value === undefined ? undefined : new Cell(this.file, value, this, key);
  }
}

class CellPlace extends LazyPlace {
  readonly #cell: Cell;
  readonly #part: Part;

  constructor(cell: Cell, part: Part) {
    super();
    this.#cell = cell;
    this.#part = part;
  }

  protected override find(): Place {
    return this.#cell.file.locate(this.#cell.path, this.#part);
  }
}
