/** `everlan run-parts` */
import { runParts } from '../../hooks/run-parts/run-parts.ts';
import type { Run } from '../command.ts';

export const run: Run = ({ args }) => runParts(args.length);
