/**
 * The network that real hosts are wired to: a bridge `eth0` in namespaces of its own, in which the hosts live too. The
 * kernel ends and unmounts all of it with the test, also when the test is killed: the namespaces' first process reads
 * from a pipe that ends then.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import type { Ending } from './networkd.ts';
import { ended, firstLine } from './process.ts';

/**
 * systemd needs the second version of cgroups, all of it, wherever this machine has it. $1: the group of all processes;
 * the rest is what runs in the meantime. Groups that were left behind go too, if nothing is in them, so something stays
 * in ours.
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

/** Tells the first process's id, as the outside sees it, before it sees only its own kind. */
const FIRST_PROCESS = `
read -r pid rest < /proc/self/stat
mount -t proc proc /proc
mount -t tmpfs -o mode=755 tmpfs /run
ip link set lo up
ip link add eth0 type bridge
ip link set eth0 up
echo "$pid"
cat
`;

export class Underlay {
  /** Its control group, below the root of all groups. */
  readonly group: string;
  /** Its first process, as the outside sees it. */
  readonly pid: number;
  readonly #first: ChildProcess;

  constructor(group: string, first: ChildProcess, pid: number) {
    this.group = group;
    this.#first = first;
    this.pid = pid;
  }

  /** The arguments of nsenter(1) that run a program beside the bridge. */
  around(...command: string[]): string[] {
    return ['-t', String(this.pid), '-m', '-n', '-p', '--', ...command];
  }

  /** Runs a program beside the bridge. @returns what it printed; throws if it fails */
  run(...command: string[]): string {
    return execFileSync('nsenter', this.around(...command), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** Ends every process in it. */
  end(): Promise<void> {
    this.#first.stdin?.end();
    return ended(this.#first);
  }
}

/** By this process, which may have several whose hosts bear the same names. */
let made = 0;

/** The bridge is up and has no addresses. */
export async function underlay(t: Ending, name: string): Promise<Underlay> {
  const group = `everlan-test-${process.pid}-${made++}-${name}`;
  const inner = ['unshare', '-m', '-n', '-p', '-f', '--kill-child', 'sh', '-e', '-c', FIRST_PROCESS];
  const first = spawn('unshare', ['-m', 'sh', '-e', '-c', KEEP_GROUP, 'sh', group, ...inner], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const network = new Underlay(group, first, Number(await firstLine(first)));
  t.after(() => network.end());
  return network;
}
