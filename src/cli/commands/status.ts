/** `everlan status` */
import { type AgentClient, findAgent } from '../../agent/client.ts';
import { lookAt } from '../../apply/converge.ts';
import { storeFolder } from '../../apply/store.ts';
import { DEFAULT_FILE, type Fabric } from '../../model/fabric.ts';
import { EverlanError, EXIT } from '../../model/problem.ts';
import type { Status } from '../../model/status.ts';
import { statusOf } from '../../plan/status.ts';
import { cookieOf } from '../../sys/netns.ts';
import type { Context, Run } from '../command.ts';
import { convergeOptions, type Found, find, type Place, withHost } from '../session.ts';
import { statusText } from '../status-text.ts';

/** The agent of this host's file. null: there is none, or none that we may ask, and to look we need no rights. */
async function agentHere({ options }: Context): Promise<AgentClient | null> {
  if (['file', 'host', 'netns'].some((name) => options.text(name) !== undefined)) return null;
  try {
    return await findAgent(storeFolder(cookieOf()), { file: DEFAULT_FILE });
  } catch (error) {
    if (error instanceof EverlanError && error.problems.some(({ code }) => code === 'agent-closed')) return null;
    throw error;
  }
}

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

/** Where no agent keeps this host. */
function statusHere(context: Context): Promise<number> {
  return withHost(context, async (place, found, fabric) => {
    const { io, options } = context;
    if (options.flag('watch')) {
      await watch(context, place, fabric, found);
      return EXIT.done;
    }
    const status = statusNow(context, place, found);
    if (options.json || !options.quiet) io.out(textOf(status, context));
    return options.flag('exitCode') && !status.converged ? EXIT.differs : EXIT.done;
  });
}

export const run: Run = async (context) => {
  const agent = await agentHere(context);
  if (agent === null) return statusHere(context);
  try {
    return await (await import('../agent-status.ts')).statusOfAgent(context, agent);
  } finally {
    agent.close();
  }
};
