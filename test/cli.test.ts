/** The program's promises that need no root: exit codes, what goes where, completion. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, openSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { EVERLAN, everlan, ran, temporaryFile, temporaryFolder } from './support/program.ts';

const GOOD = `fabric: clitest
hosts: {alpha: 198.51.100.1, beta: 198.51.100.2}
overlays:
  vxlan0: {vni: 77, hosts: {alpha: 169.254.0.1/24, beta: 169.254.0.2/24}}
`;
const BAD = 'fabric: clitest\nhosts: {alpha: 10.0.0.1}\noverlays: {vxlan0: {vni: 0, hosts: {alpha: null}}}\n';

const root = process.getuid?.() === 0;
const NOBODY = 65534;
/** As somebody without any right. */
const asNobody = root ? { uid: NOBODY, gid: NOBODY } : {};
const found = (program: string): boolean =>
  (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, program)));

const usage: readonly { line: string; says: RegExp }[] = [
  { line: '', says: /^Usage: everlan/ },
  { line: 'lab', says: /^Usage: everlan lab/ },
  { line: 'plna', says: /^error: unknown command 'plna'\nhint: did you mean plan\?\n$/ },
  { line: 'plan --exitcode', says: /^error: unknown option '--exitcode'\nhint: did you mean --exit-code\?\n$/ },
  { line: 'plan -f /does/not/exist', says: /^error: \/does\/not\/exist does not exist\n$/ },
  { line: 'plan -f /', says: /^error: \/ is a folder, not a file\n$/ },
  { line: 'plan -f /dev/null/x', says: /something on its path is no folder/ },
  { line: 'apply --confirm soon -f /does/not/exist', says: /^error: --confirm takes a time/ },
  { line: 'check --timeout 0s', says: /^error: --timeout takes a time/ },
  { line: 'apply --confirm 9s --netns /proc/1/ns/net', says: /outlives this program/ },
  { line: 'down --fabric UPPER', says: /cannot be the name of a fabric/ },
  { line: 'down --fabric a -f b', says: /give one/ },
  { line: 'guard', says: /--fabric and --token/ },
  { line: 'completion fish', says: /bash, zsh/ },
  { line: 'plan --file=', says: /--file takes the name of a file/ },
  { line: 'lab up -f /does/not/exist', says: /does not exist|CAP_SYS_ADMIN/ },
];

for (const { line, says } of usage) {
  test(`everlan ${line}: exit 2, nothing on standard output`, () => {
    const { code, out, err } = everlan(line === '' ? [] : line.split(' '));
    assert.equal(code, 2, err);
    assert.equal(out, '');
    assert.match(err, says);
  });
}

const files: readonly { name: string; content: string | Uint8Array; says: RegExp }[] = [
  { name: 'a wrong value', content: BAD, says: /fabric\.yaml:3:\d+: error: vni must be a whole number/ },
  { name: 'an empty file', content: '', says: /error: / },
  { name: 'bytes that are no text', content: Uint8Array.of(0x66, 0xff, 0x0a), says: /is not UTF-8/ },
  { name: 'a file that is too large', content: Buffer.alloc(5 * 1024 * 1024, 'a'), says: /larger than 4 MiB/ },
  { name: 'a tab', content: 'fabric:\t- x\n\ty: [', says: /fabric\.yaml:\d+:\d+: error/ },
];

for (const { name, content, says } of files) {
  for (const command of ['plan', 'apply', 'status', 'check', 'down', 'confirm']) {
    test(`${command} with ${name}: exit 2`, (t) => {
      const { code, out, err } = everlan([command, '-f', temporaryFile(t, content)]);
      assert.equal(code, 2, err);
      assert.equal(out, '');
      assert.match(err, says);
      assert.doesNotMatch(err, /internal error|\n +at /);
    });
  }
}

test('a file may come from standard input', () => {
  const { code, err } = everlan(['plan', '-f', '-'], { input: BAD });
  assert.equal(code, 2);
  assert.match(err, /^standard input:3:\d+: error: vni/);
});

test('a file without end is not read to its end', () => {
  const { code, err } = everlan(['plan', '-f', '/dev/zero']);
  assert.equal(code, 2);
  assert.match(err, /larger than 4 MiB/);
});

for (const command of ['down', 'confirm']) {
  test(`${command} without its file says how it goes without`, () => {
    const { code, err } = everlan([command, '-f', '/does/not/exist']);
    assert.equal(code, 2);
    assert.equal(err, 'error: /does/not/exist does not exist\nhint: `--fabric NAME` works without the file\n');
  });
}

test('a host that is not in the file: exit 2', (t) => {
  const { code, err } = everlan(['plan', '-f', temporaryFile(t, GOOD), '--host', 'alpah']);
  assert.equal(code, 2);
  assert.match(err, /no host “alpah”.*\nhint: did you mean “alpha”/);
});

test('this machine is not in the file: exit 2', (t) => {
  const { code, err } = everlan(['plan', '-f', temporaryFile(t, GOOD)]);
  assert.equal(code, 2);
  assert.match(err, /no host of the fabric clitest is this machine/);
});

test('a host that lacks its underlay address: exit 1', (t) => {
  const { code, out, err } = everlan(['plan', '-f', temporaryFile(t, GOOD), '--host', 'alpha']);
  assert.equal(code, 1);
  assert.equal(out, '');
  assert.match(err, /198\.51\.100\.1/);
});

for (const [netns, says] of [
  ['no-such-namespace', /there is no network namespace “no-such-namespace”/],
  ['a/b', /cannot be the name of a network namespace/],
  ['-x', /cannot be the name of a network namespace/],
] as const) {
  test(`--netns=${netns}: exit 2`, (t) => {
    const { code, err } = everlan(['plan', '-f', temporaryFile(t, GOOD), `--netns=${netns}`]);
    assert.equal(code, 2, err);
    assert.match(err, says);
  });
}

test('a file that may not be read: exit 2', { skip: root ? false : 'needs root: a file of another user' }, (t) => {
  const path = temporaryFile(t, GOOD);
  chmodSync(join(path, '..'), 0o755);
  chmodSync(path, 0o600);
  const { code, err } = everlan(['plan', '-f', path], asNobody);
  assert.equal(code, 2, err);
  assert.match(err, /fabric\.yaml cannot be read: permission denied/);
});

/** A file that everybody may read. */
function shared(t: TestContext, content: string): string {
  const path = temporaryFile(t, content);
  chmodSync(join(path, '..'), 0o755);
  return path;
}

for (const command of ['apply', 'down', 'confirm']) {
  test(`${command} without rights says which one is missing`, (t) => {
    const { code, out, err } = everlan([command, '-f', shared(t, GOOD)], asNobody);
    assert.equal(code, 1, err);
    assert.equal(out, '');
    assert.match(
      err,
      /^error: to change links, everlan needs CAP_NET_ADMIN, which it does not have\nhint: run as root\n$/,
    );
  });
}

test('without rights a bad file is still exit 2', (t) => {
  const { code, err } = everlan(['apply', '-f', shared(t, BAD)], asNobody);
  assert.equal(code, 2);
  assert.match(err, /vni must be/);
});

test('a namespace without rights', (t) => {
  const { code, err } = everlan(['plan', '-f', shared(t, GOOD), '--netns', '/proc/self/ns/net'], asNobody);
  assert.equal(code, 1, err);
  assert.match(err, /to enter a network namespace, everlan needs CAP_SYS_ADMIN/);
});

test('what is no namespace', { skip: root ? false : 'needs root: to try to enter it' }, (t) => {
  const { code, err } = everlan(['plan', '-f', temporaryFile(t, GOOD), '--netns', '/etc/passwd']);
  assert.equal(code, 2, err);
  assert.match(err, /“\/etc\/passwd” is no network namespace/);
});

test('schema, version and help: exit 0, nothing on standard error', () => {
  for (const line of ['schema', 'version', 'version --json', '--version', '--help', 'help plan', 'completion bash']) {
    const { code, out, err } = everlan(line.split(' '));
    assert.deepEqual([code, err], [0, ''], line);
    assert.notEqual(out, '');
  }
  const schema: { $defs?: Record<string, unknown> } = JSON.parse(everlan(['schema']).out);
  assert.ok(schema.$defs?.plan !== undefined && schema.$defs.status !== undefined);
  const versions: Record<string, unknown> = JSON.parse(everlan(['version', '--json']).out);
  assert.deepEqual(Object.keys(versions), ['version', 'node', 'kernel']);
});

test('a reader that goes early is no error', () => {
  const script = 'set -o pipefail; "$1" schema | head -n 1';
  assert.deepEqual(ran('bash', ['-c', script, 'sh', EVERLAN]), { code: 0, out: '{\n', err: '' });
});

test('a full disk is told in one line', () => {
  const full = openSync('/dev/full', 'w');
  const { code, err } = everlan(['schema'], { stdio: ['ignore', full, 'pipe'] });
  assert.equal(code, 1);
  assert.match(err, /^error: cannot write: .*no space left on device.*\n$/);
});

test('colour only on a terminal, and not against NO_COLOR', {
  skip: found('script') ? false : 'needs script(1)',
}, () => {
  const onTerminal = (line: string, env: NodeJS.ProcessEnv = {}): string =>
    ran('script', ['-qec', `'${EVERLAN}' ${line}`, '/dev/null'], { env: { TERM: 'xterm', ...env } }).out;
  const sequence = '\u001b[';
  assert.ok(onTerminal('plna').includes(sequence));
  assert.ok(!onTerminal('plna --no-color').includes(sequence));
  assert.ok(!onTerminal('plna', { NO_COLOR: '1' }).includes(sequence));
  assert.ok(!onTerminal('plna', { TERM: 'dumb' }).includes(sequence));
  assert.ok(!everlan(['plna']).err.includes(sequence));
});

test('the launcher works from any folder, through links, and with blanks in its path', (t) => {
  const folder = join(temporaryFolder(t), 'with blanks');
  mkdirSync(folder);
  symlinkSync(EVERLAN, join(folder, 'one'));
  symlinkSync('one', join(folder, 'two'));
  symlinkSync(join(EVERLAN, '..'), join(folder, 'bin'));
  for (const program of ['./two', './bin/everlan', join(folder, 'one')]) {
    const { code, out, err } = ran(program, ['version'], { cwd: folder });
    assert.deepEqual([code, err], [0, ''], program);
    assert.match(out, /^everlan \d/);
  }
});

test('arguments reach the program as they are', () => {
  const { code, err } = everlan(['plan', '-f', '/no such/ "fi$le`*']);
  assert.equal(code, 2);
  assert.match(err, /^error: \/no such\/ "fi\$le`\* does not exist\n$/);
});

const completions: readonly { words: readonly string[]; want: readonly string[] }[] = [
  { words: ['pl'], want: ['plan'] },
  { words: ['lab', ''], want: ['down', 'exec', 'reboot', 'up'] },
  { words: ['plan', '--ex'], want: ['--exit-code'] },
  { words: ['lab', 'down', '--fa'], want: ['--fabric'] },
  { words: ['version', '--fi'], want: [] },
  { words: ['completion', 'z'], want: ['zsh'] },
  { words: ['plan', '-f', 'FILE', '--host', ''], want: ['alpha', 'beta'] },
  { words: ['plan', '-f', 'FILE', '--host', 'b'], want: ['beta'] },
  { words: ['-f', 'FILE', 'lab', 'exec', ''], want: ['alpha', 'beta'] },
  { words: ['plan', '-f', 'FOLDER/fab'], want: ['FOLDER/fabric.yaml'] },
  { words: ['apply', '--confirm', ''], want: [] },
  { words: ['gua'], want: [] },
];

for (const { words, want } of completions) {
  test(`bash completes everlan ${words.join(' ')}`, { skip: found('bash') ? false : 'needs bash' }, (t) => {
    const nested = `hosts:\n  alpha:\n    underlay: 10.0.0.1\n  beta: 10.0.0.2\n# x\noverlays:\n  vx: {vni: 1}\n`;
    const file = temporaryFile(t, nested);
    const real = (word: string): string => word.replace('FILE', file).replace('FOLDER', join(file, '..'));
    const script = `source <("$1" completion bash); shift
      COMP_WORDS=(everlan "$@"); COMP_CWORD=$#; __everlan
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { code, out, err } = ran('bash', ['-c', script, 'bash', EVERLAN, ...words.map(real)]);
    assert.deepEqual([code, err], [0, '']);
    assert.deepEqual(
      out
        .split('\n')
        .filter((line) => line !== '')
        .sort(),
      want.map(real),
    );
  });
}

test('bash finds no fault in its script', { skip: found('bash') ? false : 'needs bash' }, () => {
  const { code, err } = ran('bash', ['-n'], { input: everlan(['completion', 'bash']).out });
  assert.deepEqual([code, err], [0, '']);
});

test('zsh finds no fault in its script', { skip: found('zsh') ? false : 'needs zsh' }, () => {
  const { code, err } = ran('zsh', ['-n'], { input: everlan(['completion', 'zsh']).out });
  assert.deepEqual([code, err], [0, '']);
});
