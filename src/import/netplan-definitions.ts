/** The definitions of a host's netplan files, a later file adding to what earlier ones said, as netplan does it. */
import type { Problem } from '../model/problem.ts';
import { readWithPlaces } from '../text/document.ts';
import { didYouMean, quote } from '../text/words.ts';
import type { SourceFile } from './found.ts';
import { Cell, OpenFile } from './netplan-cell.ts';
import { Definition } from './netplan-definition.ts';
import {
  DEFINITIONS,
  type DefinitionType,
  isDefinitionType,
  type Keys,
  NETWORK_KEYS,
  VXLAN_KEYS,
} from './netplan-keys.ts';
import { checkRules } from './netplan-rules.ts';
import { type Checking, checkKeys, checkShape, isMap, isName } from './netplan-shapes.ts';
import type { Report } from './report.ts';

export interface Network {
  readonly definitions: ReadonlyMap<string, Definition>;
  /** ID → the bridge that lists it. */
  readonly bridges: ReadonlyMap<string, Definition>;
  /** What the files say last for all that have none of their own. */
  readonly renderer: string;
}

export function readNetwork(files: readonly SourceFile[], report: Report): Network {
  const reader = new Reader(report);
  for (const file of files) reader.read(file);
  const { definitions, renderer } = reader;
  return { definitions, renderer, bridges: bridgesOf(definitions, report) };
}

/** netplan refuses a definition that two of them list. */
function bridgesOf(definitions: ReadonlyMap<string, Definition>, report: Report): ReadonlyMap<string, Definition> {
  const owners = new Map<string, Definition>();
  for (const definition of definitions.values()) {
    if (definition.type !== 'bridges' && definition.type !== 'bonds') continue;
    for (const cell of definition.list('interfaces')) {
      const id = cell.text ?? '';
      const owner = owners.get(id) ?? definition;
      owners.set(id, owner);
      if (owner === definition) continue;
      const message = `${definition.id}: interface ${quote(id)} is already assigned to ${owner.id}`;
      report.add('source-conflict', cell.place(), message);
    }
  }
  return new Map([...owners].filter(([, { type }]) => type === 'bridges'));
}

class Reader {
  readonly definitions = new Map<string, Definition>();
  renderer = 'networkd';
  readonly #report: Report;

  constructor(report: Report) {
    this.#report = report;
  }

  read(file: SourceFile): void {
    const source = { file: file.path, text: file.text.replace(/^\uFEFF/, '') };
    const { read, places } = readWithPlaces(source, 'text');
    if (!read.ok) this.#report.take(read.problems.filter(notEmpty));
    if (read.document === null) return;
    this.#readRoot(new Cell(new OpenFile(places), read.document.value));
  }

  #readRoot(root: Cell): void {
    const references: { cell: Cell; owner: string }[] = [];
    const checking: Checking = { report: this.#report, reference: () => {} };
    if (!isMap(root, 'the file', checking)) return;
    const touched = new Set<Definition>();
    for (const [key, network] of root.entries()) {
      if (key === 'network') this.#readNetwork(network, checking, touched, references);
      else this.#unknown(key, network, ['network'], 'the file');
    }
    for (const { cell, owner } of references) {
      if (cell.text !== undefined && this.definitions.has(cell.text)) continue;
      const hint = didYouMean(cell.text ?? '', this.definitions.keys());
      const message = `${owner}: interface ${quote(cell.text ?? '')} is not defined`;
      this.#report.add('source-reference', cell.place(), message, hint);
    }
    for (const definition of touched) checkRules(definition, this.#report);
  }

  #unknown(key: string, cell: Cell, known: readonly string[], where: string): void {
    const hint = didYouMean(key, known);
    this.#report.add('source-key', cell.place('key'), `unknown key ${quote(key)} in ${where}`, hint);
  }

  #readNetwork(network: Cell, checking: Checking, touched: Set<Definition>, references: Reference[]): void {
    if (!isMap(network, 'network', checking)) return;
    for (const [key, cell] of network.entries()) {
      if (isDefinitionType(key)) this.#readType(key, cell, touched, references);
      else if (!Object.hasOwn(NETWORK_KEYS, key)) {
        this.#unknown(key, cell, [...Object.keys(DEFINITIONS), ...Object.keys(NETWORK_KEYS)], 'network');
      } else this.#readSetting(key, cell, checking);
    }
  }

  #readSetting(key: string, cell: Cell, checking: Checking): void {
    const shape = (NETWORK_KEYS as Keys)[key];
    if (shape === undefined || !checkShape(cell, key, shape, checking)) return;
    if (key === 'renderer') this.renderer = cell.text ?? this.renderer;
    // strtol: what stands behind the number does not count.
    if (key === 'version' && !/^\s*\+?0*2(?!\d)/.test(cell.text ?? '')) {
      this.#report.add('source-value', cell.place(), `only version 2 is supported, not ${quote(cell.text ?? '')}`);
    }
  }

  #readType(type: DefinitionType, types: Cell, touched: Set<Definition>, references: Reference[]): void {
    const checking: Checking = { report: this.#report, reference: () => {} };
    if (!isMap(types, type, checking)) return;
    let renderer: Cell | undefined;
    for (const [id, cell] of types.entries()) {
      // Beside the definitions, for those that follow.
      if (id === 'renderer') {
        if (checkShape(cell, id, (NETWORK_KEYS as Keys).renderer ?? { kind: 'text' }, checking)) renderer = cell;
        continue;
      }
      if (!this.#isId(id, cell) || !isMap(cell, id, checking)) continue;
      const definition = this.#definition(id, type, cell);
      if (definition === undefined) continue;
      const known = this.definitions.has(id);
      this.definitions.set(id, definition);
      if (!known && renderer !== undefined) definition.values.set('renderer', renderer);
      if (type === 'tunnels') for (const key of Object.keys(VXLAN_KEYS)) definition.values.delete(key);
      const reference = (to: Cell): void => {
        references.push({ cell: to, owner: id });
      };
      // A wrong value counts as not there, so that it is spoken of once.
      const merge = (key: string, value: Cell): void => definition.add(key, value);
      if (checkKeys(cell, id, DEFINITIONS[type], { report: this.#report, reference }, merge)) touched.add(definition);
    }
  }

  #isId(id: string, cell: Cell): boolean {
    const glob = /[*[\]?]/.test(id);
    if (isName(id) && !glob) return true;
    const message = glob ? `definition ID ${quote(id)} must not use globbing` : `invalid name ${quote(id)}`;
    this.#report.add('source-value', cell.place('key'), message);
    return false;
  }

  #definition(id: string, type: DefinitionType, cell: Cell): Definition | undefined {
    const before = this.definitions.get(id);
    if (before === undefined) return new Definition(id, type, cell);
    if (before.type === type) return before;
    const { line, file } = before.cell.place('key');
    const message = `the definition ${quote(id)} changes its type: it is one of ${before.type} on line ${line} of ${file}`;
    return this.#report.add('source-conflict', cell.place('key'), message);
  }
}

interface Reference {
  readonly cell: Cell;
  readonly owner: string;
}

/** netplan takes a file without a value for nothing. */
const notEmpty = ({ code }: Problem): boolean => code !== 'yaml-empty';
