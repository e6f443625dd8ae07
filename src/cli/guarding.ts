/** The guard of `apply --confirm`, as the command line starts it. */
import { arm, settle } from '../apply/guard.ts';
import type { Pending, Store } from '../apply/store.ts';
import type { HostState } from '../model/state.ts';
import type { Context } from './command.ts';
import { showDuration } from './duration.ts';
import { type Options, wrongUse } from './options.ts';

export interface Guard {
  /** Tells this change from others; null: not armed. */
  readonly token: string | null;
  arm(before: HostState): void;
  /** The change is made and verified. */
  settle(after: HostState): void;
  /** Nothing is left that it would have to undo. */
  disarm(): void;
  /** How and until when to confirm; '' when nothing was changed. */
  note(): string;
}

/** @throws EverlanError, exit 2, for a namespace that the guard might not find any more. */
export function checkNamespace({ netns }: Options): void {
  if (netns?.startsWith('/proc/') !== true) return;
  const message = `--confirm needs a network namespace that outlives this program, and ${netns} may not`;
  throw wrongUse(message, 'name it with `ip netns attach NAME PID`, then --netns NAME');
}

/** As the guard finds it from any folder. */
function namespacePath(netns: string): string {
  return netns.startsWith('/') ? netns : `/run/netns/${netns}`;
}

/** This program's own command line, up to the guard's arguments. */
function guardArguments(fabric: string, netns: string | undefined): string[] {
  const [, entry = ''] = process.argv;
  const where = netns === undefined ? [] : ['--netns', namespacePath(netns)];
  return [...process.execArgv, entry, 'guard', '--fabric', fabric, ...where];
}

function confirmLine({ options }: Context, fabric: string): string {
  const netns = options.netns === undefined ? '' : ` --netns ${options.netns}`;
  return `everlan confirm --fabric ${fabric}${netns}`;
}

export function guardOf(context: Context, store: Store, seconds: number): Guard {
  let pending: Pending | null = null;
  return {
    get token() {
      return pending?.token ?? null;
    },
    arm: (before) => {
      const command = {
        program: process.execPath,
        arguments: guardArguments(store.fabric, context.options.netns),
      };
      pending = arm(store, before, seconds, command);
    },
    settle: (after) => {
      if (pending !== null) settle(store, pending, after);
    },
    disarm: () => {
      if (pending !== null && store.pending()?.token === pending.token) store.setPending(null);
    },
    note: () => {
      if (pending === null) return '';
      const until = new Date(pending.until).toTimeString().slice(0, 8);
      const line = confirmLine(context, store.fabric);
      return `This is undone at ${until}, in ${showDuration(seconds)}, unless it is confirmed: ${line}`;
    },
  };
}
