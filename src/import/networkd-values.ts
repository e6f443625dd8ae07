/** Values as systemd reads them (src/basic/parse-util.c, time-util.c and ether-addr-util.c of systemd 252). */
import { type Mac, parseMac } from '../model/mac.ts';

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['1', 'yes', 'y', 'true', 't', 'on'].map((word) => [word, true] as const),
  ...['0', 'no', 'n', 'false', 'f', 'off'].map((word) => [word, false] as const),
]);

export const readBoolean = (text: string): boolean | undefined => BOOLEANS.get(text.toLowerCase());

const UNSIGNED = /^\+?(?:0[xX](?<hex>[0-9a-fA-F]+)|0b(?<binary>[01]+)|0o?(?<octal>[0-7]+)|(?<decimal>0|[1-9][0-9]*))$/;

/** Of at most 32 bits; in base 10, or with 0x, 0b, 0o, and with 0 before it, which is octal. */
export function readUnsigned(text: string): number | undefined {
  const { hex, binary, octal, decimal } = UNSIGNED.exec(text)?.groups ?? {};
  const value =
    hex !== undefined
      ? Number.parseInt(hex, 16)
      : binary !== undefined
        ? Number.parseInt(binary, 2)
        : octal !== undefined
          ? Number.parseInt(octal, 8)
          : Number(decimal);
  return value <= 0xffffffff ? value : undefined;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Longer spellings first. Months and years as systemd counts them. */
const UNITS: readonly (readonly [RegExp, number])[] = [
  [/^(?:seconds|second|sec|s)/, 1],
  [/^(?:minutes|minute|min)/, MINUTE],
  [/^(?:months|month|M)/, 2629800],
  [/^(?:msec|ms)/, 1e-3],
  [/^m/, MINUTE],
  [/^(?:hours|hour|hr|h)/, HOUR],
  [/^(?:days|day|d)/, DAY],
  [/^(?:weeks|week|w)/, 7 * DAY],
  [/^(?:years|year|y)/, 31557600],
  [/^(?:usec|us|μs|µs)/, 1e-6],
];

/** `5min 20s`, `1.5h`, `300`, `infinity` → seconds (systemd.time(7)). */
export function readTimeSpan(text: string): number | undefined {
  if (/^infinity$/.test(text)) return Number.POSITIVE_INFINITY;
  let rest = text.trimStart();
  if (rest === '') return undefined;
  let seconds = 0;
  while (rest !== '') {
    const number = /^(\d+(?:\.\d+)?|\.\d+)([ \t]*)/.exec(rest);
    if (number === null) return undefined;
    const [all, digits = '', gap] = number;
    rest = rest.slice(all.length);
    const unit = UNITS.find(([pattern]) => pattern.test(rest));
    if (unit === undefined && rest !== '' && gap === '') return undefined;
    seconds += Number(digits) * (unit?.[1] ?? 1);
    rest = rest.slice(unit?.[0].exec(rest)?.[0].length ?? 0).trimStart();
  }
  return seconds;
}

const SUFFIXES: Readonly<Record<string, number>> = { '': 1, B: 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** Bytes, with K, M or G for powers of 1024. */
export function readSize(text: string): number | undefined {
  const [, digits, suffix = ''] = /^(\d+)\s*([BKMG]?)$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits) * (SUFFIXES[suffix] ?? 1);
}

/** `4000-5000` or `4000`. */
export function readRange(text: string): readonly [number, number] | undefined {
  const dash = text.indexOf('-');
  const low = readUnsigned(dash < 0 ? text : text.slice(0, dash));
  const high = dash < 0 ? low : readUnsigned(text.slice(dash + 1));
  return low === undefined || high === undefined ? undefined : [low, high];
}

/** `02:00:5e:00:53:01`, `02-00-5e-00-53-01` or `0200.5e00.5301`. */
export function readMac(text: string): Mac | null {
  const dotted = /^[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}$/i.test(text);
  if (dotted) return parseMac((text.replaceAll('.', '').match(/../g) ?? []).join(':'));
  return parseMac(text.includes(':') ? text : text.replaceAll('-', ':'));
}

/** Words with blanks between, in quotes where they hold one. */
export function readWords(text: string): readonly string[] {
  return [...text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, plain]) => double ?? single ?? plain ?? '',
  );
}
