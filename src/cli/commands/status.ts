/** `everlan status` */
import { lookAt } from '../../apply/converge.ts';
import type { Fabric } from '../../model/fabric.ts';
import { EXIT } from '../../model/problem.ts';
import type { Status } from '../../model/status.ts';
import { statusOf } from '../../plan/status.ts';
import type { Context, Run } from '../command.ts';
import { convergeOptions, type Found, find, type Place, withHost } from '../session.ts';
import { statusText } from '../status-text.ts';

function statusNow(context: Context, { kernel, store }: Place, { desired, view }: Found): Status {
  const { observed, plan } = lookAt(kernel, desired, store, convergeOptions(context, view));
  return statusOf(desired, observed, plan);
}

function textOf(status: Status, { io, options }: Context): string {
  if (options.json) return JSON.stringify(status);
  return statusText(status, { paints: io.outPaints, all: options.verbose });
}

async function watch(context: Context, place: Place, fabric: Fabric, found: Found): Promise<void> {
  const { watchStatus } = await import('../watch.ts');
  let next: Found | null = found;
  await watchStatus(context, place.netns, () => {
    const seen = next ?? find(context, fabric, place.kernel, found.desired.host);
    next = null;
    return textOf(statusNow(context, place, seen), context);
  });
}

export const run: Run = (context) =>
  withHost(context, async (place, found, fabric) => {
    const { io, options } = context;
    if (options.flag('watch')) {
      await watch(context, place, fabric, found);
      return EXIT.done;
    }
    const status = statusNow(context, place, found);
    if (options.json || !options.quiet) io.out(textOf(status, context));
    return options.flag('exitCode') && !status.converged ? EXIT.differs : EXIT.done;
  });
