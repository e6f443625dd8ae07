/** What a command is: a row of the table, and the work behind it. */
import type { Io } from './io.ts';
import type { Options } from './options.ts';
import type { Timings } from './timings.ts';

/** What a value may be completed with. */
export type Completion = 'file' | 'netns' | 'host' | 'none';

export interface OptionRow {
  /** As commander writes them: `-f, --file <FILE>`. */
  readonly flags: string;
  readonly help: string;
  /** For an option with a value; default: none. */
  readonly completes?: Completion;
}

export interface ArgumentRow {
  /** `<HOST>`, `[HOST]`, `<COMMAND...>`. */
  readonly name: string;
  readonly help: string;
  readonly choices?: readonly string[];
  readonly completes?: Completion;
}

export interface Context {
  readonly io: Io;
  readonly options: Options;
  readonly args: readonly string[];
  readonly timings: Timings;
}

/** Does the work; the exit code. Expected failures are thrown as EverlanError or SysError. */
export type Run = (context: Context) => number | Promise<number>;

interface Row {
  readonly name: string;
  /** For the list of commands: no full stop. */
  readonly summary: string;
  /** A sentence or two for the command's own help. */
  readonly text: string;
}

export interface CommandRow extends Row {
  /** [command line after `everlan`, what it does]. */
  readonly examples: readonly (readonly [string, string])[];
  readonly arguments?: readonly ArgumentRow[];
  readonly options?: readonly OptionRow[];
  /** Which of the common options its help shows; all of them are accepted everywhere. */
  readonly common: CommonSet;
  /** What comes after the first argument is not ours, as in `lab exec HOST COMMAND -x`. */
  readonly passThrough?: true;
  /** It reads its own arguments: everything after its name comes as it is, also `--help` and the common options. */
  readonly raw?: true;
  readonly hidden?: true;
  /** Imported when it runs, so that a command pays for its own modules only. */
  load(): Promise<{ readonly run: Run }>;
}

/** Several commands under one name. */
export interface GroupRow extends Row {
  readonly commands: readonly CommandRow[];
}

/** A command line that was understood. */
export interface Call {
  readonly row: CommandRow;
  readonly args: readonly string[];
  /** By camel-cased long name. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** Options about this host, about the file, about where to look, of a service, only about output, or none at all. */
export type CommonSet = 'host' | 'file' | 'source' | 'service' | 'output' | 'none';
