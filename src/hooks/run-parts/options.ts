/** run-parts' command line. Texts are bytes as Latin-1. */
import { type Grammar, getopt } from './getopt.ts';
import { TRY_HELP, USAGE, VERSION } from './texts.ts';

export interface Options {
  readonly test: boolean;
  readonly list: boolean;
  readonly verbose: boolean;
  readonly debug: boolean;
  readonly report: boolean;
  readonly reverse: boolean;
  readonly exitOnError: boolean;
  readonly newSession: boolean;
  readonly stdin: boolean;
  readonly names: { readonly rule: 'classical' | 'lsb' } | { readonly rule: 'custom'; readonly pattern: string };
  readonly umask: number;
  readonly args: readonly string[];
  readonly folder: string;
}

/** Nothing is to be done any more: what is printed, and the exit code. */
export interface Stop {
  readonly out: string;
  readonly err: string;
  readonly code: 0 | 1;
}

// In this order they are named when an abbreviation is ambiguous.
const GRAMMAR: Grammar = {
  long: [
    { name: 'test', argument: false },
    { name: 'list', argument: false },
    { name: 'verbose', argument: false },
    { name: 'debug', argument: false },
    { name: 'report', argument: false },
    { name: 'reverse', argument: false },
    { name: 'umask', argument: true },
    { name: 'arg', argument: true },
    { name: 'help', argument: false },
    { name: 'version', argument: false },
    { name: 'lsbsysinit', argument: false },
    { name: 'regex', argument: true },
    { name: 'stdin', argument: false },
    { name: 'exit-on-error', argument: false },
    { name: 'new-session', argument: false },
  ],
  // No d, whatever the usage says.
  short: { u: 'umask', h: 'help', a: 'arg', v: 'verbose', V: 'version' },
};

const wrong = (message: string): Stop => ({ out: '', err: `${message}\n${TRY_HELP}`, code: 1 });
const failed = (message: string): Stop => ({ out: '', err: `run-parts: ${message}\n`, code: 1 });

const HIGHEST_UMASK = 0o7777;
const LONG_MAX = 2n ** 64n - 1n;

/** As sscanf("%o") reads it into an int: white space, a sign, octal digits; what follows them is not looked at. */
export function readUmask(text: string): number | null {
  const [, sign, digits] = /^[ \t-\r]*([+-]?)([0-7]+)/.exec(text) ?? [];
  if (digits === undefined) return null;
  const exact = BigInt(`0o${digits}`);
  const value = exact > LONG_MAX ? LONG_MAX : sign === '-' ? -exact : exact;
  const mask = Number(BigInt.asIntN(32, value));
  return mask < 0 || mask > HIGHEST_UMASK ? null : mask;
}

type Flag = 'test' | 'list' | 'verbose' | 'debug' | 'report' | 'reverse' | 'stdin' | 'exit-on-error' | 'new-session';

export function isStop(result: Options | Stop): result is Stop {
  return 'code' in result;
}

/**
 * Reads the command line. `program` is the name under which getopt complains; `posix`: POSIXLY_CORRECT is set.
 */
export function readOptions(args: readonly string[], program: string, posix: boolean): Options | Stop {
  const flags = new Set<Flag>();
  const operands: string[] = [];
  const scriptArgs: string[] = [];
  let names: Options['names'] = { rule: 'classical' };
  let umask = 0o022;
  for (const item of getopt(args, GRAMMAR, posix)) {
    if (item.kind === 'error') return wrong(`${program}: ${item.message}`);
    if (item.kind === 'operand') {
      operands.push(item.text);
      continue;
    }
    switch (item.name) {
      case 'help':
        return { out: '', err: USAGE, code: 0 };
      case 'version':
        return { out: VERSION, err: '', code: 0 };
      case 'umask': {
        const mask = readUmask(item.value);
        if (mask === null) return failed('bad umask value');
        umask = mask;
        break;
      }
      case 'arg':
        scriptArgs.push(item.value);
        break;
      case 'lsbsysinit':
        names = { rule: 'lsb' };
        break;
      case 'regex':
        names = { rule: 'custom', pattern: item.value };
        break;
      default:
        flags.add(item.name as Flag);
    }
  }
  const [folder] = operands;
  if (folder === undefined || operands.length > 1) return wrong('run-parts: missing operand');
  if (flags.has('list') && flags.has('test')) return wrong('run-parts: --list and --test can not be used together');
  return {
    test: flags.has('test'),
    list: flags.has('list'),
    verbose: flags.has('verbose'),
    debug: flags.has('debug'),
    report: flags.has('report'),
    reverse: flags.has('reverse'),
    exitOnError: flags.has('exit-on-error'),
    newSession: flags.has('new-session'),
    stdin: flags.has('stdin'),
    names,
    umask,
    args: scriptArgs,
    folder,
  };
}
