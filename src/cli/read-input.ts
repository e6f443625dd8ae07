/** The fabric file's bytes, or why they cannot be read, in plain words. */
import { DEFAULT_FILE } from '../model/fabric.ts';
import { EverlanError, EXIT, problem } from '../model/problem.ts';
import { readAll, readNamed, whyUnreadable } from '../sys/read-file.ts';
import { MAX_BYTES } from '../text/decode.ts';

const STDIN = 0;

export interface Input {
  readonly bytes: Uint8Array;
  /** For messages. */
  readonly name: string;
}

/**
 * @param file `-`: standard input.
 * @returns up to one piece more than any file may have: whoever decodes the text says that it is too large.
 * @throws EverlanError, exit 2.
 */
export function readInput(file: string): Input {
  const name = file === '-' ? 'standard input' : file;
  try {
    return { bytes: file === '-' ? readAll(STDIN, MAX_BYTES) : readNamed(file, MAX_BYTES), name };
  } catch (error) {
    const why = whyUnreadable(error);
    if (why === null) throw error;
    const extra = file === DEFAULT_FILE ? { hint: 'name another with -f FILE' } : {};
    throw new EverlanError(problem('file-unreadable', `${name} ${why}`, extra), EXIT.usage);
  }
}
