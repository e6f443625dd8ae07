/**
 * Real hosts: Debian with systemd as the first process, by systemd-nspawn(1), that boot, reboot, power off, and lose
 * their power. Each has files of its own, which outlive all that, and a wire to the underlay that it shares with the
 * others of the test.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { hasCapability } from '../../src/sys/caps.ts';
import { debianRoot, type Suite } from './debian-root.ts';
import type { Ending } from './networkd.ts';
import { NotifySocket } from './notify-socket.ts';
import { ended, runs } from './process.ts';
import { type Underlay, underlay } from './underlay.ts';

export type { Suite } from './debian-root.ts';

const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';
/** What never comes must not keep the test from ending. */
const PATIENCE_MS = 120_000;
/** How systemd-nspawn ends when the host powers off or reboots. */
const POWERED_OFF = 0;
const REBOOTED = 133;

function whyNot(): string | false {
  if (process.geteuid?.() !== 0) return 'needs root: it boots a host';
  if (!hasCapability('CAP_SYS_ADMIN') || !hasCapability('CAP_NET_ADMIN')) return 'needs all of root’s capabilities';
  const missing = ['mmdebstrap', 'systemd-nspawn', 'ip', 'unshare', 'nsenter', 'flock'].filter((name) => !runs(name));
  if (missing.length === 0) return false;
  return `needs ${missing.join(', ')}: packages mmdebstrap, systemd-container, iproute2, util-linux`;
}

/** Why such a host cannot be had here; false: it can. */
export const needsRealHost: string | false = whyNot();

/** $1: the host's folder, $2: the root. */
const MOUNT = `
mkdir -p "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" "$1/root"
`;

/** $1: the group. The rest is what runs in it. */
const JOIN_GROUP = 'mkdir -p "$1"; echo 0 > "$1/cgroup.procs"; shift; exec "$@"';

/** $1: the group. Everything in it ends at the same moment, without a word. */
const CUT_POWER = `
echo 1 > "$1/cgroup.kill"
while grep -q 'populated 1' "$1/cgroup.events"; do sleep 0.01; done
find "$1" -depth -type d -exec rmdir {} +
`;

/** A process is the first of its namespace, two namespaces below this one's, if its last id is 1. */
function firstBelow(pid: number): number | null {
  const queue = [pid];
  for (const each of queue) {
    const ids = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${each}/status`, 'utf8'))?.[1]?.split(/\s+/) ?? [];
    if (each !== pid && ids.length > 2 && ids.at(-1) === '1') return each;
    for (const task of readdirSync(`/proc/${each}/task`)) {
      const children = readFileSync(`/proc/${each}/task/${task}/children`, 'utf8').trim();
      if (children !== '') queue.push(...children.split(' ').map(Number));
    }
  }
  return null;
}

/** From power on to its end. */
interface Life {
  readonly nspawn: ChildProcess;
  readonly notify: NotifySocket;
  /** The host's network namespace, as the underlay names it. */
  readonly netns: string;
}

export class RealHost {
  readonly name: string;
  /** Where its files are, as the outside sees them. */
  readonly root: string;
  /** Its control group, below the root of all groups. */
  readonly group: string;
  /** What it said on its console in all its lives. */
  readonly console: string[] = [];
  readonly #underlay: Underlay;
  /** Where it stands among the hosts of the underlay, from 1. */
  readonly #place: number;
  /** As the underlay sees it. */
  readonly #folder: string;
  #boots = 0;
  #life: Life | null = null;
  #init: number | null = null;

  constructor(name: string, network: Underlay, place: number) {
    this.name = name;
    this.group = `${network.group}/${name}`;
    this.#underlay = network;
    this.#place = place;
    this.#folder = `/run/hosts/${name}`;
    this.root = `/proc/${network.pid}/root${this.#folder}/root`;
  }

  /** Gives it its files, which are those of `root` at first. */
  mount(root: string): void {
    this.#underlay.run('sh', '-e', '-c', MOUNT, 'sh', this.#folder, root);
  }

  /** The host's first process, as the outside sees it. */
  get init(): number {
    if (this.#init === null) throw new Error(`${this.name} is off`);
    return this.#init;
  }

  /** The host's network namespace, as the outside sees it. There is one from power on. */
  get netns(): string {
    return `/proc/${this.#underlay.pid}/root/run/netns/${this.#alive().netns}`;
  }

  #alive(): Life {
    if (this.#life === null) throw new Error(`${this.name} is off`);
    return this.#life;
  }

  /** Runs a program beside what the hosts are wired to: a bridge `eth0` is its underlay device. */
  peer(...command: string[]): string {
    return this.#underlay.run(...command);
  }

  #inside(...command: string[]): string[] {
    return ['-t', String(this.init), '-a', '--', 'env', '-i', `PATH=${PATH}`, ...command];
  }

  /** Runs a program on the host, with nothing in its environment but PATH. @returns what it printed; throws if it fails */
  run(...command: string[]): string {
    return execFileSync('nsenter', this.#inside(...command), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** As `run`, in the background. */
  start(...command: string[]): ChildProcess {
    return spawn('nsenter', this.#inside(...command), { stdio: ['ignore', 'pipe', 'pipe'] });
  }

  #off(...command: string[]): string[] {
    return this.#underlay.around('env', '-i', `PATH=${PATH}`, 'chroot', `${this.#folder}/root`, ...command);
  }

  /** Runs a program on the host. @returns whether it ended well */
  succeeds(...command: string[]): boolean {
    try {
      this.run(...command);
      return true;
    } catch {
      return false;
    }
  }

  /** Another one for each boot (random(4)). */
  get bootId(): string {
    return this.run('cat', '/proc/sys/kernel/random/boot_id');
  }

  /** Runs a program with the host's files while it is off. */
  chroot(...command: string[]): void {
    execFileSync('nsenter', this.#off(...command), { stdio: ['ignore', 'pipe', 'pipe'] });
  }

  write(path: string, content: string | Uint8Array, mode = 0o644): void {
    mkdirSync(dirname(this.root + path), { recursive: true, mode: 0o755 });
    writeFileSync(this.root + path, content, { mode });
  }

  /** `dpkg --install`, on the host or while it is off. @param deb a path outside. Rejects with dpkg's words. */
  async install(deb: string): Promise<void> {
    const path = `/var/cache/apt/archives/${basename(deb)}`;
    copyFileSync(deb, this.root + path);
    const dpkg = ['dpkg', '--install', path];
    const args = this.#life === null ? this.#off(...dpkg) : this.#inside(...dpkg);
    const child = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => said.push(text));
    }
    await ended(child);
    if (child.exitCode !== 0) throw new Error(`${this.name}: ${dpkg.join(' ')}:\n${said.join('')}`);
  }

  /**
   * Settles when systemd says that the boot is over. The wire, `eth0` on the host with a MAC of its own for all time,
   * is made anew, with the namespace that it ends in: a boot must not find what the one before has made.
   */
  async boot(): Promise<void> {
    this.powerOn();
    await this.booted();
  }

  /** The beginning of a boot. */
  powerOn(): void {
    const netns = `${this.name}-${this.#boots++}`;
    const far = `far${this.#place - 1}`;
    this.peer('ip', 'netns', 'add', netns);
    const end = ['name', 'eth0', 'address', `02:00:00:00:00:0${this.#place}`, 'netns', netns];
    this.peer('ip', 'link', 'add', far, 'type', 'veth', 'peer', ...end);
    this.peer('ip', 'link', 'set', far, 'master', 'eth0', 'up');
    const socket = `${this.#folder}/${netns}.notify`;
    const notify = new NotifySocket(`/proc/${this.#underlay.pid}/root${socket}`);
    const join = ['sh', '-e', '-c', JOIN_GROUP, 'sh', `/sys/fs/cgroup/${this.group}`];
    const nspawn = spawn('nsenter', this.#underlay.around(...join, ...this.#command(netns)), {
      env: { PATH, NOTIFY_SOCKET: socket, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#life = { nspawn, notify, netns };
    for (const stream of [nspawn.stdout, nspawn.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => this.console.push(text));
    }
  }

  /** The rest of a boot. */
  async booted(): Promise<void> {
    const { nspawn, notify } = this.#alive();
    await this.#patiently('booted', Promise.race([notify.heard('READY=1'), ended(nspawn)]));
    this.#init = nspawn.exitCode === null ? firstBelow(nspawn.pid ?? 0) : null;
    if (this.#init !== null) return;
    throw new Error(`${this.name} did not boot, ended with ${nspawn.exitCode}:\n${this.console.join('')}`);
  }

  #command(netns: string): string[] {
    const nothingOfOurs = ['--register=no', '--keep-unit', '--link-journal=no', '--resolv-conf=off', '--timezone=off'];
    return [
      ...['systemd-nspawn', '--quiet', '--boot', '--notify-ready=yes', ...nothingOfOurs],
      ...['-D', `${this.#folder}/root`, '-M', this.name, `--network-namespace-path=/run/netns/${netns}`],
      ...['--capability=CAP_NET_ADMIN', '--console=pipe', '--kill-signal=SIGRTMIN+3'],
    ];
  }

  async #patiently<T>(what: string, event: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const fail = (): void => reject(new Error(`${this.name} never ${what}:\n${this.console.join('')}`));
    const timer = setTimeout(fail, PATIENCE_MS);
    return Promise.race([event, promise]).finally(() => clearTimeout(timer));
  }

  /** Settles when everything on the host has ended, and the wire is gone. @returns how it ended */
  async #over(what: string): Promise<number | null> {
    const { nspawn, notify, netns } = this.#alive();
    await this.#patiently(what, ended(nspawn));
    notify.close();
    this.#init = null;
    this.#life = null;
    this.peer('ip', 'link', 'delete', `far${this.#place - 1}`);
    this.peer('ip', 'netns', 'delete', netns);
    return nspawn.exitCode;
  }

  async #leave(command: string, code: number): Promise<void> {
    try {
      this.run('systemctl', command);
    } catch {
      // It may be ended before it has said that it did what was asked; how the host ends tells.
    }
    const got = await this.#over(`did ${command}`);
    if (got !== code) throw new Error(`${command}: ended with ${got} instead of ${code}:\n${this.console.join('')}`);
  }

  /** `systemctl reboot` on the host. Settles when it has booted again. */
  async reboot(): Promise<void> {
    await this.shutDown();
    await this.boot();
  }

  /** The first half of a reboot. */
  shutDown(): Promise<void> {
    return this.#leave('reboot', REBOOTED);
  }

  /** `systemctl poweroff` on the host. */
  powerOff(): Promise<void> {
    return this.#leave('poweroff', POWERED_OFF);
  }

  /** All that runs on it ends at once, at whatever moment of its life; its files stay as they are. */
  async cutPower(): Promise<void> {
    this.peer('sh', '-e', '-c', CUT_POWER, 'sh', `/sys/fs/cgroup/${this.group}`);
    await this.#over('ended without power');
  }

  /** Settles when nothing of it runs any more, which the end of the underlay sees to. */
  async ended(): Promise<void> {
    if (this.#life === null) return;
    this.#life.notify.close();
    await ended(this.#life.nspawn);
  }
}

/**
 * Hosts that are off, wired to one underlay, which is a bridge that is up and has no addresses.
 * @param extra Debian packages that they have besides.
 */
export async function realHosts(
  t: Ending,
  names: readonly string[],
  extra: readonly string[] = [],
  suite: Suite = 'bookworm',
): Promise<RealHost[]> {
  const root = await debianRoot(extra, suite);
  const network = await underlay(t, names.join('-'));
  const hosts = names.map((name, i) => new RealHost(name, network, i + 1));
  for (const host of hosts) host.mount(root);
  t.after(async () => {
    await network.end();
    await Promise.all(hosts.map((host) => host.ended()));
  });
  return hosts;
}

/** A host that is off, alone on its underlay. As `realHosts`. */
export async function realHost(
  t: Ending,
  name: string,
  extra: readonly string[] = [],
  suite: Suite = 'bookworm',
): Promise<RealHost> {
  const [host] = await realHosts(t, [name], extra, suite);
  if (host === undefined) throw new Error('no host');
  return host;
}
