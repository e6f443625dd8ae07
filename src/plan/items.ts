/** What stands on a link: addresses, forwarding rows, neighbours and routes, wanted against found. */
import {
  contains,
  type Family,
  familyOf,
  type IpAddress,
  isLinkLocal6,
  networkOf,
  type Prefix,
} from '../model/address.ts';
import { ZERO_MAC } from '../model/mac.ts';
import {
  type AddressState,
  type FdbRow,
  fdbKey,
  type LinkState,
  type NeighbourState,
  type Origin,
  type RouteState,
} from '../model/state.ts';
import type { Foreign, Step } from '../model/step.ts';
import type { Phase } from './order.ts';
import { IPV6_MTU, LOST_IPV4, LOST_SECONDARY, type Loss, type Standing, underlayFamily } from './rules.ts';

export interface ItemContext {
  readonly prune: boolean;
  put(step: Step, phase?: Phase): void;
  foreign(item: Foreign): void;
}

export interface Ground {
  readonly name: string;
  /** null: nothing is wanted there. */
  readonly want: LinkState | null;
  /** null: the link does not exist yet. */
  readonly have: LinkState | null;
  /** Whether the link is ours, so that foreign things on it concern us. */
  readonly owned: boolean;
  /** What the steps before take away. */
  readonly losses: readonly Loss[];
}

/** How things of one kind are compared and turned into steps. */
interface Kind<T> {
  readonly name: Standing;
  family(item: T): Family;
  equal(want: T, have: T): boolean;
  /** Another value under the same key: replaced in place, or removed and added. */
  replaceable(want: T): boolean;
  step(link: string, action: 'add' | 'change' | 'remove', item: T, reason: string | undefined): Step;
  foreign(link: string, item: T): Foreign;
  /** Whether a stranger's thing that was lost can stand on the link as it becomes; `addresses`: those that it will have. */
  returns(item: T, want: LinkState, addresses: readonly Prefix[]): boolean;
  /** The VTEP that a row of the flooding list names, which the kernel may keep by itself as the link's `remote`. */
  floodsTo?(item: T): IpAddress | null;
}

const because = (reason: string | undefined): { reason?: string } => (reason === undefined ? {} : { reason });

const FOREVER = 0xffffffff;

const speaks = (link: LinkState, family: Family): boolean => family === 4 || link.mtu >= IPV6_MTU;

const ADDRESS: Kind<AddressState> = {
  name: 'address',
  family: (item) => familyOf(item.prefix),
  // A lifetime runs down by itself, so only forever or not forever is a difference.
  equal: (want, have) => (want.validLifetime === FOREVER) === (have.validLifetime === FOREVER),
  replaceable: () => true,
  step: (link, action, address, reason) => ({
    kind: 'address',
    action: action === 'remove' ? 'remove' : 'add',
    link,
    address,
    ...because(reason),
  }),
  foreign: (link, item) => ({ kind: 'address', link, address: item.prefix }),
  returns: (item, want) => speaks(want, familyOf(item.prefix)),
};

function sameSpecial(a: FdbRow['special'], b: FdbRow['special']): boolean {
  return a === b || (a?.port === b?.port && a?.vni === b?.vni && a?.via === b?.via);
}

const FDB: Kind<FdbRow> = {
  name: 'fdb',
  family: (item) => familyOf(item.vtep),
  equal: (want, have) => want.vtep === have.vtep && sameSpecial(want.special, have.special),
  // The kernel replaces only where a MAC has one VTEP.
  replaceable: (want) => fdbKey(want.mac, want.vtep) === want.mac,
  step: (link, action, row, reason) =>
    reason === undefined ? { kind: 'fdb', action, link, row } : { kind: 'fdb', action, link, row, reason },
  foreign: (link, item) => ({ kind: 'fdb', link, mac: item.mac, vtep: item.vtep }),
  // A link of which nothing tells the family is made for IPv4.
  returns: (item, want) => want.vxlan !== null && (underlayFamily(want) ?? 4) === familyOf(item.vtep),
  floodsTo: (item) => (item.mac === ZERO_MAC ? item.vtep : null),
};

const NEIGHBOUR: Kind<NeighbourState> = {
  name: 'neighbour',
  family: (item) => familyOf(item.address),
  equal: (want, have) => want.mac === have.mac,
  replaceable: () => true,
  step: (link, action, neighbour, reason) => ({ kind: 'neighbour', action, link, neighbour, ...because(reason) }),
  foreign: (link, item) => ({ kind: 'neighbour', link, address: item.address, mac: item.mac }),
  returns: (item, want) => speaks(want, familyOf(item.address)),
};

/** The kernel gives an IPv6 route without a metric 1024 (IP6_RT_PRIO_USER). */
const metricOf = (route: RouteState): number => (route.metric === 0 && familyOf(route.to) === 6 ? 1024 : route.metric);

const ROUTE: Kind<RouteState> = {
  name: 'route',
  family: (item) => familyOf(item.to),
  equal: (want, have) => want.via === have.via && metricOf(want) === metricOf(have),
  replaceable: () => false,
  step: (link, action, route, reason) => ({
    kind: 'route',
    action: action === 'remove' ? 'remove' : 'add',
    link,
    route,
    ...because(reason),
  }),
  foreign: (link, item) => ({ kind: 'route', link, to: item.to, via: item.via }),
  returns: ({ to, via }, want, addresses) =>
    want.up &&
    speaks(want, familyOf(to)) &&
    (via === null || isLinkLocal6(via) || addresses.some((prefix) => contains(prefix, via))),
};

/** What becomes of one thing. */
type Emit<T> = (action: 'add' | 'change' | 'remove' | 'keep', item: T, reason?: string) => void;

const EMPTY: ReadonlyMap<never, never> = new Map<never, never>();

/** The addresses that a link of ours will have, strangers' ones among them. */
function stayingAddresses({ want, have }: Ground): readonly Prefix[] {
  const foreign = [...(have?.addresses.values() ?? [])].filter(({ origin }) => origin === 'foreign');
  return [...(want?.addresses.keys() ?? []), ...foreign.map(({ prefix }) => prefix)];
}

function diffItems<K, T extends { readonly origin: Origin }>(
  kind: Kind<T>,
  want: ReadonlyMap<K, T>,
  have: ReadonlyMap<K, T>,
  ground: Ground,
  context: ItemContext,
  emit: Emit<T>,
): void {
  const losses = ground.losses;
  const remote = ground.want?.vxlan?.remote ?? null;
  const remoteComes = remote !== null && ground.have?.vxlan?.remote !== remote;
  const isRemote = (item: T): boolean => remote !== null && kind.floodsTo?.(item) === remote;
  const lossOf = (item: T): Loss | undefined =>
    losses.length === 0 ? undefined : losses.find((loss) => loss.takes(kind.name, kind.family(item)));
  let met = 0;
  for (const [key, item] of want) {
    const found = have.get(key);
    if (found === undefined) {
      // The kernel itself keeps the row of `remote`.
      if (!isRemote(item)) emit('add', item);
      continue;
    }
    met++;
    const loss = lossOf(found);
    if (loss !== undefined) emit('add', item, loss.because);
    else if (kind.equal(item, found)) emit('keep', item);
    else if (kind.replaceable(item)) emit('change', item);
    // On a stranger's link its owner's comes first: adding ours beside it is refused, and says why.
    else if (found.origin === 'foreign' && !ground.owned) emit('add', item);
    else {
      emit('remove', found, 'makes way for another value');
      emit('add', item);
    }
  }
  if (met === have.size) return;
  for (const [key, item] of have) {
    if (want.has(key)) continue;
    const loss = lossOf(item);
    const stays = item.origin === 'foreign' && !(context.prune && ground.owned);
    if (loss !== undefined) {
      const returns = stays && ground.want !== null && kind.returns(item, ground.want, stayingAddresses(ground));
      if (!returns || !ground.owned || !loss.restorable) continue;
      emit('add', item, loss.because);
    } else if (remoteComes && isRemote(item)) {
      emit('remove', item, 'the remote of the link takes its place');
      continue;
    } else if (!stays) {
      emit('remove', item);
      continue;
    } else emit('keep', item);
    if (ground.owned) context.foreign(kind.foreign(ground.name, item));
  }
}

/**
 * Addresses, and whether the IPv4 routes and neighbours of the link are lost with them. Found addresses come in the kernel's order:
 * the first of a subnet is its primary address, and deleting it deletes all others of the subnet
 * (unless `promote_secondaries` is set; then adding them again changes nothing).
 */
function diffAddresses(ground: Ground, context: ItemContext): { ipv4Lost: boolean } {
  const link = ground.name;
  const added: { item: AddressState; reason: string | undefined }[] = [];
  const kept: AddressState[] = [];
  const removed: AddressState[] = [];
  const have: ReadonlyMap<Prefix, AddressState> = ground.have?.addresses ?? EMPTY;
  diffItems(ADDRESS, ground.want?.addresses ?? EMPTY, have, ground, context, (action, item, reason) => {
    if (action === 'remove') removed.push(item);
    else if (action === 'keep') kept.push(item);
    else added.push({ item, reason: action === 'change' ? 'its lifetime differs' : reason });
  });
  if (!removed.some((item) => ADDRESS.family(item) === 4)) {
    for (const { item, reason } of added) context.put(ADDRESS.step(link, 'add', item, reason));
    for (const item of removed) context.put(ADDRESS.step(link, 'remove', item, undefined));
    return { ipv4Lost: false };
  }

  const primaries = new Map<Prefix, Prefix>();
  for (const prefix of have.keys()) {
    if (familyOf(prefix) !== 4) continue;
    const network = networkOf(prefix);
    if (!primaries.has(network)) primaries.set(network, prefix);
  }
  const falling = new Set<Prefix>();
  for (const { prefix } of removed) if (primaries.get(networkOf(prefix)) === prefix) falling.add(networkOf(prefix));
  const falls = (item: AddressState): boolean => falling.has(networkOf(item.prefix));

  for (const { item, reason } of added) {
    context.put(ADDRESS.step(link, 'add', item, reason), falls(item) ? 'address-again' : 'address-add');
  }
  // Secondaries before their primary, which would take them along.
  for (const item of removed.toReversed()) context.put(ADDRESS.step(link, 'remove', item, undefined));
  for (const item of kept) {
    if (falls(item)) context.put(ADDRESS.step(link, 'add', item, LOST_SECONDARY), 'address-again');
  }
  const steady = [...kept, ...added.map(({ item }) => item)].some((item) => ADDRESS.family(item) === 4 && !falls(item));
  return { ipv4Lost: !steady };
}

/** Whether there is nothing to do, told without making anything: what most links come to. */
function settled<K, T>(kind: Kind<T>, want: ReadonlyMap<K, T>, have: ReadonlyMap<K, T>): boolean {
  if (want.size !== have.size) return false;
  for (const [key, item] of want) {
    const found = have.get(key);
    if (found === undefined || !kind.equal(item, found)) return false;
  }
  return true;
}

/** Whether anything but addresses stands on a link. */
const bears = (link: LinkState): boolean => link.fdb.size > 0 || link.neighbours.size > 0 || link.routes.size > 0;

/** All steps for what stands on one link. */
export function diffGround(ground: Ground, context: ItemContext): void {
  const { name, want, have } = ground;
  const calm =
    want !== null && have !== null && ground.losses.length === 0 && settled(ADDRESS, want.addresses, have.addresses);
  if (calm && !bears(want) && !bears(have)) return;
  const ipv4Lost = !calm && diffAddresses(ground, context).ipv4Lost;
  const through =
    <T>(kind: Kind<T>): Emit<T> =>
    (action, item, reason) => {
      if (action !== 'keep') context.put(kind.step(name, action, item, reason));
    };
  const each = <K, T extends { readonly origin: Origin }>(
    kind: Kind<T>,
    tables: readonly [ReadonlyMap<K, T> | undefined, ReadonlyMap<K, T> | undefined],
    emit: (kind: Kind<T>) => Emit<T>,
  ): void => {
    const [wanted = EMPTY, found = EMPTY] = tables;
    if (wanted.size > 0 || found.size > 0) diffItems(kind, wanted, found, ground, context, emit(kind));
  };
  each(FDB, [want?.fdb, have?.fdb], through);
  each(NEIGHBOUR, [want?.neighbours, have?.neighbours], (kind) => {
    const neighbour = through(kind);
    return (action, item, reason) => {
      if (action === 'keep' && ipv4Lost && kind.family(item) === 4) neighbour('add', item, LOST_IPV4);
      else neighbour(action, item, reason);
    };
  });
  each(ROUTE, [want?.routes, have?.routes], (kind) => {
    const route = through(kind);
    return (action, item, reason) => {
      if (action !== 'keep' || !ipv4Lost || kind.family(item) === 6) {
        route(action, item, reason);
        return;
      }
      const wanted = want?.routes.has(item.to) === true;
      if (!wanted && (want === null || !kind.returns(item, want, stayingAddresses(ground)))) return;
      // Taken off by ourselves, so that it is certain that adding it meets none.
      route('remove', item, LOST_IPV4);
      route('add', item, LOST_IPV4);
    };
  });
}
