/** From files to units: a .netdev or .network file with its drop-ins, masked ones gone, in networkd's order. */
import type { Place } from '../model/problem.ts';
import type { SourceFile } from './found.ts';
import { type Entry, parseIni, type Section } from './networkd-ini.ts';
import type { Report } from './report.ts';

export type UnitKind = 'netdev' | 'network';

export class Unit {
  /** The file's own name. */
  readonly name: string;
  readonly kind: UnitKind;
  readonly sections: readonly Section[];
  readonly #path: string;

  constructor(name: string, kind: UnitKind, sections: readonly Section[], path: string) {
    this.name = name;
    this.kind = kind;
    this.sections = sections;
    this.#path = path;
  }

  /** Its first section, or where that would be. */
  get place(): Place {
    return this.sections[0]?.place ?? { file: this.#path, line: 1, column: 1, length: 1, text: '' };
  }

  named(name: string): readonly Section[] {
    return this.sections.filter((section) => section.name === name);
  }

  /** All assignments of one key, in order. */
  entries(section: string, key: string): readonly Entry[] {
    const found: Entry[] = [];
    for (const { name, entries } of this.sections) {
      if (name === section) for (const entry of entries) if (entry.key === key) found.push(entry);
    }
    return found;
  }

  /** The last assignment. */
  last(section: string, key: string): Entry | undefined {
    let found: Entry | undefined;
    for (const { name, entries } of this.sections) {
      if (name === section) found = entries.findLast((entry) => entry.key === key) ?? found;
    }
    return found;
  }
}

const MAIN = /(?:^|\/)([^/]+\.(netdev|network))$/;
const DROP_IN = /(?:^|\/)([^/]+\.(?:netdev|network))\.d\/([^/]+\.conf)$/;

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : a > b ? 1 : 0;

/** A file of size 0, or a link to /dev/null, masks its unit. */
export function readUnits(files: readonly SourceFile[], report: Report): readonly Unit[] {
  const mains = new Map<string, { readonly kind: UnitKind; readonly file: SourceFile }>();
  const dropIns = new Map<string, Map<string, SourceFile>>();
  for (const file of files) {
    const [, name, kind] = MAIN.exec(file.path) ?? [];
    const [, owner, part] = name === undefined ? (DROP_IN.exec(file.path) ?? []) : [];
    if (name !== undefined) mains.set(name, { kind: kind === 'netdev' ? 'netdev' : 'network', file });
    else if (owner !== undefined && part !== undefined) {
      dropIns.set(owner, (dropIns.get(owner) ?? new Map<string, SourceFile>()).set(part, file));
    } else {
      const place = { file: file.path, line: 1, column: 1, length: 1, text: '' };
      report.add('source-left-out', place, `${file.path} is neither a .netdev nor a .network file, nor part of one`);
    }
  }
  for (const [owner, parts] of dropIns) {
    if (mains.has(owner)) continue;
    for (const { path } of parts.values()) {
      const place = { file: path, line: 1, column: 1, length: 1, text: '' };
      report.add('source-left-out', place, `there is no ${owner} that this adds to: networkd does not read it`);
    }
  }
  return [...mains].sort(byName).flatMap(([name, { kind, file }]) => {
    if (file.text === '') return [];
    const parts = [...(dropIns.get(name) ?? [])].sort(byName).map(([, part]) => part);
    const sections = [file, ...parts].flatMap((one) => parseIni(one, report));
    return [new Unit(name, kind, sections, file.path)];
  });
}
