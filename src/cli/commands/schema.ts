/** `everlan schema` */
import { fabricSchema } from '../../fabric/schema.ts';
import { EXIT } from '../../model/problem.ts';
import type { Run } from '../command.ts';

export const run: Run = ({ io }) => {
  io.out(JSON.stringify(fabricSchema(), null, 2));
  return EXIT.done;
};
