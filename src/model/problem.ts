/** What went wrong, in words for a person; positions where a file is to blame. */

/** A place in a file: line and column count from 1, columns in characters. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Characters to underline, at least 1. */
  readonly length: number;
  /** The line's text, to be shown above the caret. */
  readonly text: string;
}

export interface Problem {
  /** A row of the catalogue in docs/errors.md, such as `vni-range`. */
  readonly code: string;
  readonly severity: 'error' | 'warning';
  /** What was found and what is allowed, one sentence, no full stop. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
  readonly place?: Place;
  /** The link that it is about, where the kernel's state is to blame: others can go on without it. */
  readonly link?: string;
  /** The other places that have a part in it, each with a few words. */
  readonly also?: readonly Also[];
}

export interface Also {
  /** What stands there, such as `VNI 78 on beta`. */
  readonly message: string;
  readonly place: Place;
}

/** What may be said beside the message. */
export type ProblemExtra = Pick<Problem, 'hint' | 'place' | 'link' | 'also'>;

/** Exit codes that users' scripts rely on. */
export const EXIT = {
  done: 0,
  /** It could not be done, or did not verify. */
  failed: 1,
  /** Wrong use, or an invalid, missing or unreadable file. */
  usage: 2,
  /** With --exit-code only: this host does not match the file. */
  differs: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** An error whose text is meant for the user: every expected failure is one, so a stack trace is always a defect. */
export class EverlanError extends Error {
  readonly exitCode: ExitCode;
  readonly problems: readonly Problem[];

  constructor(problems: Problem | readonly Problem[], exitCode: ExitCode = EXIT.failed) {
    const list = Array.isArray(problems) ? (problems as readonly Problem[]) : [problems as Problem];
    super(list.map((p) => p.message).join('\n'));
    this.name = 'EverlanError';
    this.problems = list;
    this.exitCode = exitCode;
  }
}

/** A problem of severity error; `extra` adds hint or place. */
export function problem(code: string, message: string, extra: ProblemExtra = {}): Problem {
  return { code, severity: 'error', message, ...extra };
}

/** A problem of severity warning. */
export function warning(code: string, message: string, extra: ProblemExtra = {}): Problem {
  return { code, severity: 'warning', message, ...extra };
}
