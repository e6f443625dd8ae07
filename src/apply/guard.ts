/**
 * `apply --confirm`: a guard outlives us and puts everything back unless it is told in time that all is well. It is a
 * process of its own, so that neither a killed program nor a lost connection keeps it from its work.
 */
import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import type { Kernel } from '../kernel/port.ts';
import { EverlanError, type Problem, problem } from '../model/problem.ts';
import type { HostState } from '../model/state.ts';
import { systemdServesUs } from '../sys/systemd.ts';
import { restore } from './converge.ts';
import { withoutStrangers } from './memory.ts';
import type { Pending, Store } from './store.ts';

/** How the guard is started: the program's own command line up to its hidden command. */
export interface GuardCommand {
  readonly program: string;
  /** Arguments before `--token`. */
  readonly arguments: readonly string[];
}

/** How long after its time a guard may still be at work. */
const LATE_MS = 30_000;

export function pendingProblem(pending: Pending): Problem {
  const left = pending.until - Date.now();
  const hint = '`everlan confirm` keeps it; `everlan down` removes the fabric';
  if (left < -LATE_MS) {
    return problem('unconfirmed', 'a change was never confirmed, and its guard is gone without undoing it', { hint });
  }
  const seconds = Math.max(0, Math.ceil(left / 1000));
  return problem('unconfirmed', `a change waits to be confirmed and is undone in ${seconds} s`, { hint });
}

function startUnit(command: readonly string[], token: string): boolean {
  const unit = `everlan-confirm-${token}`;
  const run = ['--quiet', '--collect', `--unit=${unit}`, '--property=KillMode=process', '--', ...command];
  return spawnSync('systemd-run', run, { stdio: 'ignore' }).status === 0;
}

/** How long a guard may take to say that it is there. */
const READY_MS = 10_000;

/** Until the guard is there, or READY_MS are over. Blocks: what follows must not begin before. */
function isReady(store: Store, token: string): boolean {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (const end = performance.now() + READY_MS; performance.now() < end; Atomics.wait(pause, 0, 0, 5)) {
    if (store.guarded() === token) return true;
  }
  return false;
}

/**
 * Starts the guard before anything is changed, and waits until it is there.
 * @param before the state to go back to.
 * @throws EverlanError when there is no guard: then nothing must be changed.
 */
export function arm(store: Store, before: HostState, seconds: number, command: GuardCommand): Pending {
  const token = randomUUID();
  const until = Date.now() + seconds * 1000;
  const pending = { token, seconds, until, before, remembered: store.remembered() };
  store.setPending(pending);
  const line = [command.program, ...command.arguments, '--token', token];
  if (!(systemdServesUs() && startUnit(line, token))) {
    const [program = command.program, ...rest] = line;
    // detached: a session of its own (setsid), so that no terminal's end reaches it.
    const child = spawn(program, rest, { detached: true, stdio: 'ignore', cwd: '/' });
    // Told below, by its silence.
    child.on('error', () => undefined);
    child.unref();
  }
  if (!isReady(store, token)) {
    store.setPending(null);
    throw new EverlanError(problem('no-guard', 'the guard of --confirm could not be started; nothing was changed'));
  }
  return pending;
}

/** The change was made: strangers' things that it left where they were are not put back when their owners take them away. */
export function settle(store: Store, pending: Pending, after: HostState): void {
  store.setPending({ ...pending, before: withoutStrangers(pending.before, after) });
}

/** Keeps the change. @throws EverlanError when nothing is pending. */
export function confirm(store: Store): void {
  if (store.pending() === null) {
    throw new EverlanError(problem('nothing-pending', `nothing of ${store.fabric} waits to be confirmed`));
  }
  // For an agent that is not there to be asked: it must not take the change for one that was undone.
  const trial = store.trial();
  if (trial !== null) store.setTrial({ ...trial, confirmed: true });
  store.setPending(null);
}

/** Resolves when the time is over (`true`) or the change was confirmed or replaced (`false`). */
async function timeIsOver(store: Store, token: string, seconds: number): Promise<boolean> {
  const mine = (): boolean => store.pending()?.token === token;
  return new Promise((resolve) => {
    let watcher: FSWatcher | undefined;
    const done = (over: boolean): void => {
      clearTimeout(timer);
      watcher?.close();
      resolve(over);
    };
    const timer = setTimeout(() => done(mine()), seconds * 1000);
    try {
      watcher = watch(store.folder, () => {
        if (!mine()) done(false);
      });
    } catch {
      // The host has no inotify instances left: then the end of the time tells.
    }
    if (!mine()) done(false);
  });
}

/** The lock, however long somebody keeps it: nobody else would do what is to be done then. */
async function lockWhenFree(store: Store, command: string): ReturnType<Store['lock']> {
  for (;;) {
    try {
      return await store.lock(command);
    } catch (error) {
      if (!(error instanceof EverlanError && error.problems.some(({ code }) => code === 'locked'))) throw error;
    }
  }
}

/** Somebody else who undoes the change: what could not be put back, or null when nobody else does. */
export type Reverter = (token: string) => Promise<readonly Problem[] | null>;

/**
 * The guard's own work.
 * @param revert asked first, since an agent heals what is undone behind its back; by default there is nobody to ask
 * @returns null when the change was confirmed; else what could not be put back.
 */
export async function guard(
  kernel: Kernel,
  store: Store,
  token: string,
  revert: Reverter = async () => null,
): Promise<readonly Problem[] | null> {
  const pending = store.pending();
  if (pending === null || pending.token !== token) return null;
  const over = timeIsOver(store, token, pending.seconds);
  store.setGuarded(token);
  if (!(await over)) return null;
  const reverted = await revert(token);
  if (reverted !== null) return reverted;
  const lock = await lockWhenFree(store, 'the guard of apply --confirm');
  try {
    // Confirmed while we waited for the lock? And what strangers still have may have been told meanwhile.
    const now = store.pending();
    if (now === null || now.token !== token) return null;
    const left = restore(kernel, store.fabric, now.before, now.remembered, store);
    store.setPending(null);
    return left;
  } finally {
    lock.release();
  }
}
