/** Lengths of time on the command line: `10s`, `5m`, `1h`. */
import { EverlanError, EXIT, problem } from '../model/problem.ts';

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
const FORM = /^([1-9]\d{0,5})(s|m|h)$/;
/** setTimeout counts milliseconds in 31 bits; a day is more than anybody waits. */
const MOST = 24 * 3600;

/**
 * Seconds. @param option for the message.
 * @throws EverlanError, exit 2.
 */
export function parseDuration(text: string, option: string): number {
  const match = FORM.exec(text);
  const seconds = Number(match?.[1]) * (SECONDS[match?.[2] ?? ''] ?? Number.NaN);
  if (seconds <= MOST) return seconds;
  const message = `${option} takes a time such as 10s, 5m or 1h, at most 24h, not “${text}”`;
  throw new EverlanError(problem('wrong-use', message), EXIT.usage);
}

/** `90` → `1m 30s`. */
export function showDuration(seconds: number): string {
  const parts: [number, string][] = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ];
  return parts.flatMap(([count, unit]) => (count === 0 ? [] : [`${count}${unit}`])).join(' ');
}
