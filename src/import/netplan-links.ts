/** VXLAN tunnels of netplan and the bridges that they are in → links. */
import { type Family, familyOf, type Prefix, parseIp, parsePrefix } from '../model/address.ts';
import { isGroupMac, type Mac, parseMac, ZERO_MAC } from '../model/mac.ts';
import type { Place } from '../model/problem.ts';
import { quote } from '../text/words.ts';
import type { ImportedLink, ImportedRoute } from './found.ts';
import { checkName } from './link-name.ts';
import type { Cell } from './netplan-cell.ts';
import type { Definition } from './netplan-definition.ts';
import type { Network } from './netplan-definitions.ts';
import { PHYSICAL_TYPES, VXLAN_KEYS } from './netplan-keys.ts';
import { addressItem, readBoolean, readDestination, readUint } from './netplan-shapes.ts';
import { vxlanAttributes } from './netplan-vxlan.ts';
import type { Report } from './report.ts';

export const isVxlan = (definition: Definition): boolean =>
  definition.type === 'tunnels' && definition.text('mode') === 'vxlan';

/** The name that a definition's link has on the system; `known` is false where the files do not tell. */
export function linkName(definition: Definition): { readonly name: string; readonly known: boolean } {
  if (!PHYSICAL_TYPES.has(definition.type)) return { name: definition.id, known: true };
  const name = definition.text('set-name') ?? definition.text('match.name');
  if (name !== undefined && !/[*?[\]]/.test(name)) return { name, known: true };
  return { name: definition.id, known: !definition.values.has('match') };
}

export function toLink(definition: Definition, network: Network, report: Report): ImportedLink | undefined {
  const { id } = definition;
  const at = definition.cell.place('key');
  checkName(id, at, report);
  const vni = readUint(definition.text('id') ?? '');
  if (vni === undefined || vni < 1 || vni > 16777215) return undefined;
  const places = new Map<string, Place>();
  for (const [key, attribute] of PLACES) {
    const place = definition.values.get(key)?.place();
    if (place !== undefined) places.set(attribute, place);
  }
  const device = deviceOf(definition, network, report);
  const attributes = vxlanAttributes(definition, definition.text('renderer') ?? network.renderer, report);
  const bridge = network.bridges.get(id);
  reportRest(definition, TUNNEL_KEYS, report);
  if (bridge !== undefined) reportBridge(bridge, definition, report);
  const addressed = bridge ?? definition;
  const addresses = addressesOf(addressed, report);
  for (const { prefix, place } of addresses) places.set(`address ${prefix}`, place);
  const mac = macOf(definition, report);
  return {
    name: id,
    place: at,
    vni,
    attributes: device === undefined ? attributes : { ...attributes, device },
    mtu: mtuOf(definition, report),
    mac,
    addresses: addresses.map(({ prefix }) => prefix),
    flood: [],
    macs: new Map(),
    neighbours: new Map(),
    routes: routesOf(addressed, places, report),
    bridge: bridge === undefined ? null : { name: bridge.id, ports: portsOf(bridge, id, network, report) },
    txChecksum: true,
    ...(definition.values.has('activation-mode') ? { up: false } : {}),
    places,
  };
}

/** netplan's key → the name of the place. */
const PLACES: readonly (readonly [string, string])[] = [
  ['id', 'vni'],
  ['port', 'port'],
  ['remote', 'remote'],
  ['local', 'local'],
  ['link', 'device'],
  ['ttl', 'ttl'],
  ['type-of-service', 'tos'],
  ['flow-label', 'label'],
  ['do-not-fragment', 'df'],
  ['mac-learning', 'learning'],
  ['ageing', 'ageing'],
  ['aging', 'ageing'],
  ['limit', 'limit'],
  ['port-range', 'portLow'],
  ['arp-proxy', 'proxy'],
  ['short-circuit', 'rsc'],
  ['notifications', 'l2miss'],
  ['checksums', 'udpCsum'],
  ['extensions', 'gbp'],
  ['mtu', 'mtu'],
  ['macaddress', 'mac'],
];

function deviceOf(definition: Definition, network: Network, report: Report): string | undefined {
  const cell = definition.values.get('link');
  const parent = network.definitions.get(cell?.text ?? '');
  if (cell === undefined || parent === undefined) return undefined;
  const { name, known } = linkName(parent);
  if (!known) {
    const message = `the files do not tell the name of the device that ${quote(parent.id)} matches: ${quote(name)} is taken for it`;
    report.add('source-guessed', cell.place(), message, 'correct `device` in the result, or give it a set-name');
  }
  return name;
}

function mtuOf(definition: Definition, report: Report): number | null {
  const cell = definition.values.get('mtu');
  const mtu = readUint(cell?.text ?? '');
  if (cell === undefined || mtu === undefined) return null;
  if (mtu >= 68 && mtu <= 65535) return mtu;
  report.add('source-accepted', cell.place(), `mtu must be from 68 to 65535, not ${mtu}`);
  return null;
}

function macOf(definition: Definition, report: Report): Mac | null {
  const cell = definition.values.get('macaddress');
  if (cell?.text === undefined) return null;
  const mac = parseMac(cell.text);
  if (mac !== null && mac !== ZERO_MAC && !isGroupMac(mac)) return mac;
  report.add('source-accepted', cell.place(), `macaddress must be the MAC address of one host, not ${cell.text}`);
  return null;
}

interface Placed {
  readonly prefix: Prefix;
  readonly place: Place;
}

/** Without a word about what is wrong: that was said when the file was read. */
export function prefixesOf(definition: Definition): readonly Prefix[] {
  return [...new Set(definition.list('addresses').flatMap((cell) => parsePrefix(addressItem(cell)?.text ?? '') ?? []))];
}

function addressesOf(definition: Definition, report: Report): readonly Placed[] {
  const found = new Map<Prefix, Placed>();
  for (const cell of definition.list('addresses')) {
    const item = addressItem(cell);
    const prefix = parsePrefix(item?.text ?? '');
    if (item === undefined || prefix === null) continue;
    const place = item.at.place(item.options === null ? 'value' : 'key');
    if (!found.has(prefix)) found.set(prefix, { prefix, place });
    for (const [key, option] of item.options?.entries() ?? []) {
      if (key === 'lifetime' && option.text?.toLowerCase() === 'forever') continue;
      report.add('source-left-out', option.place('key'), `the ${key} of ${prefix} is left out`);
    }
  }
  return [...found.values()];
}

/** Keys of a route beside `to` and `via` that say what holds without them. */
const ROUTE_DEFAULTS: Readonly<Record<string, string>> = { type: 'unicast', scope: 'global' };

function routesOf(definition: Definition, places: Map<string, Place>, report: Report): readonly ImportedRoute[] {
  return definition.list('routes').flatMap((cell) => {
    const via = parseIp(cell.child('via')?.text ?? '');
    const to = readDestination(cell.child('to')?.text ?? '');
    const strange = cell
      .entries()
      .find(([key, { text }]) => key !== 'to' && key !== 'via' && ROUTE_DEFAULTS[key] !== text?.toLowerCase());
    if (to === null || via === null || strange !== undefined) {
      const why = strange === undefined ? 'it has no via' : `everlan has no word for its ${strange[0]}`;
      report.add('source-left-out', (strange?.[1] ?? cell).place(), `a route is left out: ${why}`);
      return [];
    }
    const route: ImportedRoute = { to: to === 'default' ? everything(familyOf(via)) : to, via };
    places.set(`route ${route.to}`, (cell.child('to') ?? cell).place());
    return [route];
  });
}

const everything = (family: Family): Prefix => (family === 4 ? '0.0.0.0/0' : '::/0') as Prefix;

function portsOf(bridge: Definition, id: string, network: Network, report: Report): readonly string[] {
  const ports = new Set<string>();
  for (const cell of bridge.list('interfaces')) {
    const member = network.definitions.get(cell.text ?? '');
    if (member === undefined || member.id === id) continue;
    const { name, known } = linkName(member);
    if (!known) {
      const message = `the files do not tell the name of the port that ${quote(member.id)} matches: ${quote(name)} is taken for it`;
      report.add('source-guessed', cell.place(), message, 'correct `ports` in the result, or give it a set-name');
    }
    ports.add(name);
  }
  return [...ports];
}

const TUNNEL_KEYS = new Set([
  ...['mode', 'local', 'remote', 'ttl', 'port', 'macaddress', 'mtu', 'renderer', 'activation-mode'],
  ...Object.keys(VXLAN_KEYS),
]);

const no = (cell: Cell): boolean => readBoolean(cell.text ?? '') === false;
const always = (): boolean => true;

/** Values that change nothing that everlan looks after. */
const HARMLESS: Readonly<Record<string, (cell: Cell) => boolean>> = {
  dhcp4: no,
  dhcp6: no,
  'ipv6-privacy': no,
  'neigh-suppress': no,
  'parameters.stp': no,
  // How long the boot waits, and what happens when the tool ends.
  optional: always,
  'optional-addresses': always,
  critical: always,
  'ignore-carrier': always,
  'link-local': (cell) => cell.items().every(({ text }) => text?.toLowerCase() === 'ipv6'),
};

function reportRest(definition: Definition, known: ReadonlySet<string>, report: Report): void {
  for (const [key, cell] of definition.values) {
    // What stands inside a map is spoken of by the map's own key, but for the parameters of a bridge.
    if (known.has(key) || HARMLESS[key]?.(cell) === true || key === 'parameters') continue;
    if (key.includes('.') && !key.startsWith('parameters.')) continue;
    const message = `${definition.id}: ${key.replace('.', ': ')} is left out: everlan has no word for it`;
    report.add('source-left-out', cell.place('key'), message);
  }
}

const BRIDGE_KEYS = new Set(['renderer']);

function reportBridge(bridge: Definition, definition: Definition, report: Report): void {
  // everlan gives a bridge what its link has.
  const shared = ['macaddress', 'mtu'].filter((key) => bridge.text(key) === definition.text(key));
  reportRest(bridge, new Set([...BRIDGE_KEYS, ...shared]), report);
  const parameters = bridge.values.get('parameters');
  if (parameters !== undefined && !bridge.values.has('parameters.stp')) {
    const message = `${bridge.id}: STP is left out: netplan switches it on where there are parameters`;
    report.add('source-left-out', parameters.place('key'), message, 'say stp: false');
  }
  for (const key of ['addresses', 'routes']) {
    for (const cell of definition.list(key)) {
      const what = key === 'routes' ? 'a route' : (addressItem(cell)?.text ?? 'an address');
      const message = `${what} of ${definition.id} is left out: it is in the bridge ${bridge.id}, which has the ${key}`;
      report.add('source-left-out', cell.place(), message);
    }
  }
}
