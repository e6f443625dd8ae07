/** The common options, and typed reading of what was given. */
import { DEFAULT_FILE } from '../model/fabric.ts';
import { EverlanError, EXIT, problem } from '../model/problem.ts';
import type { CommonSet, OptionRow } from './command.ts';

/** In the order of the help; `sets` says in whose help. */
export const COMMON_OPTIONS: readonly (OptionRow & { readonly sets: readonly CommonSet[] })[] = [
  {
    flags: '-f, --file <FILE>',
    help: `the fabric file, - for standard input (default: ${DEFAULT_FILE})`,
    completes: 'file',
    sets: ['host', 'file', 'service'],
  },
  {
    flags: '--host <NAME>',
    help: 'which host of the file this machine is',
    completes: 'host',
    sets: ['host', 'source', 'service'],
  },
  {
    flags: '--netns <NAME>',
    help: 'act inside this network namespace',
    completes: 'netns',
    sets: ['host', 'source', 'service'],
  },
  { flags: '--json', help: 'print JSON', sets: ['host', 'file', 'output'] },
  {
    flags: '-q, --quiet',
    help: 'print nothing but errors, and JSON that was asked for',
    sets: ['host', 'file', 'source', 'output'],
  },
  {
    flags: '-v, --verbose',
    help: 'leave nothing out, and say where the time went',
    sets: ['host', 'file', 'source', 'output'],
  },
  { flags: '--no-color', help: 'no colours (as does NO_COLOR)', sets: ['host', 'file', 'source', 'output'] },
];

/** What the command line said: given once is given, wherever it stood. */
export class Options {
  readonly #values: Readonly<Record<string, unknown>>;

  /** @param values by camel-cased long name, as commander keeps them. */
  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values;
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === 'string' ? value : undefined;
  }

  get json(): boolean {
    return this.flag('json');
  }

  get quiet(): boolean {
    return this.flag('quiet');
  }

  get verbose(): boolean {
    return this.flag('verbose');
  }

  /** @throws EverlanError, exit 2, for an empty name. */
  get file(): string {
    const file = this.text('file') ?? DEFAULT_FILE;
    if (file === '') throw wrongUse('--file takes the name of a file, not nothing');
    return file;
  }

  get host(): string | undefined {
    return this.text('host');
  }

  get netns(): string | undefined {
    return this.text('netns');
  }
}

/** Wrong use of the command line: exit 2. */
export function wrongUse(message: string, hint?: string): EverlanError {
  return new EverlanError(problem('wrong-use', message, hint === undefined ? {} : { hint }), EXIT.usage);
}
