/** networkd's part played on a real dbus-daemon: forged signals, floods, restarts, links that come and go. */
import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type LinkChange, type NetworkdStatus, type NetworkdWatch, watchNetworkd } from '../src/networkd/links.ts';
import { connectPeer, fakeNetworkd, type Peer, propertiesChanged } from '../src/networkd/peer.testing.ts';
import { needsBus, type PrivateBus, privateBus } from './support/bus.ts';
import { Log } from './support/log.ts';

const ETH0 = '/org/freedesktop/network1/link/_33';
type Links = readonly (readonly [index: number, states: readonly [administrative: string, operational: string]])[];
const THREE: Links = [[3, ['configured', 'routable']]];

interface Followed {
  readonly watch: NetworkdWatch;
  /** `3 operational configured/off`, `3 gone`, `following 1`. */
  readonly log: Log;
}

const changeWords = ({ index, property, administrative, operational, initial }: LinkChange): string =>
  `${index} ${property} ${administrative}/${operational}${initial ? ' initial' : ''}`;
const statusWords = (status: NetworkdStatus): string =>
  status.state === 'following' ? `following ${status.links}` : status.state;

function follow(t: TestContext, bus: Pick<PrivateBus, 'env'>): Followed {
  const log = new Log();
  const watch = watchNetworkd(bus.env, {
    change: (change) => log.add(changeWords(change)),
    gone: (index) => log.add(`${index} gone`),
    status: (status) => log.add(statusWords(status)),
  });
  t.after(() => watch.close());
  return { watch, log };
}

async function fake(t: TestContext, bus: PrivateBus, links: Parameters<typeof fakeNetworkd>[1]): Promise<Peer> {
  const peer = await fakeNetworkd(bus.socket, links);
  peer.socket.on('error', () => {});
  t.after(() => peer.close());
  return peer;
}

async function peerOf(t: TestContext, bus: PrivateBus): Promise<Peer> {
  const peer = await connectPeer(bus.socket);
  peer.socket.on('error', () => {});
  t.after(() => peer.close());
  return peer;
}

const operational = (state: string): Record<string, string> => ({ OperationalState: state });

test('forged and foreign signals are ignored', { skip: needsBus }, async (t) => {
  const bus = await privateBus(t);
  const networkd = await fake(t, bus, new Map(THREE));
  const { watch, log } = follow(t, bus);
  await log.until('following 1');
  const forger = await peerOf(t, bus);
  // Signals to one destination pass by every match rule; the first connection after networkd is ours.
  const us = ':1.1';
  const cases: readonly { name: string; from: Peer; signal: Parameters<Peer['send']>[0] }[] = [
    { name: 'of a stranger, to all', from: forger, signal: propertiesChanged(ETH0, operational('forged')) },
    {
      name: 'of a stranger, to us',
      from: forger,
      signal: propertiesChanged(ETH0, operational('forged'), { destination: us }),
    },
    {
      name: 'of a stranger that claims to be networkd',
      from: forger,
      signal: propertiesChanged(ETH0, operational('forged'), { destination: us, sender: networkd.name }),
    },
    {
      name: 'of a stranger: networkd has a new owner',
      from: forger,
      signal: {
        ...{ kind: 'signal', path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus', destination: us },
        ...{ member: 'NameOwnerChanged', signature: 'sss' },
        body: ['org.freedesktop.network1', networkd.name, forger.name],
      },
    },
    {
      name: 'of another interface’s properties',
      from: networkd,
      signal: propertiesChanged(ETH0, operational('forged'), {
        destination: us,
        face: 'org.freedesktop.network1.Network',
      }),
    },
    {
      name: 'of an interface that is almost the right one',
      from: networkd,
      signal: propertiesChanged(ETH0, operational('forged'), {
        destination: us,
        face: 'org.freedesktop.network1.Link2',
      }),
    },
    {
      name: 'on another interface',
      from: networkd,
      signal: propertiesChanged(ETH0, operational('forged'), { destination: us, interface: 'a.b' }),
    },
    {
      name: 'of another member',
      from: networkd,
      signal: propertiesChanged(ETH0, operational('forged'), { destination: us, member: 'PropertiesInvented' }),
    },
    {
      name: 'of another object',
      from: networkd,
      signal: propertiesChanged('/org/freedesktop/network1', operational('forged'), { destination: us }),
    },
    {
      name: 'of a path that only looks like a link',
      from: networkd,
      signal: propertiesChanged(`${ETH0}/x`, operational('forged'), { destination: us }),
    },
    {
      name: 'of another shape',
      from: networkd,
      signal: propertiesChanged(ETH0, {}, { destination: us, signature: 's', body: ['org.freedesktop.network1.Link'] }),
    },
  ];
  for (const { name, from, signal } of cases) {
    from.send(signal);
    await from.settled();
    assert.deepEqual(watch.states(3), { administrative: 'configured', operational: 'routable' }, name);
  }
  // That none of them has come by now is known when this one has.
  networkd.send(propertiesChanged(ETH0, operational('off')));
  await log.until('3 operational configured/off');
  assert.deepEqual(log.lines, [
    '3 administrative configured/routable initial',
    '3 operational configured/routable initial',
    'following 1',
    '3 operational configured/off',
  ]);
});

test('a signal to us alone counts when it is networkd’s', { skip: needsBus }, async (t) => {
  const bus = await privateBus(t);
  const networkd = await fake(t, bus, new Map(THREE));
  const { log } = follow(t, bus);
  await log.until('following 1');
  networkd.send(propertiesChanged(ETH0, operational('off'), { destination: ':1.1' }));
  await log.until('3 operational configured/off');
});

test('20,000 signals: each change once, in order, and memory stays bounded', { skip: needsBus }, async (t) => {
  const bus = await privateBus(t);
  const networkd = await fake(t, bus, new Map(THREE));
  let count = 0;
  let wrong = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const watch = watchNetworkd(bus.env, {
    change: ({ operational: state, initial }) => {
      if (initial) return;
      if (state !== `state${count}`) wrong++;
      count++;
      if (count === 20_000) resolve();
    },
    gone: () => {},
    status: () => started.resolve(),
  });
  t.after(() => watch.close());
  await started.promise;
  const before = process.memoryUsage();
  for (let i = 0; i < 20_000; i++) {
    networkd.send(propertiesChanged(ETH0, operational(`state${i}`)));
    if (i % 200 === 0) await networkd.settled();
  }
  await promise;
  assert.equal(wrong, 0);
  const grown = process.memoryUsage().arrayBuffers - before.arrayBuffers;
  assert.ok(grown < 4 * 1024 * 1024, `${grown} bytes of buffers more`);
});

test('large signals of strangers are not kept', { skip: needsBus }, async (t) => {
  const bus = await privateBus(t);
  const networkd = await fake(t, bus, new Map(THREE));
  const { log } = follow(t, bus);
  await log.until('following 1');
  const forger = await peerOf(t, bus);
  const body = [new Uint8Array(16 * 1024 * 1024)];
  forger.send({ ...propertiesChanged(ETH0, {}), destination: ':1.1', signature: 'ay', body });
  await forger.settled();
  networkd.send(propertiesChanged(ETH0, operational('off')));
  await log.until('3 operational configured/off');
  assert.ok(!log.lines.includes('no-bus'));
});

test('before the bus, before networkd, without both', { skip: needsBus }, async (t) => {
  const bus = await privateBus(t);
  await bus.stop();
  const { watch, log } = follow(t, bus);
  await log.until('no-bus');
  assert.equal(await watch.describe(3), null);
  await bus.start();
  await log.until('no-networkd');
  assert.equal(await watch.describe(3), null);
  const networkd = await fake(t, bus, new Map(THREE));
  await log.until('following 1');
  assert.deepEqual(await watch.describe(3), { Index: 3 });
  assert.equal(await watch.describe(4), null);
  networkd.close();
  await log.until('no-networkd');
  await bus.stop();
  await log.until('no-bus');
  assert.equal(await watch.describe(3), null);
  // A networkd that comes after us has nothing that was there before.
  assert.deepEqual(log.lines, [
    ...['no-bus', 'no-networkd', '3 administrative configured/routable', '3 operational configured/routable'],
    ...['following 1', 'no-networkd', 'no-bus'],
  ]);
});

test('a networkd that comes after us has nothing that was there before', { skip: needsBus }, async (t) => {
  const bus = await privateBus(t);
  const { log } = follow(t, bus);
  await log.until('no-networkd');
  await fake(t, bus, new Map(THREE));
  await log.until('3 operational configured/routable');
});

test('nor has one that came with the bus', { skip: needsBus }, async (t) => {
  const bus = await privateBus(t);
  await fake(t, bus, new Map(THREE));
  const address = `${bus.socket}-later`;
  const { log } = follow(t, { env: { DBUS_SYSTEM_BUS_ADDRESS: `unix:abstract=${address.slice(1)}` } });
  await log.until('no-bus');
  const relay = createServer((client) => {
    const there = connect(bus.socket);
    for (const socket of [client, there]) socket.on('error', () => {});
    client.pipe(there).pipe(client);
  }).listen(address);
  t.after(() => relay.close());
  await log.until('following 1');
  assert.deepEqual(log.lines.slice(1, -1), [
    '3 administrative configured/routable',
    '3 operational configured/routable',
  ]);
});

test('a networkd that ends while it is asked', { skip: needsBus }, async (t) => {
  const bus = await privateBus(t);
  const { log } = follow(t, bus);
  await log.until('no-networkd');
  const networkd = await fake(t, bus, new Map());
  await log.until('following 0');
  const asked = Promise.withResolvers<void>();
  networkd.answer = () => {
    asked.resolve();
    return null;
  };
  networkd.send(propertiesChanged(ETH0, operational('off')));
  await asked.promise;
  networkd.close();
  await log.until('no-networkd');
  // Were the failed call taken for a fault, it would be told after a second.
  await new Promise((resolve) => setTimeout(resolve, 1200));
  await fake(t, bus, new Map(THREE));
  await log.until('following 1');
  assert.ok(!log.lines.includes('no-answer'), log.lines.join(', '));
});

test('what changed while networkd was away is told once', { skip: needsBus }, async (t) => {
  const bus = await privateBus(t);
  const links = new Map<number, readonly [string, string]>([
    [1, ['unmanaged', 'carrier']],
    [3, ['configured', 'routable']],
    [4, ['configured', 'routable']],
  ]);
  const first = await fake(t, bus, links);
  const { log } = follow(t, bus);
  await log.until('following 3');
  first.close();
  await log.until('no-networkd');
  const seen = log.lines.length;
  await fake(t, bus, new Map([...links, [3, ['configuring', 'off']], [5, ['pending', 'off']]] as const));
  await log.until('following 4');
  assert.deepEqual(log.lines.slice(seen, -1).toSorted(), [
    '3 administrative configuring/routable',
    '3 operational configuring/off',
    '5 administrative pending/off',
    '5 operational pending/off',
  ]);
});

test('what changed while the bus was away is told once', { skip: needsBus }, async (t) => {
  const bus = await privateBus(t);
  await fake(t, bus, new Map<number, readonly [string, string]>([...THREE, [4, ['configured', 'off']]]));
  const { log } = follow(t, bus);
  await log.until('following 2');
  const seen = log.lines.length;
  await bus.stop();
  await log.until('no-bus');
  await bus.start();
  await fake(t, bus, new Map([[3, ['configured', 'degraded']]]));
  await log.until('following 1');
  assert.deepEqual(
    log.lines.slice(seen).filter((line) => line !== 'no-networkd'),
    ['no-bus', '4 gone', '3 operational configured/degraded', 'following 1'],
  );
});

test('links that vanish while they are read, and 300 at once', { skip: needsBus }, async (t) => {
  const bus = await privateBus(t);
  const links = new Map(Array.from({ length: 300 }, (_, i) => [i + 1, ['unmanaged', 'off']] as const));
  const networkd = await fake(t, bus, links);
  const { answer } = networkd;
  networkd.answer = (header, body) =>
    header.member === 'GetAll' && header.path?.endsWith('7')
      ? { errorName: 'org.freedesktop.DBus.Error.UnknownObject' }
      : answer(header, body);
  const { log } = follow(t, bus);
  await log.until('following 270');
  assert.equal(log.lines.length, 270 * 2 + 1);
});

test('a networkd that does not answer as it should is asked again', { skip: needsBus }, async (t) => {
  const bus = await privateBus(t);
  const networkd = await fake(t, bus, new Map(THREE));
  const { answer } = networkd;
  networkd.answer = (header, body) =>
    header.member === 'GetAll' ? { errorName: 'org.freedesktop.DBus.Error.AccessDenied' } : answer(header, body);
  const { log } = follow(t, bus);
  await log.until('no-answer');
  networkd.answer = answer;
  await log.until('following 1');
  assert.ok(log.lines.includes('3 operational configured/routable initial'));
});

test('a state that is withheld in a signal is read', { skip: needsBus }, async (t) => {
  const bus = await privateBus(t);
  const links = new Map<number, readonly [string, string]>(THREE);
  const networkd = await fake(t, bus, links);
  const { log } = follow(t, bus);
  await log.until('following 1');
  links.set(3, ['configured', 'off']);
  const body = ['org.freedesktop.network1.Link', new Map(), ['OperationalState']];
  networkd.send(propertiesChanged(ETH0, {}, { body }));
  await log.until('3 operational configured/off');
});

test('descriptions that are none', { skip: needsBus }, async (t) => {
  const bus = await privateBus(t);
  const networkd = await fake(t, bus, new Map(THREE));
  const { watch, log } = follow(t, bus);
  await log.until('following 1');
  for (const text of ['', 'null', '[]', '1', '{"a":', `{"a":"${'x'.repeat(1024 * 1024)}"}`]) {
    networkd.answer = () => ({ signature: 's', body: [text] });
    assert.equal(await watch.describe(3), null, text.slice(0, 20));
  }
  networkd.answer = () => ({ errorName: 'org.freedesktop.DBus.Error.UnknownMethod' });
  assert.equal(await watch.describe(3), null);
  networkd.answer = () => ({ signature: 's', body: ['{"Name":"eth0"}'] });
  assert.deepEqual(await watch.describe(3), { Name: 'eth0' });
});
