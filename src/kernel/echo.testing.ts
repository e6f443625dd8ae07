/** Networks for the tests of echoes: namespaces, joined by links whose ends know each other. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createNamespace, deleteNamespace, inNamespace, openNamespace, writeSysctl } from '../sys/netns.ts';

let serial = 0;

export function run(command: string, args: readonly string[], input = ''): string {
  const done = spawnSync(command, args, { encoding: 'utf8', input });
  assert.equal(done.status, 0, `${command} ${args.join(' ')}: ${done.stderr}`);
  return done.stdout;
}

export interface Net {
  /** Namespace of the letter: its name and its open descriptor. */
  name(letter: string): string;
  fd(letter: string): number;
  /** `ip -batch` in the namespace; NS:x in a line is the name of namespace x. */
  ip(letter: string, ...lines: string[]): void;
}

/** Namespaces for one test, a letter each, gone afterwards whatever happens. */
export async function withNet(letters: string, work: (net: Net) => Promise<void>): Promise<void> {
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
export function join(net: Net, a: string, b: string, link: string, mtuA = 1500, mtuB = mtuA): void {
  const [near, far] = [`address ${mac(a)} mtu ${mtuA}`, `address ${mac(b)} mtu ${mtuB}`];
  net.ip(a, `link add ${link} ${near} type veth peer name ${link} ${far} netns NS:${b}`, `link set ${link} up`);
  net.ip(b, `link set ${link} up`);
}

/**
 * Lines for `ip` that say whose MAC the addresses have, which may be nobody's. All namespaces of a machine share one table
 * of learned neighbours (net.ipv4.neigh.default.gc_thresh3), which others may have filled; these need no room in it.
 */
export const neighbours = (link: string, whose: string, ...addresses: readonly string[]) =>
  addresses.map((address) => `neigh replace ${address} lladdr ${mac(whose)} nud permanent dev ${link}`);

interface Shown {
  readonly ifname: string;
  readonly operstate: string;
  readonly qdisc: string;
  readonly addr_info: readonly { readonly tentative?: boolean }[];
}

/** Until links carry and addresses are usable: the kernel works on both later, and drops packets meanwhile. */
export async function settled(net: Net, letters: string): Promise<void> {
  const given = performance.now() + 30_000;
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
export async function pair(net: Net): Promise<void> {
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
export const slow = (net: Net, letter: string, link: string, rate: string, limit: number) =>
  run('tc', `-n ${net.name(letter)} qdisc add dev ${link} root tbf rate ${rate} burst 1600 limit ${limit}`.split(' '));
