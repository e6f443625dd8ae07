/** Where in the text a value stands. Built only when there is something to report. */
import {
  COLLECTION_STYLE,
  constructFromEvents,
  type DocumentEvent,
  EVENT_ID,
  type Event,
  getScalarValue,
  type PopEvent,
  parseEvents,
  SCALAR_STYLE,
  type ScalarEvent,
} from 'js-yaml';
import type { Place, Problem } from '../model/problem.ts';
import { TEXT_ERRORS, textProblem } from './errors.ts';
import { Lines, type Source } from './lines.ts';
import type { YamlScalar } from './value.ts';

/** From the root: keys of maps, indexes of lists. */
export type Path = readonly YamlScalar[];
export type Part = 'key' | 'value';

/** `typed`: as YAML 1.2's core schema reads them. `text`: all of them as they are written, as programs do that use libyaml. */
export type Scalars = 'typed' | 'text';

/** @throws YAMLException */
export const eventsOf = ({ text }: Source): Event[] => parseEvents(text, { maxDepth: 64 });

interface Node {
  /** UTF-16 offsets; start is -1 for a value that is not written (`key:`). */
  readonly start: number;
  end: number;
  /** Of a scalar. */
  readonly value?: YamlScalar;
  readonly entries?: Map<YamlScalar, Entry>;
  readonly items?: Node[];
  /** Of an alias: what it names. */
  readonly target?: Node;
  /** The closing bracket of a flow collection. */
  readonly close?: string;
  /** The key that waits for its value, while the tree is built. */
  pending?: Node | undefined;
}

interface Entry {
  readonly key: Node | null;
  readonly value: Node;
}

export class Positions {
  readonly #source: Source;
  readonly #lines: Lines;
  readonly #scalars: Scalars;
  readonly #root: Node;
  readonly #problems: Problem[] = [];

  /**
   * `source` has been read by readDocument before, so it is known to be YAML.
   * @param events of this very text, where they are at hand.
   */
  constructor(source: Source, scalars: Scalars = 'typed', events: readonly Event[] = eventsOf(source)) {
    this.#source = source;
    this.#scalars = scalars;
    this.#lines = new Lines(source);
    this.#root = this.#build(events);
  }

  /**
   * The place of the value at `path`, or of its key. Where the path leads further than the text does, the last thing
   * that is there: for a missing key the key of its map, for `alpha.underlay` the short form's address.
   */
  locate(path: Path, part: Part = 'value'): Place {
    let entry: Entry = { key: null, value: this.#root };
    for (const [i, step] of path.entries()) {
      const next = child(entry.value, step);
      if (next === null) {
        const scalar = entry.value.entries === undefined && entry.value.items === undefined;
        return this.#place(entry, scalar || i === 0 ? 'value' : 'key');
      }
      // An item of a list has no key of its own: its list's key stands for it.
      entry = next.key === null ? { key: null, value: next.value } : next;
    }
    return this.#place(entry, part);
  }

  /** Keys that stand twice, and keys that are no scalars. */
  keyProblems(): readonly Problem[] {
    return this.#problems;
  }

  #place(entry: Entry, part: Part): Place {
    const node = (part === 'key' || entry.value.start < 0) && entry.key !== null ? entry.key : entry.value;
    // A block map begins with its first key: that is enough to show where it is.
    const [first] = node.close === undefined ? (node.entries?.values() ?? []) : [];
    return this.#lines.place(Math.max(0, node.start), first?.key?.end ?? node.end);
  }

  #build(events: readonly Event[]): Node {
    const anchors = new Map<string, Node>();
    const open: Node[] = [];
    const document = events[0];
    let root: Node = { start: 0, end: 0 };
    const put = (node: Node): void => {
      const parent = open.at(-1);
      if (parent === undefined) root = node;
      else this.#attach(parent, node);
    };
    for (const event of events) {
      if (event.type === EVENT_ID.DOCUMENT) continue;
      if (event.type === EVENT_ID.POP) {
        const closed = open.pop();
        if (closed !== undefined) this.#close(closed, open.at(-1));
        continue;
      }
      const node = this.#node(event, anchors, document);
      if (event.type !== EVENT_ID.ALIAS && event.anchorStart >= 0) {
        anchors.set(this.#source.text.slice(event.anchorStart, event.anchorEnd), node);
      }
      put(node);
      if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE) open.push(node);
    }
    return root;
  }

  #node(
    event: Exclude<Event, DocumentEvent | PopEvent>,
    anchors: ReadonlyMap<string, Node>,
    document: Event | undefined,
  ): Node {
    const { text } = this.#source;
    if (event.type === EVENT_ID.ALIAS) {
      const target = anchors.get(text.slice(event.anchorStart, event.anchorEnd));
      const node = { start: event.anchorStart - 1, end: event.anchorEnd };
      return target === undefined ? node : { ...node, target };
    }
    if (event.type === EVENT_ID.SCALAR) {
      // The quotes belong to what the reader sees.
      const quoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
      const quote = quoted ? 1 : 0;
      const written = event.valueStart >= 0;
      return {
        start: written ? event.valueStart - quote : -1,
        end: written ? event.valueEnd + quote : -1,
        value: this.#scalars === 'text' ? getScalarValue(text, event) : scalarValue(text, event, document),
      };
    }
    const close = event.style === COLLECTION_STYLE.FLOW ? { close: event.type === EVENT_ID.MAPPING ? '}' : ']' } : {};
    const inside = event.type === EVENT_ID.MAPPING ? { entries: new Map<YamlScalar, Entry>() } : { items: [] };
    return { start: event.start, end: event.start + 1, ...close, ...inside };
  }

  #attach(parent: Node, node: Node): void {
    if (parent.items !== undefined) {
      parent.items.push(node);
    } else if (parent.entries !== undefined) {
      if (parent.pending === undefined) {
        parent.pending = node;
      } else {
        this.#addEntry(parent.entries, parent.pending, node);
        parent.pending = undefined;
      }
    }
    parent.end = Math.max(parent.end, node.end);
  }

  #addEntry(entries: Map<YamlScalar, Entry>, key: Node, value: Node): void {
    const name = (key.target ?? key).value;
    if (name === undefined) {
      const place = this.#lines.place(Math.max(0, key.start), key.end);
      this.#problems.push(textProblem('yaml-key', 'a list or a map cannot be a key', { place }));
      return;
    }
    const first = entries.get(name);
    if (first !== undefined && first.key !== null) this.#addDuplicate(name, first.key, key);
    entries.set(name, { key, value });
  }

  #addDuplicate(name: YamlScalar, first: Node, again: Node): void {
    const place = this.#lines.place(Math.max(0, again.start), again.end);
    const { line } = this.#lines.place(Math.max(0, first.start), first.end);
    const hint = `it stands on line ${line} already: ${TEXT_ERRORS['yaml-duplicate-key'].hint}`;
    this.#problems.push(textProblem('yaml-duplicate-key', `the key “${String(name)}” stands twice`, { hint, place }));
  }

  /** Finds the end of a collection: behind its last child, or at its closing bracket. */
  #close(node: Node, parent: Node | undefined): void {
    if (node.close !== undefined) {
      const at = this.#source.text.indexOf(node.close, node.end);
      if (at >= 0) node.end = at + 1;
    }
    if (parent !== undefined) parent.end = Math.max(parent.end, node.end);
  }
}

function child(node: Node, step: YamlScalar): Entry | null {
  const real = node.target ?? node;
  if (real.entries !== undefined) return real.entries.get(step) ?? null;
  const item = typeof step === 'number' ? real.items?.[step] : undefined;
  return item === undefined ? null : { key: null, value: item };
}

/** Whether a plain scalar may be anything but text: numbers, booleans, null and `.inf` look like this, MACs do not. */
const MAYBE_TYPED = /^(?:[-+.0-9~nNtTfF][^:]*|)$/;

function scalarValue(text: string, event: ScalarEvent, document: Event | undefined): YamlScalar {
  const raw = getScalarValue(text, event);
  const plain = event.tagStart < 0 && !MAYBE_TYPED.test(raw);
  if (plain || document === undefined) return raw;
  const [value] = constructFromEvents([document, event, { type: EVENT_ID.POP }], { source: text });
  return value as YamlScalar;
}
