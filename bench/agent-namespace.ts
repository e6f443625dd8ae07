/** The agent of the package in a network namespace, with the flags of its unit: what is deleted under its hands. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { storeFolder } from '../src/apply/store.ts';
import { cookieOf, createNamespace, deleteNamespace, openNamespace } from '../src/sys/netns.ts';
import { until } from '../test/dispatcher.testing.ts';
import { NotifySocket } from '../test/support/notify-socket.ts';
import { everlanPackage } from '../test/support/package.ts';
import { ended } from '../test/support/process.ts';
import { watchKernel } from './kernel-events.ts';
import { sleep as block, fileOf, installed, median, run } from './measure.ts';
import * as work from './work.ts';

/** An overlay that is put right so often is fought over; a reload ends that (src/agent/holds.ts). */
const FREE_HEALS = 5;
const PEERS = 3;
/** lo and the two of the underlay have the first indexes. */
const UNDERLAY_LINKS = 3;
const QUIET_MS = 200;
const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** What the unit starts, of the unpacked package. */
function command(folder: string): readonly string[] {
  execFileSync('dpkg-deb', ['--extract', everlanPackage(), folder]);
  const unit = readFileSync(join(folder, 'usr/lib/systemd/system/everlan.service'), 'utf8');
  const line = /^ExecStart=(.*)$/m.exec(unit)?.[1] ?? '';
  return line.replaceAll('/usr/lib/everlan', join(folder, 'usr/lib/everlan')).split(' ');
}

class Agent {
  readonly #child: ChildProcess;
  readonly #notify: NotifySocket;

  constructor(child: ChildProcess, notify: NotifySocket) {
    this.#child = child;
    this.#notify = notify;
  }

  async #ready(times: number): Promise<void> {
    await until(() => this.#notify.lines.filter((line) => line === 'READY=1').length >= times);
  }

  /** @param file for the host alpha */
  static async start(folder: string, namespace: string, file: string): Promise<Agent> {
    const socket = join(folder, 'notify');
    const [program = '', ...args] = command(folder);
    const state = join(folder, 'state');
    mkdirSync(state, { mode: 0o700 });
    const notify = new NotifySocket(socket);
    const child = spawn(program, [...args, '--file', file, '--host', 'alpha', '--netns', namespace], {
      // Read, as systemd's journal reads it, and not shown.
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env.PATH, NOTIFY_SOCKET: socket, STATE_DIRECTORY: state },
    });
    child.stderr.resume();
    const agent = new Agent(child, notify);
    await agent.#ready(1);
    return agent;
  }

  async reload(): Promise<void> {
    const times = this.#notify.lines.filter((line) => line === 'READY=1').length;
    this.#child.kill('SIGHUP');
    await this.#ready(times + 1);
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await ended(this.#child);
    this.#notify.close();
  }
}

/** A namespace with an underlay, and a folder for the agent. */
async function inNamespace<T>(measure: (name: string, fd: number, folder: string) => Promise<T>): Promise<T> {
  const name = `${work.NAMESPACE}-agent`;
  const folder = `${fileOf('agent', '')}.d`;
  mkdirSync(folder, { recursive: true });
  createNamespace(name);
  const { fd, close } = openNamespace(name);
  const store = storeFolder(cookieOf(fd));
  try {
    execFileSync('ip', ['-n', name, '-batch', fileOf('agent-underlay', work.UNDERLAY_BATCH)]);
    return await measure(name, fd, folder);
  } finally {
    close();
    deleteNamespace(name);
    for (const path of [store, folder]) rmSync(path, { recursive: true, force: true });
  }
}

const PEERS_FILE = `fabric: ${work.FABRIC}
hosts: {alpha: 10.99.0.1, ${Array.from({ length: PEERS }, (_, i) => `p${i}: 10.99.0.${i + 2}`).join(', ')}}
overlays:
  vxlan0: {vni: 77, hosts: {alpha: 169.254.0.1/24, ${Array.from({ length: PEERS }, (_, i) => `p${i}: 169.254.0.${i + 2}/24`).join(', ')}}}
`;

/** Milliseconds from the kernel's word that vxlan0 is gone to its word of the last of link, address and FDB rows. */
export function deletedAlone(rounds: number): Promise<readonly number[]> {
  return inNamespace(async (name, fd, folder) => {
    let gone = 0;
    let back = 0;
    /** The first time of each: the link up, its address, a row for each peer. */
    const came = new Map<string, number>();
    const watch = watchKernel(fd, ({ kind, removed, up, at }) => {
      if (removed) {
        if (kind === 'link') gone = at;
        return;
      }
      if (gone === 0 || (kind === 'link' && !up)) return;
      // One row after the other, as they differ in nothing that is read here.
      const name = kind === 'fdb' ? `row ${came.size}` : kind;
      if (!came.has(name)) came.set(name, at);
      if (came.size === 2 + PEERS) back ||= at;
    });
    const agent = await Agent.start(folder, name, fileOf('peers.yaml', PEERS_FILE));
    const found: number[] = [];
    try {
      for (let i = 0; i < rounds; i++) {
        if (i % FREE_HEALS === 0) await agent.reload();
        await sleep(QUIET_MS);
        [gone, back] = [0, 0];
        came.clear();
        const ip = spawn('ip', ['-n', name, 'link', 'delete', 'vxlan0'], { stdio: 'inherit' });
        await ended(ip);
        await until(() => back > 0);
        found.push(back - gone);
        const rows = execFileSync('bridge', ['-n', name, 'fdb', 'show', 'dev', 'vxlan0'], { encoding: 'utf8' });
        const address = execFileSync('ip', ['-n', name, '-o', '-4', 'address', 'show', 'dev', 'vxlan0', 'up'], {
          encoding: 'utf8',
        });
        const peers = rows.split('\n').filter((row) => row.startsWith('00:00:00:00:00:00 dst '));
        if (peers.length !== PEERS || !address.includes('169.254.0.1/24'))
          throw new Error(`not all is back:\n${rows}${address}`);
      }
    } finally {
      await agent.stop();
      watch.close();
    }
    return found;
  });
}

export interface Bulk {
  /** Seconds. */
  readonly healed: number;
  readonly applied: number;
}

/**
 * Overlays deleted in one request, from the first word of it to the last address, and `everlan apply` of the same file
 * where there is nothing, as a whole process.
 */
export function deletedAtOnce(count: number, runs: number): Promise<Bulk> {
  return inNamespace(async (name, fd, folder) => {
    const file = fileOf('bulk.yaml', work.overlaysFile(count));
    const applied: number[] = [];
    for (let i = 0; i < runs; i++) {
      applied.push(run(installed('everlan'), 'apply', '-f', file, '--host', 'alpha', '--netns', name).seconds);
      block(3);
      run(installed('everlan'), 'down', '--fabric', work.FABRIC, '--netns', name);
      block(1);
    }
    let first = 0;
    let last = 0;
    const addresses = new Set<number>();
    const up = new Set<number>();
    const watch = watchKernel(fd, (event) => {
      const { kind, index, at } = event;
      if (event.removed) {
        if (kind === 'link' && first === 0) first = at;
        for (const set of [addresses, up]) set.delete(index);
        return;
      }
      if (kind === 'address') addresses.add(index);
      if (kind === 'link' && event.up && index > UNDERLAY_LINKS) up.add(index);
      if (addresses.size === count && up.size === count) last ||= at;
    });
    const agent = await Agent.start(folder, name, file);
    const healed: number[] = [];
    try {
      const [link] = JSON.parse(
        execFileSync('ip', ['-n', name, '-j', 'link', 'show', 'dev', 'vx0'], { encoding: 'utf8' }),
      );
      for (let i = 0; i < runs; i++) {
        await agent.reload();
        await sleep(5000);
        for (const set of [addresses, up]) set.clear();
        [first, last] = [0, 0];
        const ip = spawn('ip', ['-n', name, 'link', 'delete', 'group', String(link.group)], { stdio: 'inherit' });
        await ended(ip);
        await until(() => last > 0);
        healed.push((last - first) / 1000);
      }
    } finally {
      await agent.stop();
      watch.close();
    }
    return { healed: median(healed), applied: median(applied) };
  });
}
