/** `everlan down` */
import { removeAll } from '../../apply/converge.ts';
import { EXIT } from '../../model/problem.ts';
import type { Plan } from '../../model/step.ts';
import { planJson } from '../../plan/explain.ts';
import { byAgentOr, change } from '../change.ts';
import type { Context, Run } from '../command.ts';
import { fabricName } from '../fabric-name.ts';
import { claimAfter } from '../home.ts';
import { countActions, stepLines } from '../plan-text.ts';
import { openPlace, type Place } from '../session.ts';

/** Where no agent keeps the fabric. */
async function removeHere(context: Context, place: Place): Promise<Plan> {
  const { timings } = context;
  const lock = await place.store.lock('everlan down');
  try {
    // First: a guard whose time is over while we work would put everything back.
    place.store.setPending(null);
    const { plan } = change(context, place, 'removing', (kernel, progress) =>
      removeAll(kernel, place.store, { progress, timing: (phase, ms) => timings.add(phase, ms) }),
    );
    await claimAfter(context, place, null);
    return plan;
  } finally {
    lock.release();
  }
}

export const run: Run = async (context) => {
  const { io, options } = context;
  const fabric = fabricName(context);
  const place = openPlace(context, fabric);
  try {
    const plan = await byAgentOr(
      place,
      (agent) => agent.down(),
      () => removeHere(context, place),
    );
    const { steps } = plan;
    if (options.json) io.out(JSON.stringify(planJson(plan, { fabric, host: '' })));
    else if (!options.quiet) {
      if (options.verbose && steps.length > 0) io.out(stepLines(steps, { paints: io.outPaints, all: true }).join('\n'));
      io.out(`${fabric}: ${steps.length === 0 ? 'nothing here' : countActions(steps, 'done')}`);
    }
    return EXIT.done;
  } finally {
    place.close();
  }
};
