/**
 * Namespaces of our own, for a program that is started again in them: nothing that it does reaches the machine's
 * network or /run, and when it ends, however it ends, nothing is left. Works without root where the kernel lets
 * everybody make user namespaces (user_namespaces(7)).
 */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { EverlanError, EXIT, type Problem, problem } from '../model/problem.ts';
import { hasCapability } from '../sys/caps.ts';
import { check, libc } from '../sys/libc.ts';
import { exitOf } from './child.ts';

/** Tells the program that is inside from whom and from where it comes: `PID NET MNT`. */
const ORIGIN = 'EVERLAN_ISOLATED_FROM';

const PR_SET_PDEATHSIG = 1; // <linux/prctl.h>
const SIGKILL = 9;
const MS_NOSUID = 2; // <linux/mount.h>, and so the next
const MS_NODEV = 4;

const here = (kind: 'net' | 'mnt'): string => readlinkSync(`/proc/self/ns/${kind}`);

/** Arguments of unshare(1). As root without a user namespace, which some machines have switched off. */
function unshareOptions(): readonly string[] {
  const namespaces = hasCapability('CAP_SYS_ADMIN') ? ['--net', '--mount'] : ['--map-root-user', '--net', '--mount'];
  return [...namespaces, '--propagation', 'private', '--'];
}

/** Switches that keep users from making user namespaces, and what each one's value means. */
const SWITCHES = [
  ['/proc/sys/kernel/apparmor_restrict_unprivileged_userns', '1', 'AppArmor restricts'],
  ['/proc/sys/kernel/unprivileged_userns_clone', '0', 'the kernel forbids'],
  ['/proc/sys/user/max_user_namespaces', '0', 'the kernel allows nobody'],
] as const;

function forbidden(words: string): Problem {
  const hint = 'run it as root: `sudo everlan demo`';
  for (const [path, value, who] of SWITCHES) {
    try {
      if (readFileSync(path, 'utf8').trim() !== value) continue;
      return problem('no-user-namespaces', `${who} user namespaces without root (${path} is ${value})`, { hint });
    } catch {
      // Not every kernel has every switch.
    }
  }
  return problem('no-user-namespaces', `namespaces of our own cannot be had here: ${words}`, { hint });
}

/** A try with a program that does nothing, so that what unshare says is not mixed with what ours says. */
function tryUnshare(options: readonly string[]): void {
  const { error, status, stderr } = spawnSync('unshare', [...options, 'true'], { encoding: 'utf8' });
  if (error !== undefined) {
    const hint = 'it is in the package util-linux';
    throw new EverlanError(problem('no-unshare', `unshare could not be started: ${error.message}`, { hint }));
  }
  if (status !== 0) throw new EverlanError(forbidden(stderr.trim() || `unshare ended with ${status}`));
}

/** Whether we are the program that `runIsolated` started. */
export function isInside(): boolean {
  return process.env[ORIGIN] !== undefined;
}

/**
 * Starts this program again with the same arguments, isolated.
 * @returns its exit code.
 * @throws EverlanError, exit 1, where that is not allowed.
 */
export async function runIsolated(): Promise<number> {
  const options = unshareOptions();
  tryUnshare(options);
  const program = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const env = { ...process.env, [ORIGIN]: `${process.pid} ${here('net')} ${here('mnt')}` };
  return exitOf(() => spawn('unshare', [...options, ...program], { stdio: 'inherit', env }));
}

/**
 * The first thing that the isolated program does: it dies with the one that started it, and has a /run of its own.
 * @throws EverlanError, exit 2, when it was not started by `runIsolated`.
 */
export function settleInside(): void {
  const [pid, net, mnt] = (process.env[ORIGIN] ?? '').split(' ');
  // What follows would hide the machine's /run from everybody, were it not our own mount namespace.
  if (pid === undefined || net === undefined || mnt === undefined || net === here('net') || mnt === here('mnt')) {
    throw new EverlanError(problem('not-isolated', `only everlan itself sets ${ORIGIN}`), EXIT.usage);
  }
  check('prctl', libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
  if (process.ppid !== Number(pid)) process.exit(EXIT.failed);
  check('mount', libc.mount('everlan', '/run', 'tmpfs', MS_NOSUID | MS_NODEV, 'mode=0755'), '/run');
}
