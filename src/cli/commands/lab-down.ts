/** `everlan lab down` */
import { labDown } from '../../lab/lab.ts';
import { EXIT } from '../../model/problem.ts';
import type { Run } from '../command.ts';
import { fabricName } from '../fabric-name.ts';
import { labName } from '../lab-context.ts';
import { counted } from '../text.ts';

export const run: Run = async (context) => {
  const { io, options } = context;
  const fabric = options.text('fabric') === undefined ? labName(context) : fabricName(context);
  const { removed, left } = await labDown(fabric);
  if (options.json) io.out(JSON.stringify({ version: 1, fabric, removed, left }));
  else if (!options.quiet) {
    io.out(`lab ${fabric}: ${counted(removed.length, 'namespace')} removed`);
    if (left.length > 0) io.err(`left alone, since somebody else made them: ${left.join(', ')}`);
  }
  return EXIT.done;
};
