import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import type { IpAddress } from '../model/address.ts';
import { createNamespace, deleteNamespace, inNamespace, openNamespace, writeSysctl } from '../sys/netns.ts';
import { close, openSocket, receiveFrom, sendTo } from '../sys/socket.ts';
import { type EchoResult, type EchoTarget, echo } from './echo.ts';
import { checksum } from './icmp.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root: makes network namespaces';
const short = { timeoutMs: 3000, attempts: 3 };
let serial = 0;

function run(command: string, args: readonly string[], input = ''): string {
  const done = spawnSync(command, args, { encoding: 'utf8', input });
  assert.equal(done.status, 0, `${command} ${args.join(' ')}: ${done.stderr}`);
  return done.stdout;
}

interface Net {
  /** Namespace of the letter: its name and its open descriptor. */
  name(letter: string): string;
  fd(letter: string): number;
  /** `ip -batch` in the namespace; NS:x in a line is the name of namespace x. */
  ip(letter: string, ...lines: string[]): void;
}

/** Namespaces for one test, a letter each, gone afterwards whatever happens. */
async function withNet(letters: string, work: (net: Net) => Promise<void>): Promise<void> {
  const prefix = `elecho${process.pid}-${serial++}`;
  const name = (letter: string) => `${prefix}${letter}`;
  const open = new Map<string, { fd: number; close(): void }>();
  try {
    for (const letter of letters) {
      createNamespace(name(letter));
      open.set(letter, openNamespace(name(letter)));
    }
    const fd = (letter: string) => {
      const namespace = open.get(letter);
      assert.ok(namespace);
      return namespace.fd;
    };
    // DAD would make an IPv6 address wait for a second or two; one test is about that.
    for (const letter of letters) {
      inNamespace(fd(letter), () => writeSysctl('/proc/sys/net/ipv6/conf/default/accept_dad', 0));
      run('ip', ['-n', name(letter), 'link', 'set', 'lo', 'up']);
    }
    const ip = (letter: string, ...lines: string[]) => {
      const input = lines.map((line) => line.replace(/NS:(\w)/, (_, other: string) => name(other))).join('\n');
      run('ip', ['-n', name(letter), '-batch', '-'], `${input}\n`);
    };
    await work({ name, fd, ip });
  } finally {
    for (const namespace of open.values()) namespace.close();
    for (const letter of open.keys()) deleteNamespace(name(letter));
  }
}

/** a and b, joined by the veth `link` on both ends. */
function join(net: Net, a: string, b: string, link: string, mtuA = 1500, mtuB = mtuA): void {
  net.ip(
    a,
    `link add ${link} mtu ${mtuA} type veth peer name ${link} mtu ${mtuB} netns NS:${b}`,
    `link set ${link} up`,
  );
  net.ip(b, `link set ${link} up`);
}

const target = (link: string, address: string, size: number): EchoTarget => ({
  link,
  address: address as IpAddress,
  size,
});
const reasons = (results: readonly EchoResult[]) => results.map((result) => (result.ok ? 'ok' : result.reason));

test('nothing to ask is nothing to wait for', async () => {
  assert.deepEqual(await echo([], short), []);
});

test('sizes that no echo can have', async () => {
  for (const size of [0, 63, 65536, 100.5, Number.NaN]) {
    await assert.rejects(echo([target('lo', '127.0.0.1', size)], short), RangeError);
  }
});

test('both families answer, small and full size; strangers and missing links are named', { skip }, () =>
  withNet('ab', async (net) => {
    join(net, 'a', 'b', 'v0');
    net.ip('a', 'addr add 10.1.0.1/24 dev v0', 'addr add fd00:1::1/64 dev v0');
    net.ip('b', 'addr add 10.1.0.2/24 dev v0', 'addr add fd00:1::2/64 dev v0', 'addr add fe80::b/64 dev v0');
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
      target('v0', '10.1.0.3', 84),
      target('v0', 'fd00:1::3', 84),
    ];
    const results = await echo(targets, { netns: net.fd('a'), timeoutMs: 300, attempts: 2 });
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
      'timeout',
      'timeout',
    ]);
    for (const result of results) if (result.ok) assert.ok(result.rttMs > 0);
    assert.deepEqual(results[2], {
      ok: false,
      reason: 'message too long',
      detail: 'the link v0 does not carry 1501 bytes',
    });
    assert.deepEqual(results[9], { ok: false, reason: 'timeout', detail: 'no answer in 300 ms, 2 attempts' });
  }),
);

test('packets leave by the link that is asked, also where two links have one subnet', { skip }, () =>
  withNet('abc', async (net) => {
    join(net, 'a', 'b', 'v0');
    join(net, 'a', 'c', 'v1');
    net.ip('a', 'addr add 10.1.0.1/24 dev v0', 'addr add 10.1.0.1/24 dev v1');
    net.ip('b', 'addr add 10.1.0.2/24 dev v0');
    net.ip('c', 'addr add 10.1.0.3/24 dev v1');
    const targets = [
      target('v0', '10.1.0.2', 84),
      target('v1', '10.1.0.2', 84),
      target('v0', '10.1.0.3', 84),
      target('v1', '10.1.0.3', 84),
    ];
    const results = await echo(targets, { netns: net.fd('a'), timeoutMs: 300, attempts: 2 });
    assert.deepEqual(reasons(results), ['ok', 'timeout', 'timeout', 'ok']);
  }),
);

test('a hop on the way with a smaller MTU says so, and a far end with one swallows', { skip }, () =>
  withNet('arb', async (net) => {
    join(net, 'a', 'r', 'left');
    join(net, 'r', 'b', 'right', 1400);
    net.ip('a', 'addr add 10.1.0.1/24 dev left', 'addr add fd00:1::1/64 dev left');
    net.ip('a', 'route add default via 10.1.0.254', 'route add default via fd00:1::ff');
    net.ip('r', 'addr add 10.1.0.254/24 dev left', 'addr add fd00:1::ff/64 dev left');
    net.ip('r', 'addr add 10.2.0.254/24 dev right', 'addr add fd00:2::ff/64 dev right');
    net.ip('b', 'addr add 10.2.0.2/24 dev right', 'addr add fd00:2::2/64 dev right');
    net.ip('b', 'route add default via 10.2.0.254', 'route add default via fd00:2::ff');
    inNamespace(net.fd('r'), () => {
      writeSysctl('/proc/sys/net/ipv4/ip_forward', 1);
      writeSysctl('/proc/sys/net/ipv6/conf/all/forwarding', 1);
    });
    const sizes = [
      target('left', '10.2.0.2', 1400),
      target('left', '10.2.0.2', 1401),
      target('left', 'fd00:2::2', 1400),
      target('left', 'fd00:2::2', 1401),
    ];
    const nowhere = [target('left', '10.9.0.1', 84), target('left', 'fd00:9::1', 84)];
    // Twice: the second time the kernel remembers the path's MTU, and must not be asked.
    for (let time = 0; time < 2; time++) {
      const results = await echo(sizes, { netns: net.fd('a'), ...short });
      assert.deepEqual(reasons(results), ['ok', 'message too long', 'ok', 'message too long']);
      const details = results.map((result) => (result.ok ? '' : result.detail));
      assert.equal(details[1], '10.1.0.254 says: fragmentation needed, the next hop carries 1400 bytes');
      assert.equal(details[3], 'fd00:1::ff says: packet too big, the next hop carries 1400 bytes');
    }
    assert.deepEqual(await echo(nowhere, { netns: net.fd('a'), timeoutMs: 3000, attempts: 1 }), [
      { ok: false, reason: 'unreachable', detail: '10.1.0.254 says: network unreachable' },
      { ok: false, reason: 'unreachable', detail: 'fd00:1::ff says: no route to destination' },
    ]);
    net.ip('r', 'link set right mtu 1500');
    const swallowed = await echo([target('left', '10.2.0.2', 1400), target('left', '10.2.0.2', 1500)], {
      netns: net.fd('a'),
      timeoutMs: 300,
      attempts: 2,
    });
    assert.deepEqual(reasons(swallowed), ['ok', 'timeout']);
  }),
);

test('a neighbour that nobody is: the kernel says so when it has given up', { skip }, () =>
  withNet('ab', async (net) => {
    join(net, 'a', 'b', 'v0');
    net.ip('a', 'addr add 10.1.0.1/24 dev v0', 'addr add fd00:1::1/64 dev v0');
    inNamespace(net.fd('a'), () => {
      writeSysctl('/proc/sys/net/ipv4/neigh/v0/retrans_time_ms', 20);
      writeSysctl('/proc/sys/net/ipv6/neigh/v0/retrans_time_ms', 20);
    });
    const results = await echo([target('v0', '10.1.0.9', 84), target('v0', 'fd00:1::9', 84)], {
      netns: net.fd('a'),
      timeoutMs: 5000,
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
      join(net, 'a', 'b', `v${link}`);
      net.ip('a', `addr add 10.1.${link}.254/24 dev v${link}`);
      const peers = Array.from({ length: 20 }, (_, i) => `10.1.${link}.${i + 1}`);
      net.ip('b', ...peers.filter((_, i) => i % 2 === 0).map((peer) => `addr add ${peer}/24 dev v${link}`));
      for (const [i, peer] of peers.entries()) {
        targets.push(target(`v${link}`, peer, i % 4 < 2 ? 1500 : 84));
        want.push(i % 2 === 0 ? 'ok' : 'timeout');
      }
    }
    const results = await echo(targets, { netns: net.fd('a'), timeoutMs: 1500, attempts: 2 });
    assert.deepEqual(reasons(results), want);
  }),
);

test('1,000 targets of full size on one link', { skip }, () =>
  withNet('ab', async (net) => {
    join(net, 'a', 'b', 'v0');
    net.ip('a', 'addr add 10.1.255.254/16 dev v0');
    const peers = Array.from({ length: 1000 }, (_, i) => `10.1.${i >> 8}.${i & 255}`).slice(1);
    net.ip('b', 'addr add 10.1.255.1/16 dev v0', 'route add local 10.1.0.0/17 dev lo');
    const results = await echo(
      peers.map((peer) => target('v0', peer, 1500)),
      { netns: net.fd('a'), timeoutMs: 5000, attempts: 2 },
    );
    assert.equal(results.filter((result) => result.ok).length, 999);
  }),
);

test('an answer comes late: an address that is not there at first', { skip }, () =>
  withNet('ab', async (net) => {
    join(net, 'a', 'b', 'v0');
    inNamespace(net.fd('a'), () => writeSysctl('/proc/sys/net/ipv6/conf/v0/accept_dad', 1));
    net.ip('a', 'addr flush dev v0 scope link', 'addr add 10.1.0.1/24 dev v0', 'addr add fd00:1::1/64 dev v0');
    net.ip('b', 'addr add fd00:1::2/64 dev v0');
    const running = echo([target('v0', '10.1.0.2', 84), target('v0', 'fd00:1::2', 84)], {
      netns: net.fd('a'),
      timeoutMs: 8000,
      attempts: 16,
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    net.ip('b', 'addr add 10.1.0.2/24 dev v0');
    const results = await running;
    assert.deepEqual(reasons(results), ['ok', 'ok']);
    assert.ok(results[1]?.ok === true && results[1].attempt > 1, 'the address of v0 was in DAD');
  }),
);

test('a link without a family, and one that is down', { skip }, () =>
  withNet('ab', async (net) => {
    join(net, 'a', 'b', 'v0');
    net.ip('a', 'addr add 10.1.0.1/24 dev v0', 'link set v0 down');
    const results = await echo([target('v0', '10.1.0.2', 84), target('v0', 'fd00:1::2', 84)], {
      netns: net.fd('a'),
      timeoutMs: 100,
      attempts: 2,
    });
    assert.deepEqual(reasons(results), ['not sent', 'not sent']);
  }),
);

/** What the far side answers when it is us. */
async function answerWrongly(fd: number, change: (reply: Uint8Array) => void): Promise<void> {
  const raw = openSocket(2, 3, 1, { netns: fd });
  try {
    const buffer = new Uint8Array(2048);
    const from = new Uint8Array(16);
    for (let tries = 0; tries < 500; tries++) {
      const length = receiveFrom(raw, buffer, from);
      if (length > 0 && buffer[20] === 8) {
        const reply = buffer.slice(20, length);
        reply.set([0, 0, 0, 0]);
        change(reply);
        const sum = checksum(reply);
        reply.set([sum >> 8, sum & 255], 2);
        from.fill(0, 2, 4);
        sendTo(raw, reply, from);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.fail('no request came');
  } finally {
    close(raw);
  }
}

const wrongAnswers: readonly { name: string; change: (reply: Uint8Array) => void; want: string }[] = [
  { name: 'nothing changed', change: () => {}, want: 'ok' },
  { name: 'one bit of the last byte', change: (reply) => flip(reply, reply.length - 1), want: 'corrupted' },
  { name: 'another identifier', change: (reply) => flip(reply, 4), want: 'timeout' },
  { name: 'another cookie', change: (reply) => flip(reply, 8), want: 'timeout' },
  { name: 'a target that is not ours', change: (reply) => flip(reply, 16), want: 'timeout' },
  { name: 'an attempt that was not made', change: (reply) => flip(reply, 20), want: 'timeout' },
];

function flip(bytes: Uint8Array, at: number): void {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
}

for (const { name, change, want } of wrongAnswers) {
  test(`a forged answer: ${name}`, { skip }, () =>
    withNet('ab', async (net) => {
      join(net, 'a', 'b', 'v0');
      net.ip('a', 'addr add 10.1.0.1/24 dev v0');
      net.ip('b', 'addr add 10.1.0.2/24 dev v0');
      inNamespace(net.fd('b'), () => writeSysctl('/proc/sys/net/ipv4/icmp_echo_ignore_all', 1));
      const answered = answerWrongly(net.fd('b'), change);
      const asked = echo([target('v0', '10.1.0.2', 200)], { netns: net.fd('a'), timeoutMs: 400, attempts: 1 });
      const [results] = await Promise.all([asked, answered]);
      assert.deepEqual(reasons(results), [want]);
    }),
  );
}

test('two runs at once keep their answers apart', { skip }, () =>
  withNet('ab', async (net) => {
    join(net, 'a', 'b', 'v0');
    net.ip('a', 'addr add 10.1.0.1/24 dev v0');
    net.ip('b', 'addr add 10.1.0.2/24 dev v0');
    const options = { netns: net.fd('a'), timeoutMs: 1000, attempts: 1 };
    const one = [target('v0', '10.1.0.2', 84)];
    const both = await Promise.all([echo(one, options), echo([...one, target('v0', '10.1.0.3', 84)], options)]);
    assert.deepEqual(both.map(reasons), [['ok'], ['ok', 'timeout']]);
  }),
);

test('leaves no descriptor behind', { skip }, () =>
  withNet('ab', async (net) => {
    join(net, 'a', 'b', 'v0');
    net.ip('a', 'addr add 10.1.0.1/24 dev v0');
    const count = () => run('ls', [`/proc/${process.pid}/fd`]).split('\n').length;
    await echo([target('v0', '10.1.0.1', 84)], { netns: net.fd('a'), ...short });
    const before = count();
    for (let i = 0; i < 5; i++) await echo([target('v0', '10.1.0.1', 84)], { netns: net.fd('a'), ...short });
    assert.equal(count(), before);
  }),
);

test('without CAP_NET_RAW a ping socket does, where the kernel lets it; else it is EPERM', { skip }, () =>
  withNet('ab', async (net) => {
    join(net, 'a', 'b', 'v0');
    net.ip('a', 'addr add 10.1.0.1/24 dev v0', 'addr add fd00:1::1/64 dev v0');
    net.ip('b', 'addr add 10.1.0.2/24 dev v0', 'addr add fd00:1::2/64 dev v0');
    const script = `import { echo } from ${JSON.stringify(new URL('echo.ts', import.meta.url).href)};
      const ask = (address, size) => ({ link: 'v0', address, size });
      const targets = [ask('10.1.0.2', 84), ask('10.1.0.2', 1500), ask('10.1.0.2', 1501), ask('fd00:1::2', 1500)];
      const results = await echo(targets, { timeoutMs: 3000, attempts: 3 }).catch((error) => error.code);
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
