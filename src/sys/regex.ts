/** POSIX extended regular expressions (regex(7)), matched by libc itself, so that they mean what they mean elsewhere. */
import { libc } from './libc.ts';
import type { Text } from './spawn.ts';

const REG_EXTENDED = 1; // <regex.h>
const REG_NOSUB = 8;
const SIZE = 256; // regex_t is 64 bytes in glibc
const MESSAGE_SIZE = 256;

/** An expression that libc does not take; the message is libc's own. */
export class RegexError extends Error {
  override readonly name = 'RegexError';
}

const cString = (text: Text): Uint8Array => Buffer.concat([Buffer.from(text), Buffer.alloc(1)]);

function messageOf(code: number, compiled: Uint8Array): string {
  const text = Buffer.alloc(MESSAGE_SIZE);
  const length = libc.regerror(code, compiled, text, text.length);
  return text.toString('latin1', 0, Math.max(0, Math.min(length, text.length) - 1));
}

/**
 * A test of byte strings, in the C locale: a byte is a character. The memory of the expression is kept until the
 * process ends.
 * @throws RegexError.
 */
export function compileRegex(pattern: Text): (text: Text) => boolean {
  const compiled = new Uint8Array(SIZE);
  const code = libc.regcomp(compiled, cString(pattern), REG_EXTENDED | REG_NOSUB);
  if (code !== 0) throw new RegexError(messageOf(code, compiled));
  return (text) => libc.regexec(compiled, cString(text), 0, null, 0) === 0;
}
