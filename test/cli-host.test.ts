/** The program on the real kernel: plan, apply, confirm, down, status, check, each in a namespace of its own. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { lockFile } from '../src/sys/lock.ts';
import { cookieOf } from '../src/sys/netns.ts';
import { ensureDir } from '../src/sys/safe-dir.ts';
import { needsRoot, type TestHost, testHost } from './support/host.ts';
import { cleanEnvironment, EVERLAN, everlan, type Ran, temporaryFile } from './support/program.ts';

const skip = needsRoot;

const FABRIC = `fabric: clitest
hosts: {alpha: 10.0.0.1, beta: 10.0.0.2, gamma: 10.0.0.3}
overlays:
  vxlan0: {vni: 77, hosts: {alpha: 169.254.0.1/24, beta: 169.254.0.2/24}}
  vxlan1: {vni: 78, hosts: {alpha: null, beta: null, gamma: null}}
`;

interface Program {
  readonly host: TestHost;
  readonly file: string;
  /** Arguments that name the file and the namespace. */
  readonly common: readonly string[];
  run(...args: readonly string[]): Ran;
}

function program(t: TestContext, text = FABRIC): Program {
  const host = testHost(t);
  const file = temporaryFile(t, text);
  const common = ['-f', file, '--netns', host.name];
  return { host, file, common, run: (...args) => everlan([...args, ...common]) };
}

function hasLink({ host }: Program, name: string): boolean {
  return host.kernel.look().facts.links.has(name);
}

/** Waits until it is so; the test's own time limit ends it otherwise. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(20);
}

/** Started, and not waited for. */
function start(t: TestContext, args: readonly string[], options: { detached?: boolean } = {}): ChildProcess {
  const child = spawn(EVERLAN, args, { stdio: ['ignore', 'pipe', 'pipe'], env: cleanEnvironment(), ...options });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

async function ended(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return { code: child.exitCode, signal: child.signalCode };
}

interface PlanOutput {
  readonly version: number;
  readonly fabric: string;
  readonly host: string;
  readonly converged: boolean;
  readonly steps: readonly { action: string; kind: string; link: string }[];
  readonly foreign: readonly unknown[];
}

interface StatusOutput extends Omit<PlanOutput, 'steps'> {
  readonly overlays: readonly { name: string; state: string; mtu: number; drift: readonly string[] }[];
}

const plan = (p: Program, ...args: readonly string[]): PlanOutput => JSON.parse(p.run('plan', '--json', ...args).out);
const status = (p: Program): StatusOutput => JSON.parse(p.run('status', '--json').out);
const states = (p: Program): string[] => status(p).overlays.map(({ name, state }) => `${name} ${state}`);

test('plan, apply, again, down, again', { skip }, (t) => {
  const p = program(t);
  const before = plan(p);
  const { steps, ...rest } = before;
  assert.deepEqual(rest, { version: 1, fabric: 'clitest', host: 'alpha', converged: false, foreign: [] });
  const short = steps.map(({ action, kind, link }) => `${action} ${kind} ${link}`).sort();
  assert.deepEqual(short, [
    'add address vxlan0',
    'add fdb vxlan1',
    'add fdb vxlan1',
    'add link vxlan0',
    'add link vxlan1',
  ]);
  assert.equal(p.run('plan', '--exit-code').code, 3);
  assert.deepEqual(p.run('plan', '--exit-code', '-q'), { code: 3, out: '', err: '' });
  assert.deepEqual(states(p), ['vxlan0 missing', 'vxlan1 missing']);
  assert.equal(p.run('status', '--exit-code').code, 3);

  const applied = p.run('apply');
  assert.deepEqual(applied, { code: 0, out: 'clitest on alpha: 5 added, verified\n', err: '' });
  assert.deepEqual(p.run('apply'), { code: 0, out: 'clitest on alpha: nothing to do\n', err: '' });
  assert.deepEqual(p.run('plan', '--exit-code'), { code: 0, out: 'clitest on alpha: nothing to do\n', err: '' });
  assert.deepEqual(p.run('apply', '-q'), { code: 0, out: '', err: '' });
  assert.deepEqual(states(p), ['vxlan0 up', 'vxlan1 up']);
  assert.equal(p.run('status', '--exit-code').code, 0);
  assert.equal(plan(p).converged, true);

  assert.deepEqual(p.run('down'), { code: 0, out: 'clitest: 2 removed\n', err: '' });
  assert.deepEqual(p.run('down'), { code: 0, out: 'clitest: nothing here\n', err: '' });
  assert.ok(!hasLink(p, 'vxlan0'));
});

test('apply --json tells what was carried out', { skip }, (t) => {
  const p = program(t);
  const wanted = plan(p);
  assert.deepEqual(JSON.parse(p.run('apply', '--json').out), wanted);
  const down: PlanOutput = JSON.parse(everlan(['down', '--json', '--fabric', 'clitest', '--netns', p.host.name]).out);
  assert.deepEqual(
    down.steps.map(({ action, kind }) => `${action} ${kind}`),
    ['remove link', 'remove link'],
  );
});

test('-v says what was done and where the time went', { skip }, (t) => {
  const p = program(t);
  const { code, out, err } = p.run('apply', '-v');
  assert.equal(code, 0);
  assert.match(out, /^vxlan0\n {2}\+ link {5}vni 77/);
  const phases = ['start', 'parse', 'resolve', 'observe', 'diff', 'apply', 'verify', 'total'];
  assert.deepEqual(
    err
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ')[0]),
    phases,
  );
  const machine = everlan(['plan', ...p.common], { env: { EVERLAN_TIMINGS: 'json' } });
  const timings: Record<string, number> = JSON.parse(machine.err);
  assert.deepEqual(Object.keys(timings), ['start', 'parse', 'resolve', 'observe', 'diff', 'total', 'maxRss']);
});

test('drift is seen, shown and mended; what is not ours stays until --prune', { skip }, (t) => {
  const p = program(t);
  p.run('apply');
  p.host.ip('link set vxlan0 mtu 1300');
  p.host.ip('addr add 169.254.0.9/24 dev vxlan0');
  const shown = p.run('plan');
  assert.match(shown.out, /^vxlan0\n {2}~ link {2}mtu 1300 → 1450\n\nclitest on alpha: 1 to change in place\n/);
  assert.match(shown.out, /Not ours, left alone.*\n {2}address 169\.254\.0\.9\/24 on vxlan0\n$/);
  assert.equal(plan(p).foreign.length, 1);
  assert.deepEqual(states(p), ['vxlan0 drifted', 'vxlan1 up']);
  assert.equal(p.run('apply').code, 0);
  assert.equal(plan(p).converged, true);
  assert.match(p.host.ip('addr show dev vxlan0'), /169\.254\.0\.9/);
  assert.match(p.run('plan', '--prune').out, /- address {2}169\.254\.0\.9\/24/);
  assert.equal(p.run('apply', '--prune').code, 0);
  assert.doesNotMatch(p.host.ip('addr show dev vxlan0'), /169\.254\.0\.9/);
});

test('a bad file leaves the kernel untouched', { skip }, (t) => {
  const p = program(t);
  p.run('apply');
  // Without IPv6: the kernel itself adds link-local addresses a while after a link came up.
  const now = (): string => p.host.ip('-d -j link') + p.host.ip('-4 -j address') + p.host.bridge('-j fdb');
  const before = now();
  const bad = temporaryFile(t, FABRIC.replace('vni: 78', 'vni: 77'), 'bad.yaml');
  for (const command of ['plan', 'apply', 'status', 'down']) {
    assert.equal(everlan([command, '-f', bad, '--netns', p.host.name]).code, 2);
  }
  assert.equal(now(), before);
});

test('a stranger’s link in our place is named, and left', { skip }, (t) => {
  const p = program(t);
  p.host.ip('link add vxlan0 type veth peer name other0');
  for (const command of ['plan', 'apply']) {
    const { code, err } = p.run(command);
    assert.equal(code, 1);
    assert.match(err, /^error: .*vxlan0/);
  }
  assert.ok(!hasLink(p, 'vxlan1'));
  assert.deepEqual(states(p), ['vxlan0 foreign', 'vxlan1 missing']);
});

test('--adopt takes over what can be changed in place', { skip }, (t) => {
  const p = program(t);
  p.host.ip('link add vxlan0 type vxlan id 77 dstport 4789 remote 10.0.0.2 local 10.0.0.1 dev eth0');
  const refused = p.run('apply');
  assert.equal(refused.code, 1);
  assert.match(refused.err, /--adopt/);
  assert.equal(p.run('plan', '--adopt').code, 0);
  assert.equal(p.run('apply', '--adopt').code, 0);
  assert.equal(plan(p).converged, true);
});

test('refused half-way: the kernel’s own words, and everything as it was', { skip }, (t) => {
  const p = program(t);
  p.host.ip('link add other type vxlan id 78 dstport 4789 dev eth0');
  const { code, out, err } = p.run('apply');
  assert.equal(code, 1);
  assert.equal(out, '');
  assert.match(err, /vxlan1.*A VXLAN device with the specified VNI already exists/);
  assert.match(err, /what was done has been undone/);
  assert.ok(!hasLink(p, 'vxlan0') && !hasLink(p, 'vxlan1') && hasLink(p, 'other'));
});

test('an unconfirmed change: no second one, and it is undone', { skip }, async (t) => {
  const p = program(t);
  const { code, out, err } = p.run('apply', '--confirm', '2s');
  assert.equal(code, 0);
  assert.match(out, /5 added/);
  assert.match(
    err,
    new RegExp(`in 2s, unless it is confirmed: everlan confirm --fabric clitest --netns ${p.host.name}`),
  );
  assert.ok(hasLink(p, 'vxlan0'));
  const second = p.run('apply');
  assert.equal(second.code, 1);
  assert.match(second.err, /waits to be confirmed/);
  await until(() => !hasLink(p, 'vxlan0') && !hasLink(p, 'vxlan1'));
  await until(() => p.run('apply').code === 0);
});

test('a confirmed change stays', { skip }, async (t) => {
  const p = program(t);
  assert.equal(p.run('apply', '--confirm', '2s').code, 0);
  assert.deepEqual(p.run('confirm'), { code: 0, out: 'clitest: confirmed\n', err: '' });
  const again = p.run('confirm');
  assert.equal(again.code, 1);
  assert.match(again.err, /nothing of clitest waits/);
  await sleep(2500);
  assert.ok(hasLink(p, 'vxlan0'));
  assert.equal(plan(p).converged, true);
});

test('down ends a change that waits', { skip }, async (t) => {
  const p = program(t);
  assert.equal(p.run('apply', '--confirm', '1s').code, 0);
  assert.equal(p.run('down').code, 0);
  assert.equal(p.run('confirm').code, 1);
  assert.equal(p.run('apply').code, 0);
  await sleep(1500);
  assert.equal(plan(p).converged, true);
});

test('a change that was refused needs no confirmation', { skip }, (t) => {
  const p = program(t);
  p.host.ip('link add other type vxlan id 78 dstport 4789 dev eth0');
  assert.equal(p.run('apply', '--confirm', '60s').code, 1);
  assert.equal(p.run('confirm').code, 1);
  p.host.ip('link delete other');
  assert.equal(p.run('apply').code, 0);
});

test('nothing to do needs no confirmation', { skip }, (t) => {
  const p = program(t);
  p.run('apply');
  assert.deepEqual(p.run('apply', '--confirm', '60s'), { code: 0, out: 'clitest on alpha: nothing to do\n', err: '' });
  assert.equal(p.run('confirm').code, 1);
});

test('the guard survives the program and its process group, killed while they work', { skip }, async (t) => {
  const p = program(t, manyOverlays(1500));
  const child = start(t, ['apply', '--confirm', '2s', ...p.common], { detached: true });
  await until(() => hasLink(p, 'vx0') || child.exitCode !== null);
  if (child.pid !== undefined) {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // Already through: then its guard is all that is left of it, which is as good.
    }
  }
  await ended(child);
  await until(() => ![...p.host.kernel.look().facts.links.keys()].some((name) => name.startsWith('vx')));
  assert.equal(p.run('confirm').code, 1);
});

function manyOverlays(count: number): string {
  const overlays = Array.from(
    { length: count },
    (_, i) => `  vx${i}: {vni: ${i + 1}, hosts: {alpha: 10.${100 + (i >> 8)}.${i & 255}.1/24, beta: null}}\n`,
  );
  return `fabric: clitest\nhosts: {alpha: 10.0.0.1, beta: 10.0.0.2}\noverlays:\n${overlays.join('')}`;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} while changes are made: they are finished and verified first`, { skip }, async (t) => {
    const p = program(t, manyOverlays(1500));
    const child = start(t, ['apply', ...p.common]);
    await until(() => hasLink(p, 'vx0') || child.exitCode !== null);
    child.kill(signal);
    assert.deepEqual(await ended(child), { code: 0, signal: null });
    assert.equal(plan(p).converged, true);
  });
}

test('killed while it works: the next apply ends right', { skip }, async (t) => {
  const p = program(t, manyOverlays(1500));
  const child = start(t, ['apply', ...p.common]);
  await until(() => hasLink(p, 'vx0') || child.exitCode !== null);
  child.kill('SIGKILL');
  await ended(child);
  assert.equal(p.run('apply').code, 0);
  assert.equal(plan(p).converged, true);
});

test('a second apply says who holds the lock', { skip }, async (t) => {
  const p = program(t);
  const folder = join('/run/everlan', cookieOf(p.host.fd));
  ensureDir(folder);
  const lock = await lockFile(join(folder, 'clitest.lock'), { waitMs: 0, describe: 'a test' });
  try {
    const { code, err } = p.run('apply');
    assert.equal(code, 1);
    assert.match(err, new RegExp(`held by a test \\(process ${process.pid}, since `));
  } finally {
    lock.release();
  }
  assert.equal(p.run('apply').code, 0);
});

test('watch: a line of JSON when something changed, until it is told to end', { skip }, async (t) => {
  const p = program(t);
  p.run('apply');
  const child = start(t, ['status', '--watch', '--json', ...p.common]);
  if (child.stdout === null) throw new Error('no standard output');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<StatusOutput> => JSON.parse((await lines.next()).value ?? 'null');
  assert.equal((await next()).converged, true);
  p.host.ip('link set vxlan0 mtu 1300');
  assert.deepEqual((await next()).overlays[0]?.state, 'drifted');
  // Nothing that we show: no line.
  p.host.ip('link add unrelated type veth peer name other0');
  p.host.ip('link delete vxlan0');
  let seen = await next();
  // The link may be seen between two of the messages that its end makes.
  while (seen.overlays[0]?.state !== 'missing') seen = await next();
  child.kill('SIGTERM');
  assert.deepEqual(await ended(child), { code: 0, signal: null });
});

test('watch as text ends on an interrupt too', { skip }, async (t) => {
  const p = program(t);
  const child = start(t, ['status', '--watch', ...p.common]);
  if (child.stdout === null) throw new Error('no standard output');
  const [first] = await once(child.stdout, 'data');
  assert.match(String(first), /^clitest on alpha: 2 of 2 overlays are not as in the file\n/);
  child.kill('SIGINT');
  assert.deepEqual(await ended(child), { code: 0, signal: null });
});

test('a host in the file but in no overlay', { skip }, (t) => {
  const p = program(t, FABRIC.replace(/alpha: 169[^,]*, /, '').replace('alpha: null, ', ''));
  assert.deepEqual(p.run('apply'), { code: 0, out: 'clitest on alpha: nothing to do\n', err: '' });
  assert.match(p.run('status').out, /in no overlay/);
  assert.match(p.run('check').out, /no peer to ask/);
});

test('check: nobody answers', { skip }, (t) => {
  const p = program(t);
  p.run('apply');
  const { code, out, err } = p.run('check', '--timeout', '1s');
  assert.equal(code, 1);
  assert.match(out, /^clitest on alpha: not every peer answers\n/);
  assert.match(out, /^vxlan0 +beta +169\.254\.0\.2 +no answer +no answer$/m);
  assert.match(out, /^vxlan1 +beta +- +- +not asked: it has no address on the overlay$/m);
  assert.match(err, /^error: beta 169\.254\.0\.2 on vxlan0: no answer in 1000 ms/);
  const json: { ok: boolean; peers: readonly { size: number; ok: boolean }[] } = JSON.parse(
    p.run('check', '--timeout', '1s', '--json').out,
  );
  assert.equal(json.ok, false);
  assert.deepEqual(
    json.peers.map(({ size, ok }) => [size, ok]),
    [
      [84, false],
      [1450, false],
    ],
  );
});

test('check before apply', { skip }, (t) => {
  const { code, err } = program(t).run('check', '--timeout', '1s');
  assert.equal(code, 1);
  assert.match(err, /there is no link vxlan0\nhint: `everlan apply` makes it/);
});
