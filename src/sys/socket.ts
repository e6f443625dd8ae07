/** The port to sockets that Node cannot make: open, options, send, receive, readiness, close. */
import { SysError } from './errno.ts';
import { check, koffi, lastErrno, libc } from './libc.ts';
import { inNamespace } from './netns.ts';

// <linux/net.h>; the values of include/asm-generic serve x86_64 and arm64 alike.
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x80000;
const MSG_TRUNC = 0x20; // <linux/socket.h>
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const EAGAIN = 11; // <asm-generic/errno-base.h>

export interface SocketOptions {
  /** An open network namespace in which the socket is made and stays. */
  readonly netns?: number | undefined;
}

/**
 * A socket that does not block and is closed on exec.
 * @throws SysError EPERM, EAFNOSUPPORT, EPROTONOSUPPORT, EMFILE.
 */
export function openSocket(family: number, type: number, protocol: number, options: SocketOptions = {}): number {
  const make = () => check('socket', libc.socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
  return options.netns === undefined ? make() : inNamespace(options.netns, make);
}

/** @throws SysError, also EAGAIN when the socket's buffer is full. */
export function send(fd: number, bytes: Uint8Array): number {
  return check('send', libc.send(fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL));
}

/**
 * The real length of the next message, larger than `buffer` when the rest was cut off (MSG_TRUNC); -1 when there is
 * none yet.
 * @throws SysError, such as ENOBUFS when a netlink socket lost messages.
 */
export function receive(fd: number, buffer: Uint8Array): number {
  const length = libc.recv(fd, buffer, buffer.length, MSG_DONTWAIT | MSG_TRUNC);
  if (length === -1 && lastErrno() !== EAGAIN) throw new SysError('recv', lastErrno());
  return length;
}

/**
 * As `send`, to an address: bytes of a struct sockaddr.
 * @throws SysError, also EAGAIN when the socket's buffer is full.
 */
export function sendTo(fd: number, bytes: Uint8Array, address: Uint8Array): number {
  const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
  return check('sendto', libc.sendto(fd, bytes, bytes.length, flags, address, address.length));
}

/** As `receive`; the sender's struct sockaddr is put into `address`. */
export function receiveFrom(fd: number, buffer: Uint8Array, address: Uint8Array): number {
  const size = new Uint32Array([address.length]);
  const length = libc.recvfrom(fd, buffer, buffer.length, MSG_DONTWAIT | MSG_TRUNC, address, size);
  if (length === -1 && lastErrno() !== EAGAIN) throw new SysError('recvfrom', lastErrno());
  return length;
}

/** An option whose value is an int. @throws SysError. */
export function setOption(fd: number, level: number, option: number, value: number): void {
  setOptionBytes(fd, level, option, new Int32Array([value]));
}

/** An option of any shape. @throws SysError. */
export function setOptionBytes(fd: number, level: number, option: number, value: ArrayBufferView): void {
  check('setsockopt', libc.setsockopt(fd, level, option, value, value.byteLength));
}

// struct mmsghdr: struct msghdr (56 bytes, 8-byte pointers), then the length received; struct iovec: address, length.
const MMSGHDR = 64;
const MSG_IOV = 16;
const MSG_IOVLEN = 24;
const MSG_LEN = 56;
const IOVEC = 16;

/** Room for many short messages, received in one call (recvmmsg(2)). */
export class Mailbox {
  readonly count: number;
  readonly size: number;
  /** The slots one after the other; message `i` begins at `i * size`. */
  readonly bytes: Uint8Array;
  readonly #headers: DataView;
  /** What the headers point to: it must live as long as they do. */
  readonly memory: readonly ArrayBuffer[];

  constructor(count: number, size: number) {
    this.count = count;
    this.size = size;
    // The memory of an ArrayBuffer does not move, so its address is taken once.
    const [slots, vectors, headers] = [count * size, count * IOVEC, count * MMSGHDR].map((n) => new ArrayBuffer(n));
    if (slots === undefined || vectors === undefined || headers === undefined) throw new TypeError('no memory');
    const first = koffi().address(slots);
    const vector = koffi().address(vectors);
    const iovecs = new BigUint64Array(vectors);
    this.bytes = new Uint8Array(slots);
    this.#headers = new DataView(headers);
    this.memory = [slots, vectors];
    for (let i = 0; i < count; i++) {
      iovecs[i * 2] = first + BigInt(i * size);
      iovecs[i * 2 + 1] = BigInt(size);
      this.#headers.setBigUint64(i * MMSGHDR + MSG_IOV, vector + BigInt(i * IOVEC), true);
      this.#headers.setBigUint64(i * MMSGHDR + MSG_IOVLEN, 1n, true);
    }
  }

  /** How many of at most `most` messages came; 0: none is there yet. @throws SysError as `receive` does. */
  receive(fd: number, most: number): number {
    const got = libc.recvmmsg(fd, this.#headers, Math.min(most, this.count), MSG_DONTWAIT | MSG_TRUNC, null);
    if (got !== -1) return got;
    if (lastErrno() === EAGAIN) return 0;
    throw new SysError('recvmmsg', lastErrno());
  }

  /** The real length of message `i` of the last call, larger than `size` when the rest was cut off. */
  lengthOf(i: number): number {
    return this.#headers.getUint32(i * MMSGHDR + MSG_LEN, true);
  }
}

export interface Watch {
  close(): void;
}

/**
 * Calls back on the event loop whenever there is something to receive, or an error to collect: receive until it would
 * block. Keeps the process alive until closed; close it before the descriptor.
 */
export function onReadable(fd: number, callback: () => void): Watch {
  let closed = false;
  // libuv stops watching a descriptor that has an error, such as a netlink socket that lost messages, and says so by a
  // status below 0. koffi hands that over first, other than its types have it.
  const told = (...[status]: readonly unknown[]): void => {
    try {
      callback();
    } catch (error) {
      // koffi would keep it and throw it out of the next call of the FFI, whose result would be lost: of a flock(2), say.
      setImmediate(() => {
        throw error;
      });
    }
    if (status !== 0 && !closed) handle.start({ readable: true }, told);
  };
  const handle = koffi().node.poll(fd, { readable: true }, told);
  return {
    close: () => {
      closed = true;
      handle.close();
    },
  };
}

export function close(fd: number): void {
  libc.close(fd);
}
