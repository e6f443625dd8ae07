/** Whether what is written to a descriptor goes to the journal, line by line (systemd.exec(5), JOURNAL_STREAM). */
import { fstatSync } from 'node:fs';

/** False also for a descriptor that is not open. */
export function leadsToJournal(fd: number, environment: Readonly<Record<string, string | undefined>>): boolean {
  const stream = environment.JOURNAL_STREAM;
  if (stream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(fd);
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}
