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

export interface Common extends Span {
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
