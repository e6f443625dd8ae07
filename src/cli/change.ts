/** What the commands that change the host have in common: rights, signals, progress. */
import { type AgentClient, findAgent } from '../agent/client.ts';
import type { Report } from '../apply/converge.ts';
import type { Kernel } from '../kernel/port.ts';
import { EverlanError } from '../model/problem.ts';
import { hasCapability } from '../sys/caps.ts';
import type { Context } from './command.ts';
import { rightMissing } from './errors.ts';
import { NO_PROGRESS, type Progress, progressOn } from './progress.ts';
import type { Place } from './session.ts';

/** @throws EverlanError when links cannot be changed at all. */
function checkRights(): void {
  if (!hasCapability('CAP_NET_ADMIN')) throw new EverlanError(rightMissing('CAP_NET_ADMIN', 'to change links'));
}

/** Ends that a person or a terminal asks for. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const ignore = (): void => undefined;

/**
 * Runs `work` without being ended half-way: with a handler a signal waits for the event loop, and `work` is
 * synchronous. By then everything is done and verified, or undone, and the result is told as if there had been no signal.
 */
function undisturbed<T>(work: () => T): T {
  for (const signal of SIGNALS) process.on(signal, ignore);
  try {
    return work();
  } finally {
    for (const signal of SIGNALS) process.off(signal, ignore);
  }
}

/**
 * Through the agent that keeps the fabric here, else by ourselves, for which we need rights. A change of the agent's is
 * waited for as one of our own.
 */
export async function byAgentOr<T>(
  { store }: Place,
  byAgent: (agent: AgentClient) => Promise<T>,
  here: () => Promise<T>,
): Promise<T> {
  const agent = await findAgent(store.folder, { fabric: store.fabric });
  if (agent === null) {
    checkRights();
    return here();
  }
  for (const signal of SIGNALS) process.on(signal, ignore);
  try {
    return await byAgent(agent);
  } finally {
    for (const signal of SIGNALS) process.off(signal, ignore);
    agent.close();
  }
}

/** Changes the host by `work`, told of progress; the lock is held. */
export function change(
  { io, options }: Context,
  { kernel }: Place,
  what: string,
  work: (kernel: Kernel, report: Progress['report']) => Report,
): Report {
  const progress = io.errIsTerminal && !options.quiet ? progressOn(io, what) : NO_PROGRESS;
  try {
    return undisturbed(() => work(kernel, progress.report));
  } finally {
    progress.end();
  }
}
