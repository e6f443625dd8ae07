/** Who is at the other end of a unix socket: the kernel's word, which nobody can forge (SO_PEERCRED of unix(7)). */
import type { Socket } from 'node:net';
import { check, libc } from './libc.ts';

const SOL_SOCKET = 1; // <asm-generic/socket.h>
const SO_PEERCRED = 17;

/** As of when the other end connected. Ids that our user namespace does not have are 65534. */
export interface Peer {
  readonly pid: number;
  /** The effective ones. */
  readonly uid: number;
  readonly gid: number;
}

/** Node knows the descriptor and does not tell it by any public name. -1: the socket is closed. */
function descriptorOf(socket: Socket): number {
  const handle: unknown = '_handle' in socket ? socket._handle : null;
  if (typeof handle !== 'object' || handle === null || !('fd' in handle)) return -1;
  return typeof handle.fd === 'number' ? handle.fd : -1;
}

/** @throws SysError, such as EBADF when the socket is closed. */
export function peerOf(socket: Socket): Peer {
  // struct ucred of <linux/socket.h>
  const credentials = new Int32Array(3);
  const size = new Uint32Array([credentials.byteLength]);
  check('getsockopt', libc.getsockopt(descriptorOf(socket), SOL_SOCKET, SO_PEERCRED, credentials, size), 'SO_PEERCRED');
  const [pid = 0, uid = 0, gid = 0] = credentials;
  return { pid, uid: uid >>> 0, gid: gid >>> 0 };
}
