/** everlan dispatcher at the command line: --check, --help, wrong use. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { Scripts } from './dispatcher.testing.ts';
import { type NetworkdHost, needsNetworkd, networkdHost } from './support/networkd.ts';
import { everlan, ran } from './support/program.ts';

const OURS = join(import.meta.dirname, '..', 'bin', 'networkd-dispatcher');

/** Runs it on a host, to its end. */
function onHost(host: NetworkdHost, ...args: string[]) {
  const [program = '', ...rest] = host.inside(OURS, ...args);
  const { status, stdout } = spawnSync(program, rest, { encoding: 'utf8' });
  return { code: status, lines: stdout.trimEnd().split('\n') };
}

const ifupdownOf = (host: NetworkdHost): Scripts => {
  // A folder of the host's own in the place of this machine's.
  host.run(
    'sh',
    '-c',
    'mkdir -p /run/upper /run/work && mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/upper,workdir=/run/work /etc',
  );
  host.run('sh', '-c', 'rm -rf /etc/network && mkdir -p /etc/network');
  return new Scripts(host, '/etc/network');
};

test('--check tells of every script why it runs or not', { skip: needsNetworkd }, async (t) => {
  const host = await networkdHost(t, { start: 'nothing' });
  const [etc, lib] = [new Scripts(host, '/run/etc'), new Scripts(host, '/run/lib')];
  const network = ifupdownOf(host);
  etc.add('routable.d/10-a', 'true');
  lib.add('routable.d/10-a', 'true');
  etc.addFile('routable.d/20-b', '');
  lib.add('routable.d/20-b', 'true');
  etc.add('routable.d/30-c~', 'true');
  etc.addFile('off.d/10-mode', '#!/bin/sh\n', 0o644);
  etc.add('routeable.d/10-typo', 'true');
  network.add('if-up.d/good', 'true');
  network.add('if-post-up.d/vxlan.sh', 'true');
  const { code, lines } = onHost(host, '-S', '/run/etc:/run/lib', '--check');
  assert.deepEqual(lines, [
    'off',
    '  skipped  /run/etc/off.d/10-mode: invalid permissions on /run/etc/off.d/10-mode. expected mode=0o755, uid=0, gid=0; got mode=0o644, uid=0, gid=0',
    '',
    'routable',
    '  runs     /run/etc/routable.d/10-a',
    '  skipped  /run/lib/routable.d/10-a: /run/etc/routable.d/10-a runs instead',
    '  skipped  /run/etc/routable.d/20-b: an empty file: nothing of this name runs',
    '  skipped  /run/lib/routable.d/20-b: masked by /run/etc/routable.d/20-b',
    '  skipped  /run/etc/routable.d/30-c~: a backup file by its name',
    '',
    'no state of systemd-networkd',
    '  skipped  /run/etc/routeable.d',
    '',
    '/etc/network/if-up.d, on routable; not run without --ifupdown, or a script of yours that calls run-parts',
    '  runs     /etc/network/if-up.d/good',
    '',
    '/etc/network/if-post-up.d, on routable; not run without --ifupdown, or a script of yours that calls run-parts',
    '  skipped  /etc/network/if-post-up.d/vxlan.sh: skipped, run-parts takes no dot in a name',
  ]);
  assert.equal(code, 1);
});

test('--check of nothing', { skip: needsNetworkd }, async (t) => {
  const host = await networkdHost(t, { start: 'nothing' });
  ifupdownOf(host);
  assert.deepEqual(onHost(host, '-S', '/run/none', '--check'), { code: 0, lines: ['no scripts in /run/none'] });
});

test('help and wrong use', () => {
  const help = ran(OURS, ['-h']);
  assert.equal(help.code, 0);
  assert.match(help.out, /^usage: networkd-dispatcher \[-h\]/);
  assert.deepEqual(everlan(['dispatcher', '--help']), help);
  const wrong = ran(OURS, ['--bad']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /\nnetworkd-dispatcher: error: unrecognized arguments: --bad\n$/);
});
