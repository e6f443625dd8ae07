/** `status --watch`: the same text again whenever it has changed. */
import { watchChanges } from '../kernel/hints.ts';
import { EverlanError } from '../model/problem.ts';
import type { Context } from './command.ts';
import { failureOf, showFailure } from './errors.ts';

/** Changes come in bursts: one look for all that come within this time. */
const TOGETHER_MS = 50;
/** Looking takes at most this part of the time, however much goes on. */
const SHARE = 4;
const HOME_AND_CLEAR = '\u001b[H\u001b[2J\u001b[3J';

export interface Shown {
  readonly text: string;
  /** A host that lacks something right now is news too. */
  readonly failed: boolean;
}

function textNow({ io }: Context, look: () => string): Shown {
  try {
    return { text: look(), failed: false };
  } catch (error) {
    if (!(error instanceof EverlanError)) throw error;
    return { text: showFailure(failureOf(error), io.outPaints, false), failed: true };
  }
}

/** Shows a text when it is another one than before. */
export function screenOf({ io, options }: Context): (shown: Shown) => void {
  const redraws = io.outIsTerminal && !options.json;
  let last: string | null = null;
  return ({ text, failed }) => {
    if (text === last) return;
    // Lines of JSON stay lines of JSON.
    if (options.json && failed) io.err(text);
    else if (redraws) io.out(`${HOME_AND_CLEAR}${text}\n\n${io.outPaints.dim('watching, Ctrl-C ends')}`);
    else io.out(last === null || options.json ? text : `\n${text}`);
    last = text;
  };
}

/** Calls back on SIGINT and SIGTERM, until the function returned is called. */
export function onInterrupt(end: () => void): () => void {
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  return () => {
    process.off('SIGINT', end);
    process.off('SIGTERM', end);
  };
}

/**
 * Shows `look`'s text now and after changes, until SIGINT, SIGTERM, or nobody reads it any more.
 * @param look may throw EverlanError.
 */
export function watchStatus(context: Context, netns: number | undefined, look: () => string): Promise<void> {
  const screen = screenOf(context);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let wait = TOGETHER_MS;
  let timer: NodeJS.Timeout | undefined;

  const show = (): void => {
    const start = performance.now();
    const shown = textNow(context, look);
    wait = Math.max(TOGETHER_MS, (performance.now() - start) * SHARE);
    screen(shown);
    if (context.io.outIsClosed) resolve();
  };
  const guarded = (): void => {
    timer = undefined;
    try {
      show();
    } catch (error) {
      reject(error);
    }
  };

  // Before the first look, so that nothing is missed in between.
  const watcher = watchChanges(netns, () => {
    timer ??= setTimeout(guarded, wait);
  });
  const off = onInterrupt(resolve);
  guarded();
  return promise.finally(() => {
    clearTimeout(timer);
    watcher.close();
    off();
  });
}
