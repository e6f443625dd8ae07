/**
 * YAML 1.2 text (core schema) → plain values. Maps become `Map`s, so that keys keep their order and their type: an
 * unquoted key `0x10` is the number 16, and whoever expects a name can say so.
 *
 * Anchors and aliases are read. Merge keys (`<<`) are not part of YAML 1.2: they are keys like any other.
 */
import {
  CORE_SCHEMA,
  constructFromEvents,
  defineMappingTag,
  EVENT_ID,
  type Event,
  FAILSAFE_SCHEMA,
  YAMLException,
} from 'js-yaml';
import type { Problem } from '../model/problem.ts';
import { decode } from './decode.ts';
import { textProblem } from './errors.ts';
import { Lines, type Source } from './lines.ts';
import { eventsOf, Positions, type Scalars } from './positions.ts';
import type { YamlValue } from './value.ts';

export interface Document extends Source {
  readonly value: YamlValue;
}

/**
 * `document` beside problems: the text could be read although keys stand twice (the last one counts), so that
 * whoever checks the values can report everything at once.
 */
export type ReadResult =
  | { readonly ok: true; readonly document: Document }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly document: Document | null };

/** How many values aliases may stand for. A file of 4 MiB without aliases cannot hold many more. */
export const MAX_ALIASED = 500_000;

/** Reads one document. Never throws: what is wrong comes back as problems with their places. */
export function readDocument(bytes: Uint8Array, file: string): ReadResult {
  const source = decode(bytes, file);
  return 'code' in source ? failed(source) : readText(source);
}

/** The same for text that is decoded already. */
export function readText(source: Source, scalars: Scalars = 'typed'): ReadResult {
  return readEvents(source, scalars, () => {});
}

/** The same, with what tells the places of the values: the text is not parsed again for them. */
export function readWithPlaces(source: Source, scalars: Scalars): { readonly read: ReadResult; places(): Positions } {
  let events: readonly Event[] | undefined;
  const read = readEvents(source, scalars, (all) => {
    events = all;
  });
  return { read, places: () => new Positions(source, scalars, events) };
}

function readEvents(source: Source, scalars: Scalars, keep: (events: readonly Event[]) => void): ReadResult {
  try {
    const events = eventsOf(source);
    keep(events);
    const refused = checkDocuments(source, events) ?? checkAliases(source, events);
    if (refused !== null) return failed(refused);
    return construct(source, events, scalars);
  } catch (error) {
    return failed(syntaxProblem(source, error));
  }
}

function failed(found: Problem): ReadResult {
  return { ok: false, problems: [found], document: null };
}

function construct(source: Source, events: Event[], scalars: Scalars): ReadResult {
  let oddKeys = false;
  const map = defineMappingTag<Map<unknown, unknown>>('tag:yaml.org,2002:map', {
    create: () => new Map(),
    addPair: (carrier, key, value) => {
      const before = carrier.size;
      carrier.set(key, value);
      if ((typeof key === 'object' && key !== null) || carrier.size === before) oddKeys = true;
      return '';
    },
    has: (carrier, key) => carrier.has(key),
    keys: (carrier) => carrier.keys(),
    get: (carrier, key) => carrier.get(key),
    identify: () => false,
  });
  // `json` lets a key stand twice: all of them are reported together below, not only the first.
  const schema = (scalars === 'typed' ? CORE_SCHEMA : FAILSAFE_SCHEMA).withTags(map);
  const [value] = constructFromEvents(events, { source: source.text, schema, json: true });
  const document = { ...source, value: value as YamlValue };
  if (!oddKeys) return { ok: true, document };
  return { ok: false, document, problems: new Positions(source, scalars).keyProblems() };
}

function checkDocuments(source: Source, events: readonly Event[]): Problem | null {
  const starts = events.filter((event) => event.type === EVENT_ID.DOCUMENT);
  if (starts.length > 1) {
    const second = secondDocument(source.text);
    return textProblem('yaml-documents', 'a second document begins here: a file holds one', {
      place: new Lines(source).place(second, second + 3),
    });
  }
  const only = events[1];
  const nothing = only?.type === EVENT_ID.SCALAR && only.valueStart < 0 && only.tagStart < 0;
  if (starts.length === 1 && !nothing) return null;
  return textProblem('yaml-empty', `${source.file} is empty`);
}

/** The marker between two documents: the first one that has something in front of it. */
function secondDocument(text: string): number {
  const marker = /^---(?=\s|$)|^\.\.\.(?=\s|$)/gm;
  for (const match of text.matchAll(marker)) {
    const before = text.slice(0, match.index).replace(/^[ \t]*(?:#.*|%.*)?$/gm, '');
    if (before.trim() !== '') return match.index;
  }
  return 0;
}

/** Aliases share their value, but whoever walks the values meets it again for each: bound what they stand for. */
function checkAliases(source: Source, events: readonly Event[]): Problem | null {
  if (!events.some((event) => event.type === EVENT_ID.ALIAS)) return null;
  const sizes = new Map<string, number>();
  const open: { anchor: string | null; size: number }[] = [];
  const add = (size: number): void => {
    const top = open.at(-1);
    if (top !== undefined) top.size += size;
  };
  let total = 0;
  for (const event of events) {
    if (event.type === EVENT_ID.POP) {
      const closed = open.pop();
      if (closed === undefined) continue;
      if (closed.anchor !== null) sizes.set(closed.anchor, closed.size);
      add(closed.size);
      continue;
    }
    const anchor =
      event.type !== EVENT_ID.DOCUMENT && event.anchorStart >= 0
        ? source.text.slice(event.anchorStart, event.anchorEnd)
        : null;
    if (event.type === EVENT_ID.SCALAR) {
      if (anchor !== null) sizes.set(anchor, 1);
      add(1);
    } else if (event.type === EVENT_ID.ALIAS) {
      const inside = open.some((node) => node.anchor === anchor);
      total += sizes.get(anchor ?? '') ?? 1;
      add(sizes.get(anchor ?? '') ?? 1);
      if (inside || total > MAX_ALIASED) {
        const message = inside
          ? `the alias *${anchor} stands inside the value that it names`
          : `aliases stand for more than ${MAX_ALIASED.toLocaleString('en')} values`;
        const place = new Lines(source).place(event.anchorStart - 1, event.anchorEnd);
        return textProblem('yaml-alias', message, { place });
      }
    } else {
      open.push({ anchor, size: 1 });
    }
  }
  return null;
}

/** What js-yaml says, in the words of a person who edits a file. */
const WORDS: readonly { readonly reason: RegExp; readonly message: string; readonly hint?: string }[] = [
  {
    reason: /tab character/i,
    message: 'a tab is not allowed as indentation',
    hint: 'indent with spaces',
  },
  {
    reason: /deficient indentation|unexpected end of the stream within a flow collection/,
    message: 'this line is not indented enough, or a bracket that was opened before is not closed',
  },
  {
    reason: /null byte/,
    message: 'a zero byte is not allowed',
  },
  {
    reason: /non-printable|control character/,
    message: 'a control character is not allowed',
  },
  {
    reason: /bad indentation of a mapping entry/,
    message: 'this line is indented in a way that fits no key above it, or a “: ” stands where none belongs',
    hint: 'line it up with its neighbours; put quotes round a text that holds “: ”',
  },
  {
    reason: /bad indentation of a sequence entry/,
    message: 'this list item does not line up with the others',
  },
  {
    reason: /can not read a block mapping entry|implicit (?:mapping )?key/,
    message: 'a key is expected here, with a “:” after it',
  },
];

function syntaxProblem(source: Source, error: unknown): Problem {
  if (!(error instanceof YAMLException)) {
    return textProblem('yaml-syntax', `not YAML: ${error instanceof Error ? error.message : String(error)}`);
  }
  const words = WORDS.find((w) => w.reason.test(error.reason));
  const extra = words?.hint === undefined ? {} : { hint: words.hint };
  const position = (error.mark as { position?: number } | undefined)?.position;
  if (position === undefined) return textProblem('yaml-syntax', words?.message ?? error.reason, extra);
  const place = new Lines(source).place(position, position + 1);
  return textProblem('yaml-syntax', words?.message ?? error.reason, { ...extra, place });
}
