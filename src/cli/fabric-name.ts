/** Which fabric a command is about that needs no more than its name. */
import { EverlanError } from '../model/problem.ts';
import type { Context } from './command.ts';
import { wrongUse } from './options.ts';
import { readFabric } from './session.ts';

const NAME = /^[a-z][a-z0-9-]{0,31}$/;

const HINT = '`--fabric NAME` works without the file';

function nameInFile(context: Context): string {
  try {
    return readFabric(context).name;
  } catch (error) {
    if (!(error instanceof EverlanError)) throw error;
    const [only, ...others] = error.problems;
    if (only === undefined || others.length > 0) throw error;
    throw new EverlanError({ ...only, hint: HINT }, error.exitCode);
  }
}

/** --fabric NAME, else the file's. @throws EverlanError, exit 2. */
export function fabricName(context: Context): string {
  const { options } = context;
  const name = options.text('fabric');
  if (name === undefined) return nameInFile(context);
  if (options.text('file') !== undefined) throw wrongUse('--fabric and --file both say which fabric: give one');
  if (!NAME.test(name)) throw wrongUse(`“${name}” cannot be the name of a fabric`);
  return name;
}
