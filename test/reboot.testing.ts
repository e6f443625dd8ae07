/** Real hosts with everlan installed from its package, and one fabric file for all: rebooted, cut off, and looked at. */
import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from './dispatcher.testing.ts';
import { cannotBuild } from './support/deb.ts';
import type { Ending } from './support/networkd.ts';
import { everlanPackage } from './support/package.ts';
import { randomFrom } from './support/random.ts';
import { needsRealHost, type RealHost, realHosts } from './support/real-host.ts';

/** Why such hosts cannot be had here; false: they can. */
export const needsFleet: string | false = needsRealHost || cannotBuild;

const NAMES = ['alpha', 'beta', 'gamma'] as const;
export const LINK = 'vxlan0';
export const FABRIC_FILE = '/etc/everlan/fabric.yaml';

/** In the middle of a boot at all its stages, and after it. */
const LATEST_CUT_MS = 1000;

const underlayOf = (i: number): string => `10.0.0.${i + 1}`;
const overlayOf = (i: number): string => `169.254.0.${i + 1}`;

/** The article's overlay for the first hosts. */
export function fabricFile(count: number): string {
  const each = (value: (i: number) => string): string =>
    NAMES.slice(0, count)
      .map((name, i) => `${name}: ${value(i)}`)
      .join(', ');
  return `fabric: article
hosts: {${each(underlayOf)}}
overlays:
  ${LINK}: {vni: 77, hosts: {${each((i) => `${overlayOf(i)}/24`)}}}
`;
}

export function network(i: number): string {
  return `[Match]\nName=eth0\n\n[Network]\nAddress=${underlayOf(i)}/24\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n`;
}

export interface Member {
  readonly host: RealHost;
  /** On the overlay. */
  readonly address: string;
}

/** Hosts that are off, with an underlay by systemd-networkd, and everlan and its file for the first so many of them. */
export async function installedHosts(t: Ending, count: number, members = count): Promise<readonly Member[]> {
  const deb = everlanPackage();
  const hosts = await realHosts(t, NAMES.slice(0, count));
  await Promise.all(
    hosts.map((host, i) => {
      host.write('/etc/systemd/network/10-eth0.network', network(i));
      host.write(FABRIC_FILE, fabricFile(members));
      return host.install(deb);
    }),
  );
  return hosts.map((host, i) => ({ host, address: overlayOf(i) }));
}

export interface OurLink {
  readonly ifindex: number;
  readonly address: string;
}

/** The only VXLAN link of a host. */
export function onlyLink(host: RealHost): OurLink {
  const links: (OurLink & { readonly ifname: string })[] = JSON.parse(
    host.run('ip', '-j', 'link', 'show', 'type', 'vxlan'),
  );
  const [link] = links;
  if (links.length !== 1 || link?.ifname !== LINK) {
    throw new Error(`${host.name} has the links ${links.map(({ ifname }) => ifname).join(', ') || 'none'}`);
  }
  return { ifindex: link.ifindex, address: link.address };
}

/** Settles when the host gets an answer from an address. */
export async function answered(host: RealHost, address: string): Promise<void> {
  await until(() => host.succeeds('ping', '-q', '-c', '1', '-i', '0.05', '-w', '1', address));
}

export interface Echoes {
  /** What was answered, and when: its number, from 1, and milliseconds of CLOCK_MONOTONIC. */
  readonly answers: readonly { readonly seq: number; readonly at: number }[];
  /** To be called before the host powers off: it would wait in vain for this process of the outside. */
  stop(): Promise<void>;
}

/** Echoes that a host sends to an address; settles with the first answer. */
export async function echoes(host: RealHost, address: string, everyMs: number): Promise<Echoes> {
  const script = 'echo "pid $$"; exec ping -n -i "$1" "$2"';
  const ping = host.start('sh', '-c', script, 'sh', String(everyMs / 1000), address);
  const answers: { seq: number; at: number }[] = [];
  let pid = '';
  const over = new Promise((done) => ping.once('close', done));
  ping.stderr?.resume();
  if (ping.stdout !== null) {
    createInterface(ping.stdout).on('line', (line) => {
      pid = /^pid (\d+)$/.exec(line)?.[1] ?? pid;
      const seq = / icmp_seq=(\d+) ttl=/.exec(line)?.[1];
      if (seq !== undefined) answers.push({ seq: Number(seq), at: Number(process.hrtime.bigint()) / 1e6 });
    });
  }
  await until(() => answers.length > 0);
  return {
    answers,
    stop: async () => {
      host.run('sh', '-c', 'kill -INT "$1"', 'sh', pid);
      await over;
    },
  };
}

/** Settles when every host gets an answer from every other. */
export async function allAnswer(members: readonly Member[]): Promise<void> {
  for (const { host } of members) {
    for (const other of members) if (other.host !== host) await answered(host, other.address);
  }
}

/** Every pair answers, each host is as the file says, and nothing on it failed. */
export async function inOrder(members: readonly Member[]): Promise<void> {
  await allAnswer(members);
  for (const { host } of members) {
    assert.match(host.run('everlan', 'status', '--exit-code'), /matches the file/);
    onlyLink(host);
    const state = host.succeeds('systemctl', 'is-system-running', '--wait');
    assert.ok(state, `${host.name}: ${host.run('systemctl', '--failed', '--no-legend')}`);
    const journal = host.run('journalctl', '--no-pager', '--boot', '--unit=everlan.service');
    // On a busy machine systemd 252 now and then fails to make a sandbox early at boot, and tries again.
    const notBegun = journal.split('\n').filter((line) => line.includes('status=226/NAMESPACE')).length;
    const restarts = Number(property(host, 'NRestarts'));
    assert.equal(restarts, notBegun, `${host.name}: the agent was started again:\n${journal}`);
  }
}

/** Of everlan.service. */
export function property(host: RealHost, name: string): string {
  return host.run('systemctl', 'show', '--value', `--property=${name}`, 'everlan.service').trim();
}

/** The power goes, comes back, and goes again in the middle of the boot. */
async function cutInBoot(host: RealHost, afterMs: number): Promise<void> {
  await host.cutPower();
  host.powerOn();
  await sleep(afterMs);
  await host.cutPower();
  await host.boot();
}

export interface Rounds {
  /** How often a host has come back. */
  readonly boots: number;
  /** From the end of the boots to the last answer. */
  readonly slowestMs: number;
}

/**
 * In each round one host reboots, then all do at once, then all lose their power and lose it again in the middle of the
 * boot. Each time all must be well afterwards, with the same MACs; who did not reboot has the same link still.
 * @param seed chooses the host that reboots, and the moments.
 * @throws with the seed and what was done last.
 */
export async function rebootRounds(members: readonly Member[], rounds: number, seed: number): Promise<Rounds> {
  const random = randomFrom(seed);
  const macs = members.map(({ host }) => onlyLink(host).address);
  let boots = 0;
  let slowestMs = 0;

  const step = async (what: string, who: readonly Member[], work: (host: RealHost) => Promise<void>): Promise<void> => {
    try {
      const before = members.map(({ host }) => ({ id: host.bootId, link: onlyLink(host) }));
      await Promise.all(who.map(({ host }) => work(host)));
      const start = performance.now();
      boots += who.length;
      await allAnswer(members);
      slowestMs = Math.max(slowestMs, performance.now() - start);
      await inOrder(members);
      for (const [i, member] of members.entries()) {
        const { host } = member;
        const link = onlyLink(host);
        assert.equal(link.address, macs[i], `${host.name} has another MAC`);
        if (who.includes(member)) assert.notEqual(host.bootId, before[i]?.id, host.name);
        else assert.deepEqual(link, before[i]?.link, `${host.name} has another link`);
      }
    } catch (error) {
      throw new Error(`${what} (seed ${seed})`, { cause: error });
    }
  };

  for (let round = 1; round <= rounds; round++) {
    const one = members.slice(Math.floor(random() * members.length)).slice(0, 1);
    await step(`round ${round}: ${one[0]?.host.name} reboots`, one, (host) => host.reboot());
    await step(`round ${round}: all reboot`, members, (host) => host.reboot());
    const moments = new Map(members.map(({ host }) => [host, Math.round(random() * LATEST_CUT_MS)]));
    const told = [...moments].map(([{ name }, ms]) => `${name} after ${ms} ms`).join(', ');
    await step(`round ${round}: power lost in the boot: ${told}`, members, (host) =>
      cutInBoot(host, moments.get(host) ?? 0),
    );
  }
  return { boots, slowestMs };
}
