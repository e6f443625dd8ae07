/** `everlan plan` */
import { lookAt } from '../../apply/converge.ts';
import { EverlanError, EXIT } from '../../model/problem.ts';
import { isConverged, planJson } from '../../plan/explain.ts';
import type { Run } from '../command.ts';
import { planText } from '../plan-text.ts';
import { convergeOptions, withHost } from '../session.ts';

export const run: Run = (context) =>
  withHost(context, ({ kernel, store }, { desired, view }) => {
    const { io, options } = context;
    const { plan } = lookAt(kernel, desired, store, convergeOptions(context, view));
    if (options.json) io.out(JSON.stringify(planJson(plan, desired)));
    else if (!options.quiet) io.out(planText(plan, desired, { paints: io.outPaints, all: options.verbose }));
    if (plan.conflicts.length > 0) throw new EverlanError(plan.conflicts);
    return options.flag('exitCode') && !isConverged(plan) ? EXIT.differs : EXIT.done;
  });
