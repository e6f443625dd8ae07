/** Disks that are full or cannot be written, in a mount namespace of the agent's own: it goes on, and says so. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { type Agent, agentOn, LIMITS, type Site, site } from './support/agent.ts';
import { EVERLAN } from './support/program.ts';

const FILE = `fabric: test
hosts: {alpha: 10.0.0.4, beta: 10.0.0.5, gamma: 10.0.0.6}
overlays:
  vx0: {vni: 77, neighbours: static, hosts: {alpha: 10.7.0.1/24, beta: 10.7.0.2/24, gamma: 10.7.0.3/24}}
`;

/** Shell commands, then the agent. The state folder is $STATE_DIRECTORY. */
const after = (...commands: readonly string[]): readonly string[] => [
  'unshare',
  '--mount',
  'sh',
  '-ec',
  `${commands.join('\n')}\nexec "$@"`,
  'sh',
];

const STATE = 'mkdir -p -m 755 "$STATE_DIRECTORY"';
const RUN = 'mkdir -p -m 755 /run/everlan; mount -t tmpfs -o mode=755,size=64k tmpfs /run/everlan';
/** What is open for writing stays so, as on a disk that fails. */
const freeze = (by: string): string =>
  `mkdir ${by}; mount --bind /run/everlan ${by}; mount -o remount,bind,ro ${by}; mount --move ${by} /run/everlan`;
const fill = (folder: string): string => `dd if=/dev/zero of=${folder}/ballast bs=4k 2>/dev/null || true`;

/** In the agent's own mount namespace. */
function inside({ pid }: Agent, command: string): void {
  execFileSync('nsenter', ['-t', String(pid), '-m', 'sh', '-ec', command]);
}

const NOT_KEPT = /^the last good file cannot be kept: .* cannot be written, so the next boot does not know of it: /;
const KEPT_NOT = /^what is applied is kept in memory only: /;
const NO_SEAT = /^nobody can ask this agent, and a second one is not kept out, until it is started anew: /;

const shorter = ({ text }: Site): string => text.replace(', gamma: 10.7.0.3/24', '');

interface Disk {
  readonly name: string;
  readonly before: readonly string[];
  readonly says: readonly RegExp[];
}

const disks: readonly Disk[] = [
  {
    name: 'the state folder is full',
    before: [STATE, 'mount -t tmpfs -o mode=755,size=64k tmpfs "$STATE_DIRECTORY"', fill('"$STATE_DIRECTORY"')],
    says: [NOT_KEPT],
  },
  {
    name: 'the state folder cannot be written',
    before: [STATE, 'mount -t tmpfs -o mode=755,ro tmpfs "$STATE_DIRECTORY"'],
    says: [NOT_KEPT],
  },
  { name: '/run/everlan is full', before: [RUN, fill('/run/everlan')], says: [KEPT_NOT] },
  { name: '/run/everlan cannot be written', before: [RUN, 'mount -o remount,ro /run/everlan'], says: [NO_SEAT] },
  {
    name: 'neither can be written',
    before: [RUN, 'mount -o remount,ro /run/everlan', STATE, 'mount -t tmpfs -o mode=755,ro tmpfs "$STATE_DIRECTORY"'],
    says: [NO_SEAT, NOT_KEPT],
  },
];

for (const { name, before, says } of disks) {
  test(`a start when ${name}`, LIMITS, async (t) => {
    const at = site(t, FILE);
    const alpha = agentOn(at, 'alpha', { within: after(...before) });
    await alpha.ready();
    for (const line of says) await alpha.said(line);
    const { host } = alpha;
    assert.equal(host.planned(at.text).filter((step) => !step.includes('flooding')).length, 0);
    alpha.mark();
    host.ip('link del vx0');
    await alpha.said(/^link vx0 is missing.*: put right/);
    host.bridge('fdb flush dev vx0 self');
    await alpha.said(/on vx0 is missing.*: put right/);
    // Each is told once.
    for (const line of says) assert.equal(alpha.log.lines.filter((each) => line.test(each)).length, 1);
    alpha.write(shorter(at));
    await host.until(() => !host.bridge('fdb show dev vx0').includes('10.0.0.6'));
    assert.equal(alpha.exitCode, null);
  });
}

const KEPT_AGAIN = /^what is applied can be kept again$/;

for (const { name, spoil, mend } of [
  { name: 'cannot be written', spoil: freeze, mend: 'umount /run/everlan' },
  { name: 'is full', spoil: () => fill('/run/everlan'), mend: 'rm /run/everlan/ballast' },
]) {
  test(`/run/everlan ${name} from one moment to the next, and can be again`, LIMITS, async (t) => {
    const at = site(t, FILE);
    const alpha = agentOn(at, 'alpha', { within: after(RUN) });
    await alpha.ready();
    const { host } = alpha;
    inside(alpha, spoil(`${alpha.stateFolder}/by`));
    for (let time = 0; time < 2; time++) {
      alpha.mark();
      host.ip('link del vx0');
      await alpha.said(/^link vx0 is missing.*: put right/);
    }
    // What it made itself is not taken for a stranger's, though it could not be written down.
    alpha.write(shorter(at));
    await host.until(() => !host.bridge('fdb show dev vx0').includes('10.0.0.6'));
    assert.equal(alpha.log.lines.filter((line) => KEPT_NOT.test(line)).length, 1);
    inside(alpha, mend);
    host.ip('link del vx0');
    await alpha.said(KEPT_AGAIN);
    await alpha.said(/^link vx0 is missing.*: put right/);
    assert.equal(alpha.log.lines.filter((line) => KEPT_AGAIN.test(line)).length, 1);
  });
}

test('taken down while /run/everlan cannot be written: it stays down', LIMITS, async (t) => {
  const at = site(t, FILE);
  const alpha = agentOn(at, 'alpha', { within: after(RUN) });
  await alpha.ready();
  inside(alpha, freeze(`${alpha.stateFolder}/by`));
  const { host } = alpha;
  inside(alpha, `${EVERLAN} down -f ${alpha.file} --netns ${host.namespace}`);
  assert.equal(host.index('vx0'), null);
  // It looks again, and reads the file again.
  host.ip('link set eth0 mtu 1400');
  alpha.notified.lines.length = 0;
  alpha.signal('SIGHUP');
  await alpha.ready();
  assert.equal(host.index('vx0'), null);
});
