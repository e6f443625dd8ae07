/** The agent's place under /run/everlan: one for each file, with the socket at which it is asked. */
import { join } from 'node:path';
import { EverlanError, problem } from '../model/problem.ts';
import { type Lock, LockedError, lockFile } from '../sys/lock.ts';
import { ensureDir } from '../sys/safe-dir.ts';
import { socketName } from './address.ts';
import type { Door } from './door.ts';
import { type AgentServer, serve } from './server.ts';
import { isDisk } from './tolerant-store.ts';

export interface Seat {
  /** From now on it can be asked, where the folder allows it. */
  open(door: Door): Promise<void>;
  /** Answers what was asked. */
  close(): Promise<void>;
  /** Another agent may have it. */
  leave(): void;
}

const why = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** @throws EverlanError `second-agent`, naming the one that has it. */
async function take(folder: string, file: string, path: string): Promise<Lock> {
  try {
    ensureDir(folder);
    return await lockFile(`${path}.lock`, { waitMs: 0, describe: 'everlan agent' });
  } catch (error) {
    if (!(error instanceof LockedError)) throw error;
    const hint = 'one is enough: `everlan status` asks it';
    throw new EverlanError(problem('second-agent', `an agent keeps ${file} already: ${error.message}`, { hint }));
  }
}

/**
 * Where the folder cannot be written, that is told, and the agent does without: the overlays matter more.
 * @param folder of the network namespace (`storeFolder`)
 * @param file the absolute path of the one that is watched
 * @throws EverlanError `second-agent`.
 */
export async function takeSeat(folder: string, file: string, trouble: (message: string) => void): Promise<Seat> {
  const path = join(folder, socketName(file));
  let lock: Lock | null = null;
  let server: AgentServer | null = null;
  const bear = (error: unknown): void => {
    if (!isDisk(error)) throw error;
    trouble(`nobody can ask this agent, and a second one is not kept out, until it is started anew: ${why(error)}`);
  };
  try {
    lock = await take(folder, file, path);
  } catch (error) {
    bear(error);
  }
  return {
    open: async (door) => {
      if (lock === null) return;
      try {
        server = await serve(door, path, { onError: (error) => trouble(`the socket: ${String(error)}`) });
      } catch (error) {
        bear(error);
      }
    },
    close: async () => server?.close(),
    leave: () => lock?.release(),
  };
}
