/** Where agents listen: in the folder of their network namespace (`storeFolder`), under a name that their file gives. */
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { DEFAULT_FILE } from '../model/fabric.ts';
import { sha256 } from '../model/sha256.ts';
import { hasCode } from '../sys/errno.ts';

const NAME = /^agent(?:-[0-9a-f]{8})?\.sock$/;

/** The socket's name of the agent of a file: `agent.sock` for the default file, else one that its absolute path gives. */
export function socketName(file: string): string {
  const path = resolve(file);
  return path === DEFAULT_FILE ? 'agent.sock' : `agent-${sha256(path).slice(0, 8)}.sock`;
}

/** The names of all agents' sockets in a folder, also of agents that have died. */
export function socketNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => NAME.test(name))
      .sort();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EACCES')) return [];
    throw error;
  }
}
