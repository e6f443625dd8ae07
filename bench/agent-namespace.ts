/** The agent of the package in a network namespace, with the flags of its unit: what is deleted under its hands. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { storeFolder } from '../src/apply/store.ts';
import { watchHints } from '../src/kernel/hints.ts';
import { openKernel } from '../src/kernel/live.ts';
import { cookieOf, createNamespace, deleteNamespace, openNamespace } from '../src/sys/netns.ts';
import { until } from '../test/dispatcher.testing.ts';
import { NotifySocket } from '../test/support/notify-socket.ts';
import { everlanPackage } from '../test/support/package.ts';
import { ended } from '../test/support/process.ts';
import { sleep as block, fileOf, installed, median, run } from './measure.ts';
import * as work from './work.ts';

/** An overlay that is put right so often is fought over; a reload ends that (src/agent/holds.ts). */
const FREE_HEALS = 5;
const PEERS = 3;
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
    /** Link, address, a row for each peer. */
    let missing = 0;
    let index = 0;
    const watch = watchHints(fd, {
      hint: (hint) => {
        const at = performance.now();
        if (hint.kind === 'link' && hint.name === 'vxlan0' && hint.removed) {
          gone = at;
          missing = 2 + PEERS;
          index = 0;
        } else if (hint.kind === 'link' && hint.name === 'vxlan0' && index === 0) {
          index = hint.index;
          missing--;
        } else if (hint.index === index && !hint.removed && missing > 0) {
          // The kernel's own fe80:: and rows do not count. Of addresses it tells who asked; rows are added by us alone here.
          if (hint.kind === 'fdb' || (hint.kind === 'address' && hint.pid !== 0)) missing--;
          if (missing === 0) back = at;
        }
      },
      lost: () => {
        throw new Error('events were lost');
      },
      settled: () => undefined,
      broken: (error) => {
        throw error;
      },
    });
    const agent = await Agent.start(folder, name, fileOf('peers.yaml', PEERS_FILE));
    const found: number[] = [];
    try {
      for (let i = 0; i < rounds; i++) {
        if (i % FREE_HEALS === 0) await agent.reload();
        await sleep(QUIET_MS);
        [gone, back] = [0, 0];
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
    const kernel = openKernel(fd);
    let first = 0;
    let last = 0;
    let addresses = 0;
    let lost = false;
    const watch = watchHints(fd, {
      hint: ({ kind, removed, pid }) => {
        if (kind === 'link' && removed && first === 0) first = performance.now();
        if (kind !== 'address' || removed || pid === 0) return;
        addresses++;
        last = performance.now();
      },
      lost: () => {
        lost = true;
      },
      settled: () => undefined,
      broken: (error) => {
        throw error;
      },
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
        [first, last, addresses, lost] = [0, 0, 0, false];
        const ip = spawn('ip', ['-n', name, 'link', 'delete', 'group', String(link.group)], { stdio: 'inherit' });
        await ended(ip);
        await until(() => addresses >= count || lost);
        if (lost) throw new Error('events were lost');
        healed.push((last - first) / 1000);
        const { links } = kernel.look().facts;
        const up = Array.from({ length: count }, (_, n) => links.get(`vx${n}`)?.up === true);
        if (up.includes(false)) throw new Error('not all links are back');
      }
    } finally {
      await agent.stop();
      watch.close();
      kernel.close();
    }
    return { healed: median(healed), applied: median(applied) };
  });
}
