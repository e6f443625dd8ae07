/** Neighbours on a real bus, played by peers: who is told to read its files again, when, and how often. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Neighbour } from '../src/model/neighbour.ts';
import { connectPeer, type Peer } from '../src/networkd/peer.testing.ts';
import { keepTold, type Telling } from '../src/networkd/reload.ts';
import { needsBus, type PrivateBus, privateBus } from './support/bus.ts';
import { Log } from './support/log.ts';

const NAMES: Readonly<Record<Neighbour, string>> = {
  'systemd-networkd': 'org.freedesktop.network1',
  NetworkManager: 'org.freedesktop.NetworkManager',
};

interface Played {
  readonly peer: Peer;
  /** The calls that it got: `org.freedesktop.network1.Manager.Reload []`. */
  readonly calls: string[];
}

async function play(t: TestContext, bus: PrivateBus, neighbour: Neighbour, errorName?: string): Promise<Played> {
  const peer = await connectPeer(bus.socket);
  t.after(() => peer.close());
  const calls: string[] = [];
  peer.answer = (header, body) => {
    calls.push(`${header.path} ${header.interface}.${header.member} ${JSON.stringify(body)}`);
    return errorName === undefined ? { signature: '', body: [] } : { errorName };
  };
  await peer.ask('RequestName', 'su', [NAMES[neighbour], 4]);
  return { peer, calls };
}

interface Following {
  readonly log: Log;
  readonly telling: Telling;
  /** Neighbour → who was told. */
  readonly told: Map<Neighbour, string>;
  tell(): Promise<void>;
}

function follow(t: TestContext, bus: PrivateBus): Following {
  const log = new Log();
  const told = new Map<Neighbour, string>();
  const telling = keepTold(bus.env, {
    appears: (neighbour) => log.add(`${neighbour} appears`),
    due: (neighbour, who) => told.get(neighbour) !== who,
    told: (neighbour, who) => {
      told.set(neighbour, who);
      log.add(`${neighbour} told`);
    },
    failed: (neighbour, { name }) => log.add(`${neighbour} ${name}`),
  });
  t.after(() => telling.close());
  const tell = (): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    telling.tell(resolve);
    return promise;
  };
  return { log, telling, told, tell };
}

const NETWORKD_CALL = '/org/freedesktop/network1 org.freedesktop.network1.Manager.Reload []';
const MANAGER_CALL = '/org/freedesktop/NetworkManager org.freedesktop.NetworkManager.Reload [1]';

test('both are there: each is told once, and again only when the files changed', { skip: needsBus }, async (t) => {
  const bus = await privateBus(t);
  const networkd = await play(t, bus, 'systemd-networkd');
  const manager = await play(t, bus, 'NetworkManager');
  const { told, tell } = follow(t, bus);
  await tell();
  assert.deepEqual([networkd.calls, manager.calls], [[NETWORKD_CALL], [MANAGER_CALL]]);
  await tell();
  assert.deepEqual([networkd.calls, manager.calls], [[NETWORKD_CALL], [MANAGER_CALL]]);
  told.delete('NetworkManager');
  await tell();
  assert.deepEqual([networkd.calls, manager.calls], [[NETWORKD_CALL], [MANAGER_CALL, MANAGER_CALL]]);
});

test('nobody is there, or there is no bus: nothing is waited for', { skip: needsBus }, async (t) => {
  const bus = await privateBus(t);
  await follow(t, bus).tell();
  await bus.stop();
  const { tell } = follow(t, bus);
  await tell();
  await tell();
});

test('one that comes later is told, and in each of its lives', { skip: needsBus }, async (t) => {
  const bus = await privateBus(t);
  const { log, told, tell } = follow(t, bus);
  await tell();
  const first = await play(t, bus, 'systemd-networkd');
  await log.until('systemd-networkd told');
  const before = told.get('systemd-networkd');
  first.peer.close();
  log.mark();
  const second = await play(t, bus, 'systemd-networkd');
  await log.until('systemd-networkd told');
  assert.deepEqual([first.calls, second.calls], [[NETWORKD_CALL], [NETWORKD_CALL]]);
  assert.notEqual(told.get('systemd-networkd'), before);
});

test('a bus that comes later, and one that comes back', { skip: needsBus }, async (t) => {
  const bus = await privateBus(t);
  await bus.stop();
  const { log, tell } = follow(t, bus);
  await tell();
  for (let life = 0; life < 2; life++) {
    await bus.start();
    const { calls } = await play(t, bus, 'NetworkManager');
    await log.until('NetworkManager told');
    assert.deepEqual(calls, [MANAGER_CALL]);
    log.mark();
    await bus.stop();
  }
});

test('one that refuses is named, and not asked again before there is a reason', { skip: needsBus }, async (t) => {
  const bus = await privateBus(t);
  const { calls } = await play(t, bus, 'systemd-networkd', 'org.freedesktop.DBus.Error.UnknownMethod');
  const { log, tell } = follow(t, bus);
  await tell();
  assert.deepEqual(log.lines, [
    'systemd-networkd appears',
    'systemd-networkd org.freedesktop.DBus.Error.UnknownMethod',
  ]);
  assert.equal(calls.length, 1);
  await tell();
  assert.equal(calls.length, 2);
});

test('files that change while it reads: it is told of them too', { skip: needsBus }, async (t) => {
  const bus = await privateBus(t);
  const { peer, calls } = await play(t, bus, 'systemd-networkd');
  const { log, tell } = follow(t, bus);
  const again = Promise.withResolvers<void>();
  const { answer } = peer;
  peer.answer = (header, body) => {
    // Before the first answer.
    if (calls.length === 0) void tell().then(again.resolve);
    return answer(header, body);
  };
  await tell();
  await again.promise;
  assert.deepEqual(calls, [NETWORKD_CALL, NETWORKD_CALL]);
  assert.equal(log.lines.filter((line) => line.endsWith('told')).length, 1);
});

test('closed: nobody is told any more', { skip: needsBus }, async (t) => {
  const bus = await privateBus(t);
  const { log, telling, tell } = follow(t, bus);
  await tell();
  telling.close();
  const { calls } = await play(t, bus, 'systemd-networkd');
  await follow(t, bus).tell();
  // By the other one.
  assert.deepEqual([calls, log.lines], [[NETWORKD_CALL], []]);
});
