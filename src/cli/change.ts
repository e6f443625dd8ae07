/** What the commands that change the host have in common: the lock, advice, signals, progress. */
import type { Report } from '../apply/converge.ts';
import type { Kernel, StepFailure } from '../kernel/port.ts';
import { EverlanError, type Problem, problem } from '../model/problem.ts';
import { hasCapability } from '../sys/caps.ts';
import type { Context } from './command.ts';
import { rightMissing } from './errors.ts';
import { NO_PROGRESS, type Progress, progressOn } from './progress.ts';
import type { Place } from './session.ts';

/** @throws EverlanError when links cannot be changed at all. */
export function checkRights(): void {
  if (!hasCapability('CAP_NET_ADMIN')) throw new EverlanError(rightMissing('CAP_NET_ADMIN', 'to change links'));
}

const EPERM = 1; // <asm-generic/errno-base.h>
const EOPNOTSUPP = 95; // <asm-generic/errno.h>

const KINDS: Readonly<Record<string, string>> = { vxlan: 'VXLAN', bridge: 'bridge' };

/** What to do about refusals that the kernel's own words do not explain. */
export function advise(failures: readonly StepFailure[]): Problem[] {
  const advice = new Map<string, Problem>();
  for (const { step, errno } of failures) {
    const made = step.kind === 'link' && (step.action === 'add' || step.action === 'recreate') ? step.to.kind : null;
    const module = made === 'vxlan' || made === 'bridge' ? made : null;
    if (errno === EOPNOTSUPP && module !== null) {
      const hint = `\`modprobe ${module}\`, or a kernel with CONFIG_${module.toUpperCase()} (y or m)`;
      advice.set(module, problem(`no-${module}`, `this kernel has no ${KINDS[module]} links`, { hint }));
    }
    if (errno === EPERM) advice.set('EPERM', rightMissing('CAP_NET_ADMIN', 'to change links'));
  }
  return [...advice.values()];
}

/** The kernel, and what it refused. */
function listening(kernel: Kernel, failures: StepFailure[]): Kernel {
  return {
    look: () => kernel.look(),
    run: (steps, options) => {
      const report = kernel.run(steps, options);
      failures.push(...report.failures);
      return report;
    },
    close: () => kernel.close(),
  };
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
  const failures: StepFailure[] = [];
  const progress = io.errIsTerminal && !options.quiet ? progressOn(io, what) : NO_PROGRESS;
  try {
    return undisturbed(() => work(listening(kernel, failures), progress.report));
  } catch (error) {
    if (!(error instanceof EverlanError)) throw error;
    throw new EverlanError([...error.problems, ...advise(failures)], error.exitCode);
  } finally {
    progress.end();
  }
}
