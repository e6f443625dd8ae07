/** `everlan demo` */
import { runDemo } from '../../lab/demo.ts';
import type { Run } from '../command.ts';
import { labSource } from '../lab-context.ts';

export const run: Run = ({ io, options }) =>
  runDemo({
    out: (line) => {
      if (!options.quiet) io.out(line);
    },
    paints: io.outPaints,
    ...(options.text('file') === undefined ? {} : { source: labSource(options) }),
  });
