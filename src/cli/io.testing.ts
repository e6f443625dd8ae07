/** Streams that keep what was written, for tests. */
import { paints } from './colour.ts';
import type { Io } from './io.ts';

export interface KeptIo extends Io {
  readonly written: { out: string; err: string };
}

export function keptIo(): KeptIo {
  const written = { out: '', err: '' };
  return {
    written,
    out: (text) => {
      written.out += text.endsWith('\n') ? text : `${text}\n`;
    },
    err: (text) => {
      written.err += text.endsWith('\n') ? text : `${text}\n`;
    },
    errRaw: (text) => {
      written.err += text;
    },
    outIsTerminal: false,
    errIsTerminal: false,
    outPaints: paints(false),
    errPaints: paints(false),
    outIsClosed: false,
  };
}
