/**
 * One run of `everlan agent` in a release, which has it as a program of its own: a service that is always there should not
 * carry what other commands need, reading arguments among it.
 */
import { runAgent } from '../agent/main.ts';
import { DEFAULT_FILE } from '../model/fabric.ts';
import { failureOf, showFailure } from './errors.ts';
import { standardIo } from './io.ts';

const NAMES: Readonly<Record<string, 'file' | 'host' | 'netns'>> = {
  '-f': 'file',
  '--file': 'file',
  '--host': 'host',
  '--netns': 'netns',
};

/** `-f FILE`, `--file FILE` and the like; null for anything else, such as --help or a mistake. */
function read(args: readonly string[]): { file?: string; host?: string; netns?: string } | null {
  const found: { file?: string; host?: string; netns?: string } = {};
  for (let i = 0; i < args.length; i += 2) {
    const [name = '', value = ''] = args.slice(i, i + 2);
    const option = NAMES[name];
    if (option === undefined || value === '' || value.startsWith('-')) return null;
    found[option] = value;
  }
  return found;
}

/**
 * @param args the command's name and its arguments.
 * @returns the exit code; null: the arguments are for the whole program to understand, or to refuse.
 */
export async function run([, ...args]: readonly string[]): Promise<number | null> {
  const options = read(args);
  if (options === null) return null;
  try {
    const { file = DEFAULT_FILE, host, netns } = options;
    return await runAgent({ file, host, netns });
  } catch (error) {
    const io = standardIo(false);
    const failure = failureOf(error);
    io.err(showFailure(failure, io.errPaints, false));
    return failure.exitCode;
  }
}
