/** Links: struct ifinfomsg and IFLA_* attributes (<linux/if_link.h>). */
import {
  bareText,
  be16,
  be32,
  bool,
  flag,
  flagOrU8,
  hardwareAddress,
  ip,
  ip6,
  portRange,
  raw,
  text,
  u8,
  u16,
  u32,
} from './codecs.ts';
import {
  type Codec,
  NetlinkError,
  type Reader,
  readAttributes,
  type Values,
  type Writer,
  writeAttributes,
} from './wire.ts';

/** IFF_* of ifi_flags. */
export const IFF = { UP: 1, LOWER_UP: 0x10000 } as const;

/**
 * IFLA_VXLAN_*. The write type is the one that the kernel's policy asks for (drivers/net/vxlan/vxlan_core.c); where
 * its dump differs, the codec reads both.
 */
export const VXLAN = {
  vni: [1, u32],
  group: [2, ip],
  link: [3, u32],
  local: [4, ip],
  ttl: [5, u8],
  tos: [6, u8],
  learning: [7, bool],
  ageing: [8, u32],
  limit: [9, u32],
  portRange: [10, portRange],
  proxy: [11, bool],
  rsc: [12, bool],
  l2miss: [13, bool],
  l3miss: [14, bool],
  port: [15, be16],
  group6: [16, ip6],
  local6: [17, ip6],
  udpCsum: [18, bool],
  udpZeroCsum6Tx: [19, bool],
  udpZeroCsum6Rx: [20, bool],
  remcsumTx: [21, bool],
  remcsumRx: [22, bool],
  gbp: [23, flag],
  remcsumNoPartial: [24, flag],
  external: [25, bool],
  label: [26, be32],
  gpe: [27, flag],
  ttlInherit: [28, flagOrU8],
  df: [29, u8],
  vnifilter: [30, bool],
  localbypass: [31, bool],
  labelPolicy: [32, u32],
  reservedBits: [33, raw],
  mcRoute: [34, bool],
} as const;
export type VxlanValues = Values<typeof VXLAN>;

/** IFLA_BR_*, those that an administrator sets. Times are in hundredths of a second. */
export const BRIDGE = {
  forwardDelay: [1, u32],
  helloTime: [2, u32],
  maxAge: [3, u32],
  ageingTime: [4, u32],
  stpState: [5, u32],
  priority: [6, u16],
  vlanFiltering: [7, u8],
  vlanProtocol: [8, be16],
  groupForwardMask: [9, u16],
  multicastSnooping: [23, u8],
} as const;
export type BridgeValues = Values<typeof BRIDGE>;

/** IFLA_BRPORT_*: a bridge's port, in IFLA_INFO_SLAVE_DATA. */
export const BRIDGE_PORT = {
  state: [1, u8],
  priority: [2, u16],
  cost: [3, u32],
  hairpin: [4, bool],
  guard: [5, bool],
  protect: [6, bool],
  fastLeave: [7, bool],
  learning: [8, bool],
  unicastFlood: [9, bool],
  proxyArp: [10, bool],
  multicastFlood: [27, bool],
  neighbourSuppress: [32, bool],
  isolated: [33, bool],
} as const;
export type BridgePortValues = Values<typeof BRIDGE_PORT>;

/** The kinds whose IFLA_INFO_DATA we read and write. */
export interface LinkInfo {
  /** IFLA_INFO_KIND, such as `vxlan`; '' for a physical device. */
  readonly kind: string;
  readonly vxlan?: VxlanValues;
  readonly bridge?: BridgeValues;
  /** The other end of a veth pair. */
  readonly peer?: LinkMessage;
  /** IFLA_INFO_SLAVE_KIND, such as `bridge`. */
  readonly portKind?: string;
  readonly bridgePort?: BridgePortValues;
}

const INFO_ID = { kind: 1, data: 2, slaveKind: 4, slaveData: 5 } as const;
const VETH_INFO_PEER = 1;

function writeData(to: Writer, info: LinkInfo): void {
  if (info.vxlan !== undefined) writeAttributes(to, VXLAN, info.vxlan);
  else if (info.bridge !== undefined) writeAttributes(to, BRIDGE, info.bridge);
  else if (info.peer !== undefined) {
    const at = to.openAttribute(VETH_INFO_PEER);
    writeLink(to, info.peer);
    to.closeAttribute(at);
  }
}

function writeNest(to: Writer, id: number, write: () => void): void {
  const at = to.openAttribute(id);
  write();
  to.closeAttribute(at);
}

type ReadPeer = (from: Reader, start: number, end: number) => LinkMessage;

/** IFLA_LINKINFO: what IFLA_INFO_DATA means depends on IFLA_INFO_KIND beside it. */
const linkInfo = (readPeer: ReadPeer): Codec<LinkInfo> => ({
  size: 0,
  write: (to, info) => {
    if (info.kind !== '') writeNest(to, INFO_ID.kind, () => bareText.write(to, info.kind));
    if (info.vxlan !== undefined || info.bridge !== undefined || info.peer !== undefined) {
      writeNest(to, INFO_ID.data, () => writeData(to, info));
    }
    const { portKind, bridgePort } = info;
    if (portKind !== undefined) writeNest(to, INFO_ID.slaveKind, () => bareText.write(to, portKind));
    if (bridgePort !== undefined) {
      writeNest(to, INFO_ID.slaveData, () => writeAttributes(to, BRIDGE_PORT, bridgePort));
    }
  },
  read: (from, at, length) => {
    const found = readAttributes(from, at, at + length, INFO_PLACES);
    const kind = found.kind ?? '';
    const out: { -readonly [K in keyof LinkInfo]: LinkInfo[K] } = { kind };
    if (found.data !== undefined) {
      const [start, end] = found.data;
      if (kind === 'vxlan') out.vxlan = readAttributes(from, start, end, VXLAN);
      else if (kind === 'bridge') out.bridge = readAttributes(from, start, end, BRIDGE);
      else if (kind === 'veth') {
        const peer = readAttributes(from, start, end, VETH_PLACES).peer;
        if (peer !== undefined) out.peer = readPeer(from, peer[0], peer[1]);
      }
    }
    if (found.slaveKind !== undefined) out.portKind = found.slaveKind;
    if (found.slaveData !== undefined && found.slaveKind === 'bridge') {
      out.bridgePort = readAttributes(from, found.slaveData[0], found.slaveData[1], BRIDGE_PORT);
    }
    return out;
  },
});

/** Where a payload stands, to be read once its meaning is known. */
const place: Codec<readonly [start: number, end: number]> = {
  size: 0,
  write: () => undefined,
  read: (_from, at, length) => [at, at + length],
};
const VETH_PLACES = { peer: [VETH_INFO_PEER, place] } as const;
const INFO_PLACES = { kind: [1, bareText], data: [2, place], slaveKind: [4, bareText], slaveData: [5, place] } as const;

/** IFLA_*. */
export const LINK = {
  address: [1, hardwareAddress],
  name: [3, text],
  mtu: [4, u32],
  link: [5, u32],
  master: [10, u32],
  linkInfo: [18, linkInfo(readPeer)],
  namespacePid: [19, u32],
  alias: [20, bareText],
  group: [27, u32],
  namespaceFd: [28, u32],
  extMask: [29, u32],
} as const;

/** No kernel nests peers, and a hostile message could nest them until the stack ends. */
function refusePeer(): never {
  throw new NetlinkError('a veth peer inside a veth peer');
}
const PEER = { ...LINK, linkInfo: [18, linkInfo(refusePeer)] } as const;

function readPeer(from: Reader, start: number, end: number): LinkMessage {
  return readMessage(from, start, end, PEER);
}

/** RTEXT_FILTER_SKIP_STATS: leaves out counters, most of a link's bytes. */
export const SKIP_STATS = 8;

export interface LinkMessage {
  readonly index: number;
  /** IFF_* */
  readonly flags: number;
  /** Which of the flags to change; 0 when reading. */
  readonly change: number;
  readonly attributes: Values<typeof LINK>;
}

/** Writes struct ifinfomsg and its attributes. */
export function writeLink(to: Writer, message: LinkMessage): void {
  const at = to.take(16);
  to.view.setInt32(at + 4, message.index, true);
  to.view.setUint32(at + 8, message.flags, true);
  to.view.setUint32(at + 12, message.change, true);
  writeAttributes(to, LINK, message.attributes);
}

function readMessage(from: Reader, start: number, end: number, table: typeof LINK): LinkMessage {
  if (end - start < 16) throw new NetlinkError(`link message of ${end - start} bytes`);
  return {
    index: from.i32(start + 4),
    flags: from.u32(start + 8),
    change: from.u32(start + 12),
    attributes: readAttributes(from, start + 16, end, table),
  };
}

/** @throws NetlinkError */
export function readLink(from: Reader, start: number, end: number): LinkMessage {
  return readMessage(from, start, end, LINK);
}
