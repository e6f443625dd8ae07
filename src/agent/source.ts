/** The fabric file as the agent reads it, and when to read it again. */
import { isUtf8 } from 'node:buffer';
import { MAX_BYTES, parseFabric } from '../fabric/parse.ts';
import { problem } from '../model/problem.ts';
import { readRegular, whyUnreadable } from '../sys/read-file.ts';
import type { FileRead } from './parts.ts';

export { type PathListener, type PathWatch, watchFile, watchFolder } from './watch-path.ts';

/** A file that is being written may be read half: whoever parses it keeps the last good one then. Never waits, never throws. */
export function readSource(file: string): FileRead {
  let bytes: Uint8Array;
  try {
    bytes = readRegular(file, MAX_BYTES);
  } catch (error) {
    const why = whyUnreadable(error) ?? `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    return { ok: false, problem: problem('file-unreadable', `${file} ${why}`) };
  }
  if (bytes.length <= MAX_BYTES && isUtf8(bytes)) return { ok: true, text: Buffer.from(bytes).toString('utf8') };
  // What is no text is refused before anything else about it is looked at.
  const parsed = parseFabric(bytes, file);
  const [first] = parsed.ok ? [] : parsed.problems;
  return { ok: false, problem: first ?? problem('file-unreadable', `${file} is not UTF-8`) };
}
