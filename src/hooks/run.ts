/** Runs one script, and says how it went: a script that cannot start is a result, as is one that takes too long. */

import { Child } from '../sys/child.ts';
import { SysError } from '../sys/errno.ts';
import { strerror } from '../sys/libc.ts';
import { openPipe } from '../sys/pipe.ts';
import { close } from '../sys/socket.ts';
import type { Exit } from '../sys/spawn.ts';
import { LineReader } from './lines.ts';
import { type Script, whyNotNow } from './script.ts';

export type Stream = 'stdout' | 'stderr';

export interface RunOptions {
  /** The whole environment: nothing of ours is added, so no NOTIFY_SOCKET. A value ends at its first NUL. */
  readonly env: Readonly<Record<string, string>>;
  /** After this long the script and all that it started are ended. 0: never. */
  readonly timeoutMs: number;
  /** How long they have to end by themselves. */
  readonly graceMs?: number;
  /**
   * Called for each line that the script prints, and for what its background processes print later. Without it: the
   * script writes to our own output.
   */
  readonly onLine?: (line: string, stream: Stream) => void;
  /** Called when it has started, with what ends it and all that it started, politely for so many milliseconds. */
  readonly onStart?: (end: (graceMs: number) => void) => void;
}

export type Outcome =
  /** `timedOut`: it was ended, politely or not, so its code or signal is not its own doing. `ms`: how long it ran. */
  | (Exit & { readonly timedOut: boolean; readonly ms: number })
  /**
   * - `changed`: not the file that was found any more, or not safe any more
   * - `failed`: the kernel refused to execute it; like networkd-dispatcher, and unlike execvp(3), a text without `#!`
   *   is not handed to /bin/sh
   */
  | { readonly kind: 'not started'; readonly cause: 'changed' | 'failed'; readonly why: string; readonly ms: 0 };

const GRACE_MS = 5000;

/** Readers of scripts that are over but left something running that may still print. The oldest gives way. */
const MOST_LINGERING = 64;
const lingering = new Set<LineReader>();

function linger(readers: readonly LineReader[]): void {
  for (const reader of readers) if (reader.open) lingering.add(reader);
  for (const oldest of lingering) {
    if (lingering.size <= MOST_LINGERING) break;
    oldest.close();
  }
}

function environment(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value.split('\0', 1)[0] ?? ''}`);
}

/** The outputs of a child: pipes that we read, or our own. */
interface Outputs {
  readonly stdout: number;
  readonly stderr: number;
  /** The child has them now, or never will. */
  release(): void;
  /** Begins to read. */
  read(): readonly LineReader[];
  /** There is no child. */
  discard(): void;
}

const OWN_OUTPUTS: Outputs = { stdout: 1, stderr: 2, release: () => {}, read: () => [], discard: () => {} };

function pipes(onLine: (line: string, stream: Stream) => void): Outputs {
  const out = openPipe();
  let err: ReturnType<typeof openPipe>;
  try {
    err = openPipe();
  } catch (error) {
    close(out.read);
    close(out.write);
    throw error;
  }
  const reader = (fd: number, stream: Stream): LineReader => {
    const made: LineReader = new LineReader(
      fd,
      (line) => onLine(line, stream),
      () => lingering.delete(made),
    );
    return made;
  };
  return {
    stdout: out.write,
    stderr: err.write,
    release: () => [out.write, err.write].forEach(close),
    read: () => [reader(out.read, 'stdout'), reader(err.read, 'stderr')],
    discard: () => [out.read, err.read].forEach(close),
  };
}

/** Starts the script; `done` gets its end. @throws SysError when it cannot be started. */
function start(script: Script, options: RunOptions, done: (outcome: Outcome) => void): void {
  const outputs = options.onLine === undefined ? OWN_OUTPUTS : pipes(options.onLine);
  let timer: NodeJS.Timeout | undefined;
  let timedOut = false;
  let readers: readonly LineReader[] = [];
  const { stdout, stderr } = outputs;
  const started = performance.now();
  let child: Child;
  try {
    const env = environment(options.env);
    child = Child.start({ path: script.path, argv: [script.path], env, stdout, stderr, group: 'own' }, (exit) => {
      clearTimeout(timer);
      for (const reader of readers) reader.drain();
      linger(readers);
      done({ ...exit, timedOut, ms: performance.now() - started });
    });
  } catch (error) {
    outputs.discard();
    throw error;
  } finally {
    outputs.release();
  }
  readers = outputs.read();
  options.onStart?.((graceMs) => child.end(graceMs));
  if (options.timeoutMs === 0) return;
  timer = setTimeout(() => {
    timedOut = true;
    child.end(options.graceMs ?? GRACE_MS);
  }, options.timeoutMs);
}

/**
 * Runs a script and waits for it, not for what it leaves running. Everything that led to the file is looked at again
 * right before the exec; `$0` is its path. Never rejects for a reason that is the script's.
 */
export function runHook(script: Script, options: RunOptions): Promise<Outcome> {
  return new Promise((resolve) => {
    try {
      const why = whyNotNow(script);
      if (why === null) start(script, options, resolve);
      else resolve({ kind: 'not started', cause: 'changed', why, ms: 0 });
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      resolve({ kind: 'not started', cause: 'failed', why: strerror(error.errno), ms: 0 });
    }
  });
}
