/** The stanzas of interfaces(5) files, with `source` followed. */
import { Lines, type Source } from '../text/lines.ts';
import type { FindFiles, SourceFile } from './found.ts';
import type { Report } from './report.ts';
import type { Span } from './shell-tree.ts';

/** A logical line: its first word, and the rest of it. */
export interface Entry {
  readonly key: string;
  readonly keySpan: Span;
  readonly value: string;
  /** Of the value, as it stands in the file, with backslashes at line ends. */
  readonly span: Span;
}

export interface Stanza {
  readonly source: Source;
  readonly name: string;
  /** '' where the stanza says none, as ifupdown2 takes it. */
  readonly family: string;
  readonly method: string;
  /** A stanza whose entries come before its own. */
  readonly inherits: string | null;
  readonly head: Entry;
  readonly entries: readonly Entry[];
}

/** Words that begin a stanza, or stand alone, and make no link. */
const OTHERS = /^(?:auto|allow-\S+|no-auto-down|no-scripts|rename)$/;
/** Names of files that `source-directory` reads. */
const SOURCED = /^[A-Za-z0-9_-]+$/;

export function readStanzas(files: readonly SourceFile[], find: FindFiles, report: Report): readonly Stanza[] {
  const stanzas: Stanza[] = [];
  const seen = new Set<string>();
  const read = (file: SourceFile): void => {
    if (seen.has(file.path)) return;
    seen.add(file.path);
    readFile(file, stanzas, report, (entry, folder) => {
      const found = find(folder ? `${entry.value}/*` : entry.value, file);
      for (const each of found) if (!folder || SOURCED.test(each.path.split('/').at(-1) ?? '')) read(each);
    });
  };
  for (const file of files) read(file);
  return stanzas;
}

function readFile(
  { path, text }: SourceFile,
  stanzas: Stanza[],
  report: Report,
  include: (entry: Entry, folder: boolean) => void,
): void {
  const source = { file: path, text };
  let lines: Lines | undefined;
  const place = ({ start, end }: Span) => {
    lines ??= new Lines(source);
    return lines.place(start, end);
  };
  let open: Entry[] | null = null;
  let skipping = false;
  for (const entry of entriesOf(text)) {
    const { key } = entry;
    const words = entry.value.split(/\s+/);
    if (key === 'iface' || key === 'template') {
      const [name = '', family = '', method = ''] = words;
      const inherits = words.indexOf('inherits');
      open = [];
      skipping = false;
      if (name === '') report.add('source-missing', place(entry.keySpan), '`iface` needs the name of a link');
      else {
        const parent = inherits < 0 ? null : (words[inherits + 1] ?? null);
        const own = inherits >= 0 && inherits < 3 ? ['', ''] : [family, method];
        stanzas.push({
          source,
          name,
          family: own[0] ?? '',
          method: own[1] ?? '',
          inherits: parent,
          head: entry,
          entries: open,
        });
      }
    } else if (key === 'mapping') {
      skipping = true;
      report.add(
        'source-left-out',
        place(entry.keySpan),
        'left out: what a mapping comes to is known only when its script runs',
      );
    } else if (key === 'source' || key === 'source-directory') {
      open = null;
      include(entry, key === 'source-directory');
    } else if (OTHERS.test(key)) {
      open = null;
      skipping = false;
    } else if (open !== null && !skipping) open.push(entry);
    else if (!skipping) {
      report.add('source-key', place(entry.keySpan), `“${key}” stands outside of a stanza`);
    }
  }
}

function* entriesOf(text: string): Generator<Entry> {
  for (let at = 0; at < text.length; ) {
    let end = at;
    for (;;) {
      const stop = text.indexOf('\n', end);
      end = stop < 0 ? text.length : stop;
      const line = text.slice(at, end);
      // A comment ends with its line.
      if (stop < 0 || !/\\\r?$/.test(line) || /^\s*#/.test(line)) break;
      end = stop + 1;
    }
    const entry = entryOf(text, at, end);
    if (entry !== null) yield entry;
    at = end + 1;
  }
}

function entryOf(text: string, from: number, to: number): Entry | null {
  const line = text.slice(from, to);
  const match = /^(?:\s|\\\r?\n)*([^\s#]\S*)(?:\s|\\\r?\n)*/.exec(line);
  if (match?.[1] === undefined) return null;
  const [whole, key] = match;
  const keyStart = from + whole.indexOf(key);
  const start = from + whole.length;
  const value = line.slice(whole.length).replace(/\s+$/, '');
  return {
    key,
    keySpan: { start: keyStart, end: keyStart + key.length },
    value: value.replace(/\\\r?\n\s*/g, ' '),
    span: { start, end: start + value.length },
  };
}
