/** The command line of networkd-dispatcher, read as Python's argparse reads it, and ours beside it. Pure. */
import { globPattern, UNMANAGED_POLICIES, type UnmanagedPolicy } from './filter.ts';

export interface DispatcherOptions {
  readonly scriptDirs: readonly string[];
  readonly startupTriggers: boolean;
  /** How often -v was given, less how often -q. */
  readonly verbosity: number;
  /** 0: never. */
  readonly timeoutMs: number;
  readonly serial: boolean;
  readonly ifupdown: boolean;
  readonly unmanaged: UnmanagedPolicy;
  readonly ignore: readonly RegExp[];
  readonly mode: 'run' | 'dry-run' | 'check';
}

export type Parsed =
  | { readonly kind: 'options'; readonly options: DispatcherOptions }
  | { readonly kind: 'help'; readonly text: string }
  /** For standard error; the exit code is 2. */
  | { readonly kind: 'wrong'; readonly text: string };

const PROGRAM = 'networkd-dispatcher';
export const DEFAULT_SCRIPT_DIR = '/etc/networkd-dispatcher:/usr/lib/networkd-dispatcher';
const DEFAULT_TIMEOUT = '600';
/** What a timer of Node can wait. */
const LONGEST_TIMEOUT = 2_147_483;

/** `false`: the value is wrong. */
type Apply = (to: Draft, value: string) => boolean;

interface Row {
  readonly short: string | null;
  readonly long: string;
  /** What the value is called; null: a flag. */
  readonly value: string | null;
  /** networkd-dispatcher has it too, so abbreviations that it knows mean it. */
  readonly original: boolean;
  readonly help: readonly string[];
  readonly expects?: string;
  readonly apply: Apply;
}

type Draft = { -readonly [K in keyof DispatcherOptions]: DispatcherOptions[K] };

const set =
  (change: (to: Draft) => void): Apply =>
  (to) => {
    change(to);
    return true;
  };

function applyTimeout(to: Draft, value: string): boolean {
  const seconds = /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
  to.timeoutMs = seconds * 1000;
  return seconds <= LONGEST_TIMEOUT;
}

function applyPolicy(to: Draft, value: string): boolean {
  const policy = UNMANAGED_POLICIES.find((name) => name === value);
  if (policy !== undefined) to.unmanaged = policy;
  return policy !== undefined;
}

function applyIgnore(to: Draft, value: string): boolean {
  const pattern = globPattern(value);
  if (pattern !== null) to.ignore = [...to.ignore, pattern];
  return pattern !== null;
}

export const OPTION_ROWS: readonly Row[] = [
  {
    short: 'h',
    long: 'help',
    value: null,
    original: true,
    help: ['show this help message and exit'],
    apply: () => true,
  },
  {
    short: 'S',
    long: 'script-dir',
    value: 'SCRIPT_DIR',
    original: true,
    help: ['Location under which to look for scripts [default:', `${DEFAULT_SCRIPT_DIR}]`],
    apply: (to, value) => {
      to.scriptDirs = value.split(':');
      return true;
    },
  },
  {
    short: 'T',
    long: 'run-startup-triggers',
    value: null,
    original: true,
    help: ['Generate events reflecting preexisting state and', 'behavior on startup [default: False]'],
    apply: set((to) => {
      to.startupTriggers = true;
    }),
  },
  {
    short: 'v',
    long: 'verbose',
    value: null,
    original: true,
    help: ['Increment verbosity level once per call'],
    apply: set((to) => {
      to.verbosity++;
    }),
  },
  {
    short: 'q',
    long: 'quiet',
    value: null,
    original: true,
    help: ['Decrement verbosity level once per call'],
    apply: set((to) => {
      to.verbosity--;
    }),
  },
  {
    short: null,
    long: 'timeout',
    value: 'SECONDS',
    original: false,
    help: ['End a script, and all that it started, that runs for', `longer; 0: never [default: ${DEFAULT_TIMEOUT}]`],
    expects: 'a number of seconds',
    apply: applyTimeout,
  },
  {
    short: null,
    long: 'serial',
    value: null,
    original: false,
    help: ['Run one script at a time over all interfaces [default:', 'in order for each, side by side across them]'],
    apply: set((to) => {
      to.serial = true;
    }),
  },
  {
    short: null,
    long: 'ifupdown',
    value: null,
    original: false,
    help: [
      'Also run /etc/network/if-up.d and if-post-up.d on',
      "routable, if-down.d and if-post-down.d on off, by run-parts'",
      "rules and with ifupdown's environment",
    ],
    apply: set((to) => {
      to.ifupdown = true;
    }),
  },
  {
    short: null,
    long: 'unmanaged',
    value: 'POLICY',
    original: false,
    help: [
      'What to do for interfaces that systemd-networkd leaves',
      'alone: run their scripts too, or skip them [default: run]',
    ],
    expects: UNMANAGED_POLICIES.join(' or '),
    apply: applyPolicy,
  },
  {
    short: null,
    long: 'ignore',
    value: 'GLOB',
    original: false,
    help: ["Run no scripts for interfaces of such a name: 'veth*'.", 'May be given more than once'],
    expects: 'a pattern such as veth*',
    apply: applyIgnore,
  },
  {
    short: null,
    long: 'check',
    value: null,
    original: false,
    help: ['List every script, for which state it would run, and', 'why not; exits 1 when one has a fault'],
    apply: set((to) => {
      to.mode = 'check';
    }),
  },
  {
    short: null,
    long: 'dry-run',
    value: null,
    original: false,
    help: ['Follow the states and log what would run'],
    apply: set((to) => {
      to.mode = 'dry-run';
    }),
  },
];

const OPTIONAL_COLUMN = 24;
const USAGE_WIDTH = 79;

function synopsis({ short, long, value }: Row): string {
  const name = short === null ? `--${long}` : `-${short}`;
  return value === null ? `[${name}]` : `[${name} ${value}]`;
}

/** Broken and indented as argparse does. */
function usage(): string {
  const start = `usage: ${PROGRAM} `;
  const lines: string[] = [];
  let line = start;
  for (const part of OPTION_ROWS.map(synopsis)) {
    const joined = line.endsWith(' ') ? line + part : `${line} ${part}`;
    if (joined.length <= USAGE_WIDTH) {
      line = joined;
      continue;
    }
    lines.push(line);
    line = ' '.repeat(start.length) + part;
  }
  return `${[...lines, line].join('\n')}\n`;
}

function helpRow({ short, long, value, help }: Row): string {
  const argument = value === null ? '' : ` ${value}`;
  const names = [...(short === null ? [] : [`-${short}${argument}`]), `--${long}${argument}`].join(', ');
  const head = `  ${names}`;
  const lines =
    head.length + 2 <= OPTIONAL_COLUMN
      ? [head.padEnd(OPTIONAL_COLUMN) + (help[0] ?? ''), ...help.slice(1)]
      : [head, ...help];
  return lines.map((line, i) => (i === 0 ? line : ' '.repeat(OPTIONAL_COLUMN) + line)).join('\n');
}

function helpText(): string {
  return `${usage()}\nnetworkd dispatcher daemon\n\noptions:\n${OPTION_ROWS.map(helpRow).join('\n')}\n`;
}

const wrong = (message: string): Parsed => ({ kind: 'wrong', text: `${usage()}${PROGRAM}: error: ${message}\n` });
const nameOf = ({ short, long }: Row): string => (short === null ? `--${long}` : `-${short}/--${long}`);

/** The rows that a long name may mean: the exact one, else the original's, else ours. */
function candidates(name: string): readonly Row[] {
  const exact = OPTION_ROWS.filter(({ long }) => long === name);
  if (exact.length > 0) return exact;
  const all = OPTION_ROWS.filter(({ long }) => long.startsWith(name));
  const originals = all.filter(({ original }) => original);
  return originals.length === 1 ? originals : all;
}

/** A word as argparse sees it: what begins with a dash is an option, but for `-` and negative numbers. */
const isOption = (word: string): boolean =>
  /^-/.test(word) && word !== '-' && !/^-\d+$|^-\d*\.\d+$/.test(word) && !word.includes(' ');

/** One option of the command line with the value that is attached to it. */
interface Found {
  readonly row: Row;
  readonly attached: string | null;
}

function findLong(word: string): Found | string | null {
  const [, name = '', attached = null] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
  const rows = candidates(name);
  const [row] = rows;
  if (row === undefined) return null;
  if (rows.length > 1) {
    return `ambiguous option: ${word} could match ${rows.map(({ long }) => `--${long}`).join(', ')}`;
  }
  return { row, attached };
}

/** `-Tv`, `-S/etc/x`, `-S=/etc/x`, `-vS /etc/x`: the options of one word, or what is wrong with it. */
function findShort(word: string): readonly Found[] | string | null {
  const found: Found[] = [];
  for (let at = 1; at < word.length; at++) {
    const row = OPTION_ROWS.find(({ short }) => short === word[at]);
    const rest = word.slice(at + 1);
    if (row === undefined) {
      const last = found.at(-1);
      return last === undefined
        ? null
        : `argument ${nameOf(last.row)}: ignored explicit argument ${JSON.stringify(word.slice(at)).replaceAll('"', "'")}`;
    }
    if (row.value !== null) {
      found.push({ row, attached: rest === '' ? null : rest.replace(/^=/, '') });
      return found;
    }
    found.push({ row, attached: null });
  }
  return found;
}

function findAll(word: string): readonly Found[] | string | null {
  if (!word.startsWith('--')) return findShort(word);
  const found = findLong(word);
  return found === null || typeof found === 'string' ? found : [found];
}

export function parseOptions(args: readonly string[]): Parsed {
  const options: Draft = {
    scriptDirs: DEFAULT_SCRIPT_DIR.split(':'),
    startupTriggers: false,
    verbosity: 0,
    timeoutMs: Number(DEFAULT_TIMEOUT) * 1000,
    serial: false,
    ifupdown: false,
    unmanaged: 'run',
    ignore: [],
    mode: 'run',
  };
  const strangers: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? '';
    if (word === '--') {
      if (at + 1 < args.length) strangers.push(...args.slice(at));
      break;
    }
    const found = isOption(word) ? findAll(word) : null;
    if (typeof found === 'string') return wrong(found);
    if (found === null) {
      strangers.push(word);
      continue;
    }
    for (const { row, attached } of found) {
      if (row.long === 'help' && attached === null) return { kind: 'help', text: helpText() };
      if (row.value === null && attached !== null) {
        return wrong(`argument ${nameOf(row)}: ignored explicit argument '${attached}'`);
      }
      let value = attached;
      if (row.value !== null && value === null) {
        const next = args[at + 1];
        if (next === undefined || isOption(next)) return wrong(`argument ${nameOf(row)}: expected one argument`);
        value = next;
        at++;
      }
      if (!row.apply(options, value ?? '')) {
        return wrong(`argument ${nameOf(row)}: expected ${row.expects}, not '${value}'`);
      }
    }
  }
  if (strangers.length > 0) return wrong(`unrecognized arguments: ${strangers.join(' ')}`);
  return { kind: 'options', options };
}
