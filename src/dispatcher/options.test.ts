import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DispatcherOptions, parseOptions } from './options.ts';

const DEFAULTS: DispatcherOptions = {
  scriptDirs: ['/etc/networkd-dispatcher', '/usr/lib/networkd-dispatcher'],
  startupTriggers: false,
  verbosity: 0,
  timeoutMs: 600_000,
  serial: false,
  ifupdown: false,
  unmanaged: 'run',
  ignore: [],
  mode: 'run',
};

const GOOD: readonly { readonly in: string; readonly want: Partial<DispatcherOptions> }[] = [
  { in: '', want: {} },
  { in: '-T', want: { startupTriggers: true } },
  { in: '--run', want: { startupTriggers: true } },
  { in: '--r', want: { startupTriggers: true } },
  { in: '-S /a:/b', want: { scriptDirs: ['/a', '/b'] } },
  { in: '-S/a', want: { scriptDirs: ['/a'] } },
  { in: '-S=/a', want: { scriptDirs: ['/a'] } },
  { in: '-TvS /a', want: { startupTriggers: true, verbosity: 1, scriptDirs: ['/a'] } },
  { in: '--script-dir=/a', want: { scriptDirs: ['/a'] } },
  { in: '--script /a', want: { scriptDirs: ['/a'] } },
  { in: '--script-dir=', want: { scriptDirs: [''] } },
  // It meant --script-dir before there was a --serial.
  { in: '--s /a', want: { scriptDirs: ['/a'] } },
  { in: '--se', want: { serial: true } },
  { in: '-T --', want: { startupTriggers: true } },
  { in: '--serial', want: { serial: true } },
  { in: '-vv -q', want: { verbosity: 1 } },
  { in: '--verb --quiet --quiet', want: { verbosity: -1 } },
  { in: '--timeout 20', want: { timeoutMs: 20_000 } },
  { in: '--timeout=0', want: { timeoutMs: 0 } },
  { in: '--timeout 0.5', want: { timeoutMs: 500 } },
  { in: '--unmanaged skip', want: { unmanaged: 'skip' } },
  { in: '--ignore veth* --ignore=docker?', want: { ignore: [/^veth.*$/su, /^docker.$/su] } },
  { in: '--check', want: { mode: 'check' } },
  { in: '--dry-run', want: { mode: 'dry-run' } },
  { in: '--ifupdown', want: { ifupdown: true } },
];

for (const { in: line, want } of GOOD) {
  test(`options: ${line}`, () => {
    const parsed = parseOptions(line.split(' ').filter((word) => word !== ''));
    assert.deepEqual(parsed, { kind: 'options', options: { ...DEFAULTS, ...want } });
  });
}

/** The last line on standard error, as argparse says it. */
const BAD: readonly { readonly in: string; readonly want: string }[] = [
  { in: '--bad', want: 'unrecognized arguments: --bad' },
  { in: 'foo -T bar', want: 'unrecognized arguments: foo bar' },
  { in: '-x', want: 'unrecognized arguments: -x' },
  { in: '-- -T', want: 'unrecognized arguments: -- -T' },
  { in: '-S', want: 'argument -S/--script-dir: expected one argument' },
  { in: '-S -T', want: 'argument -S/--script-dir: expected one argument' },
  { in: '--run=3', want: "argument -T/--run-startup-triggers: ignored explicit argument '3'" },
  { in: '-Tvx', want: "argument -v/--verbose: ignored explicit argument 'x'" },
  { in: '--i x', want: 'ambiguous option: --i could match --ifupdown, --ignore' },
  { in: '--timeout soon', want: "argument --timeout: expected a number of seconds, not 'soon'" },
  { in: '--timeout 9999999', want: "argument --timeout: expected a number of seconds, not '9999999'" },
  { in: '--unmanaged maybe', want: "argument --unmanaged: expected run or skip, not 'maybe'" },
  { in: '--ignore [z-a]', want: "argument --ignore: expected a pattern such as veth*, not '[z-a]'" },
];

for (const { in: line, want } of BAD) {
  test(`wrong options: ${line}`, () => {
    const parsed = parseOptions(line.split(' '));
    assert.equal(parsed.kind, 'wrong');
    assert.equal(
      parsed.kind === 'wrong' && parsed.text.trimEnd().split('\n').at(-1),
      `networkd-dispatcher: error: ${want}`,
    );
  });
}

test('help comes before what is wrong after it', () => {
  const parsed = parseOptions(['-Th', '--bad']);
  assert.ok(parsed.kind === 'help' && parsed.text.startsWith('usage: networkd-dispatcher [-h] [-S SCRIPT_DIR] [-T]'));
});

test('no line of the help is longer than 88 characters', () => {
  const parsed = parseOptions(['--help']);
  const lines = parsed.kind === 'help' ? parsed.text.split('\n') : [];
  assert.ok(lines.length > 20);
  assert.deepEqual(
    lines.filter((line) => line.length > 88),
    [],
  );
});
