/** everlan dispatcher as a daemon, beside a real systemd-networkd. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { connectPeer, propertiesChanged } from '../src/networkd/peer.testing.ts';
import { brief, dispatcher, RunningDispatcher, Scripts, settledHost, until } from './dispatcher.testing.ts';
import { needsNetworkd, networkdHost } from './support/networkd.ts';
import { NotifySocket } from './support/notify-socket.ts';

const SKIP = { skip: needsNetworkd };

test('start-up triggers, then each change, in order for each interface', SKIP, async (t) => {
  const host = await settledHost(t);
  const scripts = new Scripts(host, '/run/hooks');
  scripts.recordEverything();
  const running = await dispatcher(host, scripts, { args: ['-T'] });
  await until(() => scripts.states('eth0').length === 2);
  assert.deepEqual(scripts.states('eth0'), ['configured', 'routable']);
  host.ip('link set eth0 down');
  await until(() => scripts.states('eth0').includes('off'));
  host.ip('link set eth0 up');
  await until(() => scripts.states('eth0').includes('configuring') && scripts.states('eth0').at(-1) === 'configured');
  const after = scripts.states('eth0').slice(2);
  assert.equal(after[0], 'off');
  // networkd may tell of a link that has a carrier and no address yet.
  assert.deepEqual(
    new Set([...after, 'carrier']),
    new Set(['off', 'no-carrier', 'carrier', 'routable', 'configuring', 'configured']),
  );
  assert.ok(after.indexOf('configuring') < after.lastIndexOf('configured'));
  const [first] = scripts.of('eth0');
  assert.equal(first?.script, '/run/hooks/configured.d/10-record');
  assert.equal(first?.env.IP_ADDRS, '10.0.0.1');
  assert.equal(await running.stop(), 0);
});

test('without -T nothing runs for what is there already', SKIP, async (t) => {
  const host = await settledHost(t);
  const scripts = new Scripts(host, '/run/hooks');
  scripts.recordEverything();
  const running = await dispatcher(host, scripts);
  host.ip('link set eth0 down');
  await until(() => scripts.states('eth0').length > 0);
  assert.deepEqual(scripts.states('eth0'), ['off']);
  assert.deepEqual(scripts.of('lo'), []);
  await running.stop();
});

test('started before the bus and networkd, it sees what they do from the beginning', SKIP, async (t) => {
  const host = await networkdHost(t, { start: 'nothing' });
  const scripts = new Scripts(host, '/run/hooks');
  scripts.recordEverything();
  const running = await dispatcher(host, scripts);
  assert.match(await running.says(/^WARNING/), /^WARNING:No system bus: .*; waiting for it$/);
  await host.startBus();
  await running.says(/^WARNING:systemd-networkd is not running; waiting for it$/);
  await host.startNetworkd();
  await until(() => scripts.states('eth0').includes('configured') && scripts.states('eth0').includes('routable'));
  await running.stop();
});

test('networkd and the bus go and come: what changed meanwhile runs once', SKIP, async (t) => {
  const host = await settledHost(t);
  const scripts = new Scripts(host, '/run/hooks');
  scripts.recordEverything();
  const running = await dispatcher(host, scripts);
  await host.stopNetworkd();
  host.ip('link set eth0 down');
  await host.stopBus();
  await running.says(/^WARNING:No system bus/);
  host.ip('link set far0 down');
  await host.startBus();
  await host.startNetworkd();
  await until(() => scripts.states('far0').includes('off'));
  await until(() => scripts.states('eth0').includes('no-carrier'));
  assert.equal(scripts.states('far0').filter((state) => state === 'off').length, 1);
  assert.equal(await running.stop(), 0);
});

test('a slow script of one interface delays no other', SKIP, async (t) => {
  const host = await settledHost(t);
  const scripts = new Scripts(host, '/run/hooks');
  // It goes on until the other one has run.
  scripts.add(
    'off.d/10-x',
    `if [ "$IFACE" = eth0 ]; then while ! [ -e ${scripts.folder}/other ]; do sleep 0.02; done; echo over > ${scripts.folder}/slow; fi`,
  );
  scripts.add('no-carrier.d/10-x', `if [ "$IFACE" = far0 ]; then touch ${scripts.folder}/other; fi`);
  const running = await dispatcher(host, scripts);
  host.ip('link set eth0 down');
  await until(() => scripts.read('slow') === 'over\n');
  await running.stop();
});

test('--serial: one script at a time over all interfaces', SKIP, async (t) => {
  const host = await settledHost(t);
  const scripts = new Scripts(host, '/run/hooks');
  const body = `mkdir ${scripts.folder}/busy || echo "$IFACE" >> ${scripts.folder}/overlap; sleep 0.1; rmdir ${scripts.folder}/busy; ${scripts.recording()}`;
  for (const state of ['off', 'no-carrier', 'carrier', 'degraded', 'unmanaged', 'configured', 'routable']) {
    scripts.add(`${state}.d/10-x`, body);
  }
  const running = await dispatcher(host, scripts, { args: ['--serial', '-T'] });
  host.ip('link set eth0 down');
  await until(() => scripts.states('eth0').includes('off') && scripts.states('far0').includes('no-carrier'));
  assert.equal(scripts.read('overlap'), '');
  await running.stop();
});

test('--timeout ends a script with all that it started, and the next one runs', SKIP, async (t) => {
  const host = await settledHost(t);
  const scripts = new Scripts(host, '/run/hooks');
  scripts.add('off.d/10-hangs', `sleep 1000 & echo $! > ${scripts.folder}/child; wait`);
  scripts.add('off.d/20-next', scripts.recording());
  const running = await dispatcher(host, scripts, { args: ['--timeout', '0.3'] });
  host.ip('link set eth0 down');
  await until(() => scripts.states('eth0').length === 1);
  assert.match(
    await running.says(/10-hangs'.*--timeout/),
    /^WARNING:Ended script '\/run\/hooks\/off\.d\/10-hangs' for interface eth0 in state off after 0\.\d\d s: it ran longer/,
  );
  const child = scripts.read('child').trim();
  await until(() => !existsSync(`/proc/${host.pid}/root/proc/${child}`));
  await running.stop();
});

test('a script that fails, is killed or cannot start stops none of the others', SKIP, async (t) => {
  const host = await settledHost(t);
  const scripts = new Scripts(host, '/run/hooks');
  scripts.add('off.d/10-fails', 'exit 3');
  scripts.add('off.d/20-dies', 'kill -9 $$');
  scripts.addFile('off.d/30-no-interpreter', 'echo no first line\n');
  scripts.addFile('off.d/40-mode', '#!/bin/sh\n', 0o644);
  scripts.add('off.d/50-last', 'echo said; echo complained >&2');
  const running = await dispatcher(host, scripts);
  host.ip('link set eth0 down');
  await running.says(/^50-last: complained$/);
  const log = running.log.map((line) => line.replace(/after \d+\.\d+ s/, 'after N s'));
  const what = 'for interface eth0 in state off';
  for (const line of [
    "INFO:Invoking '/run/hooks/off.d/10-fails' for interface eth0",
    `WARNING:Exit status 3 from script '/run/hooks/off.d/10-fails' ${what} after N s`,
    `WARNING:Exit status -9 from script '/run/hooks/off.d/20-dies' ${what} after N s`,
    `ERROR:Failed to execute script '/run/hooks/off.d/30-no-interpreter' ${what}: Exec format error`,
    'ERROR:invalid permissions on /run/hooks/off.d/40-mode. expected mode=0o755, uid=0, gid=0; got mode=0o644, uid=0, gid=0',
  ]) {
    assert.ok(log.includes(line), `${line}\n\nnot in\n\n${log.join('\n')}`);
  }
  assert.deepEqual(running.output, ['50-last: said']);
  await running.stop();
});

test('a script that another one puts in the way is not run', SKIP, async (t) => {
  const host = await settledHost(t);
  const scripts = new Scripts(host, '/run/hooks');
  const victim = `${scripts.folder}/off.d/20-victim`;
  const evil = `#!/bin/sh\ntouch ${scripts.folder}/evil\n`;
  scripts.add(
    'off.d/10-swaps',
    `rm ${victim}; printf '${evil.replaceAll('\n', '\\n')}' > ${victim}; chmod 777 ${victim}; chown 65534 ${victim}`,
  );
  scripts.add('off.d/20-victim', 'true');
  scripts.add('off.d/30-last', scripts.recording());
  const running = await dispatcher(host, scripts);
  host.ip('link set eth0 down');
  await until(() => scripts.states('eth0').length === 1);
  await running.says(/^ERROR:Refused to execute script '\/run\/hooks\/off\.d\/20-victim'/);
  assert.ok(!existsSync(`/proc/${host.pid}/root${scripts.folder}/evil`));
  await running.stop();
});

test('signals of others, and states that are none, run nothing', SKIP, async (t) => {
  const host = await settledHost(t);
  const scripts = new Scripts(host, '/run/hooks');
  scripts.recordEverything();
  const running = await dispatcher(host, scripts);
  const peer = await connectPeer(host.socket);
  const path = `/org/freedesktop/network1/link/_3${host.index('eth0')}`;
  for (const OperationalState of ['off', '../../../tmp/x', 'off.d/../routable']) {
    peer.send(propertiesChanged(path, { OperationalState }));
    peer.send(propertiesChanged(path, { OperationalState }, { destination: ':1.0' }));
  }
  await peer.settled();
  // A real one after them: what came before was handled before.
  host.ip('link set eth0 down');
  await until(() => scripts.states('eth0').includes('off'));
  assert.deepEqual(scripts.states('eth0'), ['off']);
  peer.close();
  await running.stop();
});

test('a renamed link has its new name, a name that is used again its new link', SKIP, async (t) => {
  const host = await settledHost(t);
  const scripts = new Scripts(host, '/run/hooks');
  scripts.recordEverything();
  const running = await dispatcher(host, scripts);
  const make = (): string => host.ip('link add hot0 type bridge');
  make();
  await until(() => scripts.states('hot0').includes('unmanaged'));
  host.ip('link set hot0 name hot1');
  host.ip('link set hot1 up');
  await until(() => scripts.states('hot1').includes('no-carrier') || scripts.states('hot1').includes('carrier'));
  host.ip('link del hot1');
  await until(() => scripts.states('hot1').includes('linger'));
  make();
  await until(() => scripts.states('hot0').filter((state) => state === 'unmanaged').length === 2);
  host.ip('link del hot0');
  await until(() => scripts.states('hot0').includes('linger'));
  const types = [...scripts.of('hot0'), ...scripts.of('hot1')].map(
    ({ env }) => /"Type": "(\w+)"/.exec(env.json ?? '')?.[1],
  );
  assert.deepEqual(new Set(types), new Set(['bridge']));
  await running.stop();
});

test('READY does not wait for scripts, and NOTIFY_SOCKET stays home', SKIP, async (t) => {
  const host = await settledHost(t);
  const scripts = new Scripts(host, '/run/hooks');
  const socket = new NotifySocket(`/proc/${host.pid}/root/run/notify`);
  t.after(() => socket.close());
  scripts.add('routable.d/10-slow', `while ! [ -e ${scripts.folder}/go ]; do sleep 0.02; done; ${scripts.recording()}`);
  const env = { NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: '1000000', INVOCATION_ID: 'abc' };
  const running = await dispatcher(host, scripts, { args: ['-T'], env });
  await socket.heard('READY=1');
  assert.deepEqual(scripts.invocations(), []);
  scripts.addFile('go', '');
  const [invocation] = await until(() => (scripts.of('eth0').length > 0 ? scripts.of('eth0') : null));
  assert.equal(invocation?.env.NOTIFY_SOCKET, undefined);
  assert.equal(invocation?.env.WATCHDOG_USEC, undefined);
  assert.equal(invocation?.env.INVOCATION_ID, 'abc');
  assert.equal(await running.stop(), 0);
  assert.ok(socket.lines.includes('STOPPING=1'));
});

test('SIGHUP does no harm; SIGTERM ends running scripts politely', SKIP, async (t) => {
  const host = await settledHost(t);
  const scripts = new Scripts(host, '/run/hooks');
  scripts.add(
    'off.d/10-long',
    `trap 'echo bye > ${scripts.folder}/bye; exit 0' TERM; touch ${scripts.folder}/begun; while :; do sleep 0.02; done`,
  );
  scripts.add('off.d/20-never', `touch ${scripts.folder}/never`);
  const running = await dispatcher(host, scripts);
  running.kill('SIGHUP');
  await running.says(/^INFO:Nothing to reload/);
  host.ip('link set eth0 down');
  await until(() => existsSync(`/proc/${host.pid}/root${scripts.folder}/begun`));
  assert.equal(await running.stop(), 0);
  assert.equal(scripts.read('bye'), 'bye\n');
  assert.ok(!existsSync(`/proc/${host.pid}/root${scripts.folder}/never`));
});

test('a storm of flaps: the newest state has the last word', SKIP, async (t) => {
  const host = await settledHost(t);
  const scripts = new Scripts(host, '/run/hooks');
  scripts.add('off.d/10-slow', `sleep 0.1; ${scripts.recording()}`);
  scripts.add('carrier.d/10-slow', `sleep 0.1; ${scripts.recording()}`);
  host.ip('link add br0 type bridge');
  host.ip('link add port0 type veth peer name port1');
  host.ip('link set port0 master br0 up');
  host.ip('link set port1 up');
  const running = await dispatcher(host, scripts, { args: ['--unmanaged', 'run'] });
  for (let i = 0; i < 60; i++) {
    host.ip('link set br0 up');
    host.ip('link set br0 down');
  }
  host.ip('link del br0');
  scripts.add('linger.d/10-last', scripts.recording());
  await until(() => scripts.states('br0').includes('linger'));
  assert.equal(scripts.states('br0').at(-1), 'linger');
  assert.equal(scripts.states('br0').filter((state) => state === 'linger').length, 1);
  await running.stop();
});

test('--ignore and --unmanaged skip', SKIP, async (t) => {
  const host = await settledHost(t);
  const scripts = new Scripts(host, '/run/hooks');
  scripts.recordEverything();
  const running = await dispatcher(host, scripts, { args: ['-T', '--ignore', 'eth*', '--unmanaged=skip'] });
  host.write('20-far0.network', '[Match]\nName=far0\n\n[Network]\nAddress=10.0.0.2/24\nIPv6AcceptRA=no\n');
  host.networkctl('reload');
  await until(() => scripts.states('far0').includes('configured'));
  const ran = scripts.invocations().map(brief);
  assert.deepEqual(
    ran.filter((text) => !text.startsWith('far0 ')),
    [],
  );
  assert.ok(!ran.includes('far0 unmanaged'));
  await running.stop();
});

test('--dry-run says what would run', SKIP, async (t) => {
  const host = await settledHost(t);
  const scripts = new Scripts(host, '/run/hooks');
  scripts.recordEverything();
  const running = new RunningDispatcher(host, { args: ['-S', scripts.folder, '-T', '--dry-run'] });
  await running.says(/^INFO:Would invoke '\/run\/hooks\/routable\.d\/10-record' for interface eth0 in state routable$/);
  assert.deepEqual(scripts.invocations(), []);
  await running.stop();
});

test('addresses are those that the host has now', SKIP, async (t) => {
  const host = await settledHost(t);
  const scripts = new Scripts(host, '/run/hooks');
  scripts.recordEverything();
  const running = await dispatcher(host, scripts);
  host.ip('addr add 10.9.9.9/24 dev far0');
  host.ip('addr add 10.0.0.2/24 dev far0');
  host.ip('addr add fd00::5/64 dev far0 nodad');
  host.ip('link set eth0 down');
  await until(() => scripts.states('far0').includes('no-carrier'));
  const invocation = scripts.of('far0').find(({ env }) => env.STATE === 'no-carrier');
  assert.equal(invocation?.env.IP_ADDRS, '10.0.0.2 10.9.9.9');
  assert.equal(invocation?.env.IP6_ADDRS, 'fd00::5');
  assert.equal(invocation?.env.ADDR, '10.0.0.2');
  await running.stop();
});
