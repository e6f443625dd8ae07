/** The words of a shell script: quotation marks, expansions, redirections and here-documents. */
import { type Part, ShellSyntaxError, type Span, type Word } from './shell-tree.ts';

export const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const SPECIAL = /[0-9@*#?$!-]/y;
const BRACED = /\{([A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?])(?::?[-=]([^{}$`"'\\]*))?\}/y;
const TO_BACKTICK = /(?:[^`\\]|\\.)*`/sy;
const BLANK = /(?:[ \t]|\\\r?\n)*/y;
const PLAIN = /[^\s;&|()<>\\'"$`]+/y;
const IN_QUOTES = /[^"\\$`]+/y;
const REDIRECT = /\d*(?:<<<|<<-?|>>|<&|>&|<>|>\||&>>?|<|>)/y;
const MAY_REDIRECT = new Set('<>&0123456789');
/** What is sure to end it: `<` may be that of `<(…)`. */
const ENDS_SIMPLE = new Set([' ', '\t', '\n', '\r', ';', '&', '|', '(', ')']);
const ENDS_WORD = new Set([' ', '\t', '\n', '\r', ';', '&', '|', '(', ')', '<', '>']);

interface Pending {
  readonly end: string;
  readonly tabs: boolean;
  found(span: Span): void;
}

export class Scanner {
  readonly text: string;
  readonly end: number;
  /** Where the next sign is read. */
  at: number;
  /** Here-documents whose text begins on the next line. */
  #pending: Pending[] = [];

  constructor(text: string, { start, end }: Span) {
    this.text = text;
    this.at = start;
    this.end = end;
  }

  fail(message: string, start = this.at): never {
    throw new ShellSyntaxError(message, { start, end: Math.max(start + 1, Math.min(this.at, this.end)) });
  }

  match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    return match !== null && pattern.lastIndex <= this.end ? match : null;
  }

  take(pattern: RegExp): string | null {
    const match = this.match(pattern);
    if (match === null) return null;
    this.at += match[0].length;
    return match[0];
  }

  blanks(): void {
    const text = this.text;
    while (this.at < this.end && (text[this.at] === ' ' || text[this.at] === '\t')) this.at++;
    if (text[this.at] === '\\') this.take(BLANK);
    if (text[this.at] !== '#') return;
    const stop = text.indexOf('\n', this.at);
    this.at = stop < 0 ? this.end : Math.min(stop, this.end);
  }

  newline(): void {
    for (const pending of this.#pending.splice(0)) this.#hereDocument(pending);
  }

  #hereDocument({ end, tabs, found }: Pending): void {
    const start = this.at;
    while (this.at < this.end) {
      const from = this.at;
      const stop = this.text.indexOf('\n', from);
      const line = this.text.slice(from, stop < 0 ? this.end : stop).replace(/\r$/, '');
      this.at = stop < 0 ? this.end : stop + 1;
      if ((tabs ? line.replace(/^\t+/, '') : line) === end) {
        found({ start, end: from });
        return;
      }
    }
    this.fail(`the text that << begins does not end: there is no line “${end}”`, start);
  }

  /** @param command is told of the here-document that it reads. */
  redirections(command: { input: Span | null } | null): void {
    for (;;) {
      this.blanks();
      // Most words are no redirections, and that is seen at once.
      if (!MAY_REDIRECT.has(this.text[this.at] ?? '') || this.#substitutes()) return;
      const operator = this.take(REDIRECT)?.replace(/^\d+/, '');
      if (operator === undefined) return;
      const start = this.at;
      const target = this.word();
      if (target === null) this.fail('a redirection needs a name', start);
      if (operator === '<<' || operator === '<<-') {
        const end = target.parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
        const found = (span: Span): void => {
          if (command !== null) command.input = span;
        };
        this.#pending.push({ end, tabs: operator === '<<-', found });
      }
    }
  }

  word(): Word | null {
    this.blanks();
    return this.adjacent();
  }

  /** The word that begins right here; null: none does. */
  adjacent(): Word | null {
    const simple = this.#simple();
    if (simple !== null) return simple;
    const start = this.at;
    const parts: Part[] = [];
    let plain = '';
    const flush = (): void => {
      if (plain !== '') parts.push({ kind: 'text', text: plain, quoted: false });
      plain = '';
    };
    while (this.at < this.end) {
      const character = this.text[this.at] ?? '';
      if (this.#substitutes()) {
        flush();
        parts.push(this.#expansion(false));
        continue;
      }
      if (ENDS_WORD.has(character)) break;
      if (character === '\\') {
        const next = this.text[this.at + 1] ?? '';
        this.at += 2;
        if (next === '\n') continue;
        flush();
        parts.push({ kind: 'text', text: next, quoted: true });
      } else if (character === "'") {
        flush();
        const close = this.text.indexOf("'", this.at + 1);
        if (close < 0 || close >= this.end) this.fail('a quotation mark is not closed');
        parts.push({ kind: 'text', text: this.text.slice(this.at + 1, close), quoted: true });
        this.at = close + 1;
      } else if (character === '"') {
        flush();
        this.#doubleQuoted(parts);
      } else if (character === '$' || character === '`') {
        flush();
        parts.push(this.#expansion(false));
      } else {
        plain += this.take(PLAIN) ?? this.text[this.at++];
      }
    }
    flush();
    return this.at === start ? null : { start, end: this.at, parts };
  }

  /** A word that is one plain piece, or one between single quotes, as most are. */
  #simple(): Word | null {
    const { text, at: start } = this;
    const quoted = text[start] === "'";
    PLAIN.lastIndex = start;
    const end = quoted ? text.indexOf("'", start + 1) + 1 : PLAIN.test(text) ? PLAIN.lastIndex : 0;
    if (end === 0 || end > this.end || (end < this.end && !ENDS_SIMPLE.has(text[end] ?? ''))) return null;
    this.at = end;
    const inside = quoted ? text.slice(start + 1, end - 1) : text.slice(start, end);
    return { start, end, parts: [{ kind: 'text', text: inside, quoted }] };
  }

  #doubleQuoted(parts: Part[]): void {
    const start = this.at++;
    let text = '';
    const before = parts.length;
    const flush = (): void => {
      if (text !== '') parts.push({ kind: 'text', text, quoted: true });
      text = '';
    };
    for (;;) {
      const character = this.text[this.at];
      if (character === undefined || this.at >= this.end) this.fail('a quotation mark is not closed', start);
      if (character === '"') break;
      if (character === '\\' && /[$`"\\\n]/.test(this.text[this.at + 1] ?? '')) {
        const next = this.text[this.at + 1] ?? '';
        if (next !== '\n') text += next;
        this.at += 2;
      } else if (character === '$' || character === '`') {
        flush();
        parts.push(this.#expansion(true));
      } else text += this.take(IN_QUOTES) ?? this.text[this.at++];
    }
    this.at++;
    flush();
    // "" is a word of its own.
    if (parts.length === before) parts.push({ kind: 'text', text: '', quoted: true });
  }

  #expansion(quoted: boolean): Part {
    const start = this.at++;
    if (this.text[start] === '`') {
      if (this.take(TO_BACKTICK) === null) this.fail('“`” is not closed', start);
      return { kind: 'unknown', quoted };
    }
    const name = this.take(NAME) ?? this.take(SPECIAL);
    if (name !== null) return { kind: 'variable', name, fallback: null, quoted };
    const braced = this.match(BRACED);
    if (braced?.[1] !== undefined) {
      this.at += braced[0].length;
      return { kind: 'variable', name: braced[1], fallback: braced[2] ?? null, quoted };
    }
    const open = this.text[this.at];
    if (open === '(' || open === '{') {
      this.#nested(open, open === '(' ? ')' : '}', start);
      return { kind: 'unknown', quoted };
    }
    return { kind: 'text', text: '$', quoted };
  }

  /** Whether `<(…)` or `>(…)` of bash comes next, which stands for the name of a file. */
  #substitutes(): boolean {
    const sign = this.text[this.at];
    return (sign === '<' || sign === '>') && this.text[this.at + 1] === '(' && this.at + 1 < this.end;
  }

  /** Passes over brackets within brackets, and what is quoted inside. */
  #nested(open: string, close: string, start: number): void {
    let depth = 0;
    for (; this.at < this.end; this.at++) {
      const character = this.text[this.at];
      if (character === '\\') this.at++;
      else if (character === "'" && open === '(') {
        const end = this.text.indexOf("'", this.at + 1);
        this.at = end < 0 ? this.end : end;
      } else if (character === '"') {
        this.#doubleQuoted([]);
        this.at--;
      } else if (character === open) depth++;
      else if (character === close && --depth === 0) {
        this.at++;
        return;
      }
    }
    this.fail(`“${this.text.slice(start, start + 2)}” is not closed`, start);
  }
}
