/**
 * The grammar of POSIX shell scripts (IEEE 1003.1-2024, Shell Command Language, section 2.10), as far as scripts that set up links
 * use it, with the places of all words. What a word expands to is the business of shell-run.ts.
 */

/** Offsets in the text, end exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export type Part =
  | { readonly kind: 'text'; readonly text: string; readonly quoted: boolean }
  /** `$X`, `${X}`, `${X:-fallback}`; `name` may be `1` or `@`. */
  | { readonly kind: 'variable'; readonly name: string; readonly fallback: string | null; readonly quoted: boolean }
  /** What only a running shell can tell: `$(…)`, `$((…))`, `${X#…}`. */
  | { readonly kind: 'unknown'; readonly quoted: boolean };

export interface Word extends Span {
  readonly parts: readonly Part[];
}

export interface Assignment extends Span {
  readonly name: string;
  readonly value: Word;
}

/** How a command is joined to the one before it. */
export type Joint = ';' | '&&' | '||' | '|';

interface Common extends Span {
  readonly joint: Joint;
}

export interface Simple extends Common {
  readonly kind: 'simple';
  readonly assignments: readonly Assignment[];
  readonly words: readonly Word[];
  /** Text of `<<` that is its standard input. */
  readonly input: Span | null;
}

export interface If extends Common {
  readonly kind: 'if';
  readonly branches: readonly { readonly condition: Script; readonly body: Script }[];
  readonly otherwise: Script;
}

export interface Loop extends Common {
  readonly kind: 'loop';
  /** null: `while` and `until`. */
  readonly variable: string | null;
  readonly items: readonly Word[];
  readonly body: Script;
}

export interface Case extends Common {
  readonly kind: 'case';
  readonly subject: Word;
  readonly branches: readonly { readonly patterns: readonly Word[]; readonly body: Script }[];
}

export interface Definition extends Common {
  readonly kind: 'function';
  readonly name: string;
  readonly body: Script;
}

export interface Group extends Common {
  readonly kind: 'group';
  readonly body: Script;
}

export type ShellCommand = Simple | If | Loop | Case | Definition | Group;
export type Script = readonly ShellCommand[];

/** The text is no shell script. */
export class ShellSyntaxError extends Error {
  readonly span: Span;

  constructor(message: string, span: Span) {
    super(message);
    this.span = span;
  }
}

/** @throws ShellSyntaxError */
export function parseShell(text: string, span: Span = { start: 0, end: text.length }): Script {
  return new Parser(text, span).script();
}

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const SPECIAL = /[0-9@*#?$!-]/y;
const BRACED = /\{([A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?])(?::?[-=]([^{}$`"'\\]*))?\}/y;
const BLANK = /(?:[ \t]|\\\r?\n)*/y;
const OPERATOR = /&&|\|\||;;&?|;&|[;&|()\r\n]/y;
const PLAIN = /[^\s;&|()<>\\'"$`]+/y;
const REDIRECT = /\d*(?:<<-?|>>|<&|>&|<>|>\||&>>?|<|>)/y;
const MAY_REDIRECT = new Set('<>&0123456789');
const ENDS_WORD = new Set([' ', '\t', '\n', '\r', ';', '&', '|', '(', ')', '<', '>']);

interface Pending {
  readonly end: string;
  readonly tabs: boolean;
  found(span: Span): void;
}

class Parser {
  readonly #text: string;
  readonly #end: number;
  #at: number;
  /** Here-documents whose text begins on the next line. */
  #pending: Pending[] = [];

  constructor(text: string, { start, end }: Span) {
    this.#text = text;
    this.#at = start;
    this.#end = end;
  }

  script(): Script {
    const commands = this.#list(new Set());
    if (this.#at < this.#end) this.#fail(`“${this.#text[this.#at]}” stands where a command should begin`);
    return commands;
  }

  #fail(message: string, start = this.#at): never {
    throw new ShellSyntaxError(message, { start, end: Math.max(start + 1, Math.min(this.#at, this.#end)) });
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    return match !== null && pattern.lastIndex <= this.#end ? match : null;
  }

  #take(pattern: RegExp): string | null {
    const match = this.#match(pattern);
    if (match === null) return null;
    this.#at += match[0].length;
    return match[0];
  }

  #blanks(): void {
    const text = this.#text;
    while (this.#at < this.#end && (text[this.#at] === ' ' || text[this.#at] === '\t')) this.#at++;
    if (text[this.#at] === '\\') this.#take(BLANK);
    if (text[this.#at] !== '#') return;
    const stop = text.indexOf('\n', this.#at);
    this.#at = stop < 0 ? this.#end : Math.min(stop, this.#end);
  }

  #newline(): void {
    for (const pending of this.#pending.splice(0)) this.#hereDocument(pending);
  }

  #hereDocument({ end, tabs, found }: Pending): void {
    const start = this.#at;
    while (this.#at < this.#end) {
      const from = this.#at;
      const stop = this.#text.indexOf('\n', from);
      const line = this.#text.slice(from, stop < 0 ? this.#end : stop).replace(/\r$/, '');
      this.#at = stop < 0 ? this.#end : stop + 1;
      if ((tabs ? line.replace(/^\t+/, '') : line) === end) {
        found({ start, end: from });
        return;
      }
    }
    this.#fail(`the text that << begins does not end: there is no line “${end}”`, start);
  }

  /** Between commands: blanks, comments, separators. The joint to the next command. */
  #separators(): Joint {
    let joint: Joint = ';';
    for (;;) {
      this.#blanks();
      const match = this.#match(OPERATOR)?.[0];
      if (match === undefined || match === '(' || match === ')' || match.startsWith(';;') || match === ';&')
        return joint;
      this.#at += match.length;
      if (match === '\n') this.#newline();
      else if (match === '&&' || match === '||' || match === '|') joint = match;
      else if (match !== '\r') joint = ';';
    }
  }

  /** Commands up to one of the reserved words, a closing bracket, or the end. */
  #list(until: ReadonlySet<string>): Script {
    const commands: ShellCommand[] = [];
    for (;;) {
      const joint = this.#separators();
      if (this.#at >= this.#end || until.has(this.#reserved() ?? '') || /[);]/.test(this.#text[this.#at] ?? '')) {
        return commands;
      }
      commands.push(this.#command(joint));
    }
  }

  /** The reserved word that comes next, or `}`. */
  #reserved(): string | null {
    const match = this.#match(/[a-z]+(?=[\s;&|()<>#]|$)|[{}!](?=[\s;&|]|$)|\[\[(?=\s)/y);
    return match === null ? null : match[0];
  }

  #expect(word: string, what: string, start: number): void {
    if (this.#reserved() !== word) this.#fail(`${what} needs \`${word}\``, start);
    this.#at += word.length;
  }

  #command(joint: Joint): ShellCommand {
    const start = this.#at;
    const word = this.#reserved();
    const common = (): Common => ({ joint, start, end: this.#at });
    if (this.#text[this.#at] === '(') return this.#group(')', common);
    switch (word) {
      case '!':
      case 'time':
        this.#at += word.length;
        this.#blanks();
        return this.#command(joint);
      case '{':
        return this.#group('}', common);
      case 'if':
        return this.#if(common);
      case 'for':
      case 'select':
        return this.#for(word, common);
      case 'while':
      case 'until': {
        this.#at += word.length;
        this.#list(new Set(['do']));
        const body = this.#doGroup(start);
        return { kind: 'loop', variable: null, items: [], body, ...common() };
      }
      case 'case':
        return this.#case(common);
      case 'function': {
        this.#at += word.length;
        this.#blanks();
        const name = this.#take(/[^\s(){};&|<>]+/y) ?? this.#fail('a function needs a name', start);
        this.#take(/[ \t]*\([ \t]*\)/y);
        return this.#function(name, common);
      }
      default: {
        const name = this.#match(/([^\s(){};&|<>"'$`=\\]+)[ \t]*\([ \t]*\)/y);
        if (name?.[1] === undefined) return this.#simple(joint);
        this.#at += name[0].length;
        return this.#function(name[1], common);
      }
    }
  }

  #function(name: string, common: () => Common): ShellCommand {
    this.#separators();
    const body = this.#command(';');
    return { kind: 'function', name, body: [body], ...common() };
  }

  #group(close: ')' | '}', common: () => Common): ShellCommand {
    const start = this.#at;
    this.#at++;
    const body = this.#list(new Set(close === '}' ? ['}'] : []));
    if (this.#text[this.#at] !== close) this.#fail(`“${this.#text[start]}” is not closed`, start);
    this.#at++;
    this.#redirections(null);
    return { kind: 'group', body, ...common() };
  }

  #if(common: () => Common): ShellCommand {
    const start = this.#at;
    const branches: { condition: Script; body: Script }[] = [];
    let otherwise: Script = [];
    this.#at += 2;
    for (;;) {
      const condition = this.#list(new Set(['then']));
      this.#expect('then', '`if`', start);
      branches.push({ condition, body: this.#list(new Set(['elif', 'else', 'fi'])) });
      const word = this.#reserved();
      if (word === 'elif') {
        this.#at += 4;
        continue;
      }
      if (word === 'else') {
        this.#at += 4;
        otherwise = this.#list(new Set(['fi']));
      }
      this.#expect('fi', '`if`', start);
      this.#redirections(null);
      return { kind: 'if', branches, otherwise, ...common() };
    }
  }

  #doGroup(start: number): Script {
    this.#expect('do', 'a loop', start);
    const body = this.#list(new Set(['done']));
    this.#expect('done', 'a loop', start);
    this.#redirections(null);
    return body;
  }

  #for(word: string, common: () => Common): ShellCommand {
    const start = this.#at;
    this.#at += word.length;
    this.#blanks();
    const variable = this.#take(NAME);
    const items: Word[] = [];
    if (variable === null) {
      // for ((…)) of bash: what it counts is not looked at.
      if (this.#take(/\(\(.*?\)\)/sy) === null) this.#fail(`\`${word}\` needs a name`, start);
    } else {
      this.#separators();
      if (this.#reserved() === 'in') {
        this.#at += 2;
        for (let item = this.#word(); item !== null; item = this.#word()) items.push(item);
      } else {
        const at = this.#at;
        items.push({ start: at, end: at, parts: [{ kind: 'variable', name: '@', fallback: null, quoted: true }] });
      }
    }
    this.#separators();
    const body = this.#doGroup(start);
    return { kind: 'loop', variable, items, body, ...common() };
  }

  #case(common: () => Common): ShellCommand {
    const start = this.#at;
    this.#at += 4;
    const subject = this.#word() ?? this.#fail('`case` needs a word', start);
    this.#separators();
    this.#expect('in', '`case`', start);
    const branches: { patterns: Word[]; body: Script }[] = [];
    for (;;) {
      this.#separators();
      if (this.#reserved() === 'esac') break;
      if (this.#text[this.#at] === '(') this.#at++;
      const patterns: Word[] = [];
      for (let word = this.#word(); word !== null; word = this.#word()) {
        patterns.push(word);
        this.#blanks();
        if (this.#text[this.#at] === '|') this.#at++;
      }
      if (this.#text[this.#at] !== ')' || patterns.length === 0) this.#fail('a pattern of `case` needs “)”', start);
      this.#at++;
      branches.push({ patterns, body: this.#list(new Set(['esac'])) });
      this.#take(/;;&?|;&/y);
    }
    this.#expect('esac', '`case`', start);
    this.#redirections(null);
    return { kind: 'case', subject, branches, ...common() };
  }

  #simple(joint: Joint): ShellCommand {
    const start = this.#at;
    const assignments: Assignment[] = [];
    const words: Word[] = [];
    const input: { span: Span | null } = { span: null };
    let end = start;
    for (;;) {
      this.#redirections(input);
      if (words.length === 0) {
        const assignment = this.#assignment();
        if (assignment !== null) {
          assignments.push(assignment);
          end = this.#at;
          continue;
        }
      }
      const word = this.#word();
      if (word === null) break;
      words.push(word);
      end = this.#at;
    }
    if (words.length === 0 && assignments.length === 0 && this.#at === start) {
      this.#at++;
      this.#fail(`“${this.#text[start]}” stands where a command should begin`, start);
    }
    // Its here-document is read with the end of the line, so it is known only then.
    return {
      kind: 'simple',
      joint,
      start,
      end,
      assignments,
      words,
      get input() {
        return input.span;
      },
    };
  }

  #assignment(): Assignment | null {
    const start = this.#at;
    const match = this.#match(/([A-Za-z_][A-Za-z0-9_]*)=/y);
    if (match?.[1] === undefined) return null;
    this.#at += match[0].length;
    // `X=` with nothing behind it is the empty text.
    const value = this.#adjacent() ?? { start: this.#at, end: this.#at, parts: [] };
    return { name: match[1], value, start, end: this.#at };
  }

  #redirections(input: { span: Span | null } | null): void {
    for (;;) {
      this.#blanks();
      // Most words are no redirections, and that is seen at once.
      if (!MAY_REDIRECT.has(this.#text[this.#at] ?? '')) return;
      const operator = this.#take(REDIRECT)?.replace(/^\d+/, '');
      if (operator === undefined) return;
      const start = this.#at;
      const target = this.#word();
      if (target === null) this.#fail('a redirection needs a name', start);
      if (operator === '<<' || operator === '<<-') {
        const end = target.parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
        const found = (span: Span): void => {
          if (input !== null) input.span = span;
        };
        this.#pending.push({ end, tabs: operator === '<<-', found });
      }
    }
  }

  #word(): Word | null {
    this.#blanks();
    return this.#adjacent();
  }

  /** The word that begins right here; null: none does. */
  #adjacent(): Word | null {
    const start = this.#at;
    const parts: Part[] = [];
    let plain = '';
    const flush = (): void => {
      if (plain !== '') parts.push({ kind: 'text', text: plain, quoted: false });
      plain = '';
    };
    while (this.#at < this.#end) {
      const character = this.#text[this.#at] ?? '';
      if (ENDS_WORD.has(character)) break;
      if (character === '\\') {
        const next = this.#text[this.#at + 1] ?? '';
        this.#at += 2;
        if (next === '\n') continue;
        flush();
        parts.push({ kind: 'text', text: next, quoted: true });
      } else if (character === "'") {
        flush();
        const close = this.#text.indexOf("'", this.#at + 1);
        if (close < 0 || close >= this.#end) this.#fail('a quotation mark is not closed');
        parts.push({ kind: 'text', text: this.#text.slice(this.#at + 1, close), quoted: true });
        this.#at = close + 1;
      } else if (character === '"') {
        flush();
        this.#doubleQuoted(parts);
      } else if (character === '$' || character === '`') {
        flush();
        parts.push(this.#expansion(false));
      } else {
        plain += this.#take(PLAIN) ?? this.#text[this.#at++];
      }
    }
    flush();
    return this.#at === start ? null : { start, end: this.#at, parts };
  }

  #doubleQuoted(parts: Part[]): void {
    const start = this.#at++;
    let text = '';
    const before = parts.length;
    const flush = (): void => {
      if (text !== '') parts.push({ kind: 'text', text, quoted: true });
      text = '';
    };
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined || this.#at >= this.#end) this.#fail('a quotation mark is not closed', start);
      if (character === '"') break;
      if (character === '\\' && /[$`"\\\n]/.test(this.#text[this.#at + 1] ?? '')) {
        const next = this.#text[this.#at + 1] ?? '';
        if (next !== '\n') text += next;
        this.#at += 2;
      } else if (character === '$' || character === '`') {
        flush();
        parts.push(this.#expansion(true));
      } else {
        text += character;
        this.#at++;
      }
    }
    this.#at++;
    flush();
    // "" is a word of its own.
    if (parts.length === before) parts.push({ kind: 'text', text: '', quoted: true });
  }

  #expansion(quoted: boolean): Part {
    const start = this.#at++;
    if (this.#text[start] === '`') {
      const close = this.#text.indexOf('`', this.#at);
      if (close < 0 || close >= this.#end) this.#fail('“`” is not closed', start);
      this.#at = close + 1;
      return { kind: 'unknown', quoted };
    }
    const name = this.#take(NAME) ?? this.#take(SPECIAL);
    if (name !== null) return { kind: 'variable', name, fallback: null, quoted };
    const braced = this.#match(BRACED);
    if (braced?.[1] !== undefined) {
      this.#at += braced[0].length;
      return { kind: 'variable', name: braced[1], fallback: braced[2] ?? null, quoted };
    }
    const open = this.#text[this.#at];
    if (open === '(' || open === '{') {
      this.#nested(open, open === '(' ? ')' : '}', start);
      return { kind: 'unknown', quoted };
    }
    return { kind: 'text', text: '$', quoted };
  }

  /** Passes over brackets within brackets, and what is quoted inside. */
  #nested(open: string, close: string, start: number): void {
    let depth = 0;
    for (; this.#at < this.#end; this.#at++) {
      const character = this.#text[this.#at];
      if (character === '\\') this.#at++;
      else if (character === "'" && open === '(') {
        const end = this.#text.indexOf("'", this.#at + 1);
        this.#at = end < 0 ? this.#end : end;
      } else if (character === open) depth++;
      else if (character === close && --depth === 0) {
        this.#at++;
        return;
      }
    }
    this.#fail(`“$${open}” is not closed`, start);
  }
}
