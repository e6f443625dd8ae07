/** Text for a POSIX shell. Every value that gets into a script goes through `quoted`, every comment through `comment`. */
import { oneLine } from './one-line.ts';

/** What no shell takes for anything but itself. */
const PLAIN = /^[A-Za-z0-9_./:@%+,-]+$/;

/** One word in quotes, also where none are needed. */
export function inQuotes(text: string): string {
  return `'${text.replaceAll('\0', '').replaceAll("'", "'\\''")}'`;
}

/** One word, read by the shell as exactly this text. Without NUL, which no argument can hold. */
export function quoted(text: string): string {
  return PLAIN.test(text) ? text : inQuotes(text);
}

/** Words of one command. */
export function command(...words: readonly string[]): string {
  return words.map(quoted).join(' ');
}

export function comment(text: string): string {
  return text === '' ? '#' : `# ${oneLine(text)}`;
}
