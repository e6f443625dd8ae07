/** Text to man(7) macros. Pure. A backquoted part of a text is bold, as are options. */

/** What is not ASCII, by its name in groff_char(7): pages look the same in every locale. */
const CHARACTERS: Readonly<Record<string, string>> = {
  '’': '\\(cq',
  '‘': '\\(oq',
  '“': '\\(lq',
  '”': '\\(rq',
  '–': '\\(en',
  '—': '\\(em',
  '…': '...',
  '→': '\\(->',
  '×': '\\(mu',
  '≤': '\\(<=',
  '−': '\\(mi',
};

function character(each: string): string {
  const known = CHARACTERS[each];
  if (known === undefined) throw new Error(`man: no name for ${each}`);
  return known;
}

/** Characters that roff reads otherwise. A hyphen stays one that can be copied. */
export function plain(text: string): string {
  return text
    .replaceAll('\\', '\\(rs')
    .replaceAll('-', '\\-')
    .replaceAll('`', '\\(ga')
    .replaceAll("'", '\\(aq')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replace(/[^\x20-\x7e\n]/gu, character);
}

/** A dot or a quote at the start of a line would be a request. */
const safe = (line: string): string => (/^[.']/.test(line) ? `\\&${line}` : line);

/** A text of one paragraph, with its `code`. */
export function inline(text: string): string {
  const parts = text.split('`');
  return safe(parts.map((part, i) => (i % 2 === 1 ? bold(part) : plain(part))).join(''));
}

export function bold(text: string): string {
  return `\\fB${plain(text)}\\fR`;
}

/** `--file <FILE>`: the option bold, what stands for a value italic. */
export function flags(text: string): string {
  return text
    .split(/(<[^>]*>|\[[^\]]*\])/)
    .map((part) =>
      /^[<[]/.test(part) ? `\\fI${plain(part.slice(1, -1))}\\fR` : part.trim() === '' ? part : bold(part),
    )
    .join('');
}

const quoted = (text: string): string => `"${text.replaceAll('"', '\\(dq')}"`;

export const section = (title: string): string => `.SH ${quoted(plain(title.toUpperCase()))}`;
export const subsection = (title: string): string => `.SS ${quoted(plain(title))}`;
export const paragraph = (text: string): string => `.PP\n${inline(text)}`;
/** A term, made already, and what it means. */
export const item = (term: string, text: string): string => `.TP\n${term}\n${inline(text)}`;
/** Lines as they are, indented. */
export const example = (text: string): string =>
  `.PP\n.RS 4\n.nf\n${text
    .trimEnd()
    .split('\n')
    .map((line) => safe(plain(line)))
    .join('\n')}\n.fi\n.RE`;

export interface Head {
  readonly name: string;
  readonly section: number;
  readonly version: string;
  /** Of the version: YYYY-MM-DD. */
  readonly date: string;
  readonly summary: string;
}

/** A whole page. */
export function page({ name, section: number, version, date, summary }: Head, parts: readonly string[]): string {
  const manual = { 1: 'User Commands', 5: 'File Formats', 8: 'System Administration' }[number];
  const title = [plain(name.toUpperCase()), String(number), date, plain(`everlan ${version}`), manual ?? ''];
  return [
    `.TH ${title.map(quoted).join(' ')}`,
    // Left-aligned and without hyphenation: names are long, and must be found by a search.
    '.nh',
    '.ad l',
    section('name'),
    `${plain(name)} \\- ${inline(summary)}`,
    ...parts,
    '',
  ]
    .join('\n')
    .replace(/^(\.S[HS] .*\n)\.PP\n/gm, '$1');
}
