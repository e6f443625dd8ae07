import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { IpAddress } from '../model/address.ts';
import { createNamespace, deleteNamespace, inNamespace, openNamespace, writeSysctl } from '../sys/netns.ts';
import { close, openSocket, receiveFrom, sendTo } from '../sys/socket.ts';
import { type EchoResult, type EchoTarget, echo } from './echo.ts';
import { checksum } from './icmp.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root: makes network namespaces';
/** For what ends by an event: a bound that a busy machine does not reach. */
const patient = { timeoutMs: 30_000, attempts: 30 };
/** For what nobody ever answers: any time will do. */
const brief = { timeoutMs: 200, attempts: 2 };
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
    for (const letter of letters) {
      inNamespace(fd(letter), () => {
        // DAD would make an IPv6 address wait for a second or two; one test is about that.
        writeSysctl('/proc/sys/net/ipv6/conf/default/accept_dad', 0);
        writeSysctl('/proc/sys/net/ipv6/conf/default/addr_gen_mode', 1);
      });
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

const mac = (letter: string) => `02:00:00:00:00:${letter.charCodeAt(0).toString(16)}`;

/** a and b, joined by the veth `link` on both ends. */
function join(net: Net, a: string, b: string, link: string, mtuA = 1500, mtuB = mtuA): void {
  const [near, far] = [`address ${mac(a)} mtu ${mtuA}`, `address ${mac(b)} mtu ${mtuB}`];
  net.ip(a, `link add ${link} ${near} type veth peer name ${link} ${far} netns NS:${b}`, `link set ${link} up`);
  net.ip(b, `link set ${link} up`);
}

/**
 * Lines for `ip` that say whose MAC the addresses have, which may be nobody's. All namespaces of a machine share one table
 * of learned neighbours (net.ipv4.neigh.default.gc_thresh3), which others may have filled; these need no room in it.
 */
const neighbours = (link: string, whose: string, ...addresses: readonly string[]) =>
  addresses.map((address) => `neigh replace ${address} lladdr ${mac(whose)} nud permanent dev ${link}`);

interface Shown {
  readonly ifname: string;
  readonly operstate: string;
  readonly qdisc: string;
  readonly addr_info: readonly { readonly tentative?: boolean }[];
}

/** Until links carry and addresses are usable: the kernel works on both later, and drops packets meanwhile. */
async function settled(net: Net, letters: string): Promise<void> {
  const given = performance.now() + patient.timeoutMs;
  const unready = ({ ifname, operstate, qdisc, addr_info }: Shown) =>
    (ifname !== 'lo' && (operstate !== 'UP' || qdisc === 'noop')) || addr_info.some(({ tentative }) => tentative);
  for (const letter of letters) {
    for (;;) {
      const shown: Shown[] = JSON.parse(run('ip', ['-n', net.name(letter), '-j', 'addr']));
      const waiting = shown.filter(unready);
      if (waiting.length === 0) break;
      assert.ok(performance.now() < given, JSON.stringify(waiting));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/** a with 10.1.0.1 and fd00:1::1, b with 10.1.0.2 and fd00:1::2, joined by v0, who know each other; 9 is nobody. */
async function pair(net: Net): Promise<void> {
  join(net, 'a', 'b', 'v0');
  const [a, b] = [
    ['10.1.0.1', 'fd00:1::1'],
    ['10.1.0.2', 'fd00:1::2'],
  ] as const;
  const added = ([v4, v6]: readonly [string, string]) => [`addr add ${v4}/24 dev v0`, `addr add ${v6}/64 dev v0`];
  net.ip('a', ...added(a), ...neighbours('v0', 'b', ...b), ...neighbours('v0', 'z', '10.1.0.9', 'fd00:1::9'));
  net.ip('b', ...added(b), ...neighbours('v0', 'a', ...a));
  await settled(net, 'ab');
}

/** Lets the link send as slowly as that, and queue so many bytes; more is refused. */
const slow = (net: Net, letter: string, link: string, rate: string, limit: number) =>
  run('tc', `-n ${net.name(letter)} qdisc add dev ${link} root tbf rate ${rate} burst 1600 limit ${limit}`.split(' '));

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
    assert.deepEqual(await ask({ ...patient, attempts: 1 }, ...nowhere), [
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

test('1,000 targets of full size on one link, each asked once', { skip }, () =>
  withNet('ab', async (net) => {
    await pair(net);
    const peers = Array.from({ length: 50 }, (_, i) => `10.1.1.${i + 1}`);
    net.ip('a', 'route add 10.1.1.0/24 dev v0', ...neighbours('v0', 'b', ...peers));
    net.ip('b', 'route add local 10.1.1.0/24 dev lo');
    const targets = Array.from({ length: 1000 }, (_, i) => target('v0', peers[i % 50] ?? '', 1500));
    const results = await echo(targets, { netns: net.fd('a'), ...patient, attempts: 1 });
    assert.equal(results.filter((result) => result.ok).length, 1000);
  }),
);

test('what the kernel has no room for is sent again, and named when there never is any', { skip }, () =>
  withNet('ab', async (net) => {
    await pair(net);
    slow(net, 'a', 'v0', '4mbit', 4000);
    const both = [target('v0', '10.1.0.2', 1500), target('v0', 'fd00:1::2', 1500)];
    const many = Array.from({ length: 20 }, () => both).flat();
    const once = { netns: net.fd('a'), ...patient, attempts: 1 };
    assert.deepEqual(new Set(reasons(await echo(many, once))), new Set(['ok']));
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
    const answers = () => {
      const lines = inNamespace(net.fd('a'), () => readFileSync('/proc/thread-self/net/snmp', 'utf8')).split('\n');
      const [names, values] = lines.filter((line) => line.startsWith('Icmp:')).map((line) => line.split(' '));
      return Number(values?.[names?.indexOf('InEchoReps') ?? -1]);
    };
    // The second waits in the queue for what the first has used up.
    const targets = [target('v0', '10.1.0.2', 1500), target('v0', '10.1.0.2', 1500)];
    const running = echo(targets, { netns: net.fd('a'), timeoutMs: 1, attempts: 1 });
    const given = performance.now() + patient.timeoutMs;
    while (answers() < 2 && performance.now() < given);
    assert.deepEqual(reasons(await running), ['ok', 'ok']);
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

/** What the far side answers when it is us: to one request, one reply of each change. */
async function answerWrongly(fd: number, changes: readonly ((reply: Uint8Array) => void)[]): Promise<void> {
  const raw = openSocket(2, 3, 1, { netns: fd });
  try {
    const buffer = new Uint8Array(2048);
    const from = new Uint8Array(16);
    const given = performance.now() + patient.timeoutMs;
    while (performance.now() < given) {
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
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.fail('no request came');
  } finally {
    close(raw);
  }
}

function flip(bytes: Uint8Array, ...places: readonly number[]): void {
  for (const at of places) bytes[at] = (bytes[at] ?? 0) ^ 1;
}

/** Each but the first is spoilt: the last byte, too, would be found wrong if the rest were believed. */
const LAST = 179;
const wrongAnswers: readonly { name: string; flips: readonly number[]; want: string }[] = [
  { name: 'nothing changed', flips: [], want: 'ok' },
  { name: 'one bit of the last byte', flips: [LAST], want: 'corrupted' },
  { name: 'another identifier', flips: [4, LAST], want: 'ok' },
  { name: 'another cookie', flips: [8, LAST], want: 'ok' },
  { name: 'a target that is not ours', flips: [16, LAST], want: 'ok' },
  { name: 'an attempt that was not made', flips: [20], want: 'ok' },
];

for (const { name, flips, want } of wrongAnswers) {
  test(`a forged answer: ${name}; a true one follows`, { skip }, () =>
    withNet('ab', async (net) => {
      await pair(net);
      inNamespace(net.fd('b'), () => writeSysctl('/proc/sys/net/ipv4/icmp_echo_ignore_all', 1));
      const answered = answerWrongly(net.fd('b'), [(reply) => flip(reply, ...flips), () => {}]);
      const asked = echo([target('v0', '10.1.0.2', LAST + 21)], { netns: net.fd('a'), ...patient, attempts: 1 });
      const [results] = await Promise.all([asked, answered]);
      assert.deepEqual(reasons(results), [want]);
      for (const result of results) if (result.ok) assert.equal(result.attempt, 1);
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
