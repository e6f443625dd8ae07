/** everlan dispatcher side by side with Debian's networkd-dispatcher, on the same events of a real systemd-networkd. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DEBIANS,
  dispatcher,
  type Invocation,
  needsDebians,
  type RunningDispatcher,
  Scripts,
  settledHost,
  until,
} from './dispatcher.testing.ts';
import type { Ending, NetworkdHost } from './support/networkd.ts';
import { ran } from './support/program.ts';

const SKIP = { skip: needsDebians };

/** What networkctl asks of the driver, or knows of single kinds of links. docs/migration-networkd-dispatcher.md names them. */
const KEYS_LEFT_OUT = ['Auto negotiation', 'Duplex', 'Port', 'Speed'];
/** A shell's own, and where the two differ by the way in which the test runs them. */
const VARIABLES_LEFT_OUT = ['_', 'PWD', 'OLDPWD', 'SHLVL', 'json'];

function comparable({ script, env }: Invocation, folder: string): unknown {
  const { json = '{}' } = env;
  const values: Record<string, unknown> = JSON.parse(json);
  for (const key of KEYS_LEFT_OUT) delete values[key];
  const rest = Object.entries(env).filter(([name]) => !VARIABLES_LEFT_OUT.includes(name));
  return { script: script.replace(folder, ''), env: Object.fromEntries(rest.sort()), json: values };
}

const steps = ({ script, env }: Invocation): string =>
  `${script.replace(/^.*\//, '')} ${env.STATE} ${env.AdministrativeState} ${env.OperationalState}`;

interface Side {
  readonly scripts: Scripts;
  readonly running: RunningDispatcher;
}

interface Both {
  readonly host: NetworkdHost;
  readonly ours: Side;
  readonly theirs: Side;
}

async function both(t: Ending, ...args: string[]): Promise<Both> {
  const host = await settledHost(t);
  // fe80:: of far0 is usable by then, so that nothing changes while they start.
  await until(() => !host.ip('-6 addr show').includes('tentative'));
  const side = async (folder: string, program?: string): Promise<Side> => {
    const scripts = new Scripts(host, folder);
    scripts.recordEverything('10-first');
    scripts.recordEverything('20-second');
    const options = program === undefined ? { args } : { args, program };
    return { scripts, running: await dispatcher(host, scripts, options) };
  };
  return { host, ours: await side('/run/ours'), theirs: await side('/run/theirs', DEBIANS) };
}

/** Waits until both have run a state of an interface (again), with both scripts. */
async function reached({ ours, theirs }: Both, iface: string, state: string, times = 1): Promise<void> {
  for (const { scripts } of [ours, theirs]) {
    await until(() => scripts.states(iface).filter((one) => one === state).length >= times * 2);
  }
}

async function end({ ours, theirs }: Both): Promise<void> {
  await ours.running.stop();
  await theirs.running.stop();
}

test('start-up triggers: the same scripts, order, environment and json', SKIP, async (t) => {
  const pair = await both(t, '-T');
  for (const [iface, state] of [
    ['lo', 'carrier'],
    ['far0', 'degraded'],
    ['eth0', 'routable'],
  ] as const) {
    await reached(pair, iface, state);
    const [a, b] = [pair.ours, pair.theirs].map(({ scripts }) =>
      scripts.of(iface).map((invocation) => comparable(invocation, scripts.folder)),
    );
    assert.deepEqual(a, b, iface);
  }
  await end(pair);
});

test('a link goes down and comes up: the same scripts in the same order with the same states', SKIP, async (t) => {
  const pair = await both(t);
  const { host } = pair;
  host.ip('link set eth0 down');
  await reached(pair, 'eth0', 'off');
  host.ip('link set eth0 up');
  await reached(pair, 'eth0', 'configured');
  await reached(pair, 'eth0', 'routable');
  await reached(pair, 'far0', 'degraded');
  for (const iface of ['eth0', 'far0', 'lo']) {
    const [a, b] = [pair.ours, pair.theirs].map(({ scripts }) => scripts.of(iface).map(steps));
    assert.deepEqual(a, b, iface);
  }
  // Nothing changes any more after the last one: all that it was told is the same.
  const [a, b] = [pair.ours, pair.theirs].map(({ scripts }) => {
    const last = scripts.of('eth0').at(-1);
    return last === undefined ? null : comparable(last, scripts.folder);
  });
  assert.notEqual(a, null);
  assert.deepEqual(a, b);
  await end(pair);
});

test('a link comes and goes: ours runs whatever Debian’s runs', SKIP, async (t) => {
  const pair = await both(t);
  const { host } = pair;
  host.ip('link add vx0 type vxlan id 9 dstport 4789 dev eth0');
  await reached(pair, 'vx0', 'unmanaged');
  host.ip('link set vx0 up');
  await reached(pair, 'vx0', 'carrier');
  host.ip('link del vx0');
  await reached(pair, 'vx0', 'linger');
  const [a = [], b = []] = [pair.ours, pair.theirs].map(({ scripts }) => scripts.states('vx0'));
  // Debian's reads the states again when it does not know a link, and so may pass over one.
  const missing = b.filter((state) => !a.includes(state));
  assert.deepEqual(missing, []);
  assert.equal(a.at(-1), 'linger');
  await end(pair);
});

test('the same exit code and last line for wrong arguments', SKIP, () => {
  for (const args of [
    ['--bad'],
    ['x'],
    ['-S'],
    ['--run=3'],
    ['-Tvx'],
    ['--script'],
    ['-S', '-T'],
    ['-T', '--', '-v'],
  ]) {
    const [ours, theirs] = ['bin/networkd-dispatcher', DEBIANS].map((program) => {
      const { code, err, out } = ran(program, args, { cwd: new URL('..', import.meta.url) });
      return { code, out, last: err.trimEnd().split('\n').at(-1) };
    });
    assert.deepEqual(ours, theirs, args.join(' '));
  }
});
