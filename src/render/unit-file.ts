/** The files of systemd: sections of `Key=value` lines (systemd.syntax(7)). */
import { EverlanError, EXIT, problem } from '../model/problem.ts';
import { oneLine } from './one-line.ts';

export type Entry = readonly [key: string, value: string];

export interface Section {
  readonly name: string;
  readonly entries: readonly Entry[];
}

/** What systemd may read as something else than itself: quotes, and the backslash that goes on with the next line. */
const UNSAFE = /["'\\]/;

function refuse(value: string): never {
  throw new EverlanError(
    problem('unit-file-value', `systemd’s files cannot hold ${JSON.stringify(value)}`),
    EXIT.usage,
  );
}

function checked(value: string): string {
  return oneLine(value) === value && value.trim() === value && !UNSAFE.test(value) ? value : refuse(value);
}

/**
 * @param comments a line each; they stand first.
 * @throws EverlanError when a value would be read as another one.
 */
export function unitFile(comments: readonly string[], sections: readonly Section[]): string {
  const head = comments.map((line) => `# ${oneLine(line)}\n`).join('');
  const blocks = sections.map(({ name, entries }) => {
    const lines = entries.map(([key, value]) => `${key}=${checked(value)}\n`);
    return `\n[${name}]\n${lines.join('')}`;
  });
  return head + blocks.join('');
}

/**
 * A link’s name where `[Match]` takes a pattern: the signs of fnmatch(3) stand for themselves.
 * @throws EverlanError for a name that cannot be said there: `!` in front means all others.
 */
export function linkPattern(name: string): string {
  return name.startsWith('!') ? refuse(name) : name.replace(/[*?[\]]/g, '[$&]');
}
