/** The demo as a program: as root, as an ordinary user, where it is forbidden, and killed. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { needsRoot, nobody, ownLinks, root, skipAsNobody, traces } from './lab.testing.ts';

const child = fileURLToPath(new URL('lab-demo.child.ts', import.meta.url));
/** Of namespaces, not of sockets: a user may not look at another user's links by netlink dumps of ours. */
const demo = [process.execPath, child];

function run(program: string, args: readonly string[], env: Record<string, string> = {}) {
  const done = spawnSync(program, args, { encoding: 'utf8', env: { ...process.env, ...env } });
  return { code: done.status, out: done.stdout, err: done.stderr };
}

/** What every story says, in this order. */
const CHAPTERS = [
  /^everlan demo/,
  /1\. One file/,
  /fabric: article/,
  /router {2}10\.0\.0\.1\/24 and 10\.10\.0\.1\/24/,
  /alpha\$ everlan apply/,
  /\+ link vxlan0: vni 77, port 4789, remote 10\.10\.0\.4, local 10\.0\.0\.4, device eth0, mtu 1450/,
  /beta\$ everlan apply/,
  /\d+: vxlan0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450/,
  /vxlan id 77 remote 10\.10\.0\.4 local 10\.0\.0\.4 dev eth0/,
  /84 bytes from 169\.254\.0\.2: \d/,
  /1450 bytes from 169\.254\.0\.2: \d/,
  /1450 bytes from 169\.254\.0\.1: \d/,
  /Somebody deletes vxlan0 on beta/,
  /84 bytes to 169\.254\.0\.2: no answer/,
  /1450 bytes to 169\.254\.0\.2: no answer/,
  /\+ address 169\.254\.0\.2\/24 on vxlan0/,
  /apply heals it/,
  /84 bytes from 169\.254\.0\.2: \d/,
  /beta reboots/,
  /1450 bytes from 169\.254\.0\.2: \d/,
  /3 namespaces removed in .*, nothing left/,
];

function assertStory(out: string): void {
  let at = 0;
  for (const chapter of CHAPTERS) {
    const rest = out.slice(at);
    const found = chapter.exec(rest);
    assert.ok(found, `${chapter} is missing in what follows:\n${rest}`);
    at += found.index + found[0].length;
  }
}

describe('the demo', () => {
  test('as root', { skip: needsRoot }, () => {
    const links = ownLinks();
    const { code, out, err } = run(process.execPath, [child]);
    assert.deepEqual([code, err], [0, '']);
    assertStory(out);
    assert.deepEqual(ownLinks(), links);
    assert.deepEqual(traces('article'), []);
  });

  test('as an ordinary user', { skip: skipAsNobody() }, (t) => {
    const allowed = run('setpriv', [...nobody, 'unshare', '--map-root-user', '--net', '--mount', 'true']);
    if (allowed.code !== 0) return t.skip(`this kernel lets no user make namespaces: ${allowed.err.trim()}`);
    const { code, out, err } = run('setpriv', [...nobody, ...demo]);
    assert.deepEqual([code, err], [0, '']);
    assertStory(out);
    assert.deepEqual(traces('article'), []);
  });

  test('any file that has two hosts to show', { skip: needsRoot }, () => {
    const { code, out, err } = run(process.execPath, [child, join(root, 'examples', 'bridged-lan.yaml')]);
    assert.deepEqual([code, err], [0, '']);
    assert.match(out, /Somebody deletes lan0 on east/);
  });

  test('where user namespaces are forbidden, it says so and how to run it', { skip: skipAsNobody() }, (t) => {
    // In a user namespace of our own, so that nobody else is kept from anything.
    const forbid =
      'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-all --inh-caps=-all "$@"';
    const trial = run('unshare', ['--map-root-user', 'sh', '-c', forbid, 'sh', 'true']);
    if (trial.code !== 0) return t.skip(`cannot be forbidden here: ${trial.err.trim()}`);
    const { code, out, err } = run('unshare', ['--map-root-user', 'sh', '-c', forbid, 'sh', ...demo]);
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, /^no-user-namespaces: .*max_user_namespaces is 0/);
    assert.match(err, /sudo everlan demo/);
  });

  test('without unshare it says what is missing', () => {
    const { code, err } = run(process.execPath, [child], { PATH: '/nonexistent' });
    assert.equal(code, 1);
    assert.match(err, /^no-unshare: .*\n.*util-linux/);
  });

  test('what only everlan itself sets does not hide this machine’s /run', { skip: needsRoot }, () => {
    const { code, out, err } = run(process.execPath, [child], { EVERLAN_ISOLATED_FROM: '1' });
    assert.deepEqual([code, out], [2, '']);
    assert.match(err, /^not-isolated/);
  });

  test('killed, it takes the isolated program with it, and leaves nothing', { skip: needsRoot }, async () => {
    const outer = spawn(process.execPath, [child], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    outer.stdout.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
    while (!text.includes('Somebody deletes')) await once(outer.stdout, 'data');
    const inner = readFileSync(`/proc/${outer.pid}/task/${outer.pid}/children`, 'utf8').trim();
    assert.match(inner, /^\d+$/);
    outer.kill('SIGKILL');
    await once(outer, 'exit');
    while (isAlive(inner)) await sleep(10);
    assert.deepEqual(traces('article'), []);
  });
});

function isAlive(pid: string): boolean {
  try {
    return existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
