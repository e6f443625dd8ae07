/** `everlan apply` while an agent keeps the fabric: it makes the change; the guard of --confirm is ours. */
import { resolve } from 'node:path';
import type { AgentClient } from '../agent/client.ts';
import type { Waiting } from '../agent/door.ts';
import { lookAt } from '../apply/converge.ts';
import { pendingProblem } from '../apply/guard.ts';
import type { Fabric } from '../model/fabric.ts';
import { EverlanError } from '../model/problem.ts';
import type { Plan } from '../model/step.ts';
import type { Context } from './command.ts';
import type { Guard } from './guarding.ts';
import type { Input } from './read-input.ts';
import { convergeOptions, find, type Place, warn } from './session.ts';

export interface Applied {
  readonly plan: Plan;
  readonly of: { readonly fabric: string; readonly host: string };
  /** Overlays that come up later. */
  readonly waiting: readonly Waiting[];
}

/** Starts the guard if there is anything to do; the agent touches nothing between this and its own part. */
async function armed(context: Context, place: Place, fabric: Fabric, guard: Guard): Promise<void> {
  const { kernel, store } = place;
  const lock = await store.lock('everlan apply');
  try {
    const pending = store.pending();
    if (pending !== null) throw new EverlanError(pendingProblem(pending));
    const { desired, view } = find(context, fabric, kernel);
    const { observed, plan } = lookAt(kernel, desired, store, convergeOptions(context, view));
    if (plan.conflicts.length > 0) throw new EverlanError(plan.conflicts);
    if (plan.steps.length > 0) guard.arm(observed);
  } finally {
    lock.release();
  }
}

const isGone = (error: unknown): boolean =>
  error instanceof EverlanError && error.problems.some(({ code }) => code === 'agent-gone');

/** @param guard of --confirm; null without it. */
export async function applyByAgent(
  context: Context,
  place: Place,
  agent: AgentClient,
  { fabric, input }: { readonly fabric: Fabric; readonly input: Input },
  guard: Guard | null,
): Promise<Applied> {
  const { io, options } = context;
  if (guard !== null) await armed(context, place, fabric, guard);
  const request = {
    text: Buffer.from(input.bytes).toString('utf8'),
    file: options.file === '-' ? input.name : resolve(input.name),
    host: options.host,
    adopt: options.flag('adopt'),
    prune: options.flag('prune'),
    trial: guard?.token ?? null,
  };
  try {
    const reply = await agent.apply(request);
    if (!options.quiet) warn(context, reply.warnings);
    const { plan, waiting } = reply;
    return { plan, of: reply, waiting };
  } catch (error) {
    // It has undone what it did. One that has gone may not have, and then the guard will.
    if (!isGone(error)) guard?.disarm();
    else if (guard !== null && !options.quiet) io.err(guard.note());
    throw error;
  }
}
