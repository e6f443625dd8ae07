/**
 * The syntax of systemd's files (systemd.syntax(7), config_parse in src/shared/conf-parser.c of systemd 252): sections that
 * may repeat, `Key=value` lines, `#` and `;` comments, lines continued with a backslash.
 */
import type { Place } from '../model/problem.ts';
import { Lines } from '../text/lines.ts';
import { quote } from '../text/words.ts';
import type { SourceFile } from './found.ts';
import { SpanPlace } from './lazy-place.ts';
import type { Report } from './report.ts';

export interface Entry {
  readonly key: string;
  readonly value: string;
  /** Of the value, or of the key where no value is written. */
  readonly place: Place;
}

export interface Section {
  readonly name: string;
  readonly place: Place;
  readonly entries: readonly Entry[];
}

interface Line {
  readonly start: number;
  /** With what continues it. */
  readonly text: string;
}

const LINE_END = /\r\n|[\r\n\0]/g;
const COMMENT = /^[ \t]*[#;]/;
const BACKSLASHES = /\\*$/;

/** A continued line is one, with a blank for the backslash and the line's end; comments in between are not part of it. */
function logicalLines(text: string): Line[] {
  const lines: Line[] = [];
  let open: Line | null = null;
  LINE_END.lastIndex = 0;
  for (let start = 0; start < text.length; start = LINE_END.lastIndex) {
    const end = LINE_END.exec(text)?.index ?? text.length;
    const line = text.slice(start, end);
    if (!COMMENT.test(line)) {
      const joined: Line = open === null ? { start, text: line } : { start: open.start, text: open.text + line };
      const continued = line.endsWith('\\') && (BACKSLASHES.exec(line)?.[0].length ?? 0) % 2 === 1;
      open = continued ? { start: joined.start, text: `${joined.text.slice(0, -1)} ` } : null;
      if (open === null) lines.push(joined);
    }
    if (end === text.length) break;
  }
  if (open !== null) lines.push(open);
  return lines;
}

/** Says what systemd says of lines that it cannot read; after a broken header it reads no further. */
export function parseIni({ path, text }: SourceFile, report: Report): readonly Section[] {
  const lines = new Lines({ file: path, text });
  const sections: { name: string; place: Place; entries: Entry[] }[] = [];
  for (const { start, text: raw } of logicalLines(text)) {
    const line = (start === 0 ? raw.replace(/^\uFEFF/, '') : raw).trim();
    if (line === '') continue;
    const at = start + raw.indexOf(line);
    const place = new SpanPlace(lines, at, at + line.length);
    if (line.startsWith('[')) {
      if (!line.endsWith(']')) {
        report.add('source-value', place, `no section header: ${quote(line)} does not end with ]`);
        return sections;
      }
      sections.push({ name: line.slice(1, -1), place, entries: [] });
      continue;
    }
    const equals = line.indexOf('=');
    const section = sections.at(-1);
    if (equals < 1 || section === undefined) {
      const what = section === undefined ? 'stands in no section' : 'is no “Key=value”';
      report.add('source-left-out', place, `${quote(line)} ${what}: networkd reads past it`);
      continue;
    }
    section.entries.push(entryOf(line, at, equals, lines));
  }
  return sections;
}

function entryOf(line: string, at: number, equals: number, lines: Lines): Entry {
  const key = line.slice(0, equals).trimEnd();
  const value = line.slice(equals + 1).trim();
  const start = value === '' ? at : at + line.indexOf(value, equals + 1);
  return { key, value, place: new SpanPlace(lines, start, start + (value === '' ? key.length : value.length)) };
}
