/** Finds the agent that a command is to ask. Where none runs, a look at one folder is all that it costs. */
import { join } from 'node:path';
import { socketName, socketNames } from './address.ts';
import type { AgentInfo } from './door.ts';
import type { AgentClient } from './talk.ts';

export type { AgentClient } from './talk.ts';

/** Which agent: the one that keeps a fabric, or the one that watches a file. */
export type Serving = { readonly fabric: string } | { readonly file: string };

function namesOf(folder: string, of: Serving): readonly string[] {
  const names = socketNames(folder);
  if ('fabric' in of) return names;
  const name = socketName(of.file);
  return names.filter((each) => each === name);
}

/** A socket's name is a digest, or may have been given by an agent that has changed its mind: its own word counts. */
function serves(info: AgentInfo, of: Serving): boolean {
  return 'fabric' in of ? info.fabric === of.fabric : socketName(info.file) === socketName(of.file);
}

/**
 * The agent, connected; null: none runs.
 * @param folder of the network namespace (`storeFolder`).
 * @throws EverlanError when it may not be asked (`agent-closed`), or does not answer (`agent-silent`).
 */
export async function findAgent(folder: string, of: Serving): Promise<AgentClient | null> {
  const names = namesOf(folder, of);
  if (names.length === 0) return null;
  const { connectAgent } = await import('./talk.ts');
  let refused: unknown;
  for (const name of names) {
    let client: AgentClient | null = null;
    try {
      client = await connectAgent(join(folder, name));
    } catch (error) {
      refused ??= error;
    }
    if (client === null) continue;
    if (serves(client.info, of)) return client;
    client.close();
  }
  if (refused !== undefined) throw refused;
  return null;
}
