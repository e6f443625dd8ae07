/** `everlan completion` */
import { EXIT } from '../../model/problem.ts';
import type { Run } from '../command.ts';
import { completionScript } from '../completion-script.ts';

export const run: Run = ({ io, args }) => {
  // Commander has refused everything but the two.
  io.out(completionScript(args[0] === 'zsh' ? 'zsh' : 'bash'));
  return EXIT.done;
};
