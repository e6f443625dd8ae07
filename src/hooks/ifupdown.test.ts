import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileAt, folderAt, noPlace, OUR_RULE, safeFolder } from './folder.testing.ts';
import { findIfupdown, IFUPDOWN_PHASES, ifupdownEnvironment } from './ifupdown.ts';
import { runHook } from './run.ts';
import type { Rule } from './script.ts';
import { HOOK_STATES } from './states.ts';

const RULE: Rule = { exactly: null, owners: OUR_RULE.owners };
const RUN_PARTS = '/usr/bin/run-parts';

const folders = [
  { state: 'routable', want: ['if-up.d post-up start', 'if-post-up.d post-up start'] },
  { state: 'off', want: ['if-down.d pre-down stop', 'if-post-down.d post-down stop'] },
] as const;
for (const { state, want } of folders) {
  test(`${state}: which folders, and what they are told`, { skip: noPlace }, (t) => {
    const base = safeFolder(t);
    const found = findIfupdown(state, base, RULE);
    assert.deepEqual(
      found.map(({ phase, folder }) => `${folder.slice(base.length + 1)} ${phase.PHASE} ${phase.MODE}`),
      want,
    );
  });
}

test('no other state runs any', () => {
  const others = HOOK_STATES.filter((state) => state !== 'routable' && state !== 'off');
  assert.equal(others.length, 14);
  for (const state of others) assert.deepEqual(findIfupdown(state), []);
});

const files: readonly { name: string; build: (path: string) => void; want: string }[] = [
  { name: 'a', build: (path) => fileAt(path, ':'), want: 'runs' },
  { name: 'A-b_9', build: (path) => fileAt(path, ':', 0o700), want: 'runs' },
  { name: 'vxlan.sh', build: (path) => fileAt(path, ':'), want: 'skipped, run-parts takes no dot in a name' },
  { name: 'a.dpkg-old', build: (path) => fileAt(path, ':'), want: 'skipped, run-parts takes no dot in a name' },
  {
    name: 'a~',
    build: (path) => fileAt(path, ':'),
    want: 'skipped, run-parts takes only letters, digits, _ and - in a name',
  },
  { name: 'plain', build: (path) => fileAt(path, ':', 0o644), want: 'not executable' },
  { name: 'folder', build: (path) => mkdirSync(path), want: 'a folder' },
  { name: 'broken', build: (path) => symlinkSync('none', path), want: 'a symbolic link to nothing' },
  { name: 'true', build: (path) => symlinkSync('/bin/true', path), want: 'runs' },
  { name: 'open', build: (path) => fileAt(path, ':', 0o757), want: '/open can be written by everybody (mode 0757)' },
];
for (const { name, build, want } of files) {
  test(`${name}: ${want}`, { skip: noPlace }, (t) => {
    const base = safeFolder(t);
    build(join(folderAt(join(base, 'if-up.d')), name));
    const [finding] = findIfupdown('routable', base, RULE)[0]?.findings ?? [];
    assert.equal(finding?.name, name);
    assert.equal(finding.path, join(base, 'if-up.d', name));
    assert.equal(finding.runs ? 'runs' : finding.why.replace(join(base, 'if-up.d'), ''), want);
  });
}

test('a folder that others can write runs nothing', { skip: noPlace }, (t) => {
  const base = safeFolder(t);
  fileAt(join(base, 'if-up.d/a'), ':');
  chmodSync(join(base, 'if-up.d'), 0o777);
  const [finding] = findIfupdown('routable', base, RULE)[0]?.findings ?? [];
  assert.equal(finding?.runs, false);
});

test('in the order of run-parts, and nothing that it would not run', { skip: noPlace }, (t) => {
  if (!existsSync(RUN_PARTS)) return t.skip(`Debian's run-parts is not here: ${RUN_PARTS}`);
  const base = safeFolder(t);
  for (const name of ['b', 'a', 'B', '_', '-', '10', '9', 'a-b', 'a_b', 'x.sh', 'ä', 'no']) {
    fileAt(join(base, 'if-up.d', name), ':', name === 'no' ? 0o644 : 0o755);
  }
  const theirs = spawnSync(RUN_PARTS, ['--test', join(base, 'if-up.d')], { encoding: 'utf8' }).stdout;
  const ours = findIfupdown('routable', base, RULE)[0]?.findings.filter(({ runs }) => runs) ?? [];
  assert.equal(ours.map(({ path }) => `${path}\n`).join(''), theirs);
});

test('the environment is ifupdown’s', () => {
  const [up] = IFUPDOWN_PHASES;
  if (up === undefined) return assert.fail();
  assert.deepEqual(ifupdownEnvironment(up, { iface: 'eth0', family: 'inet6' }), {
    IFACE: 'eth0',
    LOGICAL: 'eth0',
    ADDRFAM: 'inet6',
    METHOD: 'manual',
    MODE: 'start',
    PHASE: 'post-up',
    VERBOSITY: '0',
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  });
  assert.equal(ifupdownEnvironment(up, { iface: 'lo', family: 'inet' }).METHOD, 'loopback');
  assert.equal(ifupdownEnvironment(up, { iface: 'eth0', family: 'inet', method: 'dhcp' }).METHOD, 'dhcp');
});

test('a script of theirs runs with it', { skip: noPlace }, async (t) => {
  const base = safeFolder(t);
  fileAt(join(base, 'if-down.d/a'), 'echo "$IFACE $PHASE $MODE $ADDRFAM $STATE"', 0o744);
  const [first] = findIfupdown('off', base, RULE);
  const [script] = first?.findings ?? [];
  if (first === undefined || script?.runs !== true) return assert.fail('not found');
  const lines: string[] = [];
  const env = { STATE: 'off', ...ifupdownEnvironment(first.phase, { iface: 'vxlan0', family: 'inet' }) };
  await runHook(script, { env, timeoutMs: 60_000, onLine: (line) => lines.push(line) });
  assert.deepEqual(lines, ['vxlan0 pre-down stop inet off']);
});
