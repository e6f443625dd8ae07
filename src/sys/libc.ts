/**
 * The functions of libc that Node does not offer, through koffi. Each is bound when it is first used, and koffi itself
 * is loaded then: loading costs about 6 ms, which a command that never meets the kernel does not pay.
 *
 * Descriptors are plain numbers. A pointer is a typed array, which the call reads or fills in place, or null.
 * Functions return what C returns; `check` turns -1 into a `SysError`. EINTR is retried.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { SysError } from './errno.ts';

type Bytes = ArrayBufferView | null;

interface Libc {
  socket(family: number, type: number, protocol: number): number;
  bind(fd: number, address: Bytes, length: number): number;
  connect(fd: number, address: Bytes, length: number): number;
  getsockname(fd: number, address: Bytes, length: Bytes): number;
  send(fd: number, bytes: Bytes, length: number, flags: number): number;
  sendto(fd: number, bytes: Bytes, length: number, flags: number, address: Bytes, addressLength: number): number;
  recv(fd: number, buffer: Bytes, length: number, flags: number): number;
  recvfrom(fd: number, buffer: Bytes, length: number, flags: number, address: Bytes, addressLength: Bytes): number;
  recvmmsg(fd: number, messages: Bytes, count: number, flags: number, timeout: null): number;
  setsockopt(fd: number, level: number, option: number, value: Bytes, length: number): number;
  getsockopt(fd: number, level: number, option: number, value: Bytes, length: Bytes): number;
  ioctl(fd: number, request: number, argument: Bytes): number;
  close(fd: number): number;
  setns(fd: number, type: number): number;
  unshare(flags: number): number;
  mount(source: string, target: string, type: string | null, flags: number, data: string | null): number;
  umount2(target: string, flags: number): number;
  flock(fd: number, operation: number): number;
  prctl(option: number, a: number, b: number, c: number, d: number): number;
  syscall(number: number, a: number, b: number, c: number): number;
  pipe2(fds: Bytes, flags: number): number;
  read(fd: number, buffer: Bytes, length: number): number;
  lseek(fd: number, offset: number, whence: number): number;
  fcntl(fd: number, command: number, argument: number): number;
  poll(fds: Bytes, count: number, timeoutMs: number): number;
  getdents64(fd: number, buffer: Bytes, length: number): number;
  signal(number: number, disposition: number): number;
  waitpid(pid: number, status: Bytes, options: number): number;
  posix_spawn(pid: Bytes, path: Bytes, actions: Bytes, attributes: Bytes, argv: Bytes, env: Bytes): number;
  posix_spawn_file_actions_init(actions: Bytes): number;
  posix_spawn_file_actions_destroy(actions: Bytes): number;
  posix_spawn_file_actions_adddup2(actions: Bytes, from: number, to: number): number;
  posix_spawn_file_actions_addopen(actions: Bytes, fd: number, path: string, flags: number, mode: number): number;
  posix_spawn_file_actions_addchdir_np(actions: Bytes, path: string): number;
  posix_spawnattr_init(attributes: Bytes): number;
  posix_spawnattr_setflags(attributes: Bytes, flags: number): number;
  posix_spawnattr_setpgroup(attributes: Bytes, group: number): number;
  posix_spawnattr_setsigdefault(attributes: Bytes, signals: Bytes): number;
  posix_spawnattr_setsigmask(attributes: Bytes, signals: Bytes): number;
  regcomp(compiled: Bytes, pattern: Bytes, flags: number): number;
  regexec(compiled: Bytes, text: Bytes, count: number, matches: null, flags: number): number;
  regerror(code: number, compiled: Bytes, text: Bytes, length: number): number;
}

// ioctl, prctl, fcntl and syscall are variadic in C; the calling conventions of x86_64 and arm64 Linux pass such integers and
// pointers as if they were named.
const PROTOTYPES: Record<keyof Libc, string> = {
  socket: 'int socket(int, int, int)',
  bind: 'int bind(int, const void *, uint32)',
  connect: 'int connect(int, const void *, uint32)',
  getsockname: 'int getsockname(int, void *, void *)',
  send: 'int64 send(int, const void *, size_t, int)',
  sendto: 'int64 sendto(int, const void *, size_t, int, const void *, uint32)',
  recv: 'int64 recv(int, void *, size_t, int)',
  recvfrom: 'int64 recvfrom(int, void *, size_t, int, void *, void *)',
  recvmmsg: 'int recvmmsg(int, void *, unsigned int, int, void *)',
  setsockopt: 'int setsockopt(int, int, int, const void *, uint32)',
  getsockopt: 'int getsockopt(int, int, int, void *, void *)',
  ioctl: 'int ioctl(int, unsigned long, void *)',
  close: 'int close(int)',
  setns: 'int setns(int, int)',
  unshare: 'int unshare(int)',
  mount: 'int mount(const char *, const char *, const char *, unsigned long, const char *)',
  umount2: 'int umount2(const char *, int)',
  flock: 'int flock(int, int)',
  prctl: 'int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)',
  syscall: 'int64 syscall(int64, int64, int64, int64)',
  pipe2: 'int pipe2(void *, int)',
  read: 'int64 read(int, void *, size_t)',
  lseek: 'int64 lseek(int, int64, int)',
  fcntl: 'int fcntl(int, int, long)',
  poll: 'int poll(void *, unsigned long, int)',
  getdents64: 'int64 getdents64(int, void *, size_t)',
  signal: 'int64 signal(int, int64)',
  waitpid: 'int waitpid(int, void *, int)',
  posix_spawn: 'int posix_spawn(void *, const void *, const void *, const void *, const void *, const void *)',
  posix_spawn_file_actions_init: 'int posix_spawn_file_actions_init(void *)',
  posix_spawn_file_actions_destroy: 'int posix_spawn_file_actions_destroy(void *)',
  posix_spawn_file_actions_adddup2: 'int posix_spawn_file_actions_adddup2(void *, int, int)',
  posix_spawn_file_actions_addopen: 'int posix_spawn_file_actions_addopen(void *, int, const char *, int, uint32)',
  posix_spawn_file_actions_addchdir_np: 'int posix_spawn_file_actions_addchdir_np(void *, const char *)',
  posix_spawnattr_init: 'int posix_spawnattr_init(void *)',
  posix_spawnattr_setflags: 'int posix_spawnattr_setflags(void *, short)',
  posix_spawnattr_setpgroup: 'int posix_spawnattr_setpgroup(void *, int)',
  posix_spawnattr_setsigdefault: 'int posix_spawnattr_setsigdefault(void *, const void *)',
  posix_spawnattr_setsigmask: 'int posix_spawnattr_setsigmask(void *, const void *)',
  regcomp: 'int regcomp(void *, const void *, int)',
  regexec: 'int regexec(const void *, const void *, size_t, void *, int)',
  regerror: 'size_t regerror(int, const void *, void *, size_t)',
};

type Koffi = typeof import('koffi');
type Native = (...args: readonly unknown[]) => number;

let loaded: { koffi: Koffi; library: ReturnType<Koffi['load']> } | undefined;

/**
 * A release carries koffi's binary beside itself, under this name: looking it up among the packages takes five times as
 * long as loading it. The package's own scripts only add functions that it deprecates.
 */
const BESIDE = join(import.meta.dirname, `koffi-${process.arch}.node`);

function loadKoffi(): Koffi {
  const beside: { exports: Partial<Koffi> } = { exports: {} };
  try {
    process.dlopen(beside, BESIDE);
    return beside.exports as Koffi;
  } catch {
    // None there, as in a checkout, or made for another C library.
    // require, not import: it loads on first use in the middle of a synchronous call.
    return createRequire(import.meta.url)('koffi');
  }
}

function load(): { koffi: Koffi; library: ReturnType<Koffi['load']> } {
  if (loaded === undefined) {
    const koffi = loadKoffi();
    loaded = { koffi, library: koffi.load(null) };
  }
  return loaded;
}

/** koffi itself, for what a libc call cannot do (`node.poll`, `address`). */
export function koffi(): Koffi {
  return load().koffi;
}

const EINTR = 4; // <asm-generic/errno-base.h>

function bindFunction(name: keyof Libc): Native {
  const { koffi, library } = load();
  const native: Native = library.func(PROTOTYPES[name]);
  // Linux has closed the descriptor even when close() says EINTR: a second try could close somebody else's.
  if (name === 'close') return native;
  return (...args) => {
    for (;;) {
      const result = native(...args);
      if (result !== -1 || koffi.errno() !== EINTR) return result;
    }
  };
}

function lazily(): Libc {
  const table = {};
  for (const name of Object.keys(PROTOTYPES) as (keyof Libc)[]) {
    Object.defineProperty(table, name, {
      configurable: true,
      get() {
        const value = bindFunction(name);
        Object.defineProperty(table, name, { value });
        return value;
      },
    });
  }
  return table as Libc;
}

export const libc: Libc = lazily();

/** The errno of the last call; only right after it. */
export function lastErrno(): number {
  return load().koffi.errno();
}

/** The system's own words for an errno (strerror(3)), as other tools print them: `17` → `File exists`. */
export function strerror(errno: number): string {
  const { library } = load();
  const native: (errno: number) => string = library.func('const char *strerror(int)');
  return native(errno);
}

/** `result`, or the error of the call that just returned -1. */
export function check(call: keyof Libc, result: number, detail?: string): number {
  if (result === -1) throw new SysError(call, lastErrno(), detail);
  return result;
}
