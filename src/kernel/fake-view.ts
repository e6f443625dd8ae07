/** What the fake kernel shows: links by the same rules of ownership as the real one. */
import { isOurs, PROTOCOL, readAlias } from '../model/ownership.ts';
import type { HostFacts, LinkFacts, LinkKind, LinkState, Origin } from '../model/state.ts';
import { type Device, rowKey } from './fake-device.ts';
import type { RememberedLink, Scope, View } from './port.ts';

/** @param omniscient the origin of everything is known, as no kernel knows it */
export function fakeView(devices: readonly Device[], facts: HostFacts | undefined, omniscient: boolean): View {
  // A view is one moment: later changes do not show.
  const then = devices.map(copy);
  const links = new Map<string, LinkFacts>(facts?.links);
  for (const device of then) {
    const { name, index, up, mtu } = device;
    const kind = device.kind === 'vxlan' || device.kind === 'bridge' ? device.kind : '';
    links.set(name, { name, index, kind, up, mtu, addresses: [...device.addresses.keys()] });
  }
  return {
    facts: { hostname: facts?.hostname ?? '', links },
    state: (scope) => {
      const shown = then.map((device) => linkState(device, scope, omniscient)).filter((link) => link !== null);
      return { links: new Map(shown.map((link) => [link.name, link])) };
    },
  };
}

function copy(device: Device): Device {
  return {
    ...device,
    vxlan: device.vxlan === null ? null : { ...device.vxlan },
    addresses: new Map(device.addresses),
    fdb: new Map(device.fdb),
    neighbours: new Map(device.neighbours),
    routes: new Map(device.routes),
  };
}

function linkState(device: Device, scope: Scope, omniscient: boolean): LinkState | null {
  const { name, index, alias, group, up, mtu, mac, txChecksum, master } = device;
  const ours = isOurs(device, scope.fabric);
  const wanted = scope.wanted.get(name);
  const remembered = rememberedOf(device, scope);
  const putByUs = remembered !== undefined && remembered.master !== null && remembered.master === master;
  if (!ours && wanted === undefined && !putByUs) return null;
  const kind = ours ? device.kind : wanted === undefined ? 'port' : strangerKind(device.kind, wanted);
  const standing = kind !== 'port' && kind !== 'other';
  const shown = <K, T extends { readonly origin: Origin }>(
    items: ReadonlyMap<K, T>,
    isKnown: (item: T, key: K) => boolean,
  ): Map<K, T> => {
    if (!standing) return new Map();
    if (omniscient) return new Map(items);
    return new Map(
      Array.from(items, ([key, item]) => [key, { ...item, origin: isKnown(item, key) ? 'ours' : 'foreign' }]),
    );
  };
  return {
    name,
    index,
    kind,
    overlay: ours ? (readAlias(alias)?.overlay ?? name) : null,
    alias,
    group,
    up,
    mtu,
    mac,
    txChecksum,
    master,
    // A `remote` whose row is gone carries nothing: it is as if there were none.
    vxlan:
      kind === 'vxlan' && device.vxlan !== null
        ? { ...device.vxlan, ...(device.remoteRow ? {} : { remote: null }) }
        : null,
    addresses: shown(
      device.addresses,
      (item, prefix) => item.protocol === PROTOCOL || remembered?.addresses.has(prefix) === true,
    ),
    fdb: shown(device.fdb, (row) => remembered?.fdb.has(rowKey(row)) === true),
    neighbours: shown(device.neighbours, (item) => item.protocol === PROTOCOL),
    routes: shown(device.routes, (item) => item.protocol === PROTOCOL),
  };
}

function rememberedOf({ name, index, alias }: Device, scope: Scope): RememberedLink | undefined {
  const link = scope.remembered?.links.get(name);
  return link !== undefined && link.alias === alias && (link.index === index || link.index === 0) ? link : undefined;
}

function strangerKind(found: LinkKind, wanted: LinkKind): LinkKind {
  if (wanted === 'port') return 'port';
  if (found === 'bridge') return wanted === 'bridge' || wanted === 'joined' ? 'joined' : 'other';
  return found === 'vxlan' ? 'vxlan' : 'other';
}
