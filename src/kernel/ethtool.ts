/**
 * Transmit checksum offload of a link, by the ethtool ioctl (<linux/ethtool.h>): `ethtool -K LINK tx off`. rtnetlink
 * shows features, but cannot change them.
 */
import { SysError } from '../sys/errno.ts';
import { check, koffi, lastErrno, libc } from '../sys/libc.ts';

const SIOCETHTOOL = 0x8946; // <linux/sockios.h>
const ETHTOOL_GTXCSUM = 0x16; // <linux/ethtool.h>
const ETHTOOL_STXCSUM = 0x17;
const ENODEV = 19; // <asm-generic/errno-base.h>
const EINVAL = 22;
const EOPNOTSUPP = 95; // <asm-generic/errno.h>

const IFNAMSIZ = 16; // <linux/if.h>
/** Of struct ifreq on 64-bit Linux; ifr_data is at 16. The struct ethtool_value {cmd, data} follows it. */
const IFREQ_SIZE = 40;

interface Request {
  readonly bytes: Buffer;
  readonly command: Uint32Array;
}

let made: Request | undefined;

/** One request for all calls: its address is taken once. The memory of an ArrayBuffer does not move. */
function request(): Request {
  if (made === undefined) {
    const memory = new ArrayBuffer(IFREQ_SIZE + 8);
    new BigUint64Array(memory, IFNAMSIZ, 1)[0] = koffi().address(memory) + BigInt(IFREQ_SIZE);
    made = { bytes: Buffer.from(memory), command: new Uint32Array(memory, IFREQ_SIZE, 2) };
  }
  return made;
}

function prepare(name: string, command: number, value: number): Request {
  const out = request();
  if (Buffer.byteLength(name) >= IFNAMSIZ) throw new SysError('ioctl', EINVAL, `SIOCETHTOOL ${name}`);
  out.bytes.fill(0, out.bytes.write(name), IFNAMSIZ);
  out.command[0] = command;
  out.command[1] = value;
  return out;
}

/**
 * Whether the kernel leaves checksums of outgoing packets to the link. null: there is no such link, or it cannot say.
 * `fd` is any socket in the link's namespace.
 * @throws SysError for anything else.
 */
export function readTxChecksum(fd: number, name: string): boolean | null {
  const { bytes, command } = prepare(name, ETHTOOL_GTXCSUM, 0);
  if (libc.ioctl(fd, SIOCETHTOOL, bytes) === 0) return command[1] !== 0;
  const errno = lastErrno();
  if (errno === ENODEV || errno === EOPNOTSUPP) return null;
  throw new SysError('ioctl', errno, `SIOCETHTOOL ${name}`);
}

/**
 * Switches it. Needs CAP_NET_ADMIN.
 * @throws SysError ENODEV, EOPNOTSUPP when the link has no such switch, EPERM.
 */
export function writeTxChecksum(fd: number, name: string, on: boolean): void {
  const { bytes } = prepare(name, ETHTOOL_STXCSUM, on ? 1 : 0);
  check('ioctl', libc.ioctl(fd, SIOCETHTOOL, bytes), `SIOCETHTOOL ${name}`);
}
