/**
 * A folder of scripts, one after the other, as Debian's run-parts runs them (run-parts(8), debianutils 5.7): options,
 * messages, order and exit codes. It runs from start to end without the event loop.
 */
import { accessSync, constants, type Stats, statSync } from 'node:fs';
import { SysError } from '../../sys/errno.ts';
import { readFolder } from '../../sys/folder.ts';
import { strerror } from '../../sys/libc.ts';
import { compileRegex, RegexError } from '../../sys/regex.ts';
import { type Exit, spawn, wait } from '../../sys/spawn.ts';
import { lastArguments, startEnvironment } from '../../sys/start.ts';
import { classicalRule, customRule, lsbRule, type NameRule } from './names.ts';
import { isStop, type Options, readOptions } from './options.ts';
import { complain, Lines, writeAll, writeErr } from './output.ts';
import { Report } from './report.ts';
import { copyStdin, rewind } from './stdin.ts';

// The child was never there, rather than that its program could not be executed.
const NO_CHILD = ['EAGAIN', 'ENOMEM'];

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');

/** In libc's words. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && 'errno' in error) return strerror(Math.abs(Number(error.errno)));
  throw error;
}

/** Everything that is to be done ends here: the run is over with this exit code. */
class Over extends Error {
  readonly code: number;

  constructor(code: number) {
    super('over');
    this.code = code;
  }
}

function nameRule(names: Options['names']): NameRule {
  switch (names.rule) {
    case 'classical':
      return classicalRule;
    case 'lsb':
      return lsbRule;
    case 'custom':
      try {
        const matches = compileRegex(bytesOf(names.pattern));
        return customRule((name) => matches(bytesOf(name)));
      } catch (error) {
        if (!(error instanceof RegexError)) throw error;
        writeErr(`Unable to build regexp: ${error.message}\n`);
        throw new Over(1);
      }
  }
}

/** The names that count, in their order: bytes compared, as strcmp(3) does. */
function choose(options: Options, rule: NameRule): string[] {
  let names: Buffer[];
  try {
    names = readFolder(bytesOf(options.folder));
  } catch (error) {
    complain(`failed to open directory ${options.folder}: ${reasonOf(error)}`);
    throw new Over(1);
  }
  const chosen = names
    .map((name) => name.toString('latin1'))
    .filter((name) => {
      const { taken, rules } = rule(name);
      if (options.debug) writeErr(`"${name}": ${rules}\n`);
      return taken;
    })
    // One character is one byte, so JavaScript's order is that of bytes.
    .sort();
  return options.reverse ? chosen.reverse() : chosen;
}

function may(path: string, mode: number): boolean {
  try {
    accessSync(bytesOf(path), mode);
    return true;
  } catch {
    return false;
  }
}

/** One run over the folder. */
class Runner {
  readonly #options: Options;
  readonly #env: readonly Uint8Array[];
  readonly #keep: readonly number[];
  readonly #lines = new Lines();
  /** What every script reads; null: our own standard input. */
  #stdin: number | null = null;
  #failed = false;

  constructor(options: Options, env: readonly Uint8Array[], keep: readonly number[]) {
    this.#options = options;
    this.#env = env;
    this.#keep = keep;
  }

  #fail(message: string): void {
    complain(message);
    this.#failed = true;
  }

  run(): number {
    const names = choose(this.#options, nameRule(this.#options.names));
    const { stdin, test, list, exitOnError } = this.#options;
    if (stdin && !test && !list) {
      this.#stdin = copyStdin();
      if (this.#stdin === null) {
        complain('run-parts: failed to copy content of stdin\n');
        return 1;
      }
    }
    try {
      for (const name of names) {
        const ran = this.#handle(`${this.#options.folder}/${name}`);
        if (ran && this.#failed && exitOnError) break;
      }
    } finally {
      this.#lines.flush();
    }
    return this.#failed ? 1 : 0;
  }

  /** One component; whether a script ran. */
  #handle(path: string): boolean {
    const { test, list, exitOnError } = this.#options;
    let stats: Stats;
    try {
      stats = statSync(bytesOf(path));
    } catch (error) {
      complain(`failed to stat component ${path}: ${reasonOf(error)}`);
      if (exitOnError) throw new Over(1);
      return false;
    }
    if (stats.isFile()) {
      if (list) {
        if (may(path, constants.R_OK)) this.#lines.add(path);
      } else if (may(path, constants.X_OK)) {
        if (!test) return this.#execute(path);
        this.#lines.add(path);
      }
    } else if (!stats.isDirectory() && !list) {
      this.#fail(`run-parts: component ${path} is not an executable plain file\n`);
    }
    return false;
  }

  #execute(path: string): true {
    const { verbose, report, args } = this.#options;
    if (verbose) writeErr(`run-parts: executing ${[path, ...args].join(' ')}\n`);
    const exit = report ? this.#reported(path) : this.#plain(path);
    if (exit.kind === 'killed') this.#fail(`${path} exited because of uncaught signal ${exit.signal}`);
    else if (exit.code !== 0) this.#fail(`${path} exited with return code ${exit.code}`);
    return true;
  }

  #spawn(path: string, stdout: number, stderr: number): number | SysError {
    if (this.#stdin !== null) rewind(this.#stdin);
    try {
      return spawn({
        path: bytesOf(path),
        argv: [path, ...this.#options.args].map(bytesOf),
        env: this.#env,
        stdin: this.#stdin ?? 0,
        stdout,
        stderr,
        keep: this.#keep,
        group: this.#options.newSession ? 'session' : 'same',
      });
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      if (!NO_CHILD.includes(error.code)) return error;
      complain(`failed to fork: ${strerror(error.errno)}`);
      throw new Over(1);
    }
  }

  #plain(path: string): Exit {
    const pid = this.#spawn(path, 1, 2);
    if (typeof pid === 'number') return wait(pid);
    complain(`failed to exec ${path}: ${strerror(pid.errno)}`);
    return { kind: 'exited', code: 1 };
  }

  #reported(path: string): Exit {
    const report = new Report(path);
    const pid = this.#spawn(path, report.stdout, report.stderr);
    if (typeof pid === 'number') return report.follow(pid);
    report.say(`run-parts: failed to exec ${path}: ${strerror(pid.errno)}\n`);
    report.abandon();
    return { kind: 'exited', code: 1 };
  }
}

/** Set by the launcher: the descriptors above 2 that we were started with and hand on, which Node has closed for exec. */
const KEEP = 'EVERLAN_RUN_PARTS_KEEP';

function environment(): { readonly env: Buffer[]; readonly keep: number[] } {
  const isKeep = (entry: Buffer) => entry.toString('latin1').startsWith(`${KEEP}=`);
  const keep = (process.env[KEEP] ?? '').split(' ').filter((word) => /^[0-9]+$/.test(word));
  return { env: startEnvironment().filter((entry) => !isKeep(entry)), keep: keep.map(Number) };
}

/**
 * Runs as the program does; the exit code. `count`: how many of the last words of our command line are its arguments.
 */
export function runParts(count: number): number {
  process.umask(0o022);
  const args = lastArguments(count).map((arg) => arg.toString('latin1'));
  const options = readOptions(args, 'run-parts', process.env.POSIXLY_CORRECT !== undefined);
  if (isStop(options)) {
    writeAll(1, bytesOf(options.out));
    writeErr(options.err);
    return options.code;
  }
  process.umask(options.umask);
  const { env, keep } = environment();
  try {
    return new Runner(options, env, keep).run();
  } catch (error) {
    if (error instanceof Over) return error.code;
    throw error;
  }
}
