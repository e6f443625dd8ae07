/** A store that goes on when the disk does not: what cannot be written is kept in memory and told once. */
import type { Store } from '../apply/store.ts';
import type { Remembered } from '../kernel/port.ts';
import { EverlanError } from '../model/problem.ts';
import { hasCode } from '../sys/errno.ts';
import type { Lock } from '../sys/lock.ts';

/** What a full, broken or read-only disk answers. */
const DISK = ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'ENOMEM', 'EMFILE', 'ENFILE'] as const;

/** Whether it is no defect of ours, and may pass. */
export function isDisk(error: unknown): boolean {
  if (hasCode(error, ...DISK)) return true;
  return error instanceof EverlanError && error.problems.some(({ code }) => code === 'run-not-writable');
}

/**
 * @param trouble told what cannot be written, when it begins, and null when it is over.
 */
export function tolerantStore(store: Store, trouble: (why: string | null) => void): Store {
  let unwritten: Remembered | null = null;
  let resting: boolean | null = null;
  let troubled = false;
  const tell = (why: string | null): void => {
    if ((why !== null) === troubled) return;
    troubled = why !== null;
    trouble(why);
  };
  const tryTo = (write: () => void): boolean => {
    try {
      write();
      tell(null);
      return true;
    } catch (error) {
      if (!isDisk(error)) throw error;
      tell(error instanceof Error ? error.message : String(error));
      return false;
    }
  };
  const tryToLock = async (lock: () => Promise<Lock>): Promise<Lock> => {
    try {
      return await lock();
    } catch (error) {
      if (!isDisk(error)) throw error;
      tell(error instanceof Error ? error.message : String(error));
      return { release: () => undefined };
    }
  };
  return {
    ...bound(store),
    remembered: () => unwritten ?? store.remembered(),
    remember: (what) => {
      unwritten = tryTo(() => store.remember(what)) ? null : what;
    },
    setTrial: (trial) => void tryTo(() => store.setTrial(trial)),
    suspended: () => resting ?? store.suspended(),
    setSuspended: (suspended) => {
      resting = tryTo(() => store.setSuspended(suspended)) ? null : suspended;
    },
    setPending: (pending) => {
      // What is not there cannot stay.
      if (pending !== null || store.pending() !== null) store.setPending(pending);
    },
    lock: (command) => tryToLock(() => store.lock(command)),
    lockAgent: () => tryToLock(() => store.lockAgent()),
  };
}

/** A store's methods live on its class: they do not spread. */
function bound(store: Store): Store {
  return {
    fabric: store.fabric,
    folder: store.folder,
    pendingFile: store.pendingFile,
    lock: (command) => store.lock(command),
    remembered: () => store.remembered(),
    remember: (what) => store.remember(what),
    pending: () => store.pending(),
    setPending: (pending) => store.setPending(pending),
    guarded: () => store.guarded(),
    setGuarded: (token) => store.setGuarded(token),
    trial: () => store.trial(),
    setTrial: (trial) => store.setTrial(trial),
    suspended: () => store.suspended(),
    setSuspended: (suspended) => store.setSuspended(suspended),
    lockAgent: () => store.lockAgent(),
  };
}
