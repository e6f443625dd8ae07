/** Random folders of scripts and random command lines for run-parts. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { ran } from './support/program.ts';

export const OURS = join(import.meta.dirname, '..', 'bin', 'run-parts');
export const DEBIANS = '/usr/bin/run-parts';
export const NOBODY = 65_534;

/** What a script does: the lines after `#!/bin/sh`, or a whole file. */
const BODIES = {
  says: 'echo "$0 says $# $*"',
  saysOnError: 'echo "$0 complains" >&2',
  saysBoth: 'echo "$0 out"; sleep 0.1; echo "$0 err" >&2',
  quiet: ':',
  umask: 'umask',
  session: 'read -r _ _ _ _ _ sid _ </proc/$$/stat; [ "$sid" = $$ ] && echo own session || echo same session',
  environment: 'echo "$MARK $ODD"; env | grep -c EVERLAN',
  reads: 'cat',
  readsSome: 'head -c 3',
  noNewline: 'printf "%s" "$0"',
  much: 'i=0; while [ $i -lt 3000 ]; do echo "line $i of $0 and some more text"; i=$((i+1)); done',
  bytes: "printf '\\377\\0\\200 bytes\\n'",
  leavesOneBehind: 'sleep 0.3 & echo "$0 is over"',
  fails: 'exit 3',
  failsLoudly: 'echo failing; exit 255',
  killed: 'kill -9 $$',
  terminated: 'kill -TERM $$',
  interrupted: 'kill -INT $$; sleep 1',
  brokenPipe: 'kill -PIPE $$; echo survived',
} as const;

const WHOLE = {
  noShebang: 'echo no shebang\n',
  empty: '',
  noInterpreter: '#!/no/such/interpreter\n',
  interpreterIsFolder: '#!/tmp\n',
  option: '#!/bin/sh -e\nfalse\necho not reached\n',
} as const;

type Kind =
  | { readonly kind: 'file'; readonly content: string; readonly mode: number }
  | { readonly kind: 'folder' | 'fifo' | 'broken' | 'loop' | 'toFolder' | 'toTrue' | 'toNull' | 'toFirst' };

export interface Entry {
  /** Bytes as Latin-1. */
  readonly name: string;
  readonly what: Kind;
}

export interface Case {
  readonly entries: readonly Entry[];
  /** `@` is the folder. */
  readonly args: readonly string[];
  readonly stdin: string;
  readonly asNobody: boolean;
  readonly env: Readonly<Record<string, string>>;
}

const content = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...Object.values(BODIES)).map((body) => `#!/bin/sh\n${body}\n`) },
  { weight: 2, arbitrary: fc.constantFrom(...Object.values(WHOLE)) },
);
const mode = fc.oneof(
  { weight: 8, arbitrary: fc.constant(0o755) },
  { weight: 3, arbitrary: fc.constantFrom(0o644, 0o700, 0o111, 0o000, 0o600, 0o711, 0o050, 0o4755, 0o666) },
);
const what: fc.Arbitrary<Kind> = fc.oneof(
  { weight: 9, arbitrary: fc.record({ kind: fc.constant('file' as const), content, mode }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('folder', 'fifo', 'broken', 'loop', 'toFolder', 'toTrue', 'toNull', 'toFirst'),
    }),
  },
);
const word = fc.stringMatching(/^[a-cA-C0-2_-]{1,5}$/);
const anyName = fc
  .array(fc.constantFrom(...'abzAZ09_-.~+ \n#é\x80\xff[$*'), { minLength: 1, maxLength: 6 })
  .map((characters) => characters.join(''))
  .filter((name) => name !== '.' && name !== '..');
const suffixed = fc
  .tuple(word, fc.constantFrom('.sh', '.dpkg-old', '.dpkg-dist', '.dpkg-new', '.dpkg-tmp', '~', '.d-x', '-', '.'))
  .map((parts) => parts.join(''));
const lsb = fc.stringMatching(/^_?([a-c0_.]{1,3}-){1,2}[a-c0]{1,3}$/);
const name = fc.oneof({ weight: 5, arbitrary: word }, { weight: 2, arbitrary: anyName }, suffixed, lsb);

const entries = fc.uniqueArray(fc.record({ name, what }), {
  minLength: 1,
  maxLength: 10,
  selector: (entry) => entry.name,
});

const REGEXES = [
  ...['.', '^a', 'a$', '^[[:alnum:]_-]+$', '[[:upper:]]', '^[^.]*$', '(a|b)+', '^.{2,3}$', 'a{2}', '^(.)\\1'],
  ...['[.]sh$', '\\.', '^$', '', '()', 'a||b', '[]a]', '[a-', '(', ')', 'a**', '*a', 'a{1', '{1}', '[[:no:]]'],
  ...[
    '\\',
    'a\\',
    '[z-a]',
    '\\w+',
    '\\d',
    '^\\<a',
    '[[.hyphen.]]',
    '[[=a=]]',
    '+',
    '?',
    '\xe9',
    '[\x80-\xff]',
    'a{3,1}',
  ],
];

const option = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.constantFrom(
      ...['--test', '--list', '--verbose', '-v', '--debug', '--report', '--report', '--reverse', '--exit-on-error'],
      ...['--lsbsysinit', '--new-session', '--stdin', '--exit', '--lsb', '--rev', '--rep', '--verb', '--new', '--std'],
    ),
  },
  {
    weight: 12,
    arbitrary: fc.oneof(
      fc.constantFrom(...REGEXES).map((regex) => `--regex=${regex}`),
      fc.constantFrom('--arg=x', '--arg=a b', '-ay', '--arg=', '-va-', '--arg=\xff', '-vvau'),
      fc.constantFrom('-u077', '--umask=7', '--umask=0', '-u 27', '--umask=7777', '-u0777'),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...['--umask=9', '-u-1', '-u8', '--umask=10000', '--umask=x', '-u+2', '-u 089', '--umask=', '-u40000000000'],
      ...['-u-40000000000', '-u7777777777777777777777777'],
      ...[
        '--re',
        '--ver',
        '--l',
        '--te=1',
        '--=',
        '--=x',
        '--nope',
        '--nope=1',
        '-d',
        '-x',
        '-vx',
        '-',
        '-h',
        '--help',
      ],
      ...['--arg', '-a', '--regex', '--umask', '--', '@', 'second', '--versio', '--reg', '--t'],
    ),
  },
);

const folder = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom('@', '@/', '@/.') },
  { weight: 1, arbitrary: fc.constantFrom('@/nothing', '', '@/a', '-@') },
);

const args = fc
  .tuple(fc.array(option, { maxLength: 4 }), folder)
  .chain(([options, where]) => fc.shuffledSubarray([...options, where], { minLength: options.length + 1 }));

export const aCase: fc.Arbitrary<Case> = fc.record({
  entries,
  args,
  stdin: fc.constantFrom('', 'a line\n', 'two\nlines', 'x'.repeat(10_000)),
  asNobody: fc.boolean(),
  env: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom<Record<string, string>>({ MARK: 'here' }, { MARK: 'é' }) },
    fc.constant({ POSIXLY_CORRECT: '' }),
  ),
});

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

function make(path: Buffer, entry: Entry, first: string): void {
  switch (entry.what.kind) {
    case 'file':
      writeFileSync(path, entry.what.content);
      chmodSync(path, entry.what.mode);
      break;
    case 'folder':
      mkdirSync(path);
      break;
    case 'fifo':
      // Made under a plain name: a program's arguments are text.
      ran('mkfifo', [`${first}.fifo`]);
      ran('sh', [
        '-c',
        'mv "$0" "$(printf "$1")"',
        `${first}.fifo`,
        path.toString('latin1').replace(/[^/\w.-]/g, octal),
      ]);
      break;
    case 'broken':
      symlinkSync('no-such-file', path);
      break;
    case 'loop':
      symlinkSync(path.subarray(path.lastIndexOf('/') + 1), path);
      break;
    case 'toFolder':
      symlinkSync('/tmp', path);
      break;
    case 'toTrue':
      symlinkSync('/bin/true', path);
      break;
    case 'toNull':
      symlinkSync('/dev/null', path);
      break;
    case 'toFirst':
      symlinkSync(bytes(first), path);
      break;
    default:
      entry.what satisfies never;
  }
}

const octal = (character: string): string => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`;

/** A folder with the entries of a case, writable by root or us alone. */
export function makeFolder(entries: readonly Entry[]): { readonly path: string; remove(): void } {
  const above = mkdtempSync(join(tmpdir(), 'everlan-parts-'));
  chmodSync(above, 0o755);
  const path = join(above, 'd');
  mkdirSync(path);
  const first = entries.find(({ what }) => what.kind === 'file')?.name ?? 'no-such-file';
  for (const entry of entries) make(Buffer.concat([Buffer.from(`${path}/`), bytes(entry.name)]), entry, first);
  return { path, remove: () => rmSync(above, { recursive: true, force: true }) };
}

export interface Said {
  readonly out: string;
  readonly err: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Runs a run-parts, both outputs as Latin-1. `argv0`: the name under which it complains about options. */
export function run(program: string, test: Omit<Case, 'entries'>, folder: string): Promise<Said> {
  // The shell hands on bytes that are no UTF-8, which Node's own arguments cannot be.
  const words = test.args.map((arg) => arg.replace(/^@/, folder).replace(/[^/\w.,=@+-]/g, octal));
  const line = words.map((word) => `"$(printf '%b.' '${word.replace(/\\/g, '\\0')}')"`);
  const set = line.map((word) => `w=${word}; set -- "$@" "\${w%.}"`).join('\n');
  const child = spawn('/bin/bash', ['--norc', '-c', `${set}\nODD=$'\\xff' exec -a run-parts '${program}' "$@"`], {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', ODD: '', ...test.env },
    ...(test.asNobody ? { uid: NOBODY, gid: NOBODY } : {}),
    cwd: '/',
  });
  const outputs = { out: '', err: '' };
  child.stdout.setEncoding('latin1').on('data', (text) => (outputs.out += text));
  child.stderr.setEncoding('latin1').on('data', (text) => (outputs.err += text));
  // It may end before it has read everything.
  child.stdin.on('error', () => undefined).end(test.stdin);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ ...outputs, code, signal }));
  });
}
