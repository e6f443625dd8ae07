/**
 * Standard output and standard error. Written to directly: Node's own streams take 3 ms to load, and what was written
 * here is out before the next line runs.
 */
import { fstatSync, writeSync } from 'node:fs';
import { hasCode } from '../sys/errno.ts';
import { type Paints, paints } from './colour.ts';

const STDOUT = 1;
const STDERR = 2;
const BUSY_MS = 5;

export interface Io {
  /** Results: standard output. Whole lines; a last line feed is added where there is none. */
  out(text: string): void;
  /** Everything else: standard error. */
  err(text: string): void;
  /** To standard error as it is, for progress. */
  errRaw(text: string): void;
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  readonly outPaints: Paints;
  readonly errPaints: Paints;
  /** Nobody reads standard output any more, as after `| head`: there is no need to go on. */
  readonly outIsClosed: boolean;
}

/** False when the reader has gone. */
function writeAll(fd: number, text: string): boolean {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if (hasCode(error, 'EPIPE')) return false;
      if (!hasCode(error, 'EAGAIN')) throw error;
      // Somebody made the pipe non-blocking, and it is full.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_MS);
    }
  }
  return true;
}

/** Near enough without loading node:tty; /dev/null is one too, and there nobody minds. */
function isTerminal(fd: number): boolean {
  try {
    return fstatSync(fd).isCharacterDevice();
  } catch {
    return false;
  }
}

const line = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`);

/** The process's own. @param colour false: --no-color. */
export function standardIo(colour: boolean): Io {
  let closed = false;
  const outIsTerminal = isTerminal(STDOUT);
  const errIsTerminal = isTerminal(STDERR);
  const coloured = colour && (process.env.NO_COLOR ?? '') === '' && process.env.TERM !== 'dumb';
  return {
    out: (text) => {
      if (!closed && !writeAll(STDOUT, line(text))) closed = true;
    },
    err: (text) => {
      writeAll(STDERR, line(text));
    },
    errRaw: (text) => {
      writeAll(STDERR, text);
    },
    outIsTerminal,
    errIsTerminal,
    outPaints: paints(coloured && outIsTerminal),
    errPaints: paints(coloured && errIsTerminal),
    get outIsClosed() {
      return closed;
    },
  };
}
