/** One definition of netplan's, such as `eth0` below `ethernets`, as all files together have it. */
import type { Cell } from './netplan-cell.ts';
import type { DefinitionType } from './netplan-keys.ts';

/** Lists to which later files add; others are replaced, or are no business of ours. */
const GROWING = new Set(['addresses', 'routes', 'interfaces']);

export class Definition {
  readonly id: string;
  readonly type: DefinitionType;
  /** Where it stands first. */
  readonly cell: Cell;
  /** The last word on each key; keys of maps inside, as in `match`, are `match.name`. */
  readonly values = new Map<string, Cell>();
  /** What the files say together: `addresses`, `routes` and `interfaces`. */
  readonly lists = new Map<string, Cell[]>();

  constructor(id: string, type: DefinitionType, cell: Cell) {
    this.id = id;
    this.type = type;
    this.cell = cell;
  }

  text(key: string): string | undefined {
    return this.values.get(key)?.text;
  }

  add(key: string, value: Cell): void {
    if (GROWING.has(key)) {
      this.lists.set(key, [...this.list(key), ...value.items()]);
      return;
    }
    this.values.set(key, value);
    for (const [inner, item] of value.entries()) this.values.set(`${key}.${inner}`, item);
  }

  list(key: string): readonly Cell[] {
    return this.lists.get(key) ?? [];
  }
}
