/** Events as lines for standard error, which the journal keeps. */
import { leadsToJournal } from '../sys/journal-stream.ts';
import type { AgentEvent } from './door.ts';

/** Priorities of syslog(3), for sd-daemon(3)'s `<N>` at the beginning of a line. */
const PRIORITY = { error: 3, warning: 4, info: 6 } as const satisfies Record<AgentEvent['level'], number>;
const STEPS_SHOWN = 5;

/** Names from files and of processes may hold what would drive a terminal. */
const plain = (line: string): string => line.replace(/\p{Cc}/gu, '?');

const linesOf = (text: string): string[] => text.split(/\r?\n/).map(plain);

/** The message, its first steps, its hint; the lines of a text are one each. @param prefixed with their priority */
export function journalLines(
  { level, message, steps, hint }: Pick<AgentEvent, 'level' | 'message' | 'steps' | 'hint'>,
  prefixed: boolean,
): readonly string[] {
  const rest = steps.length - STEPS_SHOWN;
  const shown = rest > 0 ? [...steps.slice(0, STEPS_SHOWN), `and ${rest} more`] : steps;
  const lines = [
    ...linesOf(message),
    ...shown.flatMap(linesOf).map((line) => `  ${line}`),
    ...(hint === undefined ? [] : linesOf(`hint: ${hint}`)),
  ];
  return prefixed ? lines.map((line) => `<${PRIORITY[level]}>${line}`) : lines;
}

/** Writes each event that it is given to standard error. @param write of lines with their ends, whole ones in one call */
export function openJournal(
  environment: Readonly<Record<string, string | undefined>>,
  write: (text: string) => void,
): (event: AgentEvent) => void {
  const prefixed = leadsToJournal(2, environment);
  return (event) =>
    write(
      journalLines(event, prefixed)
        .map((line) => `${line}\n`)
        .join(''),
    );
}
