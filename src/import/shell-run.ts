/**
 * Follows a shell script as it would run when links are to be set up, without running anything: variables with literal values,
 * functions, loops over literal words. Of `if` the first branch is taken, of `case` the one that brings things up.
 */
import type { Case, Definition, If, Loop, Part, Script, ShellCommand, Simple, Span, Word } from './shell-tree.ts';

/** One word after expansion; `text` null: only a running shell can tell it. */
export interface Value extends Span {
  readonly text: string | null;
}

/** One command as it would be run. */
export interface Call extends Span {
  readonly words: readonly [Value, ...Value[]];
  readonly input: Span | null;
  /** Why it cannot be told whether it runs, or how often; null: it runs. */
  readonly doubt: string | null;
  /** Inside of `if` or `case`. */
  readonly conditional: boolean;
}

/** @returns whether it does something that succeeds: then what stands behind `||` does not run. */
export type OnCall = (call: Call) => boolean;

/** A variable's value; null: it has one that is not known. */
type Variables = Map<string, string | null>;

const DEEPEST = 20;
/** Commands of one script: functions that call each other and loops in loops would go on for ever. */
const MOST_COMMANDS = 100_000;

const UP =
  /^(?:do_|cmd_)?(?:up|start|post-up|pre-up|if-up|add|apply|create|setup|enable|on|routable|configured|bound|main)$/;
const DOWN =
  /^(?:do_|cmd_)?(?:down|stop|pre-down|post-down|del|delete|remove|teardown|off|disable|status|show|help|-h|--help|usage|restart|reload|force-reload|deconfig)$/;

export class ShellRun {
  readonly #onCall: OnCall;
  readonly #variables: Variables;
  readonly #functions = new Map<string, Definition>();
  readonly #called = new Set<string>();
  #arguments: readonly (string | null)[] | null = null;
  #doubt: string | null = null;
  #conditional = false;
  #depth = 0;
  #left = MOST_COMMANDS;
  #over = false;

  /**
   * @param variables such as IFACE, where it is known who runs the script.
   * @param args its arguments; null: nothing tells them.
   */
  constructor(
    onCall: OnCall,
    variables: ReadonlyMap<string, string> = new Map(),
    args: readonly (string | null)[] | null = null,
  ) {
    this.#onCall = onCall;
    this.#arguments = args;
    this.#variables = new Map(variables);
  }

  /** One file after the other shares variables and functions, as with `.`. */
  file(script: Script): void {
    this.#over = false;
    this.#script(script);
  }

  /** Functions that nothing has called: those that by their name bring things up run now, the others in doubt. */
  rest(): void {
    const left = (): Definition[] =>
      [...this.#functions.values()].filter(({ name }) => !this.#called.has(name) && !DOWN.test(name));
    this.#over = false;
    for (const found of left().filter(({ name }) => UP.test(name))) this.#function(found, null);
    for (const found of left())
      this.#inDoubt(`it stands in the function ${found.name}, which nothing calls`, () => this.#function(found, null));
  }

  #script(script: Script): void {
    let done = false;
    for (const command of script) {
      const { joint } = command;
      if (joint === '||' && done)
        this.#inDoubt('it runs only where the command before it fails', () => this.#command(command));
      else done = this.#command(command);
    }
  }

  /** Whether it was followed to its end. */
  get complete(): boolean {
    return this.#left > 0;
  }

  #command(command: ShellCommand): boolean {
    if (this.#left <= 0) return false;
    this.#left--;
    switch (command.kind) {
      case 'simple':
        return this.#simple(command);
      case 'group':
        this.#script(command.body);
        return false;
      case 'if':
        this.#if(command);
        return false;
      case 'case':
        this.#inBranch(() => this.#case(command));
        return false;
      case 'loop':
        this.#loop(command);
        return false;
      case 'function':
        this.#functions.set(command.name, command);
        return false;
      default:
        return command satisfies never;
    }
  }

  #inDoubt(why: string, work: () => void): void {
    const before = this.#doubt;
    this.#doubt ??= why;
    work();
    this.#doubt = before;
  }

  #inBranch(work: () => void): void {
    const before = this.#conditional;
    this.#conditional = true;
    work();
    this.#conditional = before;
  }

  #if({ branches, otherwise }: If): void {
    const [first, ...more] = branches;
    if (first === undefined) return;
    this.#script(first.condition);
    this.#inBranch(() => {
      this.#script(first.body);
      const doubt = 'it stands in another branch of `if`, and only the first is taken';
      for (const { body } of more) this.#inDoubt(doubt, () => this.#script(body));
      this.#inDoubt(doubt, () => this.#script(otherwise));
    });
  }

  #case({ subject, branches }: Case): void {
    const [value] = this.#fields(subject);
    const wordsOf = ({ patterns }: Case['branches'][number]): readonly string[] =>
      patterns.map((word) => this.#fields(word)[0]?.text ?? '');
    const known = value?.text ?? null;
    if (known !== null) {
      const hit = branches.find((branch) => wordsOf(branch).some((word) => word === '*' || word === known));
      if (hit !== undefined) this.#script(hit.body);
      return;
    }
    const ups = branches.filter((branch) => wordsOf(branch).some((word) => UP.test(word)));
    const open = branches.filter((branch) => !wordsOf(branch).some((word) => DOWN.test(word) || word === '*'));
    const taken = ups.length > 0 ? ups : open.length === 1 ? open : [];
    for (const branch of branches) {
      if (taken.includes(branch)) this.#script(branch.body);
      else if (!wordsOf(branch).some((word) => DOWN.test(word))) {
        this.#inDoubt('it stands in a branch of `case` that may not be taken', () => this.#script(branch.body));
      }
    }
  }

  #loop({ variable, items, body }: Loop): void {
    const values = items.flatMap((item) => this.#fields(item));
    if (variable === null || values.some(({ text }) => text === null || /[*?[]/.test(text))) {
      if (variable !== null) this.#variables.set(variable, null);
      this.#inDoubt('it stands in a loop of which nothing tells how it goes', () => this.#script(body));
      return;
    }
    for (const { text } of values) {
      this.#variables.set(variable, text);
      this.#script(body);
    }
  }

  #simple(command: Simple): boolean {
    const values = command.words.flatMap((word) => this.#fields(word));
    const [first, ...rest] = values;
    if (first === undefined) {
      for (const { name, value } of command.assignments) this.#assign(name, this.#joined(value));
      return false;
    }
    if (first.text !== null && this.#builtin(first.text, rest, command)) return false;
    const called = first.text === null ? undefined : this.#functions.get(first.text);
    if (called !== undefined) {
      this.#function(
        called,
        rest.map(({ text }) => text),
      );
      return false;
    }
    const { start, end, input } = command;
    const doubt = this.#doubt ?? (this.#over ? 'it stands behind `exit`' : null);
    return this.#onCall({ words: [first, ...rest], start, end, input, doubt, conditional: this.#conditional });
  }

  #function({ name, body }: Definition, args: readonly (string | null)[] | null): void {
    this.#called.add(name);
    if (this.#depth >= DEEPEST) return;
    const before = this.#arguments;
    this.#arguments = args;
    this.#depth++;
    this.#script(body);
    this.#depth--;
    this.#arguments = before;
  }

  /** Commands of the shell itself that change what words mean. */
  #builtin(name: string, rest: readonly Value[], { joint }: Simple): boolean {
    switch (name) {
      case 'export':
      case 'local':
      case 'readonly':
      case 'declare':
      case 'typeset':
        for (const { text } of rest) {
          const [, variable, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(text ?? '') ?? [];
          if (variable !== undefined && value !== undefined) this.#assign(variable, value);
        }
        return true;
      case 'read':
        for (const { text } of rest) if (text !== null && !text.startsWith('-')) this.#variables.set(text, null);
        return true;
      case 'unset':
        for (const { text } of rest) if (text !== null) this.#variables.set(text, '');
        return true;
      case 'shift':
        this.#arguments = this.#arguments?.slice(Number(rest[0]?.text ?? 1)) ?? null;
        return true;
      case 'set':
        if (rest[0]?.text === '--') this.#arguments = rest.slice(1).map(({ text }) => text);
        return true;
      case 'exit':
        // Behind `&&` and `||`, in a branch or in doubt it may not come to that.
        if (joint === ';' && !this.#conditional && this.#doubt === null && this.#depth === 0) this.#over = true;
        return true;
      default:
        return false;
    }
  }

  /** In doubt, the variable may keep its value or not. */
  #assign(name: string, value: string | null): void {
    this.#variables.set(name, this.#doubt === null ? value : null);
  }

  #read(name: string, fallback: string | null): string | null {
    const value = /^\d+$/.test(name) ? this.#arguments?.[Number(name) - 1] : this.#variables.get(name);
    if (value !== undefined && value !== '') return value;
    return fallback ?? value ?? null;
  }

  /** As one text, without splitting: how a variable is assigned. */
  #joined({ parts }: Word): string | null {
    let text = '';
    for (const part of parts) {
      const piece = this.#piece(part);
      if (piece === null) return null;
      text += piece;
    }
    return text;
  }

  #piece(part: Part): string | null {
    switch (part.kind) {
      case 'text':
        return part.text;
      case 'variable':
        return this.#read(part.name, part.fallback);
      case 'unknown':
        return null;
      default:
        return part satisfies never;
    }
  }

  /** The words that a word becomes: an unquoted variable is split at blanks. */
  #fields(word: Word): readonly Value[] {
    const { start, end, parts } = word;
    const [only] = parts;
    if (parts.length === 1 && only?.kind === 'variable' && (only.name === '@' || only.name === '*')) {
      return this.#arguments?.map((text) => ({ start, end, text })) ?? [{ start, end, text: null }];
    }
    const fields: string[] = [];
    let open: string | null = null;
    for (const part of parts) {
      const piece = this.#piece(part);
      if (piece === null) return [{ start, end, text: null }];
      if (part.kind !== 'variable' || part.quoted) {
        open = (open ?? '') + piece;
        continue;
      }
      const pieces = piece.split(/[ \t\n]+/);
      for (const [i, field] of pieces.entries()) {
        if (i > 0 && open !== null) {
          fields.push(open);
          open = null;
        }
        if (field !== '') open = (open ?? '') + field;
      }
    }
    if (open !== null) fields.push(open);
    return fields.map((text) => ({ start, end, text }));
  }
}
