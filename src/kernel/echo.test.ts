import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { IpAddress } from '../model/address.ts';
import { inNamespace, writeSysctl } from '../sys/netns.ts';
import { close, openSocket, receiveFrom, sendTo } from '../sys/socket.ts';
import { join, neighbours, pair, run, settled, slow, withNet } from './echo.testing.ts';
import { type EchoResult, type EchoTarget, echo } from './echo.ts';
import { checksum } from './icmp.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root: makes network namespaces';
/** For what ends by an event: a bound that a busy machine does not reach. */
const patient = { timeoutMs: 30_000, attempts: 30 };
/**
 * The same, for what the first attempt has to achieve. Not one alone: the queue of received packets is shared by all
 * namespaces of a machine (net.core.netdev_max_backlog), so others can make it drop ours.
 */
const strict = { timeoutMs: 30_000, attempts: 3 };
/** For what never ends well: several attempts, any of which says why. */
const failing = { timeoutMs: 800, attempts: 4 };
/** For what nobody ever answers: any time will do. */
const brief = { timeoutMs: 200, attempts: 2 };

const target = (link: string, address: string, size: number): EchoTarget => ({
  link,
  address: address as IpAddress,
  size,
});
const reasons = (results: readonly EchoResult[]) => results.map((result) => (result.ok ? 'ok' : result.reason));

test('nothing to ask is nothing to wait for', async () => {
  assert.deepEqual(await echo([], patient), []);
});

test('sizes that no echo can have', async () => {
  for (const size of [0, 63, 65536, 100.5, Number.NaN]) {
    await assert.rejects(echo([target('lo', '127.0.0.1', size)], patient), RangeError);
  }
});

test('both families answer, small and full size; strangers and missing links are named', { skip }, () =>
  withNet('ab', async (net) => {
    await pair(net);
    net.ip('a', 'addr add fe80::a/64 dev v0', ...neighbours('v0', 'b', 'fe80::b'));
    net.ip('b', 'addr add fe80::b/64 dev v0', ...neighbours('v0', 'a', 'fe80::a'));
    const targets = [
      target('v0', '10.1.0.2', 84),
      target('v0', '10.1.0.2', 1500),
      target('v0', '10.1.0.2', 1501),
      target('v0', 'fd00:1::2', 104),
      target('v0', 'fd00:1::2', 1500),
      target('v0', 'fd00:1::2', 1501),
      target('v0', 'fe80::b', 1500),
      target('v9', '10.1.0.2', 84),
      target('a-name-too-long-for-a-link', '10.1.0.2', 84),
    ];
    const results = await echo(targets, { netns: net.fd('a'), ...patient });
    assert.deepEqual(reasons(results), [
      'ok',
      'ok',
      'message too long',
      'ok',
      'ok',
      'message too long',
      'ok',
      'no such link',
      'no such link',
    ]);
    for (const result of results) if (result.ok) assert.ok(result.rttMs > 0);
    const detail = 'the link v0 does not carry 1501 bytes';
    assert.deepEqual(results[2], { ok: false, reason: 'message too long', detail });
    const strangers = [target('v0', '10.1.0.9', 84), target('v0', 'fd00:1::9', 84)];
    const silence = { ok: false, reason: 'timeout', detail: 'no answer in 200 ms, 2 attempts' };
    assert.deepEqual(await echo(strangers, { netns: net.fd('a'), ...brief }), [silence, silence]);
  }),
);

test('packets leave by the link that is asked, also where two links have one subnet', { skip }, () =>
  withNet('abc', async (net) => {
    join(net, 'a', 'b', 'v0');
    join(net, 'a', 'c', 'v1');
    const both = ['10.1.0.2', '10.1.0.3'];
    net.ip('a', 'addr add 10.1.0.1/24 dev v0', 'addr add 10.1.0.1/24 dev v1');
    net.ip('a', ...neighbours('v0', 'b', ...both), ...neighbours('v1', 'c', ...both));
    net.ip('b', 'addr add 10.1.0.2/24 dev v0', ...neighbours('v0', 'a', '10.1.0.1'));
    net.ip('c', 'addr add 10.1.0.3/24 dev v1', ...neighbours('v1', 'a', '10.1.0.1'));
    await settled(net, 'abc');
    const right = [target('v0', '10.1.0.2', 84), target('v1', '10.1.0.3', 84), target('v0', '10.1.0.2', 1500)];
    const wrong = [target('v1', '10.1.0.2', 84), target('v0', '10.1.0.3', 84)];
    assert.deepEqual(reasons(await echo(right, { netns: net.fd('a'), ...patient })), ['ok', 'ok', 'ok']);
    assert.deepEqual(reasons(await echo(wrong, { netns: net.fd('a'), ...brief })), ['timeout', 'timeout']);
  }),
);

test('a hop on the way with a smaller MTU says so, and a far end with one swallows', { skip }, () =>
  withNet('arb', async (net) => {
    join(net, 'a', 'r', 'left');
    join(net, 'r', 'b', 'right', 1400);
    net.ip('a', 'addr add 10.1.0.1/24 dev left', 'addr add fd00:1::1/64 dev left');
    net.ip('a', ...neighbours('left', 'r', '10.1.0.254', 'fd00:1::ff'));
    net.ip('r', 'addr add 10.1.0.254/24 dev left', 'addr add fd00:1::ff/64 dev left');
    net.ip('r', 'addr add 10.2.0.254/24 dev right', 'addr add fd00:2::ff/64 dev right');
    net.ip('r', ...neighbours('left', 'a', '10.1.0.1', 'fd00:1::1'));
    net.ip('r', ...neighbours('right', 'b', '10.2.0.2', 'fd00:2::2'));
    net.ip('b', 'addr add 10.2.0.2/24 dev right', 'addr add fd00:2::2/64 dev right');
    net.ip('b', ...neighbours('right', 'r', '10.2.0.254', 'fd00:2::ff'));
    await settled(net, 'arb');
    net.ip('a', 'route add default via 10.1.0.254', 'route add default via fd00:1::ff');
    net.ip('b', 'route add default via 10.2.0.254', 'route add default via fd00:2::ff');
    inNamespace(net.fd('r'), () => {
      writeSysctl('/proc/sys/net/ipv4/ip_forward', 1);
      writeSysctl('/proc/sys/net/ipv6/conf/all/forwarding', 1);
    });
    const ask = (options: { timeoutMs: number; attempts: number }, ...targets: readonly EchoTarget[]) =>
      echo(targets, { netns: net.fd('a'), ...options });
    const sizes = [
      target('left', '10.2.0.2', 1400),
      target('left', '10.2.0.2', 1401),
      target('left', 'fd00:2::2', 1400),
      target('left', 'fd00:2::2', 1401),
    ];
    // Twice: the second time the kernel remembers the path's MTU, and must not be asked.
    for (let time = 0; time < 2; time++) {
      const results = await ask(patient, ...sizes);
      assert.deepEqual(reasons(results), ['ok', 'message too long', 'ok', 'message too long']);
      const details = results.map((result) => (result.ok ? '' : result.detail));
      assert.equal(details[1], '10.1.0.254 says: fragmentation needed, the next hop carries 1400 bytes');
      assert.equal(details[3], 'fd00:1::ff says: packet too big, the next hop carries 1400 bytes');
    }
    const nowhere = [target('left', '10.9.0.1', 84), target('left', 'fd00:9::1', 84)];
    assert.deepEqual(await ask(failing, ...nowhere), [
      { ok: false, reason: 'unreachable', detail: '10.1.0.254 says: network unreachable' },
      { ok: false, reason: 'unreachable', detail: 'fd00:1::ff says: no route to destination' },
    ]);
    net.ip('r', 'link set right mtu 1500');
    assert.deepEqual(reasons(await ask(patient, target('left', '10.2.0.2', 1400))), ['ok']);
    assert.deepEqual(reasons(await ask(brief, target('left', '10.2.0.2', 1500))), ['timeout']);
  }),
);

test('a neighbour that nobody is: the kernel says so when it has given up', { skip }, () =>
  withNet('ab', async (net) => {
    await pair(net);
    inNamespace(net.fd('a'), () => {
      writeSysctl('/proc/sys/net/ipv4/neigh/v0/retrans_time_ms', 20);
      writeSysctl('/proc/sys/net/ipv6/neigh/v0/retrans_time_ms', 20);
    });
    // These two have to be learned: with the machine's table full, the time is spent on waiting for room in it.
    const results = await echo([target('v0', '10.1.0.7', 84), target('v0', 'fd00:1::7', 84)], {
      netns: net.fd('a'),
      ...patient,
      attempts: 1,
    });
    assert.deepEqual(results, [
      { ok: false, reason: 'unreachable', detail: '10.1.0.1 says: host unreachable' },
      { ok: false, reason: 'unreachable', detail: 'fd00:1::1 says: address unreachable' },
    ]);
  }),
);

test('400 targets on 20 links, half of them silent, all at once', { skip }, () =>
  withNet('ab', async (net) => {
    const targets: EchoTarget[] = [];
    const want: string[] = [];
    for (let link = 0; link < 20; link++) {
      const name = `v${link}`;
      join(net, 'a', 'b', name);
      const peers = Array.from({ length: 20 }, (_, i) => `10.1.${link}.${i + 1}`);
      const there = peers.filter((_, i) => i % 2 === 0);
      net.ip('a', `addr add 10.1.${link}.254/24 dev ${name}`);
      net.ip('a', ...neighbours(name, 'z', ...peers), ...neighbours(name, 'b', ...there));
      net.ip('b', ...there.map((peer) => `addr add ${peer}/24 dev ${name}`));
      net.ip('b', ...neighbours(name, 'a', `10.1.${link}.254`));
      for (const [i, peer] of peers.entries()) {
        targets.push(target(name, peer, i % 4 < 2 ? 1500 : 84));
        want.push(i % 2 === 0 ? 'ok' : 'timeout');
      }
    }
    await settled(net, 'ab');
    const results = await echo(targets, { netns: net.fd('a'), timeoutMs: 3000, attempts: 6 });
    assert.deepEqual(reasons(results), want);
  }),
);

/** Echo replies over IPv4 that the namespace has received so far, looked at or not. */
function answersCome(fd: number): number {
  const text = inNamespace(fd, () => readFileSync('/proc/thread-self/net/snmp', 'utf8'));
  const [names, values] = text
    .split('\n')
    .filter((line) => line.startsWith('Icmp:'))
    .map((line) => line.split(' '));
  return Number(values?.[names?.indexOf('InEchoReps') ?? -1]);
}

test('1,000 targets of full size on one link, and no answer that came is lost', { skip }, () =>
  withNet('ab', async (net) => {
    await pair(net);
    const peers = Array.from({ length: 50 }, (_, i) => `10.1.1.${i + 1}`);
    net.ip('a', 'route add 10.1.1.0/24 dev v0', ...neighbours('v0', 'b', ...peers));
    net.ip('b', 'route add local 10.1.1.0/24 dev lo');
    const targets = Array.from({ length: 1000 }, (_, i) => target('v0', peers[i % 50] ?? '', 1500));
    const results = await echo(targets, { netns: net.fd('a'), ...strict });
    assert.equal(results.filter((result) => result.ok).length, 1000);
    // One that is lost after it came is asked for again, and comes again.
    assert.equal(answersCome(net.fd('a')), 1000);
  }),
);

test('what the kernel has no room for is sent again, and named when there never is any', { skip }, () =>
  withNet('ab', async (net) => {
    await pair(net);
    slow(net, 'a', 'v0', '4mbit', 4000);
    const both = [target('v0', '10.1.0.2', 1500), target('v0', 'fd00:1::2', 1500)];
    const many = Array.from({ length: 20 }, () => both).flat();
    // Room for two at a time: without another try within an attempt most would remain.
    const results = await echo(many, { netns: net.fd('a'), ...strict });
    assert.deepEqual(new Set(reasons(results)), new Set(['ok']));
    run('tc', ['-n', net.name('a'), 'qdisc', 'del', 'dev', 'v0', 'root']);
    slow(net, 'a', 'v0', '4mbit', 100);
    const full = (table: string) => `no buffer space available, maybe the table of neighbours is full (${table})`;
    assert.deepEqual(await echo(both, { netns: net.fd('a'), ...brief }), [
      { ok: false, reason: 'not sent', detail: full('net.ipv4.neigh.default.gc_thresh3') },
      { ok: false, reason: 'not sent', detail: full('net.ipv6.neigh.default.gc_thresh3') },
    ]);
  }),
);

test('answers that came while the machine was busy elsewhere count, though the time is over', { skip }, () =>
  withNet('ab', async (net) => {
    await pair(net);
    slow(net, 'a', 'v0', '100kbit', 4000);
    // The second waits in the queue for what the first has used up.
    const targets = [target('v0', '10.1.0.2', 1500), target('v0', '10.1.0.2', 1500)];
    for (let tries = 1; ; tries++) {
      const before = answersCome(net.fd('a'));
      const running = echo(targets, { netns: net.fd('a'), timeoutMs: 1, attempts: 1 });
      const given = performance.now() + 1000;
      while (answersCome(net.fd('a')) - before < 2 && performance.now() < given);
      const came = answersCome(net.fd('a')) - before === 2;
      const results = await running;
      if (came || tries === 20) {
        assert.deepEqual(reasons(results), ['ok', 'ok']);
        break;
      }
    }
  }),
);

test('an answer comes late: addresses that are not there at first', { skip }, () =>
  withNet('ab', async (net) => {
    join(net, 'a', 'b', 'v0');
    net.ip('b', 'link set v0 down', 'addr add fd00:1::2/64 dev v0');
    inNamespace(net.fd('a'), () => {
      writeSysctl('/proc/sys/net/ipv6/conf/v0/accept_dad', 1);
      writeSysctl('/proc/sys/net/ipv6/neigh/v0/retrans_time_ms', 300);
    });
    // It cannot leave DAD while the link has no carrier.
    net.ip('a', 'addr add 10.1.0.1/24 dev v0', 'addr add fd00:1::1/64 dev v0');
    const running = echo([target('v0', '10.1.0.2', 84), target('v0', 'fd00:1::2', 84)], {
      netns: net.fd('a'),
      timeoutMs: 30_000,
      attempts: 120,
    });
    // The first attempt is over when the call returns.
    net.ip('b', 'addr add 10.1.0.2/24 dev v0', 'link set v0 up');
    const results = await running;
    assert.deepEqual(reasons(results), ['ok', 'ok']);
    assert.ok(results[1]?.ok === true && results[1].attempt > 1, 'the address of v0 was in DAD');
  }),
);

test('a link without a family, and one that is down', { skip }, () =>
  withNet('ab', async (net) => {
    join(net, 'a', 'b', 'v0');
    net.ip('a', 'addr add 10.1.0.1/24 dev v0', 'link set v0 down');
    const targets = [target('v0', '10.1.0.2', 84), target('v0', 'fd00:1::2', 84)];
    const results = await echo(targets, { netns: net.fd('a'), ...brief });
    assert.deepEqual(reasons(results), ['not sent', 'not sent']);
  }),
);

/** What the far side answers when it is us: to each request one reply of each change, until it is stopped. */
async function answerWrongly(
  fd: number,
  changes: readonly ((reply: Uint8Array) => void)[],
  stop: AbortSignal,
): Promise<void> {
  const raw = openSocket(2, 3, 1, { netns: fd });
  try {
    const buffer = new Uint8Array(2048);
    const from = new Uint8Array(16);
    while (!stop.aborted) {
      const length = receiveFrom(raw, buffer, from);
      if (length > 0 && buffer[20] === 8) {
        from.fill(0, 2, 4);
        for (const change of changes) {
          const reply = buffer.slice(20, length);
          reply.set([0, 0, 0, 0]);
          change(reply);
          const sum = checksum(reply);
          reply.set([sum >> 8, sum & 255], 2);
          sendTo(raw, reply, from);
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  } finally {
    close(raw);
  }
}

function flip(bytes: Uint8Array, ...places: readonly number[]): void {
  for (const at of places) bytes[at] = (bytes[at] ?? 0) ^ 1;
}

/** Flipped with the rest: if that were believed, the answer would be corrupted. */
const LAST = 179;
const answers: readonly { name: string; replies: readonly (readonly number[])[]; want: string }[] = [
  { name: 'nothing changed', replies: [[]], want: 'ok' },
  { name: 'one bit of the last byte', replies: [[LAST], []], want: 'corrupted' },
  { name: 'another identifier, then a true one', replies: [[4, LAST], []], want: 'ok' },
  { name: 'another cookie, then a true one', replies: [[8, LAST], []], want: 'ok' },
  { name: 'a target that is not ours, then a true one', replies: [[16, LAST], []], want: 'ok' },
  { name: 'an attempt that was not made, then a true one', replies: [[20], []], want: 'ok' },
];

for (const { name, replies, want } of answers) {
  test(`a forged answer: ${name}`, { skip }, () =>
    withNet('ab', async (net) => {
      await pair(net);
      inNamespace(net.fd('b'), () => writeSysctl('/proc/sys/net/ipv4/icmp_echo_ignore_all', 1));
      const stop = new AbortController();
      const changes = replies.map((flips) => (reply: Uint8Array) => flip(reply, ...flips));
      const answering = answerWrongly(net.fd('b'), changes, stop.signal);
      let result: EchoResult | undefined;
      try {
        // One attempt, whose first answer that is believed counts; again when the machine lost it.
        for (let tries = 0; tries < 10 && (result === undefined || reasons([result])[0] === 'timeout'); tries++) {
          const options = { netns: net.fd('a'), timeoutMs: 3000, attempts: 1 };
          [result] = await echo([target('v0', '10.1.0.2', LAST + 21)], options);
        }
      } finally {
        stop.abort();
        await answering;
      }
      assert.ok(result);
      assert.deepEqual(reasons([result]), [want]);
      if (result.ok) assert.equal(result.attempt, 1);
    }),
  );
}

test('two runs at once keep their answers apart', { skip }, () =>
  withNet('ab', async (net) => {
    await pair(net);
    join(net, 'a', 'b', 'v1');
    net.ip('a', 'addr add 10.1.0.1/24 dev v1', ...neighbours('v1', 'z', '10.1.0.2'));
    await settled(net, 'ab');
    const answered = echo([target('v0', '10.1.0.2', 84)], { netns: net.fd('a'), ...patient });
    const silent = echo([target('v1', '10.1.0.2', 84)], { netns: net.fd('a'), ...brief });
    assert.deepEqual((await Promise.all([answered, silent])).map(reasons), [['ok'], ['timeout']]);
  }),
);

test('leaves no descriptor behind', { skip }, () =>
  withNet('ab', async (net) => {
    await pair(net);
    const count = () => readdirSync('/proc/self/fd').length;
    const targets = [target('v0', '10.1.0.1', 84), target('v0', 'fd00:1::2', 84)];
    await echo(targets, { netns: net.fd('a'), ...patient });
    const before = count();
    for (let i = 0; i < 5; i++) await echo(targets, { netns: net.fd('a'), ...patient });
    assert.equal(count(), before);
  }),
);

test('without CAP_NET_RAW a ping socket does, where the kernel lets it; else it is EPERM', { skip }, () =>
  withNet('ab', async (net) => {
    await pair(net);
    const script = `import { echo } from ${JSON.stringify(new URL('echo.ts', import.meta.url).href)};
      const ask = (address, size) => ({ link: 'v0', address, size });
      const targets = [ask('10.1.0.2', 84), ask('10.1.0.2', 1500), ask('10.1.0.2', 1501), ask('fd00:1::2', 1500)];
      const results = await echo(targets, ${JSON.stringify(patient)}).catch((error) => error.code);
      process.stdout.write(JSON.stringify(results.map?.((result) => result.reason ?? 'ok') ?? results));`;
    const drop = ['setpriv', '--bounding-set=-net_raw', '--inh-caps=-net_raw'];
    const node = [...drop, process.execPath, '--input-type=module', '-e', script];
    const ask = () => JSON.parse(run('ip', ['netns', 'exec', net.name('a'), ...node]));
    inNamespace(net.fd('a'), () => writeSysctl('/proc/sys/net/ipv4/ping_group_range', '1 0'));
    assert.equal(ask(), 'EPERM');
    inNamespace(net.fd('a'), () => writeSysctl('/proc/sys/net/ipv4/ping_group_range', '0 0'));
    assert.deepEqual(ask(), ['ok', 'ok', 'message too long', 'ok']);
  }),
);
