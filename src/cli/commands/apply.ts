/** `everlan apply` */
import { converge } from '../../apply/converge.ts';
import type { Fabric } from '../../model/fabric.ts';
import { EverlanError, EXIT } from '../../model/problem.ts';
import { planJson } from '../../plan/explain.ts';
import type { Applied } from '../agent-apply.ts';
import { waitingLines } from '../agent-text.ts';
import { byAgentOr, change } from '../change.ts';
import type { Context, Run } from '../command.ts';
import { parseDuration } from '../duration.ts';
import type { Guard } from '../guarding.ts';
import { claimAfter, claimBefore } from '../home.ts';
import { countActions, stepLines } from '../plan-text.ts';
import { checkHost, convergeOptions, find, openPlace, type Place, readFabricFile, warn } from '../session.ts';

function show({ io, options }: Context, { plan, of, waiting }: Applied, note: string): void {
  if (options.json) io.out(JSON.stringify(planJson(plan, of)));
  else if (!options.quiet) {
    const where = `${of.fabric} on ${of.host}`;
    const { steps } = plan;
    if (steps.length === 0) io.out(`${where}: nothing to do`);
    else {
      if (options.verbose) io.out([...stepLines(steps, { paints: io.outPaints, all: true }), ''].join('\n'));
      io.out(`${where}: ${io.outPaints.green(countActions(steps, 'done'))}, verified`);
    }
  }
  if (options.quiet) return;
  if (note !== '') io.err(note);
  if (waiting.length > 0) io.err(waitingLines(waiting, { paints: io.errPaints, all: options.verbose }).join('\n'));
}

/** Where no agent keeps the fabric. */
async function applyHere(context: Context, place: Place, fabric: Fabric, guard: Guard | null): Promise<Applied> {
  const { kernel, store } = place;
  const lock = await store.lock('everlan apply');
  try {
    const pending = store.pending();
    if (pending !== null) {
      const { pendingProblem } = await import('../../apply/guard.ts');
      throw new EverlanError(pendingProblem(pending));
    }
    const { desired, view } = find(context, fabric, kernel);
    if (!context.options.quiet) warn(context, desired.warnings);
    const claimed = await claimBefore(context, place, { desired, view });
    const { plan } = change(context, place, 'applying', (listening, progress) => {
      try {
        const beforeChange = guard === null ? {} : { beforeChange: guard.arm };
        const done = converge(listening, desired, store, {
          ...convergeOptions(context, view),
          ...beforeChange,
          progress,
        });
        guard?.settle(done.after);
        return done;
      } catch (error) {
        // It has undone itself; what nobody expected is left to the guard.
        if (error instanceof EverlanError) guard?.disarm();
        throw error;
      }
    });
    // What a guard would bring back stays ours as well.
    await claimAfter(context, place, desired.state, guard === null ? [] : claimed);
    return { plan, of: desired, waiting: [] };
  } finally {
    lock.release();
  }
}

export const run: Run = async (context) => {
  const { options } = context;
  const confirm = options.text('confirm');
  const seconds = confirm === undefined ? null : parseDuration(confirm, '--confirm');
  const guarding = seconds === null ? null : await import('../guarding.ts');
  guarding?.checkNamespace(options);
  const source = readFabricFile(context);
  const { fabric } = source;
  checkHost(context, fabric);
  const place = openPlace(context, fabric.name);
  try {
    const { store } = place;
    const guard = seconds === null || guarding === null ? null : guarding.guardOf(context, store, seconds);
    const applied = await byAgentOr(
      place,
      async (agent) => {
        const { applyByAgent } = await import('../agent-apply.ts');
        return applyByAgent(context, place, agent, source, guard);
      },
      () => applyHere(context, place, fabric, guard),
    );
    show(context, applied, guard?.note() ?? '');
    return EXIT.done;
  } finally {
    place.close();
  }
};
