import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { EverlanError } from '../model/problem.ts';
import { keptIo } from './io.testing.ts';
import { parseArguments } from './program.ts';
import { COMMANDS, isGroup } from './table.ts';

const understood = [
  { line: 'plan', row: 'plan', args: [], values: {} },
  { line: '-f a plan', row: 'plan', args: [], values: { file: 'a' } },
  { line: '-f a plan -f b', row: 'plan', args: [], values: { file: 'b' } },
  { line: 'plan -f - --host h --netns n', row: 'plan', args: [], values: { file: '-', host: 'h', netns: 'n' } },
  { line: 'plan --file=x -qv', row: 'plan', args: [], values: { file: 'x', quiet: true, verbose: true } },
  { line: 'plan --no-color', row: 'plan', args: [], values: { color: false } },
  { line: '--no-color plan', row: 'plan', args: [], values: { color: false } },
  {
    line: 'plan --exit-code --adopt --prune',
    row: 'plan',
    args: [],
    values: { exitCode: true, adopt: true, prune: true },
  },
  { line: 'apply --confirm 60s', row: 'apply', args: [], values: { confirm: '60s' } },
  { line: 'version --host h', row: 'version', args: [], values: { host: 'h' } },
  { line: '--version', row: 'version', args: [], values: {} },
  { line: 'completion zsh', row: 'completion', args: ['zsh'], values: {} },
  { line: 'lab -f a up', row: 'up', args: [], values: { file: 'a' } },
  { line: 'lab exec -f a h -- ip -d link', row: 'exec', args: ['h', '--', 'ip', '-d', 'link'], values: { file: 'a' } },
  { line: 'lab exec h ip -f inet addr', row: 'exec', args: ['h', 'ip', '-f', 'inet', 'addr'], values: {} },
  { line: 'lab reboot h', row: 'reboot', args: ['h'], values: {} },
  { line: 'guard --fabric f --token t', row: 'guard', args: [], values: { fabric: 'f', token: 't' } },
] as const;

for (const { line, row, args, values } of understood) {
  test(`everlan ${line}`, () => {
    const call = parseArguments(line.split(' '), keptIo());
    if (typeof call === 'number') return assert.fail(`exit code ${call}`);
    assert.equal(call.row.name, row);
    assert.deepEqual(call.args, args);
    assert.deepEqual(call.values, values);
  });
}

const refused = [
  { line: 'plna', says: /unknown command 'plna'/, hint: /did you mean plan\?/ },
  { line: 'frobnicate', says: /unknown command 'frobnicate'/, hint: /everlan --help/ },
  { line: 'lab upp', says: /unknown command 'upp'/, hint: /did you mean up\?/ },
  { line: 'plan --jsno', says: /unknown option '--jsno'/, hint: /did you mean --json\?/ },
  { line: 'plan --confirm 1s', says: /unknown option '--confirm'/, hint: /everlan plan --help/ },
  { line: 'plan -x', says: /unknown option '-x'/, hint: /everlan plan --help/ },
  { line: 'plan extra', says: /too many arguments/, hint: /everlan plan --help/ },
  { line: 'plan --file', says: /'-f, --file <FILE>' argument missing/, hint: /everlan plan --help/ },
  { line: 'completion', says: /missing required argument 'SHELL'/, hint: /everlan completion --help/ },
  { line: 'completion fish', says: /'fish' is invalid.*bash, zsh/, hint: /everlan completion --help/ },
  { line: 'lab exec', says: /missing required argument 'HOST'/, hint: /everlan lab exec --help/ },
  { line: 'lab exec h', says: /missing required argument 'COMMAND'/, hint: /everlan lab exec --help/ },
  { line: 'help plna', says: /unknown command 'plna'/, hint: /did you mean plan\?/ },
] as const;

for (const { line, says, hint } of refused) {
  test(`everlan ${line}: refused`, () => {
    const io = keptIo();
    assert.throws(
      () => parseArguments(line.split(' '), io),
      (error) => {
        if (!(error instanceof EverlanError)) return false;
        assert.equal(error.exitCode, 2);
        assert.match(error.message, says);
        assert.match(error.problems[0]?.hint ?? '', hint);
        return true;
      },
    );
    assert.deepEqual(io.written, { out: '', err: '' });
  });
}

// Every help text: test/golden/help/NAME.txt. UPDATE_GOLDEN=1 writes them anew; read the difference.
const FOLDER = new URL('../../test/golden/help/', import.meta.url);
const paths = [
  '',
  ...COMMANDS.flatMap((row) => [row.name, ...(isGroup(row) ? row.commands.map((c) => `${row.name} ${c.name}`) : [])]),
];
const fileOf = (path: string): string => `${path === '' ? 'everlan' : path.replace(' ', '-')}.txt`;

for (const path of paths) {
  test(`the help of everlan ${path}`, () => {
    const words = path === '' ? [] : path.split(' ');
    const asked = keptIo();
    assert.equal(parseArguments([...words, '--help'], asked), 0);
    const other = keptIo();
    assert.equal(parseArguments(['help', ...words], other), 0);
    assert.equal(other.written.out, asked.written.out);
    assert.equal(asked.written.err, '');
    const expected = new URL(fileOf(path), FOLDER);
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(expected, asked.written.out);
    assert.equal(asked.written.out, readFileSync(expected, 'utf8'));
  });
}

test('no help text is left without its command', () => {
  assert.deepEqual(readdirSync(FOLDER).sort(), paths.map(fileOf).sort());
});

for (const line of ['', 'lab']) {
  test(`everlan ${line} alone: its help on standard error, exit 2`, () => {
    const io = keptIo();
    assert.equal(parseArguments(line === '' ? [] : [line], io), 2);
    assert.equal(io.written.out, '');
    assert.match(io.written.err, /^Usage: everlan/);
  });
}
