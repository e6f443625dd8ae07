/** One line on a terminal's standard error that is written anew as work goes on. */
import type { Io } from './io.ts';
import { thousands } from './text.ts';

/** Shorter work shows nothing. */
const AFTER_MS = 300;
const EVERY_MS = 100;
const CLEAR = '\r\u001b[K';

export interface Progress {
  report(done: number, total: number): void;
  /** Takes the line away. */
  end(): void;
}

export function progressOn(io: Io, what: string): Progress {
  const start = performance.now();
  let shown = Number.NEGATIVE_INFINITY;
  return {
    report: (done, total) => {
      const now = performance.now();
      if (now - start < AFTER_MS || now - shown < EVERY_MS) return;
      shown = now;
      io.errRaw(`${CLEAR}${what}: ${thousands(done)} of ${thousands(total)} steps`);
    },
    end: () => {
      if (shown > 0) io.errRaw(CLEAR);
    },
  };
}

/** Says nothing. */
export const NO_PROGRESS: Progress = { report: () => undefined, end: () => undefined };
