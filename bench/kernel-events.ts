/** When the kernel said what, in a network namespace: links, their IPv4 addresses and FDB rows (rtnetlink(7)). */
import { NETLINK_ROUTE, portOf, SOCK_RAW, SOL_NETLINK } from '../src/kernel/rtnetlink.ts';
import { AF, GROUP, RTM } from '../src/netlink/message.ts';
import { align, Reader } from '../src/netlink/wire.ts';
import { close, onReadable, openSocket, receive, setOption, type Watch } from '../src/sys/socket.ts';

export interface KernelEvent {
  readonly kind: 'link' | 'address' | 'fdb';
  readonly removed: boolean;
  readonly index: number;
  /** Of a link; else ''. */
  readonly name: string;
  /** Of a link: IFF_UP. */
  readonly up: boolean;
  /** Milliseconds of CLOCK_MONOTONIC, when it was read. */
  readonly at: number;
}

const KINDS: Readonly<Record<number, readonly [KernelEvent['kind'], removed: boolean]>> = {
  [RTM.NEWLINK]: ['link', false],
  [RTM.DELLINK]: ['link', true],
  [RTM.NEWADDR]: ['address', false],
  [RTM.DELADDR]: ['address', true],
  [RTM.NEWNEIGH]: ['fdb', false],
  [RTM.DELNEIGH]: ['fdb', true],
};

const ADD_MEMBERSHIP = 1; // NETLINK_*, <linux/netlink.h>
const SO_RCVBUFFORCE = 33; // <asm-generic/socket.h>, and the next
const SOL_SOCKET = 1;
const BUFFER_BYTES = 64 * 1024 * 1024;
const IFF_UP = 1; // <linux/if.h>
const IFLA_IFNAME = 3; // <linux/if_link.h>
/** Of struct nlmsghdr, and of struct ifinfomsg. */
const HEADER = 16;

export const now = (): number => Number(process.hrtime.bigint()) / 1e6;

function nameOf(from: Reader, start: number, end: number): string {
  for (let at = start; at + 4 <= end; ) {
    const length = from.u16(at);
    if (length < 4) break;
    if (from.u16(at + 2) === IFLA_IFNAME) return Buffer.from(from.bytes.subarray(at + 4, at + length - 1)).toString();
    at += align(length);
  }
  return '';
}

function read(from: Reader, start: number, end: number, at: number): KernelEvent | null {
  const found = KINDS[from.u16(start + 4)];
  if (found === undefined) return null;
  const [kind, removed] = found;
  const body = start + HEADER;
  const family = from.bytes[body] ?? 0;
  // Ports of bridges come as links of another family, neighbours as rows of another.
  if (kind === 'link' && family !== AF.UNSPEC) return null;
  if (kind === 'fdb' && family !== AF.BRIDGE) return null;
  const isLink = kind === 'link';
  return {
    kind,
    removed,
    index: from.u32(body + 4),
    name: isLink ? nameOf(from, body + HEADER, end) : '',
    up: isLink && (from.u32(body + 8) & IFF_UP) !== 0,
    at,
  };
}

/** @param netns an open namespace. @throws SysError when events are lost: there is no figure then. */
export function watchKernel(netns: number, told: (event: KernelEvent) => void): Watch {
  const fd = openSocket(AF.NETLINK, SOCK_RAW, NETLINK_ROUTE, { netns });
  setOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES);
  portOf(fd);
  for (const group of [GROUP.LINK, GROUP.IPV4_IFADDR, GROUP.NEIGH]) setOption(fd, SOL_NETLINK, ADD_MEMBERSHIP, group);
  const buffer = new Uint8Array(65536);
  const reader = new Reader(buffer);
  const watch = onReadable(fd, () => {
    for (let length = receive(fd, buffer); length > 0; length = receive(fd, buffer)) {
      const at = now();
      for (let start = 0; start + HEADER <= length; start += align(reader.u32(start))) {
        const event = read(reader, start, start + reader.u32(start), at);
        if (event !== null) told(event);
      }
    }
  });
  return {
    close: () => {
      watch.close();
      close(fd);
    },
  };
}
