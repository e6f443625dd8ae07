/**
 * A real host: Debian with systemd as its first process, by systemd-nspawn(1), that boots, reboots and powers off. It
 * lives in namespaces of its own, whose network is the peer that it is wired to. The kernel ends and unmounts all of it
 * with the test, also when the test is killed: the namespaces' first process reads from a pipe that ends then.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { hasCapability } from '../../src/sys/caps.ts';
import type { Ending } from './networkd.ts';
import { NotifySocket } from './notify-socket.ts';
import { ended, firstLine, runs } from './process.ts';

const CACHE = '/var/cache/everlan-tests';
export type Suite = 'bullseye' | 'bookworm' | 'trixie';
/** libstdc++6 is what Node needs. */
const PACKAGES = ['systemd', 'systemd-sysv', 'dbus', 'iproute2', 'iputils-ping', 'libstdc++6'];
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

/** $1: the root to make. What was left half-made by one that was killed is made anew. */
const MAKE_ROOT = `
if [ -d "$1" ]; then exit 0; fi
rm -rf --one-file-system "$1.new"
mmdebstrap --quiet --mode=root --variant=minbase --aptopt='Acquire::Retries "5"' --include="$2" "$3" "$1.new"
chroot "$1.new" systemctl --quiet enable systemd-networkd
mv "$1.new" "$1"
`;

/** @returns a folder with Debian in it, made at the first time and never changed. Rejects with apt's words. */
async function debianRoot(extra: readonly string[], suite: Suite): Promise<string> {
  const packages = [...PACKAGES, ...extra].join(',');
  const key = createHash('sha256').update(MAKE_ROOT).update(packages).digest('hex').slice(0, 8);
  const root = `${CACHE}/${suite}-${key}`;
  mkdirSync(CACHE, { recursive: true, mode: 0o755 });
  const make = ['unshare', '-m', 'sh', '-e', '-c', MAKE_ROOT, 'sh', root, packages, suite];
  const child = spawn('flock', [`${CACHE}/lock`, ...make], { stdio: ['ignore', 'ignore', 'pipe'] });
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
  // All that it said has been read then, not only its end.
  await new Promise((done) => child.once('close', done));
  if (child.exitCode !== 0) throw new Error(`cannot make ${root}:\n${said.join('')}`);
  return root;
}

/**
 * systemd needs the second version of cgroups, all of it, wherever this machine has it. $1: the group of the host's
 * processes; the rest is what runs in the meantime. Groups that were left behind go too, if nothing is in them, so
 * something stays in ours.
 */
const KEEP_GROUP = `
umount -R -l /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
find /sys/fs/cgroup -mindepth 1 -depth -type d -path '/sys/fs/cgroup/everlan-test-*' -exec rmdir {} + 2>&- || :
group=/sys/fs/cgroup/$1
mkdir -p "$group/keeper"
echo 0 > "$group/keeper/cgroup.procs"
shift
"$@" || :
echo 0 > /sys/fs/cgroup/cgroup.procs
find "$group" -depth -type d -exec rmdir {} +
`;

/** $1: the root. Tells the first process's id, as the outside sees it, before it sees only its own kind. */
const FIRST_PROCESS = `
read -r pid rest < /proc/self/stat
mount -t proc proc /proc
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/upper /run/work /run/root
mount -t overlay overlay -o "lowerdir=$1,upperdir=/run/upper,workdir=/run/work" /run/root
ip link set lo up
ip link add eth0 type bridge
ip link set eth0 up
echo "$pid"
cat
`;

/** $1: the group. The rest is what runs in it. */
const JOIN_GROUP = 'echo 0 > "/sys/fs/cgroup/$1/cgroup.procs"; shift; exec "$@"';

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

export class RealHost {
  readonly name: string;
  /** Where its files are, as the outside sees them. */
  readonly root: string;
  /** Its control group, below the root of all groups. */
  readonly group: string;
  /** What it said on its console in all its lives. */
  readonly console: string[] = [];
  readonly #first: ChildProcess;
  readonly #pid: number;
  #boots = 0;
  #nspawn: ChildProcess | null = null;
  #init: number | null = null;

  constructor(name: string, group: string, first: ChildProcess, pid: number) {
    this.name = name;
    this.group = group;
    this.#first = first;
    this.#pid = pid;
    this.root = `/proc/${pid}/root/run/root`;
  }

  /** The host's first process, as the outside sees it. */
  get init(): number {
    if (this.#init === null) throw new Error(`${this.name} is off`);
    return this.#init;
  }

  #around(...command: string[]): string[] {
    return ['-t', String(this.#pid), '-m', '-n', '-p', '--', ...command];
  }

  /** Runs a program on the peer that the host is wired to: a bridge `eth0` is its underlay device. */
  peer(...command: string[]): string {
    return execFileSync('nsenter', this.#around(...command), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** Runs a program on the host, with nothing in its environment but PATH. @returns what it printed; throws if it fails */
  run(...command: string[]): string {
    const args = ['-t', String(this.init), '-a', '--', 'env', '-i', `PATH=${PATH}`, ...command];
    return execFileSync('nsenter', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** Runs a program with the host's files while it is off. */
  chroot(...command: string[]): void {
    this.peer('env', '-i', `PATH=${PATH}`, 'chroot', '/run/root', ...command);
  }

  write(path: string, content: string | Uint8Array, mode = 0o644): void {
    mkdirSync(dirname(this.root + path), { recursive: true, mode: 0o755 });
    writeFileSync(this.root + path, content, { mode });
  }

  /**
   * Settles when systemd says that the boot is over. The wire, `eth0` on the host with a MAC of its own for all time,
   * is made anew, with the namespace that it ends in: a boot must not find what the one before has made.
   */
  async boot(): Promise<void> {
    const namespace = `boot${this.#boots++}`;
    this.peer('ip', 'netns', 'add', namespace);
    const end = ['name', 'eth0', 'address', '02:00:00:00:00:01', 'netns', namespace];
    this.peer('ip', 'link', 'add', 'far0', 'type', 'veth', 'peer', ...end);
    this.peer('ip', 'link', 'set', 'far0', 'master', 'eth0', 'up');
    const notify = new NotifySocket(`/proc/${this.#pid}/root/run/${namespace}`);
    const nspawn = spawn('nsenter', this.#around('sh', '-e', '-c', JOIN_GROUP, 'sh', this.group, ...this.#command()), {
      env: { PATH, NOTIFY_SOCKET: `/run/${namespace}`, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#nspawn = nspawn;
    for (const stream of [nspawn.stdout, nspawn.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => this.console.push(text));
    }
    const over = ended(nspawn).then(() => `ended with ${nspawn.exitCode}`);
    try {
      await this.#patiently('booted', Promise.race([notify.heard('READY=1'), over]));
    } finally {
      notify.close();
    }
    this.#init = nspawn.exitCode === null ? firstBelow(nspawn.pid ?? 0) : null;
    if (this.#init === null) throw new Error(`${this.name} did not boot:\n${this.console.join('')}`);
  }

  #command(): string[] {
    const nothingOfOurs = ['--register=no', '--keep-unit', '--link-journal=no', '--resolv-conf=off', '--timezone=off'];
    return [
      ...['systemd-nspawn', '--quiet', '--boot', '--notify-ready=yes', ...nothingOfOurs],
      ...['-D', '/run/root', '-M', this.name, `--network-namespace-path=/run/netns/boot${this.#boots - 1}`],
      ...['--capability=CAP_NET_ADMIN', '--console=pipe', '--kill-signal=SIGRTMIN+3'],
    ];
  }

  async #patiently<T>(what: string, event: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const fail = (): void => reject(new Error(`${this.name} never ${what}:\n${this.console.join('')}`));
    const timer = setTimeout(fail, PATIENCE_MS);
    return Promise.race([event, promise]).finally(() => clearTimeout(timer));
  }

  /** Settles when everything on the host has ended, and the wire is gone. */
  async #leave(command: string, code: number): Promise<void> {
    const nspawn = this.#nspawn;
    try {
      this.run('systemctl', command);
    } catch {
      // It may be ended before it has said that it did what was asked; how the host ends tells.
    }
    if (nspawn === null) throw new Error(`${this.name} is off`);
    await this.#patiently(`did ${command}`, ended(nspawn));
    this.#init = null;
    if (nspawn.exitCode !== code) {
      throw new Error(`${command}: ended with ${nspawn.exitCode} instead of ${code}:\n${this.console.join('')}`);
    }
    this.peer('ip', 'link', 'delete', 'far0');
    this.peer('ip', 'netns', 'delete', `boot${this.#boots - 1}`);
  }

  /** `systemctl reboot` on the host. Settles when it has booted again. */
  async reboot(): Promise<void> {
    await this.#leave('reboot', REBOOTED);
    await this.boot();
  }

  /** `systemctl poweroff` on the host. */
  powerOff(): Promise<void> {
    return this.#leave('poweroff', POWERED_OFF);
  }

  /** Ends it as a power cut does. */
  async end(): Promise<void> {
    this.#first.stdin?.end();
    await Promise.all([this.#first, this.#nspawn].filter((child) => child !== null).map(ended));
  }
}

/**
 * A host that is off, and its peer with an underlay device `eth0`, up and without addresses.
 * @param extra Debian packages that it has besides.
 */
export async function realHost(
  t: Ending,
  name: string,
  extra: readonly string[] = [],
  suite: Suite = 'bookworm',
): Promise<RealHost> {
  const root = await debianRoot(extra, suite);
  const group = `everlan-test-${process.pid}-${name}`;
  const inner = ['unshare', '-m', '-n', '-p', '-f', '--kill-child', 'sh', '-e', '-c', FIRST_PROCESS, 'sh', root];
  const first = spawn('unshare', ['-m', 'sh', '-e', '-c', KEEP_GROUP, 'sh', group, ...inner], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const host = new RealHost(name, group, first, Number(await firstLine(first)));
  t.after(() => host.end());
  return host;
}
