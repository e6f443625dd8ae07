/** What the commands that change the host have in common: rights, signals, progress. */
import type { Report } from '../apply/converge.ts';
import type { Kernel } from '../kernel/port.ts';
import { EverlanError } from '../model/problem.ts';
import { hasCapability } from '../sys/caps.ts';
import type { Context } from './command.ts';
import { rightMissing } from './errors.ts';
import { NO_PROGRESS, type Progress, progressOn } from './progress.ts';
import type { Place } from './session.ts';

/** @throws EverlanError when links cannot be changed at all. */
export function checkRights(): void {
  if (!hasCapability('CAP_NET_ADMIN')) throw new EverlanError(rightMissing('CAP_NET_ADMIN', 'to change links'));
}

/** Ends that a person or a terminal asks for. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs `work` without being ended half-way: with a handler a signal waits for the event loop, and `work` is
 * synchronous. By then everything is done and verified, or undone, and the result is told as if there had been no signal.
 */
function undisturbed<T>(work: () => T): T {
  const ignore = (): void => undefined;
  for (const signal of SIGNALS) process.on(signal, ignore);
  try {
    return work();
  } finally {
    for (const signal of SIGNALS) process.off(signal, ignore);
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
