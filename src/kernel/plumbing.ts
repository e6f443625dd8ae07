/**
 * What a host has before everlan comes, made over netlink: veth pairs, bridges, addresses and routes of any link. The
 * lab builds its machines from these parts.
 */
import { familyOf, type IpAddress, type Prefix } from '../model/address.ts';
import type { Mac } from '../model/mac.ts';
import { EverlanError, problem } from '../model/problem.ts';
import { IFA_F } from '../netlink/address.ts';
import { IFF, type LinkMessage, writeLink } from '../netlink/link.ts';
import { NLM_F, RTM } from '../netlink/message.ts';
import { RTPROT } from '../netlink/route.ts';
import { errnoText } from '../sys/errno.ts';
import { addAddress, addNeighbour, addRoute, deleteLink, type Request, setAlias, setUp } from './encode.ts';
import { Rtnetlink } from './rtnetlink.ts';

const FOREVER = 0xffffffff;

/** Indexes are chosen by the caller, so that what stands on a link needs no look-up; 1 is the loopback link. */
export type Part =
  | { readonly kind: 'bridge'; readonly name: string; readonly index: number; readonly mac: Mac; readonly mtu: number }
  /** `index`'s end is up, its peer down: a peer can only be set up once the pair is whole. */
  | {
      readonly kind: 'veth';
      readonly name: string;
      readonly index: number;
      readonly mac: Mac;
      readonly mtu: number;
      /** Index of the bridge to put it into. */
      readonly bridge?: number;
      readonly peer: { readonly name: string; readonly index: number; readonly mac: Mac; readonly namespace: number };
    }
  | { readonly kind: 'up'; readonly index: number }
  | { readonly kind: 'alias'; readonly index: number; readonly alias: string }
  | { readonly kind: 'address'; readonly index: number; readonly prefix: Prefix }
  /** `via` null: the network is on the link itself. */
  | { readonly kind: 'route'; readonly index: number; readonly to: Prefix; readonly via: IpAddress | null }
  | { readonly kind: 'neighbour'; readonly index: number; readonly address: IpAddress; readonly mac: Mac }
  | { readonly kind: 'remove'; readonly index: number };

function create(index: number, attributes: LinkMessage['attributes']): Request {
  const message = { index, flags: IFF.UP, change: IFF.UP, attributes };
  return { type: RTM.NEWLINK, flags: NLM_F.CREATE | NLM_F.EXCL, write: (to) => writeLink(to, message) };
}

function requestOf(part: Part): Request {
  const { index } = part;
  switch (part.kind) {
    case 'bridge': {
      const { name, mac: address, mtu } = part;
      // Without snooping every member of a group gets its frames, whoever asks or does not ask for them.
      const linkInfo = { kind: 'bridge', bridge: { multicastSnooping: 0 } };
      return create(index, { name, address, mtu, linkInfo });
    }
    case 'veth': {
      const { name, mac: address, mtu, bridge, peer } = part;
      const far = { name: peer.name, address: peer.mac, mtu, namespaceFd: peer.namespace };
      const linkInfo = { kind: 'veth', peer: { index: peer.index, flags: 0, change: 0, attributes: far } };
      return create(index, { name, address, mtu, linkInfo, ...(bridge === undefined ? {} : { master: bridge }) });
    }
    case 'up':
      return setUp(index);
    case 'alias':
      return setAlias(index, part.alias);
    case 'address': {
      // Nobody else can have the address in a network that we make: no reason to wait for DAD.
      const flags = familyOf(part.prefix) === 6 ? IFA_F.NODAD : 0;
      const lifetimes = { validLifetime: FOREVER, preferredLifetime: FOREVER };
      return addAddress(index, {
        ...{ prefix: part.prefix, origin: 'foreign', protocol: 0, flags, scope: 0, broadcast: null },
        ...lifetimes,
      });
    }
    case 'route': {
      const { to, via } = part;
      return addRoute(index, { to, via, origin: 'foreign', protocol: RTPROT.STATIC, metric: 0 });
    }
    case 'neighbour':
      return addNeighbour(index, { address: part.address, mac: part.mac, origin: 'foreign', protocol: 0 });
    case 'remove':
      return deleteLink(index);
    default:
      return part satisfies never;
  }
}

function describe(part: Part): string {
  switch (part.kind) {
    case 'bridge':
      return `make bridge ${part.name}`;
    case 'veth':
      return `make veth pair ${part.name} and ${part.peer.name}`;
    case 'address':
      return `add address ${part.prefix}`;
    case 'route':
      return `add route ${part.to}${part.via === null ? '' : ` via ${part.via}`}`;
    case 'neighbour':
      return `add neighbour ${part.address}`;
    case 'alias':
      return `name link ${part.index}`;
    case 'up':
    case 'remove':
      return `${part.kind === 'up' ? 'set up' : 'remove'} link ${part.index}`;
    default:
      return part satisfies never;
  }
}

/**
 * Makes the parts, in order, in the namespace.
 * @throws EverlanError in the kernel's own words at the first part that it refuses; earlier parts stay.
 */
export function build(netns: number, parts: readonly Part[]): void {
  const socket = new Rtnetlink(netns);
  try {
    const batch = socket.batch<Part>();
    for (const part of parts) {
      const { type, flags, write } = requestOf(part);
      if (!batch.add(part, type, flags, write)) break;
    }
    const [refusal] = batch.finish();
    if (refusal === undefined) return;
    const words = refusal.message ?? errnoText(refusal.errno);
    throw new EverlanError(problem('kernel-refused', `${describe(refusal.tag)}: the kernel says: ${words}`));
  } finally {
    socket.close();
  }
}
