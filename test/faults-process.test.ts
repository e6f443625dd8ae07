/** What happens to the agent itself: killed, stopped, overrun, fought; and a second one. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { watchHints } from '../src/kernel/hints.ts';
import { type Agent, agentOn, agentsOn, type Host, LIMITS, site } from './support/agent.ts';
import { ended } from './support/process.ts';
import { temporaryFolder } from './support/program.ts';
import { randomFrom } from './support/random.ts';

const hosts = 'fabric: test\nhosts: {alpha: 10.0.0.4, beta: 10.0.0.5, gamma: 10.0.0.6}\n';
const FILE = `${hosts}overlays:
  vx0: {vni: 77, hosts: {alpha: 10.7.0.1/24, beta: 10.7.0.2/24}}
  vx1: {vni: 78, hosts: {alpha: 10.7.1.1/24, beta: 10.7.1.2/24}}
`;

// Killed.

const COUNT = 12;
const MANY = `${hosts}overlays:
${Array.from({ length: COUNT }, (_, i) => {
  const options = ['neighbours: static, ', `bridge: br${i}, `, `routes: [{to: 10.8.${i}.0/24, via: beta}], `][i % 3];
  const own = ['alpha', 'beta', 'gamma'].map((name, n) => `${name}: [10.7.${i}.${n + 1}/24, "fd07:${i}::${n + 1}/64"]`);
  return `  vx${i}: {vni: ${100 + i}, ${options}hosts: {${own.join(', ')}}}`;
}).join('\n')}
`;

/** Kills the agent so many of the kernel's events after now: in the middle of what it does. */
async function killIn(agent: Agent, events: number): Promise<void> {
  let left = events;
  const watch = watchHints(agent.host.fd, {
    hint: () => {
      if (left-- === 0) agent.signal('SIGKILL');
    },
    lost: () => undefined,
    settled: () => undefined,
    broken: () => undefined,
  });
  await agent.exit;
  watch.close();
}

function ourLinks(host: Host): readonly string[] {
  return [...host.kernel.look().facts.links.keys()].filter((name) => !['lo', 'eth0'].includes(name)).sort();
}

const lines = (commands: readonly string[]): string => commands.map((line) => `${line}\n`).join('');

const isOurs = (name: string): boolean => /^(vx|br)\d+$/.test(name);

test(
  'killed at any moment of a heal or of a change: the next agent ends right, and nothing is double',
  LIMITS,
  async (t) => {
    const at = site(t, MANY);
    const host = at.host('alpha');
    // Everything is changed in place: what was added is there beside what was there before.
    const other = at.text
      .replaceAll('hosts: {alpha: [', 'remotes: [10.0.0.77], hosts: {alpha: [')
      .replaceAll('10.7.', '10.9.');
    const expected = [...Array.from({ length: COUNT }, (_, i) => `vx${i}`), 'br1', 'br4', 'br7', 'br10'].sort();
    const next = randomFrom(7);
    let agent = agentOn(at, 'alpha');
    await agent.ready();
    let text = at.text;
    for (let seed = 0; seed < 9; seed++) {
      const killed = killIn(agent, Math.floor(next() * 60));
      const [deletes, returns] = [seed % 3 === 0, seed % 3 === 2];
      const former = text;
      if (deletes) host.ip('-batch -', lines(ourLinks(host).map((name) => `link del ${name}`)));
      else {
        text = text === other ? at.text : other;
        agent.write(text);
      }
      await killed;
      if (returns) {
        text = former;
        agent.write(text);
      }
      agent = agentOn(at, 'alpha', { like: agent });
      await agent.ready();
      await host.until(() => host.planned(text).length === 0);
      const { status, info } = await agent.status();
      assert.deepEqual([status?.converged, status?.foreign, info.problems], [true, [], []], `seed ${seed}`);
      assert.deepEqual(ourLinks(host), expected, `seed ${seed}`);
    }
    await agent.kill();
    assert.equal(agent.run('plan', '--exit-code', '--host', 'alpha').code, 0);
    assert.equal(agent.run('down').code, 0);
    assert.deepEqual(ourLinks(host).filter(isOurs), []);
    assert.equal(host.ip('route show proto 119'), '');
  },
);

// A second one.

async function ends(agent: Agent): Promise<string> {
  await agent.exit;
  return agent.log.lines.join('\n');
}

test('a second agent refuses, and names the first', LIMITS, async (t) => {
  const at = site(t, FILE);
  const [first] = await agentsOn(at, 'alpha');
  const copy = join(temporaryFolder(t), 'copy.yaml');
  writeFileSync(copy, at.text);
  for (const second of [agentOn(at, 'alpha', { like: first }), agentOn(at, 'alpha', { file: copy })]) {
    assert.match(
      await ends(second),
      new RegExp(`^error: .*held by everlan agent \\(process ${first.pid}, since .*\\)$`, 'm'),
    );
    assert.equal(second.exitCode, 1);
    assert.ok(!second.notified.lines.includes('READY=1'));
  }
  first.host.ip('link del vx0');
  await first.said(/^link vx0 is missing.*: put right/);
});

// Stopped.

/** A letter (proc_pid_stat(5)) and the ticks of processor time so far. */
function processOf({ pid }: Agent): { readonly state: string; readonly ticks: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [state = '', ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state, ticks: Number(rest[10]) + Number(rest[11]) };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test(
  'a loop that stands still: nothing tells systemd’s watchdog that it lives; then it catches up',
  LIMITS,
  async (t) => {
    const at = site(t, FILE);
    const alpha = agentOn(at, 'alpha', { watchdogUsec: 40_000 });
    await alpha.ready();
    await alpha.notified.heard('WATCHDOG=1');
    alpha.signal('SIGSTOP');
    while (processOf(alpha).state !== 'T') await pause(5);
    await pause(50);
    alpha.notified.lines.length = 0;
    alpha.host.ip('link del vx0');
    await pause(400);
    assert.deepEqual(alpha.notified.lines, []);
    alpha.signal('SIGCONT');
    await alpha.notified.heard('WATCHDOG=1');
    await alpha.said(/^link vx0 is missing.*: put right/);
  },
);

// Overrun.

test('more events than it can be told: it looks at everything', LIMITS, async (t) => {
  const at = site(t, FILE);
  const [alpha] = await agentsOn(at, 'alpha');
  const { host } = alpha;
  host.ip('link add busy type vxlan id 9 dstport 4790');
  await host.quiet();
  alpha.signal('SIGSTOP');
  const mac = (i: number): string =>
    `02:00:00:${[i >> 16, (i >> 8) & 255, i & 255].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;
  host.bridge(
    '-batch -',
    Array.from({ length: 60_000 }, (_, i) => `fdb append ${mac(i)} dev busy dst 10.0.0.9\n`).join(''),
  );
  // Told to nobody: the queue is full.
  host.ip('link del vx0');
  host.ip('link set vx1 mtu 1300');
  alpha.signal('SIGCONT');
  await host.until(() => host.planned(at.text).length === 0);
  await alpha.said(/link vx0 is missing.*: put right/);
  host.ip('link del busy');
  host.ip('link del vx1');
  await alpha.said(/^link vx1 is missing.*: put right/);
});

// Fought.

function fighter(t: TestContext, { namespace }: Host): { end(): Promise<void> } {
  const loop = 'while :; do ip -n "$0" link del vx0 2>/dev/null; done';
  const child = spawn('sh', ['-c', loop, namespace], { stdio: 'ignore' });
  const end = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended(child);
  };
  t.after(end);
  return { end };
}

test(
  'somebody who deletes the link all the time: told, fewer and fewer tries, healed in the end',
  LIMITS,
  async (t) => {
    const at = site(t, FILE);
    const [alpha] = await agentsOn(at, 'alpha');
    const { host } = alpha;
    const before = { ticks: processOf(alpha).ticks, at: performance.now() };
    const other = fighter(t, host);
    assert.match(await alpha.said(/^vx0 is changed again and again/), /: left alone for \d+(\.\d+)? s$/);
    await alpha.said(/^hint: stop the other program, or take vx0 out of the file/);
    const spent = (processOf(alpha).ticks - before.ticks) / 100 / ((performance.now() - before.at) / 1000);
    t.diagnostic(`${(spent * 100).toFixed(0)} % of a processor while it is fought`);
    assert.ok(spent < 0.8, `${spent} processors`);
    // Nobody fights over the others.
    host.ip('link del vx1');
    await alpha.said(/^link vx1 is missing.*: put right/);
    await other.end();
    await alpha.sees(({ status }) => status?.converged === true);
    assert.deepEqual(host.planned(at.text), []);
  },
);

// The clock.

/** Each look at the wall clock is a year before or after the last one. */
const JUMPS = `const now = Date.now;
let year = 0;
Date.now = () => now() + (year = year === 1 ? -1 : year + 1) * 31_536_000_000;
globalThis.Date = new Proxy(Date, {
  construct: (target, args) => args.length === 0 ? new target(Date.now()) : new target(...args),
});
`;

test('a clock that jumps by years at every look: no effect', LIMITS, async (t) => {
  const at = site(t, FILE);
  const jumps = join(temporaryFolder(t), 'jumps.mjs');
  writeFileSync(jumps, JUMPS);
  const alpha = agentOn(at, 'alpha', { env: { NODE_OPTIONS: `--import=${jumps}` }, watchdogUsec: 40_000 });
  await alpha.ready();
  const { host } = alpha;
  for (let time = 0; time < 8; time++) {
    host.ip('link del vx0');
    await alpha.said(/^link vx0 is missing.*: put right/);
  }
  alpha.notified.lines.length = 0;
  await alpha.notified.heard('WATCHDOG=1');
  const years = new Set(alpha.run('events', '--json', '-n', '50').out.match(/"at":"\d{4}/g));
  assert.ok(years.size > 1, 'the clock did jump');
  assert.deepEqual(host.planned(at.text), []);
});

test('idle: how much of the processor it takes', LIMITS, async (t) => {
  const at = site(t, FILE);
  const [alpha] = await agentsOn(at, 'alpha');
  await pause(700);
  const { ticks } = processOf(alpha);
  await pause(2000);
  t.diagnostic(`idle: ${(processOf(alpha).ticks - ticks) * 10} ms of processor time in 2 s`);
});
