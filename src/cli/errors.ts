/** What went wrong, as problems for a person and an exit code; a stack trace is for whoever repairs everlan. */
import { EverlanError, EXIT, type ExitCode, type Problem, problem } from '../model/problem.ts';
import { hasCode, SysError } from '../sys/errno.ts';
import { renderAll, type Style } from '../text/render.ts';
import type { Paints } from './colour.ts';

export interface Failure {
  readonly problems: readonly Problem[];
  readonly exitCode: ExitCode;
  /** A defect of everlan; the problems are empty. */
  readonly unexpected?: Error;
}

/** Calls of the system that need a right, and for what. */
const RIGHTS: Readonly<Record<string, readonly [right: string, what: string]>> = {
  setns: ['CAP_SYS_ADMIN', 'to enter a network namespace'],
  unshare: ['CAP_SYS_ADMIN', 'to make a network namespace'],
  mount: ['CAP_SYS_ADMIN', 'to make a network namespace'],
  umount2: ['CAP_SYS_ADMIN', 'to remove a network namespace'],
  socket: ['CAP_NET_RAW', 'to send echoes'],
};

/** A right that this process lacks. */
export function rightMissing(right: string, what: string): Problem {
  return problem('right-missing', `${what}, everlan needs ${right}, which it does not have`, { hint: 'run as root' });
}

/** @param error whatever was thrown. */
export function failureOf(error: unknown): Failure {
  if (error instanceof EverlanError) return { problems: error.problems, exitCode: error.exitCode };
  if (error instanceof SysError) {
    const right = RIGHTS[error.call];
    const problems =
      right !== undefined && hasCode(error, 'EPERM')
        ? [rightMissing(right[0], right[1])]
        : [problem('system', `the system refused a call: ${error.message}`)];
    return { problems, exitCode: EXIT.failed };
  }
  if (hasCode(error, 'ENOSPC', 'EIO') && error instanceof Error) {
    return { problems: [problem('output', `cannot write: ${error.message}`)], exitCode: EXIT.failed };
  }
  const unexpected = error instanceof Error ? error : new Error(String(error));
  return { problems: [], exitCode: EXIT.failed, unexpected };
}

export function styleOf({ bold, red, yellow, green, cyan }: Paints): Style {
  return { place: bold, error: red, warning: yellow, caret: green, hint: cyan };
}

/** @param stack whether to show where an unexpected error came from. */
export function showFailure({ problems, unexpected }: Failure, paints: Paints, stack: boolean): string {
  if (unexpected === undefined) return renderAll(problems, styleOf(paints));
  const message = unexpected.message.split('\n', 1)[0] ?? '';
  const line = `everlan: internal error: ${message}, please report`;
  return stack ? `${line}\n${unexpected.stack ?? ''}` : line;
}
