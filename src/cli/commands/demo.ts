/** `everlan demo` */
import { runDemo } from '../../lab/demo.ts';
import type { Run } from '../command.ts';

export const run: Run = ({ io }) => runDemo((text) => io.out(text));
