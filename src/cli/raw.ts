/** Commands that read their own arguments. They run without commander, which takes time and changes the three streams. */
import type { Call } from './command.ts';
import { COMMANDS, isGroup } from './table.ts';

/** The call, when the first word names such a command. */
export function rawCall([name, ...args]: readonly string[]): Call | undefined {
  const row = COMMANDS.find((candidate) => candidate.name === name);
  return row === undefined || isGroup(row) || row.raw !== true ? undefined : { row, args, values: {} };
}
