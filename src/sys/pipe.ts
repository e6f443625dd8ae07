/** Pipes for the output of children: read when there is something, without a thread and without a stream. */
import { SysError } from './errno.ts';
import { check, lastErrno, libc } from './libc.ts';

const O_NONBLOCK = 0x800; // <asm-generic/fcntl.h>
const O_CLOEXEC = 0x80000;
const F_SETFL = 4;
const EAGAIN = 11; // <asm-generic/errno-base.h>

export interface Pipe {
  /** Does not block. */
  readonly read: number;
  /** Blocks when the pipe is full, as programs expect of their output. */
  readonly write: number;
}

/** Both ends are closed on exec. @throws SysError EMFILE, ENFILE. */
export function openPipe(): Pipe {
  const fds = new Int32Array(2);
  check('pipe2', libc.pipe2(fds, O_CLOEXEC));
  const [read = -1, write = -1] = fds;
  check('fcntl', libc.fcntl(read, F_SETFL, O_NONBLOCK));
  return { read, write };
}

/** How many bytes came; 0: the other end is closed; -1: nothing yet. @throws SysError. */
export function readPipe(fd: number, buffer: Uint8Array): number {
  const length = libc.read(fd, buffer, buffer.length);
  if (length === -1 && lastErrno() !== EAGAIN) throw new SysError('read', lastErrno());
  return length;
}
