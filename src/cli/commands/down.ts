/** `everlan down` */
import { removeAll } from '../../apply/converge.ts';
import { EXIT } from '../../model/problem.ts';
import { planJson } from '../../plan/explain.ts';
import { change, checkRights } from '../change.ts';
import type { Run } from '../command.ts';
import { fabricName } from '../fabric-name.ts';
import { claimAfter } from '../home.ts';
import { countActions, stepLines } from '../plan-text.ts';
import { openPlace } from '../session.ts';

export const run: Run = async (context) => {
  const { io, options, timings } = context;
  const fabric = fabricName(context);
  checkRights();
  const place = openPlace(context, fabric);
  try {
    const lock = await place.store.lock('everlan down');
    try {
      // First: a guard whose time is over while we work would put everything back.
      place.store.setPending(null);
      const { plan } = change(context, place, 'removing', (kernel, progress) =>
        removeAll(kernel, place.store, { progress, timing: (phase, ms) => timings.add(phase, ms) }),
      );
      await claimAfter(context, place, null);
      if (options.json) io.out(JSON.stringify(planJson(plan, { fabric, host: '' })));
      else if (!options.quiet) {
        if (options.verbose && plan.steps.length > 0)
          io.out(stepLines(plan.steps, { paints: io.outPaints, all: true }).join('\n'));
        const done = plan.steps.length === 0 ? 'nothing here' : countActions(plan.steps, 'done');
        io.out(`${fabric}: ${done}`);
      }
      return EXIT.done;
    } finally {
      lock.release();
    }
  } finally {
    place.close();
  }
};
