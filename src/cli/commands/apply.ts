/** `everlan apply` */
import type { Report } from '../../apply/converge.ts';
import { converge } from '../../apply/converge.ts';
import { EverlanError, EXIT } from '../../model/problem.ts';
import { planJson } from '../../plan/explain.ts';
import { change, checkRights } from '../change.ts';
import type { Context, Run } from '../command.ts';
import { parseDuration } from '../duration.ts';
import { claimAfter, claimBefore } from '../home.ts';
import { countActions, stepLines } from '../plan-text.ts';
import { checkHost, convergeOptions, find, openPlace, readFabric, warn } from '../session.ts';

function show({ io, options }: Context, report: Report, of: { fabric: string; host: string }, note: string): void {
  if (options.json) io.out(JSON.stringify(planJson(report.plan, of)));
  else if (!options.quiet) {
    const where = `${of.fabric} on ${of.host}`;
    const { steps } = report.plan;
    if (steps.length === 0) io.out(`${where}: nothing to do`);
    else {
      if (options.verbose) io.out([...stepLines(steps, { paints: io.outPaints, all: true }), ''].join('\n'));
      io.out(`${where}: ${io.outPaints.green(countActions(steps, 'done'))}, verified`);
    }
  }
  if (note !== '' && !options.quiet) io.err(note);
}

export const run: Run = async (context) => {
  const { options } = context;
  const confirm = options.text('confirm');
  const seconds = confirm === undefined ? null : parseDuration(confirm, '--confirm');
  const guarding = seconds === null ? null : await import('../guarding.ts');
  guarding?.checkNamespace(options);
  const fabric = readFabric(context);
  checkHost(context, fabric);
  checkRights();
  const place = openPlace(context, fabric.name);
  try {
    const { kernel, store } = place;
    const lock = await store.lock('everlan apply');
    try {
      const pending = store.pending();
      if (pending !== null) {
        const { pendingProblem } = await import('../../apply/guard.ts');
        throw new EverlanError(pendingProblem(pending));
      }
      const { desired, view } = find(context, fabric, kernel);
      if (!options.quiet) warn(context, desired.warnings);
      const claimed = await claimBefore(context, place, { desired, view });
      const guard = seconds === null || guarding === null ? null : guarding.guardOf(context, store, seconds);
      const report = change(context, place, 'applying', (listening, progress) => {
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
      show(context, report, desired, guard?.note() ?? '');
      return EXIT.done;
    } finally {
      lock.release();
    }
  } finally {
    place.close();
  }
};
