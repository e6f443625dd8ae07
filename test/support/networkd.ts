/**
 * A host with a real dbus-daemon and a real systemd-networkd, in namespaces of its own: mounts, network and processes.
 * The kernel ends all of it with the test, also when the test is killed: the host's first process reads from a pipe
 * that ends then.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { openBus } from '../../src/networkd/client.ts';
import { hasCapability } from '../../src/sys/caps.ts';
import { ended, firstLine, runs } from './process.ts';

const NETWORKD = ['/usr/lib/systemd/systemd-networkd', '/lib/systemd/systemd-networkd'].find((path) =>
  existsSync(path),
);
const NAME = 'org.freedesktop.network1';
const CAPABILITIES = '-all,+net_admin,+net_bind_service,+net_broadcast,+net_raw';

function whyNot(): string | false {
  if (!hasCapability('CAP_NET_ADMIN') || !hasCapability('CAP_SYS_ADMIN')) return 'needs root: it makes namespaces';
  const missing = ['dbus-daemon', 'networkctl', 'ip', 'unshare', 'nsenter', 'setpriv'].filter((name) => !runs(name));
  if (missing.length > 0) return `needs ${missing.join(', ')}: packages dbus, systemd, iproute2, util-linux`;
  return NETWORKD === undefined ? 'needs systemd-networkd: package systemd' : false;
}

/** Why such a host cannot be had here; false: it can. */
export const needsNetworkd: string | false = whyNot();

/**
 * The host's first process. It tells its id, as the outside sees it, before it sees only its own kind. A /sys that is
 * read-only tells networkd that no udev is to be waited for.
 */
const FIRST_PROCESS = `
read -r pid rest < /proc/self/stat
mount -t proc proc /proc
mount -t tmpfs -o mode=755 tmpfs /run
mount -t sysfs -o ro sysfs /sys
if [ -d /etc/systemd/network ]; then mount -t tmpfs -o mode=755 tmpfs /etc/systemd/network; fi
mkdir -p /run/dbus /run/systemd/network /run/systemd/netif/links /run/systemd/netif/leases /run/systemd/netif/lldp
chown -R systemd-network:systemd-network /run/systemd/netif
echo "$pid"
cat
`;

export interface Ending {
  after(end: () => void | Promise<void>): void;
}

export interface HostOptions {
  /** Whether the bus and networkd run from the beginning: by default both. */
  readonly start?: 'both' | 'bus' | 'nothing';
  /** Files of /run/systemd/network; by default eth0 with the address 10.0.0.1/24. */
  readonly files?: Readonly<Record<string, string>>;
}

const ETH0 = '[Match]\nName=eth0\n\n[Network]\nAddress=10.0.0.1/24\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n';

export class NetworkdHost {
  /** The host's first process, as the outside sees it. */
  readonly pid: number;
  /** What makes a program outside use the host's bus. */
  readonly env: { readonly DBUS_SYSTEM_BUS_ADDRESS: string };
  readonly socket: string;
  readonly #first: ChildProcess;
  #bus: ChildProcess | null = null;
  #networkd: ChildProcess | null = null;

  constructor(first: ChildProcess, pid: number) {
    this.#first = first;
    this.pid = pid;
    this.socket = `/proc/${pid}/root/run/dbus/system_bus_socket`;
    this.env = { DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${this.socket}` };
  }

  /** The arguments that run a program on the host. */
  inside(...command: string[]): string[] {
    return ['nsenter', '-t', String(this.pid), '-m', '-n', '-p', '--', ...command];
  }

  run(...command: string[]): string {
    const [program = '', ...args] = this.inside(...command);
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** Runs `ip`; one word for each argument, split at spaces. */
  ip(line: string): string {
    return this.run('ip', ...line.split(' '));
  }

  networkctl(...args: string[]): string {
    return this.run('networkctl', '--no-pager', ...args);
  }

  index(link: string): number {
    const [row]: { ifindex?: number }[] = JSON.parse(this.ip(`-j link show dev ${link}`));
    if (row?.ifindex === undefined) throw new Error(`no link ${link}`);
    return row.ifindex;
  }

  flap(link: string): void {
    this.ip(`link set ${link} down`);
    this.ip(`link set ${link} up`);
  }

  /** A file of /run/systemd/network. */
  write(name: string, text: string): void {
    writeFileSync(`/proc/${this.pid}/root/run/systemd/network/${name}`, text);
  }

  #spawn(...command: string[]): ChildProcess {
    const [program = '', ...args] = this.inside(...command);
    return spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  }

  /** The process that nsenter runs, whose exit nsenter waits for. */
  #real(nsenter: ChildProcess): number {
    const pid = Number(readFileSync(`/proc/${nsenter.pid}/task/${nsenter.pid}/children`, 'utf8').trim());
    if (!(pid > 0)) throw new Error(`${nsenter.spawnargs.join(' ')}: no process`);
    return pid;
  }

  async #stop(nsenter: ChildProcess | null, signal: NodeJS.Signals): Promise<void> {
    if (nsenter === null) return;
    process.kill(this.#real(nsenter), signal);
    await ended(nsenter);
  }

  /** Settles when the bus takes connections. */
  async startBus(): Promise<void> {
    this.#bus = this.#spawn('dbus-daemon', '--system', '--nofork', '--nopidfile', '--nosyslog', '--print-address');
    await firstLine(this.#bus);
  }

  async stopBus(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.#stop(this.#bus, signal);
    this.#bus = null;
    rmSync(this.socket, { force: true });
  }

  /** Settles when networkd owns its name. The bus must run. */
  async startNetworkd(): Promise<void> {
    const user = ['--reuid', 'systemd-network', '--regid', 'systemd-network', '--init-groups'];
    const powers = ['--inh-caps', '--ambient-caps', '--bounding-set'].flatMap((option) => [option, CAPABILITIES]);
    this.#networkd = this.#spawn('setpriv', ...user, ...powers, NETWORKD ?? '');
    await this.owned();
  }

  async stopNetworkd(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.#stop(this.#networkd, signal);
    this.#networkd = null;
  }

  /** networkd's process, as the outside sees it. */
  networkdPid(): number {
    if (this.#networkd === null) throw new Error('networkd does not run');
    return this.#real(this.#networkd);
  }

  /** Settles when networkd owns its name. */
  owned(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const rule = `type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='${NAME}'`;
    const close = openBus(this.socket, {
      ready: (bus) => {
        bus.ask('AddMatch', 's', [rule], () => {});
        bus.ask('GetNameOwner', 's', [NAME], (reply) => {
          if (reply.ok) resolve();
        });
      },
      wants: ({ member }) => member === 'NameOwnerChanged',
      signal: (_, [name, , owner]) => {
        if (name === NAME && owner !== '') resolve();
      },
      end: (error) => reject(new Error(`${error.name}: ${error.message}`)),
    });
    return promise.finally(close);
  }

  /** Ends every process of the host. */
  async end(): Promise<void> {
    const all = [this.#first, this.#networkd, this.#bus].filter((child) => child !== null);
    this.#first.stdin?.end();
    await Promise.all(all.map(ended));
  }
}

/** lo and far0 are up; eth0, the other end of far0, is what networkd configures. */
export async function networkdHost(t: Ending, { start = 'both', files }: HostOptions = {}): Promise<NetworkdHost> {
  const namespaces = ['-m', '-n', '-p', '-f', '--kill-child', '--propagation', 'private'];
  const first = spawn('unshare', [...namespaces, 'sh', '-e', '-c', FIRST_PROCESS], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const host = new NetworkdHost(first, Number(await firstLine(first)));
  t.after(() => host.end());
  host.ip('link set lo up');
  host.ip('link add eth0 type veth peer name far0');
  host.ip('link set far0 up');
  for (const [name, text] of Object.entries(files ?? { '10-eth0.network': ETH0 })) host.write(name, text);
  if (start !== 'nothing') await host.startBus();
  if (start === 'both') await host.startNetworkd();
  return host;
}
