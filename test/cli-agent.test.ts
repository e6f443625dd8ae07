/** The program while an agent runs: what goes through its socket, and what it prints of the answers. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fakeEvent } from '../src/agent/door.testing.ts';
import type { AgentEvent } from '../src/agent/door.ts';
import { openStore, type Store } from '../src/apply/store.ts';
import { DEFAULT_FILE } from '../src/model/fabric.ts';
import { problem } from '../src/model/problem.ts';
import { cookieOf } from '../src/sys/netns.ts';
import { type AgentProcess, fakeAgent } from './fake-agent.testing.ts';
import { needsRoot, type TestHost, testHost } from './support/host.ts';
import { cleanEnvironment, EVERLAN, everlan, type Ran, ran, temporaryFile } from './support/program.ts';

const skip = needsRoot;
/** What is said when the default file is missing can be seen only where it is. */
const skipWithFile = skip || (existsSync(DEFAULT_FILE) ? `this machine has a ${DEFAULT_FILE}` : false);

const FABRIC = `fabric: clitest
hosts: {alpha: 10.0.0.1, beta: 10.0.0.2}
overlays:
  vxlan0: {vni: 77, hosts: {alpha: 169.254.0.1/24, beta: 169.254.0.2/24}}
`;

interface Host {
  readonly host: TestHost;
  readonly file: string;
  readonly store: Store;
  readonly agent: AgentProcess;
  /** With the file and the namespace named. */
  run(...args: readonly string[]): Ran;
  /** As is, by somebody inside the namespace. */
  inside(...args: readonly string[]): Ran;
}

/** @param watched the file that the agent keeps; default: the one of the test. */
async function kept(t: TestContext, watched?: string): Promise<Host> {
  const host = testHost(t);
  const file = temporaryFile(t, FABRIC);
  const cookie = cookieOf(host.fd);
  const agent = await fakeAgent(t, cookie, watched ?? file);
  return {
    host,
    file,
    store: openStore('clitest', cookie),
    agent,
    run: (...args) => everlan([...args, '-f', file, '--netns', host.name]),
    inside: (...args) => ran('ip', ['netns', 'exec', host.name, EVERLAN, ...args]),
  };
}

const DONE = 'clitest on alpha: 2 added, 1 changed in place, 1 removed, verified\n';

test('apply: the file goes to the agent, and the text is as without one', { skip }, async (t) => {
  const { run, agent, file, host } = await kept(t);
  // The fake agent's own fabric has another name than the file's.
  const want = DONE.replace('clitest', 'faketest');
  assert.deepEqual(run('apply'), { code: 0, out: want, err: '' });
  assert.deepEqual(run('apply', '-q', '--adopt', '--prune', '--host', 'alpha'), { code: 0, out: '', err: '' });
  const asked = { text: FABRIC, file, adopt: false, prune: false, trial: null };
  await agent.untilAsked(2);
  assert.deepEqual(agent.asked, [asked, { ...asked, adopt: true, prune: true, host: 'alpha' }]);
  assert.ok(!host.kernel.look().facts.links.has('vxlan0'));

  const verbose = run('apply', '-v');
  assert.match(verbose.out, /^vxlan0\n {2}\+ link {5}vni 77, port 8472, remote 10\.0\.0\.2, mtu 1450\n/);
  assert.match(verbose.out, /\nvxlan1\n {2}~ link {2}mtu 1300 → 1450\n/);
  assert.ok(verbose.out.endsWith(`(not in the file)\n${want}`));
  const plan: { steps: { action: string; kind: string }[]; foreign: unknown[] } = JSON.parse(
    run('apply', '--json').out,
  );
  assert.deepEqual(
    plan.steps.map(({ action, kind }) => `${action} ${kind}`),
    ['add link', 'add address', 'change link', 'remove link'],
  );
  assert.equal(plan.foreign.length, 1);

  await agent.tell({ hasNothingToDo: true });
  assert.deepEqual(run('apply'), { code: 0, out: 'faketest on alpha: nothing to do\n', err: '' });
});

test('apply from standard input', { skip }, async (t) => {
  const { agent, host } = await kept(t);
  const { code } = everlan(['apply', '-f', '-', '--netns', host.name], { input: FABRIC });
  assert.equal(code, 0);
  await agent.untilAsked(1);
  const [asked] = agent.asked;
  assert.ok(typeof asked === 'object' && asked.file === 'standard input' && asked.text === FABRIC);
});

test('apply: what the agent refuses, and what waits', { skip }, async (t) => {
  const { run, agent } = await kept(t);
  await agent.tell({ failure: { problems: [problem('x', 'the kernel says no', { hint: 'ask it' })], exitCode: 1 } });
  assert.deepEqual(run('apply'), { code: 1, out: '', err: 'error: the kernel says no\nhint: ask it\n' });
  await agent.tell({ failure: null, waiting: [{ overlay: 'vxlan0', reason: 'no link has 10.0.0.1' }] });
  const { code, err } = run('apply');
  assert.deepEqual([code, err], [0, 'vxlan0 waits: no link has 10.0.0.1\n']);
});

test('a bad file does not get as far as the agent', { skip }, async (t) => {
  const { agent, host } = await kept(t);
  const bad = temporaryFile(t, FABRIC.replace('vni: 77', 'vni: 0'), 'bad.yaml');
  assert.equal(everlan(['apply', '-f', bad, '--netns', host.name]).code, 2);
  await agent.tell({});
  assert.deepEqual(agent.asked, []);
});

test('another fabric is none of the agent’s business', { skip }, async (t) => {
  const { agent, host } = await kept(t);
  const other = temporaryFile(t, FABRIC.replace('clitest', 'other'), 'other.yaml');
  const at = ['-f', other, '--netns', host.name];
  assert.match(everlan(['apply', ...at]).out, /^other on alpha: 2 added, verified/);
  assert.equal(everlan(['down', ...at]).code, 0);
  await agent.tell({});
  assert.deepEqual(agent.asked, []);
});

test('confirm and down', { skip }, async (t) => {
  const { run, agent, host } = await kept(t);
  const byName = ['--fabric', 'clitest', '--netns', host.name];
  assert.deepEqual(everlan(['confirm', ...byName]), { code: 0, out: 'clitest: confirmed\n', err: '' });
  const removed = 'clitest: 2 added, 1 changed in place, 1 removed\n';
  assert.deepEqual(everlan(['down', ...byName]), { code: 0, out: removed, err: '' });
  const json: { steps: unknown[]; host: string } = JSON.parse(run('down', '--json').out);
  assert.deepEqual([json.steps.length, json.host], [4, '']);
  await agent.tell({ hasNothingToDo: true });
  assert.deepEqual(run('down'), { code: 0, out: 'clitest: nothing here\n', err: '' });
  await agent.tell({ failure: { problems: [problem('nothing-pending', 'nothing waits')], exitCode: 1 } });
  assert.deepEqual(run('confirm'), { code: 1, out: '', err: 'error: nothing waits\n' });
  await agent.untilAsked(5);
  assert.deepEqual(agent.asked, ['confirm', 'down', 'down', 'down', 'confirm']);
});

for (const command of ['apply', 'down', 'confirm']) {
  test(`${command}: the agent dies in the middle`, { skip }, async (t) => {
    const { run, agent } = await kept(t);
    await agent.tell({ fate: 'dies' });
    const want = `error: the agent (process ${process.pid}) ended before it answered\nhint: \`everlan status\` tells how it stands\n`;
    assert.deepEqual(run(command), {
      code: 1,
      out: '',
      err: want.replace(String(process.pid), String(agent.pid)),
    });
    // The next one finds a socket that nobody listens at, and does it by itself.
    assert.doesNotMatch(run('apply').err, /agent/);
  });
}

/** Waits until it is so; the test's own time limit ends it otherwise. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
}

test('apply --confirm: the guard is ours, the trial the agent’s; in the end it is asked to revert', {
  skip,
}, async (t) => {
  const { run, agent, store, host } = await kept(t);
  const { code, err } = run('apply', '--confirm', '2s');
  assert.equal(code, 0);
  assert.match(err, new RegExp(`in 2s, unless it is confirmed: everlan confirm --fabric clitest --netns ${host.name}`));
  const token = store.pending()?.token;
  await agent.untilAsked(1);
  const [asked] = agent.asked;
  assert.ok(typeof asked === 'object' && token !== undefined && asked.trial === token);
  const second = run('apply', '--confirm', '2s');
  assert.equal(second.code, 1);
  assert.match(second.err, /waits to be confirmed/);
  await agent.untilAsked(2);
  assert.equal(agent.asked[1], `revert ${token}`);
});

test('apply --confirm: refused by the agent, there is nothing left to undo', { skip }, async (t) => {
  const { run, agent, store } = await kept(t);
  await agent.tell({ failure: { problems: [problem('x', 'no')], exitCode: 1 } });
  assert.deepEqual(run('apply', '--confirm', '60s'), { code: 1, out: '', err: 'error: no\n' });
  assert.equal(store.pending(), null);
});

test('apply --confirm: the agent dies in the middle, and the guard undoes it by itself', { skip }, async (t) => {
  const { run, agent, store, host } = await kept(t);
  await agent.tell({ fate: 'dies' });
  const { code, err } = run('apply', '--confirm', '2s');
  assert.equal(code, 1);
  assert.match(err, /This is undone at .*, in 2s/);
  assert.match(err, /ended before it answered/);
  // What it may have left half done.
  host.ip('link add vxlan0 alias everlan:clitest/vxlan0 type vxlan id 77 dstport 4789 dev eth0');
  host.ip('link set vxlan0 alias everlan:clitest/vxlan0');
  await until(() => store.pending() === null);
  assert.ok(!host.kernel.look().facts.links.has('vxlan0'));
});

test('apply --confirm: an agent that cannot revert leaves it to the guard', { skip }, async (t) => {
  const { run, agent, store } = await kept(t);
  assert.equal(run('apply', '--confirm', '1s').code, 0);
  await agent.tell({ failure: { problems: [problem('x', 'no')], exitCode: 1 } });
  await until(() => store.pending() === null);
  await agent.untilAsked(2);
  assert.match(String(agent.asked[1]), /^revert /);
});

test('apply --confirm: nothing to do needs no guard', { skip }, async (t) => {
  const { agent, host, file, store } = await kept(t);
  await agent.tell({ said: { fabric: 'other' } });
  const at = ['-f', file, '--netns', host.name];
  assert.equal(everlan(['apply', ...at]).code, 0);
  await agent.tell({ said: { fabric: 'clitest' }, hasNothingToDo: true });
  assert.deepEqual(everlan(['apply', '--confirm', '60s', ...at]), {
    code: 0,
    out: 'faketest on alpha: nothing to do\n',
    err: '',
  });
  assert.equal(store.pending(), null);
  await agent.untilAsked(1);
  const [asked] = agent.asked;
  assert.ok(typeof asked === 'object' && asked.trial === null);
});

const TABLE = `faketest on alpha: matches the file

OVERLAY  STATE  VNI  MTU   ADDRESSES       PEERS
vxlan0   up     77   1450  169.254.0.1/24  -
`;

test('status is the agent’s answer, and needs no file', { skip }, async (t) => {
  const { inside, agent } = await kept(t, DEFAULT_FILE);
  await agent.tell({ stands: { fabric: 'faketest' } });
  assert.deepEqual(inside('status'), { code: 0, out: TABLE, err: '' });
  assert.deepEqual(inside('status', '-q', '--exit-code'), { code: 0, out: '', err: '' });
  await agent.tell({
    stands: { converged: false },
    said: {
      mode: 'suspended',
      source: '/var/lib/everlan/last-good.yaml',
      waiting: [{ overlay: 'lan', reason: 'no link has 10.0.0.4, the underlay address of alpha', hint: 'wait' }],
      problems: [problem('vni-range', 'vni must be a whole number', { hint: 'write 77' })],
    },
  });
  const { code, out } = inside('status', '--exit-code');
  assert.equal(code, 3);
  assert.equal(
    out.slice(out.indexOf('\n\nTaken')),
    `

Taken down by \`everlan down\`: the agent lets it rest until the next apply or boot.
In force is /var/lib/everlan/last-good.yaml, not ${DEFAULT_FILE}.
lan waits: no link has 10.0.0.4, the underlay address of alpha
hint: wait
error: vni must be a whole number
hint: write 77
`,
  );
  const json: { agent: Record<string, unknown>; converged: boolean } = JSON.parse(inside('status', '--json').out);
  assert.equal(json.converged, false);
  assert.deepEqual(Object.keys(json.agent), ['pid', 'since', 'mode', 'source', 'waiting', 'problems']);
  assert.equal(json.agent.mode, 'suspended');
});

test('status: the agent has nothing to go by', { skip }, async (t) => {
  const { inside, agent } = await kept(t, DEFAULT_FILE);
  await agent.tell({ stands: null, said: { problems: [problem('x', 'the file is bad')] } });
  const err = 'error: no good file was ever seen\n\nerror: the file is bad\n';
  assert.deepEqual(inside('status'), { code: 1, out: '', err });
});

test('status with -f looks by itself', { skip: skipWithFile }, async (t) => {
  const { run, file, inside } = await kept(t, DEFAULT_FILE);
  assert.match(run('status').out, /^clitest on alpha: 1 of 1 overlay is not as in the file/);
  assert.match(inside('status', '-f', file).out, /^clitest on alpha: 1 of 1/);
  // The default file is not there.
  assert.equal(inside('status', '--host', 'alpha').code, 2);
});

function start(t: TestContext, { host }: Host, ...args: readonly string[]): ChildProcess & { lines(): Lines } {
  const child = spawn('ip', ['netns', 'exec', host.name, EVERLAN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: cleanEnvironment(),
  });
  t.after(() => child.kill('SIGKILL'));
  const lines = (): Lines => createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return Object.assign(child, { lines });
}

type Lines = AsyncIterator<string, undefined>;

async function code(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

test('status --watch: the agent’s answers, until it is told to end', { skip }, async (t) => {
  const host = await kept(t, DEFAULT_FILE);
  const child = start(t, host, 'status', '--watch', '--json');
  const lines = child.lines();
  const next = async (): Promise<{ converged: boolean }> => JSON.parse((await lines.next()).value ?? 'null');
  assert.equal((await next()).converged, true);
  await host.agent.tell({ stands: { converged: false } });
  assert.equal((await next()).converged, false);
  child.kill('SIGTERM');
  assert.equal(await code(child), 0);
});

test('status --watch: the agent ends', { skip }, async (t) => {
  const host = await kept(t, DEFAULT_FILE);
  const child = start(t, host, 'status', '--watch');
  let err = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  await child.lines().next();
  process.kill(host.agent.pid, 'SIGKILL');
  await once(child, 'close');
  assert.equal(child.exitCode, 1);
  assert.match(err, /^error: the agent \(process \d+\) ended/);
});

test('events: the last ones, as text and as JSON', { skip }, async (t) => {
  const { inside, agent, run, file } = await kept(t, DEFAULT_FILE);
  for (let i = 1; i <= 25; i++) await agent.tell({ event: fakeEvent(i) });
  const shown = inside('events', '-n', '1');
  assert.deepEqual([shown.code, shown.err], [0, '']);
  assert.match(
    shown.out,
    /^2026-11-22 \d\d:\d8:00\.123 {2}healed {5}vxlan0 was deleted: made again, 25\n {4}link vxlan0\n$/,
  );
  const numbers = (out: string): number[] =>
    out
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line).number);
  assert.equal(numbers(inside('events', '--json').out).length, 20);
  assert.deepEqual(numbers(inside('events', '--json', '--last', '2').out), [24, 25]);
  assert.deepEqual(inside('events', '--last', '0'), { code: 0, out: '', err: '' });
  assert.equal(inside('events', '--last', '-1').code, 2);
  const none = run('events');
  assert.equal(none.code, 1);
  assert.equal(none.out, '');
  assert.equal(none.err.split('\n')[0], `error: no agent runs for ${file}`);
});

test('events --follow: each one that comes', { skip }, async (t) => {
  const host = await kept(t);
  await host.agent.tell({ event: fakeEvent(1) });
  const child = start(t, host, 'events', '--follow', '--json', '-f', host.file);
  const lines = child.lines();
  const next = async (): Promise<AgentEvent> => JSON.parse((await lines.next()).value ?? 'null');
  assert.deepEqual(await next(), fakeEvent(1));
  await host.agent.tell({ event: fakeEvent(2, { level: 'warning', hint: 'look' }) });
  assert.deepEqual(await next(), fakeEvent(2, { level: 'warning', hint: 'look' }));
  child.kill('SIGINT');
  assert.equal(await code(child), 0);
});

test('somebody without rights: events says who may ask, status looks by itself', { skip: skipWithFile }, async (t) => {
  const { host } = await kept(t, DEFAULT_FILE);
  const nobody = ['netns', 'exec', host.name, 'setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', EVERLAN];
  const events = ran('ip', [...nobody, 'events']);
  assert.equal(events.code, 1);
  assert.match(
    events.err,
    /^error: an agent runs, and only root and the group everlan may ask it \(.*\)\nhint: run as root\n$/,
  );
  const status = ran('ip', [...nobody, 'status']);
  assert.match(status.err, new RegExp(`^error: ${DEFAULT_FILE} does not exist`));
});
