/** `everlan lab exec` */
import { labExec } from '../../lab/lab.ts';
import type { Run } from '../command.ts';
import { labName } from '../lab-context.ts';
import { wrongUse } from '../options.ts';

export const run: Run = async (context) => {
  const [host = '', ...rest] = context.args;
  const argv = rest[0] === '--' ? rest.slice(1) : rest;
  if (argv.length === 0) throw wrongUse('lab exec needs a command', '`everlan lab exec HOST -- COMMAND…`');
  return labExec(labName(context), host, argv);
};
