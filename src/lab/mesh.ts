/**
 * The proof that an overlay carries traffic: which echoes one host has to send, and what the answers say. Pure; the
 * echoes themselves are sent by kernel/echo.ts.
 */
import type { EchoResult, EchoTarget } from '../kernel/echo.ts';
import { contains, familyOf, type IpAddress, type Prefix } from '../model/address.ts';
import type { Desired, DesiredOverlay } from '../model/desired.ts';
import type { LinkState } from '../model/state.ts';

export interface MeshTarget extends EchoTarget {
  readonly overlay: string;
  /** The peer's name. */
  readonly peer: string;
  /** Of the size of the link's MTU; else as small as `ping` sends by default. */
  readonly full: boolean;
}

/** A peer, or one of its addresses, that cannot be asked; not a failure. */
export interface Unasked {
  readonly overlay: string;
  readonly peer: string;
  /** null: the peer has none. */
  readonly address: IpAddress | null;
  /** Why, a clause: `it has no address on the overlay`. */
  readonly reason: string;
}

export interface Mesh {
  /** Two for each address of a peer: small, then full. */
  readonly targets: readonly MeshTarget[];
  readonly unasked: readonly Unasked[];
}

/** What one address of a peer answered. */
export interface PeerProof {
  readonly overlay: string;
  readonly peer: string;
  readonly link: string;
  readonly address: IpAddress;
  readonly small: EchoResult;
  readonly full: EchoResult;
  /** Bytes of the full-size packet. */
  readonly fullSize: number;
  readonly ok: boolean;
}

/** For `echo`: the first packets may meet an address in DAD, which takes up to two seconds. */
export const MESH_TIMES = { timeoutMs: 4000, attempts: 16 } as const;

/** 56 bytes in an ICMP message, as `ping` sends by default. */
const SMALL = { 4: 84, 6: 104 } as const;
/** The least that an echo of ours needs. */
const LEAST = 64;

/**
 * Every address of every peer on every overlay of the host.
 * @param mtuOf the MTU of a link as it is; undefined: there is no such link, then as it should be.
 */
export function meshTargets(desired: Desired, mtuOf: (link: string) => number | undefined): Mesh {
  const targets: MeshTarget[] = [];
  const unasked: Unasked[] = [];
  for (const overlay of desired.overlays) {
    const link = desired.state.links.get(overlay.addressed);
    if (link === undefined) continue;
    const mtu = Math.max(LEAST, mtuOf(link.name) ?? link.mtu);
    for (const { host: peer, address, reason } of addressesOf(overlay, link)) {
      if (reason !== null) unasked.push({ overlay: overlay.name, peer, address, reason });
      else {
        const common = { overlay: overlay.name, peer, link: link.name, address };
        targets.push({ ...common, size: Math.min(mtu, SMALL[familyOf(address)]), full: false });
        targets.push({ ...common, size: mtu, full: true });
      }
    }
  }
  return { targets, unasked };
}

interface Asked {
  readonly host: string;
  readonly address: IpAddress;
  readonly reason: null;
}
type NotAsked = Omit<Unasked, 'overlay' | 'peer'> & { readonly host: string };

function* addressesOf({ peers }: DesiredOverlay, link: LinkState): Generator<Asked | NotAsked> {
  const own = [...link.addresses.keys()];
  const reached = [...own, ...Array.from(link.routes.values(), ({ to }) => to)];
  for (const { host, addresses } of peers) {
    if (addresses.length === 0) yield { host, address: null, reason: 'it has no address on the overlay' };
    for (const address of addresses) {
      const reason = obstacle(address, own, reached);
      yield reason === null ? { host, address, reason } : { host, address, reason };
    }
  }
}

function obstacle(address: IpAddress, own: readonly Prefix[], reached: readonly Prefix[]): string | null {
  const family = familyOf(address);
  if (!own.some((prefix) => familyOf(prefix) === family)) {
    return `this host has no IPv${family} address on the overlay`;
  }
  const known = reached.some((prefix) => contains(prefix, address));
  return known ? null : 'it is in no network that this host has on the overlay';
}

/** `results` are those of `targets`, in their order. */
export function readMesh(targets: readonly MeshTarget[], results: readonly EchoResult[]): readonly PeerProof[] {
  const proofs: PeerProof[] = [];
  for (let i = 0; i + 1 < targets.length; i += 2) {
    const [target, full] = [targets[i], targets[i + 1]];
    const [small, large] = [results[i], results[i + 1]];
    if (target === undefined || full === undefined || small === undefined || large === undefined) break;
    const { overlay, peer, link, address } = target;
    const ok = small.ok && large.ok;
    proofs.push({ overlay, peer, link, address, small, full: large, fullSize: full.size, ok });
  }
  return proofs;
}
