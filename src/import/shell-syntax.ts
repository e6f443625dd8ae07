/** Commands of shell scripts: their words, branches, loops and functions. */
import { NAME, Scanner } from './shell-scanner.ts';
import type { Assignment, Common, Joint, Script, ShellCommand, Span, Word } from './shell-tree.ts';

/** @throws ShellSyntaxError */
export function parseShell(text: string, span: Span = { start: 0, end: text.length }): Script {
  return new Parser(new Scanner(text, span)).script();
}

/** All that are looked for, `}` and `!` among them. */
const RESERVED =
  /(?:if|then|elif|else|fi|for|select|while|until|do|done|case|esac|in|function|time)(?=[\s;&|()<>#]|$)|[{}!](?=[\s;&|]|$)/y;
const DEFINITION = /([^\s(){};&|<>"'$`=\\]+)[ \t]*\([ \t]*\)/y;
const FUNCTION_NAME = /[^\s(){};&|<>]+/y;
const BRACKETS = /[ \t]*\([ \t]*\)/y;
const ASSIGNED = /([A-Za-z_][A-Za-z0-9_]*)=/y;
const END_OF_BRANCH = /;;&?|;&/y;

const NOTHING: ReadonlySet<string> = new Set();
const DO: ReadonlySet<string> = new Set(['do']);
const DONE: ReadonlySet<string> = new Set(['done']);
const THEN: ReadonlySet<string> = new Set(['then']);
const FI: ReadonlySet<string> = new Set(['fi']);
const ELSE: ReadonlySet<string> = new Set(['elif', 'else', 'fi']);
const ESAC: ReadonlySet<string> = new Set(['esac']);
const BRACE: ReadonlySet<string> = new Set(['}']);

const OPERATOR = /&&|\|\||;;&?|;&|[;&|()\r\n]/y;

class Parser {
  readonly #scan: Scanner;

  constructor(scanner: Scanner) {
    this.#scan = scanner;
  }

  script(): Script {
    const commands = this.#list(NOTHING);
    if (this.#scan.at < this.#scan.end)
      this.#scan.fail(`“${this.#scan.text[this.#scan.at]}” stands where a command should begin`);
    return commands;
  }

  /** Between commands: blanks, comments, separators. The joint to the next command. */
  #separators(): Joint {
    let joint: Joint = ';';
    for (;;) {
      this.#scan.blanks();
      const match = this.#scan.match(OPERATOR)?.[0];
      if (match === undefined || match === '(' || match === ')' || match.startsWith(';;') || match === ';&')
        return joint;
      this.#scan.at += match.length;
      if (match === '\n') this.#scan.newline();
      else if (match === '&&' || match === '||' || match === '|') joint = match;
      else if (match !== '\r') joint = ';';
    }
  }

  /** Commands up to one of the reserved words, a closing bracket, or the end. */
  #list(until: ReadonlySet<string>): Script {
    const commands: ShellCommand[] = [];
    for (;;) {
      const joint = this.#separators();
      const sign = this.#scan.text[this.#scan.at];
      if (this.#scan.at >= this.#scan.end || sign === ')' || sign === ';') return commands;
      const word = this.#reserved();
      if (word !== null && until.has(word)) return commands;
      commands.push(this.#command(joint, word));
    }
  }

  /** The reserved word that comes next. */
  #reserved(): string | null {
    const match = this.#scan.match(RESERVED);
    return match === null ? null : match[0];
  }

  #expect(word: string, what: string, start: number): void {
    if (this.#reserved() !== word) this.#scan.fail(`${what} needs \`${word}\``, start);
    this.#scan.at += word.length;
  }

  #command(joint: Joint, word = this.#reserved()): ShellCommand {
    const start = this.#scan.at;
    const common = (): Common => ({ joint, start, end: this.#scan.at });
    if (this.#scan.text[this.#scan.at] === '(') return this.#group(')', common);
    switch (word) {
      case '!':
      case 'time':
        this.#scan.at += word.length;
        this.#scan.blanks();
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
        this.#scan.at += word.length;
        this.#list(DO);
        const body = this.#doGroup(start);
        return { kind: 'loop', variable: null, items: [], body, ...common() };
      }
      case 'case':
        return this.#case(common);
      case 'function': {
        this.#scan.at += word.length;
        this.#scan.blanks();
        const name = this.#scan.take(FUNCTION_NAME) ?? this.#scan.fail('a function needs a name', start);
        this.#scan.take(BRACKETS);
        return this.#function(name, common);
      }
      default: {
        const name = this.#scan.match(DEFINITION);
        if (name?.[1] === undefined) return this.#simple(joint);
        this.#scan.at += name[0].length;
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
    const start = this.#scan.at;
    this.#scan.at++;
    const body = this.#list(close === '}' ? BRACE : NOTHING);
    if (this.#scan.text[this.#scan.at] !== close) this.#scan.fail(`“${this.#scan.text[start]}” is not closed`, start);
    this.#scan.at++;
    this.#scan.redirections(null);
    return { kind: 'group', body, ...common() };
  }

  #if(common: () => Common): ShellCommand {
    const start = this.#scan.at;
    const branches: { condition: Script; body: Script }[] = [];
    let otherwise: Script = [];
    this.#scan.at += 2;
    for (;;) {
      const condition = this.#list(THEN);
      this.#expect('then', '`if`', start);
      branches.push({ condition, body: this.#list(ELSE) });
      const word = this.#reserved();
      if (word === 'elif') {
        this.#scan.at += 4;
        continue;
      }
      if (word === 'else') {
        this.#scan.at += 4;
        otherwise = this.#list(FI);
      }
      this.#expect('fi', '`if`', start);
      this.#scan.redirections(null);
      return { kind: 'if', branches, otherwise, ...common() };
    }
  }

  #doGroup(start: number): Script {
    this.#expect('do', 'a loop', start);
    const body = this.#list(DONE);
    this.#expect('done', 'a loop', start);
    this.#scan.redirections(null);
    return body;
  }

  #for(word: string, common: () => Common): ShellCommand {
    const start = this.#scan.at;
    this.#scan.at += word.length;
    this.#scan.blanks();
    const variable = this.#scan.take(NAME);
    const items: Word[] = [];
    if (variable === null) {
      // for ((…)) of bash: what it counts is not looked at.
      if (this.#scan.take(/\(\(.*?\)\)/sy) === null) this.#scan.fail(`\`${word}\` needs a name`, start);
    } else {
      this.#separators();
      if (this.#reserved() === 'in') {
        this.#scan.at += 2;
        for (let item = this.#scan.word(); item !== null; item = this.#scan.word()) items.push(item);
      } else {
        const at = this.#scan.at;
        items.push({ start: at, end: at, parts: [{ kind: 'variable', name: '@', fallback: null, quoted: true }] });
      }
    }
    this.#separators();
    const body = this.#doGroup(start);
    return { kind: 'loop', variable, items, body, ...common() };
  }

  #case(common: () => Common): ShellCommand {
    const start = this.#scan.at;
    this.#scan.at += 4;
    const subject = this.#scan.word() ?? this.#scan.fail('`case` needs a word', start);
    this.#separators();
    this.#expect('in', '`case`', start);
    const branches: { patterns: Word[]; body: Script }[] = [];
    for (;;) {
      this.#separators();
      if (this.#reserved() === 'esac') break;
      if (this.#scan.text[this.#scan.at] === '(') this.#scan.at++;
      const patterns: Word[] = [];
      for (let word = this.#scan.word(); word !== null; word = this.#scan.word()) {
        patterns.push(word);
        this.#scan.blanks();
        if (this.#scan.text[this.#scan.at] === '|') this.#scan.at++;
      }
      if (this.#scan.text[this.#scan.at] !== ')' || patterns.length === 0)
        this.#scan.fail('a pattern of `case` needs “)”', start);
      this.#scan.at++;
      branches.push({ patterns, body: this.#list(ESAC) });
      this.#scan.take(END_OF_BRANCH);
    }
    this.#expect('esac', '`case`', start);
    this.#scan.redirections(null);
    return { kind: 'case', subject, branches, ...common() };
  }

  #simple(joint: Joint): ShellCommand {
    const start = this.#scan.at;
    const assignments: Assignment[] = [];
    const words: Word[] = [];
    // Its here-document is read with the end of the line, so it is known only then.
    const command = { kind: 'simple' as const, joint, start, end: start, assignments, words, input: null };
    for (;;) {
      this.#scan.redirections(command);
      if (words.length === 0) {
        const assignment = this.#assignment();
        if (assignment !== null) {
          assignments.push(assignment);
          command.end = this.#scan.at;
          continue;
        }
      }
      const word = this.#scan.word();
      if (word === null) break;
      words.push(word);
      command.end = this.#scan.at;
    }
    if (words.length === 0 && assignments.length === 0 && this.#scan.at === start) {
      this.#scan.at++;
      this.#scan.fail(`“${this.#scan.text[start]}” stands where a command should begin`, start);
    }
    return command;
  }

  #assignment(): Assignment | null {
    const start = this.#scan.at;
    const match = this.#scan.match(ASSIGNED);
    if (match?.[1] === undefined) return null;
    this.#scan.at += match[0].length;
    // `X=` with nothing behind it is the empty text.
    const value = this.#scan.adjacent() ?? { start: this.#scan.at, end: this.#scan.at, parts: [] };
    return { name: match[1], value, start, end: this.#scan.at };
  }
}
