/** A reboot that is real: hosts with systemd and everlan's package. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { until } from './dispatcher.testing.ts';
import {
  allAnswer,
  answered,
  echoes,
  FABRIC_FILE,
  fabricFile,
  inOrder,
  installedHosts,
  LINK,
  type Member,
  needsFleet,
  onlyLink,
  property,
  rebootRounds,
} from './reboot.testing.ts';
import { everlanPackage } from './support/package.ts';
import type { RealHost } from './support/real-host.ts';

const ROUNDS = 3;

/** What `systemctl status` says of the agent in one line. */
function said(host: RealHost): string {
  const text = host.run('systemctl', 'status', '--lines=0', '--no-pager', 'everlan.service');
  return /^ *Status: "(.*)"$/m.exec(text)?.[1] ?? '';
}

describe('real hosts', { skip: needsFleet }, () => {
  let all: readonly Member[] = [];
  let two: readonly Member[] = [];
  let alpha: RealHost;
  let beta: Member;
  const ends: (() => void | Promise<void>)[] = [];

  before(async () => {
    all = await installedHosts({ after: (end) => ends.push(end) }, 3, 2);
    two = all.slice(0, 2);
    const [first, second] = two;
    if (first === undefined || second === undefined) throw new Error('two hosts are needed');
    alpha = first.host;
    beta = second;
    await Promise.all(two.map(({ host }) => host.boot()));
  });
  after(async () => {
    for (const end of ends) await end();
  });

  test('two hosts: rebooted, and the power cut in the middle of a boot', async () => {
    await inOrder(two);
    await rebootRounds(two, ROUNDS, randomInt(2 ** 31));
  });

  test('a third joins: the two keep their links; rebooted, and the power cut in the middle of a boot', async () => {
    const links = two.map(({ host }) => onlyLink(host));
    for (const { host } of all) host.write(FABRIC_FILE, fabricFile(3));
    await all[2]?.host.boot();
    await inOrder(all);
    assert.deepEqual(
      two.map(({ host }) => onlyLink(host)),
      links,
    );
    await rebootRounds(all, ROUNDS, randomInt(2 ** 31));
  });

  const BAD_FILES: readonly { name: string; spoil: (host: RealHost) => void; says: RegExp }[] = [
    {
      name: 'broken',
      spoil: (host) => host.write(FABRIC_FILE, 'fabric: article\nhosts: [\n'),
      says: /the last good .*fabric\.yaml:3:1:/,
    },
    {
      name: 'missing',
      spoil: (host) => void host.run('rm', FABRIC_FILE),
      says: /the last good .*fabric\.yaml does not exist/,
    },
  ];
  for (const { name, spoil, says } of BAD_FILES) {
    test(`a ${name} file at boot: the last good one is used, and systemctl tells`, async () => {
      spoil(alpha);
      await alpha.reboot();
      await allAnswer(all);
      onlyLink(alpha);
      assert.match(said(alpha), says);
      assert.ok(alpha.succeeds('systemctl', 'is-system-running', '--wait'));
      alpha.write(FABRIC_FILE, fabricFile(3));
      await until(() => !says.test(said(alpha)));
      await inOrder(all);
    });
  }

  test('an upgrade of the package loses no packet of the overlay', async () => {
    const before = { link: onlyLink(alpha), pid: property(alpha, 'MainPID') };
    const both = [await echoes(beta.host, all[0]?.address ?? '', 10), await echoes(alpha, beta.address, 10)];
    await alpha.install(everlanPackage());
    await until(() => property(alpha, 'ActiveState') === 'active');
    for (const { answers, stop } of both) {
      await stop();
      assert.ok(answers.length > 10);
      assert.deepEqual(
        answers.map(({ seq }) => seq),
        answers.map((_, i) => i + 1),
      );
    }
    assert.notEqual(property(alpha, 'MainPID'), before.pid, 'the agent is another');
    assert.deepEqual(onlyLink(alpha), before.link);
    await inOrder(all);
  });

  test('an agent that hangs or is killed is started again, and heals what went in the meantime', async () => {
    alpha.write('/etc/systemd/system/everlan.service.d/test.conf', '[Service]\nWatchdogSec=1s\nRestartSec=100ms\n');
    alpha.run('systemctl', 'daemon-reload');
    alpha.run('systemctl', 'restart', 'everlan.service');
    for (const [i, signal] of ['STOP', 'KILL', 'ABRT'].entries()) {
      alpha.run('systemctl', 'kill', '--kill-who=main', `--signal=${signal}`, 'everlan.service');
      alpha.run('ip', 'link', 'delete', LINK);
      await until(() => property(alpha, 'NRestarts') === String(i + 1) && property(alpha, 'ActiveState') === 'active');
      await answered(alpha, beta.address);
      await answered(beta.host, all[0]?.address ?? '');
      onlyLink(alpha);
      assert.match(alpha.run('everlan', 'status', '--exit-code'), /matches the file/);
    }
    assert.match(alpha.run('journalctl', '-b', '-u', 'everlan.service', '--no-pager'), /Watchdog timeout/);
  });
});
