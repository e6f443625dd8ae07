/** `everlan demo` */
import { runDemo } from '../../lab/demo.ts';
import type { Run } from '../command.ts';

export const run: Run = ({ io }) => runDemo({ out: (text) => io.out(text), paints: io.outPaints });
