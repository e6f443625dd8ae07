/**
 * Network namespaces: named ones as `ip netns` keeps them (ip-netns(8)), and entering one for a moment.
 * A socket stays in the namespace in which it was made, so entering is needed around `socket()` only.
 */
import { closeSync, constants, fstatSync, mkdirSync, openSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { errnoName, hasCode, SysError } from './errno.ts';
import { check, lastErrno, libc } from './libc.ts';

const RUN = '/run/netns';
/** Of the calling thread: /proc/self is the main thread's, which a worker is not. */
const OWN = '/proc/thread-self/ns/net';

const CLONE_NEWNET = 0x40000000; // <linux/sched.h>
const MS_BIND = 0x1000; // <linux/mount.h>, and so the next two
const MS_REC = 0x4000;
const MS_SHARED = 0x100000;
const MNT_DETACH = 2; // <linux/fs.h>
const LOCK_EX = 2; // <asm-generic/fcntl.h>
const LOCK_NB = 4;
const SOL_SOCKET = 1; // <asm-generic/socket.h>
const SO_NETNS_COOKIE = 71;
const AF_UNIX = 1; // <linux/socket.h>
const SOCK_DGRAM = 2; // <linux/net.h>
const SOCK_CLOEXEC = 0x80000;
const ENOENT = 2; // <asm-generic/errno-base.h>
const EINVAL = 22;

export interface Namespace {
  readonly fd: number;
  close(): void;
}

/**
 * The path of a namespace's name: /run/netns/NAME.
 * @throws SysError EINVAL for what cannot be a name.
 */
function pathOf(name: string): string {
  const bad = name === '' || name === '.' || name === '..' || name.startsWith('-') || /[/\0]/.test(name);
  if (bad || Buffer.byteLength(name) > 255) throw new SysError('netns', EINVAL, `name ${JSON.stringify(name)}`);
  return `${RUN}/${name}`;
}

/**
 * Opens a namespace by its name or by an absolute path such as /proc/PID/ns/net.
 * @throws SysError with code ENOENT when there is none, EINVAL when it is no name or no namespace, EACCES.
 */
export function openNamespace(nameOrPath: string): Namespace {
  const path = nameOrPath.startsWith('/') ? nameOrPath : pathOf(nameOrPath);
  let fd: number;
  try {
    // Not blocking, should the path be a FIFO.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw asSysError('open', error, path);
  }
  return { fd, close: () => closeSync(fd) };
}

/** Node's own error as ours, so that callers meet one kind. */
function asSysError(call: string, error: unknown, detail: string): unknown {
  if (error instanceof Error && 'errno' in error && typeof error.errno === 'number') {
    return new SysError(call, Math.abs(error.errno), detail);
  }
  return error;
}

function enter(fd: number): void {
  check('setns', libc.setns(fd, CLONE_NEWNET));
}

/**
 * Runs `work` and puts the thread back into the namespace `home`. Going on in the wrong namespace would change another
 * host's network, so a failure to go back ends the process.
 */
function comeBack<T>(home: number, work: () => T): T {
  try {
    return work();
  } finally {
    if (libc.setns(home, CLONE_NEWNET) === -1) {
      writeSync(2, `everlan: cannot leave the network namespace: ${errnoName(lastErrno())}\n`);
      process.abort();
    }
    closeSync(home);
  }
}

/**
 * Runs `work` with the calling thread in the namespace. `work` must be synchronous: whatever it leaves for later runs
 * outside. Needs CAP_SYS_ADMIN.
 * @throws SysError EPERM, or EINVAL when the descriptor is no network namespace.
 */
export function inNamespace<T>(fd: number, work: () => T): T {
  const home = openSync(OWN, 'r');
  try {
    enter(fd);
  } catch (error) {
    closeSync(home);
    throw error;
  }
  const result = comeBack(home, work);
  if (result instanceof Promise) throw new TypeError('work in a namespace must be synchronous');
  return result;
}

/**
 * What tells this namespace from any other since boot: the kernel's cookie (SO_NETNS_COOKIE, Linux 5.14), else
 * `device-inode`, which the kernel may use again after the namespace is gone. Without `fd`: our own.
 */
export function cookieOf(fd?: number): string {
  const made = () => check('socket', libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const socket = fd === undefined ? made() : inNamespace(fd, made);
  try {
    const value = new BigUint64Array(1);
    const result = libc.getsockopt(socket, SOL_SOCKET, SO_NETNS_COOKIE, value, new Uint32Array([8]));
    if (result === 0) return String(value[0]);
  } finally {
    libc.close(socket);
  }
  const { dev, ino } = fd === undefined ? statSync(OWN) : fstatSync(fd);
  return `${dev}-${ino}`;
}

/** /run/netns, mounted onto itself and shared, so that what is mounted in it shows in every mount namespace. */
function prepareRun(): void {
  mkdirSync(RUN, { recursive: true, mode: 0o755 });
  const lock = openSync(RUN, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    // As `ip netns add` does, against two at once. Any user may hold this lock, so it is no reason to wait for ever.
    const pause = new Int32Array(new SharedArrayBuffer(4));
    for (let tries = 0; libc.flock(lock, LOCK_EX | LOCK_NB) === -1 && tries < 100; tries++)
      Atomics.wait(pause, 0, 0, 10);
    if (libc.mount('', RUN, 'none', MS_SHARED | MS_REC, null) === 0) return;
    if (lastErrno() !== EINVAL) throw new SysError('mount', lastErrno(), RUN);
    check('mount', libc.mount(RUN, RUN, 'none', MS_BIND | MS_REC, null), RUN);
    check('mount', libc.mount('', RUN, 'none', MS_SHARED | MS_REC, null), RUN);
  } finally {
    closeSync(lock);
  }
}

/**
 * Makes a namespace with a name, as `ip netns add NAME` does. Its loopback is down.
 * @throws SysError EEXIST when the name is taken, EPERM without CAP_SYS_ADMIN.
 */
export function createNamespace(name: string): void {
  const path = pathOf(name);
  try {
    prepareRun();
    closeSync(openSync(path, constants.O_RDONLY | constants.O_CREAT | constants.O_EXCL, 0));
  } catch (error) {
    throw asSysError('open', error, path);
  }
  try {
    const home = openSync(OWN, 'r');
    comeBack(home, () => {
      check('unshare', libc.unshare(CLONE_NEWNET));
      check('mount', libc.mount(OWN, path, 'none', MS_BIND, null), path);
    });
  } catch (error) {
    unlinkSync(path);
    throw error;
  }
}

/**
 * Takes the name away, as `ip netns delete NAME` does. The namespace itself goes with its last process and socket.
 * @throws SysError ENOENT when there is no such name, EPERM.
 */
export function deleteNamespace(name: string): void {
  const path = pathOf(name);
  // EINVAL: nothing is mounted there, as after a crash between the file and the mount.
  if (libc.umount2(path, MNT_DETACH) === -1 && lastErrno() !== EINVAL) {
    throw new SysError(lastErrno() === ENOENT ? 'open' : 'umount2', lastErrno(), path);
  }
  try {
    unlinkSync(path);
  } catch (error) {
    throw asSysError('unlink', error, path);
  }
}

/** Whether the name is taken. */
export function namespaceExists(name: string): boolean {
  try {
    openNamespace(name).close();
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/**
 * Writes a setting of the network, `/proc/sys/net/ipv4/ip_forward`. The kernel shows each thread the settings of the
 * namespace that it is in: use it inside `inNamespace`.
 * @throws SysError ENOENT when the kernel has no such setting, EINVAL for another path or a refused value.
 */
export function writeSysctl(path: string, value: string | number): void {
  if (!path.startsWith('/proc/sys/net/') || path.split('/').includes('..')) throw new SysError('open', EINVAL, path);
  try {
    const fd = openSync(path, constants.O_WRONLY);
    try {
      writeSync(fd, String(value));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw asSysError('write', error, path);
  }
}
