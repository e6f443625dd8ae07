/**
 * Real hosts that reboot, everlan's package on two of them and the article's recipe on two others: when eth0 and vxlan0 come
 * up, when the other host is answered again, and what both programs cost when nothing happens.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openNamespace } from '../src/sys/netns.ts';
import { until } from '../test/dispatcher.testing.ts';
import { type Echoes, echoes, installedHosts, LINK, type Member, network } from '../test/reboot.testing.ts';
import type { Ending } from '../test/support/networkd.ts';
import { type RealHost, realHosts } from '../test/support/real-host.ts';
import { watchKernel } from './kernel-events.ts';

export type Side = 'ours' | 'recipe';
const SIDES: readonly Side[] = ['ours', 'recipe'];

/** Milliseconds. */
export interface Boot {
  /** From the start of systemd to the address of eth0. */
  readonly eth0: number;
  /** From the start of systemd to the address of vxlan0, which is up by then. */
  readonly vxlan0: number;
  /** From the address of vxlan0 to the first answer to the other host, which sends echoes all the time; null: not waited for. */
  readonly answered: number | null;
}

export interface Idle {
  /** Private_Dirty. */
  readonly dirtyMib: number;
  /** Milliseconds of all threads, in IDLE_SECONDS. */
  readonly cpuMs: number;
}

export type Both<T> = Readonly<Record<Side, T>>;

const IDLE_SECONDS = 60;
/** Duplicate address detection, neighbours that get stale, and what systemd does after a boot. */
const SETTLE_SECONDS = 15;
/** Between two echoes. */
const ECHO_MS = 20;
/** An answer may take half a minute with the recipe. */
const RECIPE_ANSWERS = 3;

const UNITS: Both<string> = { ours: 'everlan.service', recipe: 'networkd-dispatcher.service' };

/** The article's scripts as they are; the other host's has the two addresses that make it the other one. */
async function recipeHosts(t: Ending): Promise<readonly Member[]> {
  const fixture = (name: string): string =>
    readFileSync(join(import.meta.dirname, '..', 'test/fixtures/article', name), 'utf8');
  const hosts = await realHosts(t, ['alpha', 'beta'], ['networkd-dispatcher']);
  return hosts.map((host, i) => {
    const script = fixture('vxlan')
      .replace('remote 10.10.0.4', `remote 10.0.0.${2 - i}`)
      .replace('169.254.0.1', `169.254.0.${i + 1}`);
    host.write('/etc/systemd/network/10-eth0.network', network(i));
    host.write('/etc/networkd-dispatcher/routable.d/50-ifup-hooks', fixture('50-ifup-hooks'), 0o755);
    host.write('/etc/networkd-dispatcher/off.d/50-ifdown-hooks', fixture('50-ifdown-hooks'), 0o755);
    host.write('/etc/network/if-post-up.d/vxlan', script, 0o744);
    return { host, address: `169.254.0.${i + 1}` };
  });
}

/** When the addresses of eth0 and vxlan0 came, in a boot that begins now. */
async function timedBoot(host: RealHost): Promise<Pick<Boot, 'eth0' | 'vxlan0'> & { readonly at: number }> {
  host.powerOn();
  const namespace = openNamespace(host.netns);
  const names = new Map<number, string>();
  const up = new Set<string>();
  const addressed = new Set<string>();
  const came = new Map<string, number>();
  const watch = watchKernel(namespace.fd, (event) => {
    if (event.kind === 'link') names.set(event.index, event.name);
    const link = names.get(event.index) ?? '';
    if (event.kind === 'link' && event.up) up.add(link);
    if (event.kind === 'address') addressed.add(link);
    if (up.has(link) && addressed.has(link) && !came.has(link)) came.set(link, event.at);
  });
  await host.booted();
  const [eth0, vxlan0] = [await until(() => came.get('eth0')), await until(() => came.get(LINK))];
  watch.close();
  namespace.close();
  // In microseconds (org.freedesktop.systemd1(5)).
  const start = Number(host.run('systemctl', 'show', '--value', '--property=UserspaceTimestampMonotonic')) / 1000;
  return { eth0: eth0 - start, vxlan0: vxlan0 - start, at: vxlan0 };
}

interface Pair {
  readonly reboots: RealHost;
  /** Of the other one. */
  readonly echoes: Echoes;
}

async function pairOf([alpha, beta]: readonly Member[]): Promise<Pair> {
  if (alpha === undefined || beta === undefined) throw new Error('two hosts are needed');
  await Promise.all([alpha.host.boot(), beta.host.boot()]);
  return { reboots: alpha.host, echoes: await echoes(beta.host, alpha.address, ECHO_MS) };
}

async function reboot({ reboots, echoes: { answers } }: Pair, wait: boolean): Promise<Boot> {
  await reboots.shutDown();
  const before = answers.length;
  const { eth0, vxlan0, at } = await timedBoot(reboots);
  if (!wait) return { eth0, vxlan0, answered: null };
  const answer = await until(() => answers[before]);
  return { eth0, vxlan0, answered: Math.max(0, answer.at - at) };
}

function cpuMs(host: RealHost, pid: string): number {
  const threads = host.run('sh', '-c', 'cat /proc/"$1"/task/*/schedstat', 'sh', pid).trim().split('\n');
  return threads.reduce((sum, line) => sum + Number(line.split(' ')[0]), 0) / 1e6;
}

async function idle(host: RealHost, unit: string): Promise<Idle> {
  const pid = host.run('systemctl', 'show', '--value', '--property=MainPID', unit).trim();
  const before = cpuMs(host, pid);
  await sleep(IDLE_SECONDS * 1000);
  const after = cpuMs(host, pid);
  // What is Private_Dirty on a disk: here the program's own file lies in memory, where the kernel takes all of it for dirty.
  const kib = Number(/^Anonymous:\s+(\d+)/m.exec(host.run('cat', `/proc/${pid}/smaps_rollup`))?.[1]);
  return { dirtyMib: kib / 1024, cpuMs: after - before };
}

export interface OnHosts {
  readonly boots: Both<readonly Boot[]>;
  readonly idle: Both<Idle>;
}

/** In turn, so that a busy moment meets both. @param rounds how often each side reboots */
export async function onHosts(rounds: number): Promise<OnHosts> {
  const ends: (() => void | Promise<void>)[] = [];
  const t: Ending = { after: (end) => ends.push(end) };
  try {
    const members: Both<readonly Member[]> = { ours: await installedHosts(t, 2), recipe: await recipeHosts(t) };
    const pairs: Both<Pair> = { ours: await pairOf(members.ours), recipe: await pairOf(members.recipe) };
    const boots: Record<Side, Boot[]> = { ours: [], recipe: [] };
    for (let i = 0; i < rounds; i++) {
      for (const side of SIDES) boots[side].push(await reboot(pairs[side], side === 'ours' || i < RECIPE_ANSWERS));
    }
    for (const side of SIDES) await pairs[side].echoes.stop();
    await sleep(SETTLE_SECONDS * 1000);
    const [ours, recipe] = await Promise.all(SIDES.map((side) => idle(pairs[side].reboots, UNITS[side])));
    if (ours === undefined || recipe === undefined) throw new Error('no figures');
    return { boots, idle: { ours, recipe } };
  } finally {
    for (const end of ends) await end();
  }
}

/** Whether vxlan0 of the recipe, deleted, is there again within this time. */
export async function recipeHeals(waitSeconds: number): Promise<boolean> {
  const ends: (() => void | Promise<void>)[] = [];
  try {
    const [member] = await recipeHosts({ after: (end) => ends.push(end) });
    if (member === undefined) throw new Error('no host');
    const { host } = member;
    await host.boot();
    await until(() => host.succeeds('ip', 'link', 'show', 'dev', LINK));
    host.run('ip', 'link', 'delete', LINK);
    await sleep(waitSeconds * 1000);
    return host.succeeds('ip', 'link', 'show', 'dev', LINK);
  } finally {
    for (const end of ends) await end();
  }
}
