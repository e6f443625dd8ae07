/** A real systemd-networkd on a real bus: what is told of its links through all that happens to them. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type NetworkdWatch, watchNetworkd } from '../src/networkd/links.ts';
import { Log } from './support/log.ts';
import { type NetworkdHost, needsNetworkd, networkdHost } from './support/networkd.ts';

interface Followed {
  readonly watch: NetworkdWatch;
  /** `3 configured/routable`, `3 gone`, `following`. */
  readonly log: Log;
}

/** Fails when a state is told that is not another one than before. */
function follow(t: TestContext, host: NetworkdHost): Followed {
  const log = new Log();
  const last = new Map<string, string>();
  const watch = watchNetworkd(host.env, {
    change: (change) => {
      const { index, property, administrative, operational } = change;
      log.add(`${index} ${administrative}/${operational}`);
      assert.notEqual(last.get(`${index} ${property}`), change[property], `${property} of ${index}, told twice`);
      last.set(`${index} ${property}`, change[property]);
    },
    gone: (index) => {
      log.add(`${index} gone`);
      for (const property of ['administrative', 'operational']) last.delete(`${index} ${property}`);
    },
    status: ({ state }) => log.add(state),
  });
  t.after(() => watch.close());
  return { watch, log };
}

/** What networkd itself says of a link now. */
function networkctl(host: NetworkdHost, link: string): string {
  const { AdministrativeState, OperationalState } = JSON.parse(host.networkctl('--json=short', 'status', link));
  return `${AdministrativeState}/${OperationalState}`;
}

const said = (watch: NetworkdWatch, index: number): string => {
  const states = watch.states(index);
  return states === null ? 'none' : `${states.administrative}/${states.operational}`;
};

/** Settles when the last that was told of a link is this. */
async function settled(watch: NetworkdWatch, log: Log, index: number, states: string): Promise<void> {
  while (said(watch, index) !== states) await log.more();
  log.mark();
}

test('flapped, renamed, removed and made again with the same name', { skip: needsNetworkd }, async (t) => {
  const host = await networkdHost(t);
  const { watch, log } = follow(t, host);
  const eth0 = host.index('eth0');
  await log.until('following');
  await settled(watch, log, eth0, 'configured/routable');
  assert.equal(networkctl(host, 'eth0'), 'configured/routable');

  host.ip('link set eth0 down');
  await log.until(`${eth0} configured/off`);
  host.ip('link set eth0 up');
  await log.until(`${eth0} configured/routable`);

  host.ip('link set eth0 name wan0');
  // networkd says nothing of a new name. What is told after it is still told of the same index.
  host.ip('link set wan0 down');
  await log.until(`${eth0} configured/off`);
  host.ip('link set wan0 name eth0');
  host.ip('link set eth0 up');
  await log.until(`${eth0} configured/routable`);

  const beforeRemoval = log.lines.length;
  host.ip('link del eth0');
  await log.until(`${eth0} gone`);
  assert.equal(watch.states(eth0), null);
  assert.ok(log.lines.slice(beforeRemoval).some((line) => line.startsWith(`${eth0} linger/`)));

  host.ip('link add eth0 type veth peer name far0');
  host.ip('link set far0 up');
  const again = host.index('eth0');
  assert.notEqual(again, eth0);
  await log.until(`${again} configured/routable`);
  assert.equal(networkctl(host, 'eth0'), 'configured/routable');

  host.ip('link del eth0');
  await log.until(`${again} gone`);
  host.ip(`link add eth0 index ${eth0} type veth peer name far0`);
  host.ip('link set far0 up');
  await log.until(`${eth0} configured/routable`);
});

test('described as networkctl does', { skip: needsNetworkd }, async (t) => {
  const host = await networkdHost(t);
  const { watch, log } = follow(t, host);
  const eth0 = host.index('eth0');
  await log.until('following');
  await settled(watch, log, eth0, 'configured/routable');
  assert.deepEqual(await watch.describe(eth0), JSON.parse(host.networkctl('--json=short', 'status', 'eth0')));
  assert.equal(await watch.describe(4711), null);
});

test('before networkd: every state is told, from the first', { skip: needsNetworkd }, async (t) => {
  const host = await networkdHost(t, { start: 'bus' });
  const { watch, log } = follow(t, host);
  await log.until('no-networkd');
  await host.startNetworkd();
  const eth0 = host.index('eth0');
  await log.until(`${eth0} configured/routable`);
  assert.equal(said(watch, eth0), networkctl(host, 'eth0'));
});

test('before the bus', { skip: needsNetworkd }, async (t) => {
  const host = await networkdHost(t, { start: 'nothing' });
  const { log } = follow(t, host);
  await log.until('no-bus');
  await host.startBus();
  await host.startNetworkd();
  await log.until(`${host.index('eth0')} configured/routable`);
});

test('networkd restarted, killed, and changed meanwhile', { skip: needsNetworkd }, async (t) => {
  const host = await networkdHost(t);
  const { watch, log } = follow(t, host);
  const eth0 = host.index('eth0');
  await log.until('following');
  await settled(watch, log, eth0, 'configured/routable');

  await host.stopNetworkd();
  await log.until('no-networkd');
  assert.equal(said(watch, eth0), 'configured/routable');
  host.ip('link del far0');
  host.ip('link add v1 type veth peer name v2');
  await host.startNetworkd();
  await log.until(`${eth0} gone`);
  await log.until('following');
  await settled(watch, log, host.index('v1'), 'unmanaged/off');

  await host.stopNetworkd('SIGKILL');
  await log.until('no-networkd');
  host.ip('link set v1 up');
  host.ip('link set v2 up');
  await host.startNetworkd();
  const v1 = host.index('v1');
  while (!said(watch, v1).startsWith('unmanaged/') || said(watch, v1) === 'unmanaged/off') await log.more();
  assert.match(networkctl(host, 'v1'), /^unmanaged\/(?:carrier|degraded)$/);
});

test('the bus restarted: the connection comes back by itself', { skip: needsNetworkd }, async (t) => {
  const host = await networkdHost(t);
  const { watch, log } = follow(t, host);
  const eth0 = host.index('eth0');
  await log.until('following');
  await settled(watch, log, eth0, 'configured/routable');
  await host.stopBus();
  await log.until('no-bus');
  // networkd does not come back to a bus that was restarted: it is restarted with it.
  await host.stopNetworkd();
  host.ip('link set eth0 down');
  await host.startBus();
  await host.startNetworkd();
  await log.until('following');
  await settled(watch, log, eth0, 'configured/routable');
  host.ip('link set eth0 down');
  await log.until(`${eth0} configured/off`);
});

test('flapped 30 times: what is told at last is what networkd says', { skip: needsNetworkd }, async (t) => {
  const host = await networkdHost(t);
  const { watch, log } = follow(t, host);
  await log.until('following');
  const eth0 = host.index('eth0');
  host.run('sh', '-c', 'for i in $(seq 30); do ip link set eth0 down; ip link set eth0 up; done');
  // A link of its own comes after all of it, and networkd handles one thing after the other.
  host.ip('link add v1 type veth peer name v2');
  await log.until(`${host.index('v1')} unmanaged/off`);
  while (said(watch, eth0) !== networkctl(host, 'eth0')) await log.more();
});

test('200 links at once', { skip: needsNetworkd }, async (t) => {
  const host = await networkdHost(t);
  const { watch, log } = follow(t, host);
  await log.until('following');
  host.run('sh', '-c', 'for i in $(seq 100); do echo link add va$i type veth peer name vb$i; done | ip -batch -');
  const all: { ifindex: number }[] = JSON.parse(host.ip('-j link show'));
  const made = all.map(({ ifindex }) => ifindex).filter((index) => index > host.index('eth0'));
  assert.equal(made.length, 200);
  while (!made.every((index) => said(watch, index) === 'unmanaged/off')) await log.more();
  host.run('sh', '-c', 'for i in $(seq 100); do echo link del va$i; done | ip -batch -');
  while (!made.every((index) => watch.states(index) === null)) await log.more();
});
