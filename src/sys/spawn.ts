/**
 * Starting a program with posix_spawn(3): the event loop stands still for the moment of the exec only, a fifth of what
 * Node's own spawn takes, and the environment, descriptors, group and signals of the child are exactly those given.
 */
import { readdirSync } from 'node:fs';
import { SysError } from './errno.ts';
import { check, koffi, libc } from './libc.ts';

// <spawn.h>
const POSIX_SPAWN_SETPGROUP = 0x02;
const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;
const POSIX_SPAWN_SETSID = 0x80;
// posix_spawnattr_t is 336 bytes and posix_spawn_file_actions_t 80 in glibc and musl; libc may make them larger.
const ATTRIBUTES_SIZE = 512;
const ACTIONS_SIZE = 256;
const SIGSET_SIZE = 128; // sigset_t of glibc and musl
const SYS_CLOSE_RANGE = 436; // <asm-generic/unistd.h>, Linux 5.9
const CLOSE_RANGE_CLOEXEC = 4; // <linux/close_range.h>, Linux 5.11
const F_SETFD = 2; // <asm-generic/fcntl.h>
const FD_CLOEXEC = 1;
const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = 0x800;
const O_RDONLY = 0;
const WNOHANG = 1; // <linux/wait.h>
const EINVAL = 22; // <asm-generic/errno-base.h>

/** A C string: text is encoded as UTF-8. */
export type Text = string | Uint8Array;

/**
 * - `own`: a process group of its own, so that it can be signalled with all that it starts
 * - `session`: a session of its own, which is a group as well
 * - `same`: ours
 */
export type Group = 'own' | 'session' | 'same';

export interface SpawnOptions {
  /** The file to execute. No search in PATH, no shell. */
  readonly path: Text;
  /** The first is the program's name for itself. */
  readonly argv: readonly Text[];
  /** The whole environment: `KEY=value`. Ours is not added. */
  readonly env: readonly Text[];
  /** Default: /dev/null. */
  readonly stdin?: number;
  readonly stdout: number;
  readonly stderr: number;
  /** Descriptors above 2 that stay open under their number; every other one is closed. */
  readonly keep?: readonly number[];
  readonly group: Group;
  /** Default: ours. */
  readonly cwd?: string;
}

/** How a process ended. */
export type Exit =
  | { readonly kind: 'exited'; readonly code: number }
  /** `signal` is its number. */
  | { readonly kind: 'killed'; readonly signal: number };

const hasNul = (text: Text): boolean => (typeof text === 'string' ? text.includes('\0') : text.includes(0));
const lengthOf = (text: Text): number => (typeof text === 'string' ? Buffer.byteLength(text) : text.length);
const shown = (text: Text): string => (typeof text === 'string' ? text : Buffer.from(text).toString());

/**
 * Puts the text with a NUL behind it into zeroed memory; the length of both.
 * @throws SysError EINVAL for a text with a NUL in it: the kernel would see the first part only.
 */
function put(memory: Buffer, text: Text, at: number): number {
  if (hasNul(text)) throw new SysError('posix_spawn', EINVAL, JSON.stringify(shown(text)));
  if (typeof text === 'string') return memory.write(text, at) + 1;
  memory.set(text, at);
  return text.length + 1;
}

function cString(text: Text): Uint8Array {
  const memory = Buffer.alloc(lengthOf(text) + 1);
  put(memory, text, 0);
  return memory;
}

/** A null-terminated array of pointers with its strings behind it, all in one piece of memory that does not move. */
function stringVector(texts: readonly Text[]): Uint8Array {
  const pointers = (texts.length + 1) * 8;
  const memory = new ArrayBuffer(texts.reduce((size, text) => size + lengthOf(text) + 1, pointers));
  const base = koffi().address(memory);
  const all = Buffer.from(memory);
  const table = new BigUint64Array(memory, 0, texts.length);
  let at = pointers;
  for (const [i, text] of texts.entries()) {
    table[i] = base + BigInt(at);
    at += put(all, text, at);
  }
  return all;
}

/** These functions return the error number. */
function must(call: Parameters<typeof check>[0], errno: number, detail?: string): void {
  if (errno !== 0) throw new SysError(call, errno, detail);
}

const attributesOf = new Map<Group, Uint8Array>();

/** Signals as a new program expects them: nothing blocked, and nothing ignored (Node ignores SIGPIPE). */
function attributes(group: Group): Uint8Array {
  const known = attributesOf.get(group);
  if (known !== undefined) return known;
  const made = new Uint8Array(ATTRIBUTES_SIZE);
  must('posix_spawnattr_init', libc.posix_spawnattr_init(made));
  const flags = { own: POSIX_SPAWN_SETPGROUP, session: POSIX_SPAWN_SETSID, same: 0 }[group];
  const signals = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
  must('posix_spawnattr_setflags', libc.posix_spawnattr_setflags(made, flags | signals));
  must('posix_spawnattr_setpgroup', libc.posix_spawnattr_setpgroup(made, 0));
  must(
    'posix_spawnattr_setsigdefault',
    libc.posix_spawnattr_setsigdefault(made, new Uint8Array(SIGSET_SIZE).fill(255)),
  );
  must('posix_spawnattr_setsigmask', libc.posix_spawnattr_setsigmask(made, new Uint8Array(SIGSET_SIZE)));
  attributesOf.set(group, made);
  return made;
}

let inheritedClosed = false;

/** Node opens everything close-on-exec; what we were started with, and what others opened, is not. */
function closeOnExec(): void {
  if (inheritedClosed) return;
  if (libc.syscall(SYS_CLOSE_RANGE, 3, 0xffffffff, CLOSE_RANGE_CLOEXEC) === 0) return;
  // An older kernel: once, as nothing of ours is opened without it.
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name);
    if (fd > 2) libc.fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  inheritedClosed = true;
}

/**
 * Programs expect of their three streams that they block. Node makes its own non-blocking, which all who share them
 * feel, as soon as one of them is mentioned; some of its modules do so when they are imported.
 */
function makeBlocking(fd: number): void {
  const flags = libc.fcntl(fd, F_GETFL, 0);
  if (flags !== -1 && (flags & O_NONBLOCK) !== 0) libc.fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

/** What the child does with its descriptors before the exec; `work` is called while they exist. */
function withActions<T>(options: SpawnOptions, work: (actions: Uint8Array) => T): T {
  const actions = new Uint8Array(ACTIONS_SIZE);
  const duplicate = (from: number, to: number) =>
    // From and to the same number keeps it open.
    must('posix_spawn_file_actions_adddup2', libc.posix_spawn_file_actions_adddup2(actions, from, to));
  must('posix_spawn_file_actions_init', libc.posix_spawn_file_actions_init(actions));
  try {
    if (options.stdin !== undefined) duplicate(options.stdin, 0);
    else {
      const open = libc.posix_spawn_file_actions_addopen(actions, 0, '/dev/null', O_RDONLY, 0);
      must('posix_spawn_file_actions_addopen', open);
    }
    duplicate(options.stdout, 1);
    duplicate(options.stderr, 2);
    for (const fd of options.keep ?? []) duplicate(fd, fd);
    if (options.cwd !== undefined) {
      const changed = libc.posix_spawn_file_actions_addchdir_np(actions, options.cwd);
      must('posix_spawn_file_actions_addchdir_np', changed);
    }
    return work(actions);
  } finally {
    libc.posix_spawn_file_actions_destroy(actions);
  }
}

/**
 * Starts a program; its process id. Whoever calls this waits for it (`wait`, `Child`), else it stays as a zombie.
 * @throws SysError with the reason why it could not be executed: ENOENT (also of its interpreter), EACCES, ENOEXEC
 * (neither a program nor a script with `#!`), E2BIG, ETXTBSY, EAGAIN.
 */
export function spawn(options: SpawnOptions): number {
  const path = cString(options.path);
  const argv = stringVector(options.argv);
  const env = stringVector(options.env);
  const pid = new Int32Array(1);
  closeOnExec();
  for (const fd of new Set([options.stdin ?? options.stdout, options.stdout, options.stderr])) makeBlocking(fd);
  const errno = withActions(options, (actions) =>
    libc.posix_spawn(pid, path, actions, attributes(options.group), argv, env),
  );
  must('posix_spawn', errno, shown(options.path));
  return pid[0] ?? 0;
}

function exitOf(status: number): Exit {
  const signal = status & 0x7f;
  return signal === 0 ? { kind: 'exited', code: (status >> 8) & 0xff } : { kind: 'killed', signal };
}

/** Waits, blocking, for a child to end. @throws SysError ECHILD when it is none of ours. */
export function wait(pid: number): Exit {
  const status = new Int32Array(1);
  check('waitpid', libc.waitpid(pid, status, 0));
  return exitOf(status[0] ?? 0);
}

/** How a child ended, or null when it still runs. @throws SysError ECHILD when it is none of ours. */
export function poll(pid: number): Exit | null {
  const status = new Int32Array(1);
  return check('waitpid', libc.waitpid(pid, status, WNOHANG)) === 0 ? null : exitOf(status[0] ?? 0);
}
