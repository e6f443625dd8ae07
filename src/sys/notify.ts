/** Tells systemd how a service is doing (sd_notify(3)): a datagram to the socket that NOTIFY_SOCKET names. */
import { hasCode, SysError } from './errno.ts';
import { libc } from './libc.ts';
import { close, openSocket, sendTo } from './socket.ts';

const AF_UNIX = 1; // <linux/socket.h>
const SOCK_DGRAM = 2; // <linux/net.h>
const PATH_SIZE = 108; // sun_path of unix(7)
const EINVAL = 22; // <asm-generic/errno-base.h>
const POLLOUT = 4; // <asm-generic/poll.h>
const PATIENCE_MS = 1000;

/** struct sockaddr_un: the family, then a path, or for `@name` a NUL and the name without an end mark. */
function socketAddress(address: string): Uint8Array {
  const path = Buffer.from(address);
  if (address.startsWith('@')) path[0] = 0;
  const known = address.startsWith('@') || address.startsWith('/');
  if (!known || path.length < 2 || path.length >= PATH_SIZE || path.includes(0, 1)) {
    throw new SysError('sd_notify', EINVAL, JSON.stringify(address));
  }
  return Buffer.concat([new Uint8Array(new Uint16Array([AF_UNIX]).buffer), path]);
}

/** struct pollfd. */
function waitUntilWritable(fd: number): void {
  const poll = new Int32Array([fd, POLLOUT]);
  libc.poll(poll, 1, PATIENCE_MS);
}

/**
 * @param address of NOTIFY_SOCKET: an absolute path, or `@` and a name in the abstract namespace
 * @param state lines such as `READY=1` or `STATUS=all is well`
 * @throws SysError EINVAL for another address (vsock), ENOENT or ECONNREFUSED when nobody listens, EAGAIN when nobody
 * reads for a second.
 */
export function notify(address: string, state: string): void {
  const to = socketAddress(address);
  const fd = openSocket(AF_UNIX, SOCK_DGRAM, 0);
  try {
    const message = Buffer.from(state);
    try {
      sendTo(fd, message, to);
    } catch (error) {
      if (!hasCode(error, 'EAGAIN')) throw error;
      waitUntilWritable(fd);
      sendTo(fd, message, to);
    }
  } finally {
    close(fd);
  }
}
