/** All that the kernel tells of one link, for those who show it as `ip -d link show` does. */
import type { Mac } from '../model/mac.ts';
import { hardwareAddress, nested, text, u8, u32 } from '../netlink/codecs.ts';
import { type LinkMessage, readLink, SKIP_STATS, type VxlanValues, writeLink } from '../netlink/link.ts';
import { RTM } from '../netlink/message.ts';
import { readAttributes, type Values } from '../netlink/wire.ts';
import { Rtnetlink } from './rtnetlink.ts';

/** IFLA_INET6_*, in IFLA_AF_SPEC under AF_INET6 (10). */
const INET6 = { addressMode: [8, u8] } as const;
const FAMILIES = { inet6: [10, nested(INET6)] } as const;

/** IFLA_* that only a display needs (<linux/if_link.h>). */
const DETAILS = {
  broadcast: [2, hardwareAddress],
  queueLength: [13, u32],
  queueing: [6, text],
  operState: [16, u8],
  linkMode: [17, u8],
  families: [26, nested(FAMILIES)],
  promiscuity: [30, u32],
  txQueues: [31, u32],
  rxQueues: [32, u32],
  gsoMaxSegments: [40, u32],
  gsoMaxSize: [41, u32],
  minMtu: [50, u32],
  maxMtu: [51, u32],
  groMaxSize: [58, u32],
  tsoMaxSize: [59, u32],
  tsoMaxSegments: [60, u32],
  allMulticast: [61, u32],
} as const;

export interface LinkDetails extends Values<typeof DETAILS> {
  readonly index: number;
  readonly name: string;
  /** IFF_* (netdevice(7)). */
  readonly flags: number;
  readonly mtu: number;
  readonly mac: Mac | null;
  readonly group: number;
  readonly alias: string;
  /** Name of the bridge that it is in, or null. */
  readonly master: string | null;
  /** null: no VXLAN link. */
  readonly vxlan: VxlanValues | null;
  /** Name of the VXLAN link's underlay device, or null. */
  readonly device: string | null;
}

/** null: the namespace has no such link. */
export function linkDetails(netns: number, name: string): LinkDetails | null {
  const socket = new Rtnetlink(netns);
  try {
    const links = socket.dump(
      RTM.GETLINK,
      (to) => writeLink(to, { index: 0, flags: 0, change: 0, attributes: { extMask: SKIP_STATS } }),
      () => {
        const found: { message: LinkMessage; details: Values<typeof DETAILS> }[] = [];
        return {
          visit: (from, { start, end }) => {
            found.push({
              message: readLink(from, start, end),
              details: readAttributes(from, start + 16, end, DETAILS),
            });
          },
          done: () => found,
        };
      },
    );
    const link = links.find(({ message }) => message.attributes.name === name);
    if (link === undefined) return null;
    const nameOf = (index: number | undefined): string | null =>
      links.find(({ message }) => message.index === index)?.message.attributes.name ?? null;
    const { index, flags, attributes } = link.message;
    const vxlan = attributes.linkInfo?.vxlan ?? null;
    return {
      ...link.details,
      index,
      name,
      flags,
      mtu: attributes.mtu ?? 0,
      mac: attributes.address ?? null,
      group: attributes.group ?? 0,
      alias: attributes.alias ?? '',
      master: nameOf(attributes.master),
      vxlan,
      device: nameOf(vxlan?.link),
    };
  } finally {
    socket.close();
  }
}
