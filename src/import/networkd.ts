/** Import of systemd-networkd's files (systemd.netdev(5), systemd.network(5)), as version 252 reads them. */
import { isMulticast, type Prefix } from '../model/address.ts';
import { isGroupMac, type Mac, ZERO_MAC } from '../model/mac.ts';
import { quote } from '../text/words.ts';
import type { Imported, ImportedLink, Importer, SourceFile } from './found.ts';
import { checkName } from './link-name.ts';
import { isOpen, type Link, matchesAnything, namesOf, networkOf } from './networkd-match.ts';
import { addressesOf, readGiven } from './networkd-network.ts';
import { readUnits, type Unit } from './networkd-units.ts';
import { readBoolean, readMac, readSize } from './networkd-values.ts';
import { readVxlan, type Vxlan } from './networkd-vxlan.ts';
import { Report } from './report.ts';
import { checkTwice } from './twice.ts';

export const importer: Importer = {
  name: 'networkd',
  summary: '.netdev and .network files of systemd-networkd, with their drop-ins',
  pattern: /^[^/]+\.(?:netdev|network)$|^[^/]+\.(?:netdev|network)\.d\/[^/]+\.conf$/,
  read,
};

interface Netdev extends Link {
  readonly unit: Unit;
}

/** What one host's files hold together. */
interface Files {
  readonly netdevs: ReadonlyMap<string, Netdev>;
  readonly networks: readonly Unit[];
  readonly report: Report;
}

function read(files: readonly SourceFile[]): Imported {
  const report = new Report();
  const units = readUnits(files, report);
  const networks = units.filter(({ kind }) => kind === 'network');
  const netdevs = readNetdevs(units, report);
  const host: Files = { netdevs, networks, report };
  for (const unit of networks) checkNetwork(unit, host);
  const links = [...netdevs.values()]
    .filter(({ kind }) => kind === 'vxlan')
    .flatMap((netdev) => readLink(netdev, host) ?? []);
  checkTwice(links, report);
  return { links, underlays: underlaysOf(links, host), hostname: null, problems: report.problems(files) };
}

function readNetdevs(units: readonly Unit[], report: Report): ReadonlyMap<string, Netdev> {
  const netdevs = new Map<string, Netdev>();
  for (const unit of units.filter(({ kind }) => kind === 'netdev')) {
    const name = unit.last('NetDev', 'Name');
    const kind = unit.last('NetDev', 'Kind')?.value ?? '';
    if (name === undefined || kind === '') {
      const lacks = name === undefined ? 'Name=' : 'Kind=';
      report.add('source-missing', unit.place, `${unit.name} has no ${lacks}: networkd does not read it`);
      continue;
    }
    const first = netdevs.get(name.value);
    if (first === undefined) {
      const mac = readMac(unit.last('NetDev', 'MACAddress')?.value ?? '');
      netdevs.set(name.value, { name: name.value, kind, mac, unit });
    } else if (kind === 'vxlan' || first.kind === 'vxlan') {
      const message = `${name.value} is made by ${first.unit.name} already: networkd does not read ${unit.name}`;
      report.add('source-conflict', name.place, message);
    }
  }
  return netdevs;
}

/** What concerns overlays in the .network files of all links. */
function checkNetwork(unit: Unit, { netdevs, report }: Files): void {
  for (const { value, place } of unit.entries('Network', 'VXLAN')) {
    if (!matchesAnything(unit)) {
      report.add('source-accepted', place, `${unit.name} has nothing in [Match]: networkd does not read it`);
    } else if (netdevs.get(value)?.kind !== 'vxlan') {
      const message = `there is no .netdev file of the VXLAN link ${quote(value)}: networkd reads past it`;
      report.add('source-reference', place, message);
    }
  }
}

const NETDEV_KEYS = new Set(['Name', 'Kind', 'Description', 'MTUBytes', 'MACAddress']);

function readLink(netdev: Netdev, host: Files): ImportedLink | undefined {
  const { unit, name } = netdev;
  const { networks, report } = host;
  const place = unit.last('NetDev', 'Name')?.place ?? unit.place;
  checkName(name, place, report);
  reportNetdev(unit, report);
  const vxlan = readVxlan(unit, report);
  const device = deviceOf(netdev, vxlan, host);
  if (vxlan.vni === undefined || device === undefined) return undefined;
  const own = networkOf(networks, netdev);
  const managed = own !== undefined && readBoolean(own.last('Link', 'Unmanaged')?.value ?? '') !== true;
  const given = readGiven(managed ? own : undefined, vxlan.vni, report);
  const bridge = managed ? bridgeOf(netdev, own, host) : null;
  const through = bridge === null ? given : readGiven(networkOf(networks, bridge), null, report);
  if (bridge !== null) reportBridged(netdev, bridge, given, report);
  const { attributes } = vxlan;
  return {
    name,
    place,
    vni: vxlan.vni,
    attributes: device === null ? attributes : { ...attributes, device: device.name },
    mtu: mtuOf(unit, own, report),
    mac: macOf(unit, own, report),
    addresses: through.addresses,
    flood: given.flood.filter((vtep) => vtep !== attributes.remote),
    macs: given.macs,
    neighbours: given.neighbours,
    routes: through.routes,
    bridge: bridge === null ? null : { name: bridge.name, ports: portsOf(netdev, bridge, host) },
    txChecksum: true,
    ...(managed && isUp(own) ? {} : { up: false }),
    places: new Map([...vxlan.places, ...given.places, ...through.places, ...(device?.places ?? [])]),
  };
}

function reportNetdev(unit: Unit, report: Report): void {
  for (const { name, place, entries } of unit.sections) {
    if (name === 'NetDev') {
      for (const entry of entries) {
        if (NETDEV_KEYS.has(entry.key)) continue;
        report.add('source-left-out', entry.place, `${entry.key}= of [NetDev] is left out: everlan has no word for it`);
      }
    } else if (name !== 'VXLAN' && name !== 'Match') {
      report.add('source-left-out', place, `[${name}] is left out: it means nothing for a VXLAN link`);
    }
  }
}

interface Device {
  readonly name: string;
  readonly places: readonly (readonly ['device', Unit['place']])[];
}

/** null: made without one. undefined: nothing makes the link, and that is reported. */
function deviceOf({ name, unit }: Netdev, vxlan: Vxlan, { networks, report }: Files): Device | null | undefined {
  if (vxlan.independent) return independent(vxlan, report);
  const [parent, second] = networks
    .filter(matchesAnything)
    .flatMap((network) =>
      network.entries('Network', 'VXLAN').flatMap(({ value, place }) => (value === name ? [{ network, place }] : [])),
    );
  if (parent === undefined) {
    const message = `nothing makes ${name}: no .network file has VXLAN=${name}, and the link is not Independent=`;
    const hint = 'import the .network file of its device, too';
    return report.add('source-missing', vxlan.places.get('vni') ?? unit.place, message, hint);
  }
  if (second !== undefined) {
    const message = `${name} is made on the device of ${parent.network.name}, or of this file: the first that comes up`;
    report.add('source-guessed', second.place, message);
  }
  const [device] = namesOf(parent.network);
  if (device === undefined || isOpen(parent.network) || namesOf(parent.network).length > 1) {
    const taken = device ?? parent.network.name.replace(/^[0-9]+-|\.network$/g, '');
    const message = `${parent.network.name} does not tell the name of one device: ${quote(taken)} is taken for it`;
    report.add('source-guessed', parent.place, message, 'correct `device` in the result');
    return { name: taken, places: [['device', parent.place]] };
  }
  return { name: device, places: [['device', parent.place]] };
}

function independent({ attributes: { remote }, places }: Vxlan, report: Report): null {
  if (remote === undefined || remote === null || !isMulticast(remote)) return null;
  const message = `the multicast group ${remote} needs a device: the kernel refuses an Independent= link`;
  return report.add('source-accepted', places.get('remote'), message) ?? null;
}

function bridgeOf(netdev: Netdev, own: Unit, { netdevs, report }: Files): Netdev | null {
  const entry = own.last('Network', 'Bridge');
  if (entry === undefined || entry.value === '') return null;
  const bridge = netdevs.get(entry.value);
  if (bridge?.kind === 'bridge') return bridge;
  const message = `${netdev.name}: there is no .netdev file of the bridge ${quote(entry.value)}: networkd reads past it`;
  report.add('source-reference', entry.place, message);
  return null;
}

function reportBridged(netdev: Netdev, bridge: Netdev, given: ReturnType<typeof readGiven>, report: Report): void {
  for (const prefix of given.addresses) {
    const message = `${prefix} of ${netdev.name} is left out: it is in the bridge ${bridge.name}, which has the addresses`;
    report.add('source-left-out', given.places.get(`address ${prefix}`), message);
  }
  for (const { to } of given.routes) {
    const message = `the route to ${to} of ${netdev.name} is left out: it is in the bridge ${bridge.name}`;
    report.add('source-left-out', given.places.get(`route ${to}`), message);
  }
  for (const { name, place } of bridge.unit.sections) {
    if (name !== 'Bridge') continue;
    report.add('source-left-out', place, `[Bridge] of ${bridge.name} is left out: everlan has no words for it`);
  }
}

/** The other links that are put into the bridge. */
function portsOf(netdev: Netdev, bridge: Netdev, { networks, netdevs, report }: Files): readonly string[] {
  const ports = new Set<string>();
  for (const unit of networks) {
    const entry = unit.last('Network', 'Bridge');
    if (entry?.value !== bridge.name) continue;
    for (const name of namesOf(unit)) ports.add(name);
    for (const other of netdevs.values()) if (networkOf(networks, other) === unit) ports.add(other.name);
    if (!isOpen(unit) || networkOf(networks, netdev) === unit) continue;
    const message = `${unit.name} does not tell the names of all the links that it puts into ${bridge.name}`;
    report.add('source-guessed', entry.place, message, 'add what is missing to `ports` in the result');
  }
  ports.delete(netdev.name);
  return [...ports];
}

/** What the .network file says counts last. */
function mtuOf(unit: Unit, own: Unit | undefined, report: Report): number | null {
  const entry = own?.last('Link', 'MTUBytes') ?? unit.last('NetDev', 'MTUBytes');
  if (entry === undefined) return null;
  const mtu = readSize(entry.value);
  if (mtu !== undefined && mtu >= 68 && mtu <= 65535) return mtu;
  report.add('source-accepted', entry.place, `MTUBytes= must be from 68 to 65535, not ${quote(entry.value)}`);
  return null;
}

function macOf(unit: Unit, own: Unit | undefined, report: Report): Mac | null {
  const entry = own?.last('Link', 'MACAddress') ?? unit.last('NetDev', 'MACAddress');
  if (entry === undefined || entry.value === '' || entry.value === 'none') return null;
  const mac = readMac(entry.value);
  if (mac !== null && mac !== ZERO_MAC && !isGroupMac(mac)) return mac;
  report.add(
    'source-accepted',
    entry.place,
    `MACAddress= must be the MAC address of one host, not ${quote(entry.value)}`,
  );
  return null;
}

/** `manual` leaves it as it is made: down. */
const isUp = (own: Unit): boolean =>
  !/^(?:down|always-down|manual)$/.test(own.last('Link', 'ActivationPolicy')?.value ?? '');

/** Addresses of the links that are neither overlays nor their bridges. */
function underlaysOf(
  links: readonly ImportedLink[],
  { networks, netdevs }: Files,
): ReadonlyMap<string, readonly Prefix[]> {
  const ours = new Set(links.flatMap(({ name, bridge }) => [name, bridge?.name]));
  const underlays = new Map<string, readonly Prefix[]>();
  const add = (unit: Unit | undefined, name: string): void => {
    const addresses = unit === undefined || ours.has(name) || underlays.has(name) ? [] : addressesOf(unit);
    if (addresses.length > 0) underlays.set(name, addresses);
  };
  for (const netdev of netdevs.values()) if (netdev.kind !== 'vxlan') add(networkOf(networks, netdev), netdev.name);
  for (const unit of networks) {
    const made = [...netdevs.values()].some((netdev) => networkOf(networks, netdev) === unit);
    const names = namesOf(unit).length > 0 || made ? namesOf(unit) : guessed(unit);
    for (const name of names) if (!netdevs.has(name)) add(unit, name);
  }
  return underlays;
}

/** The name that `deviceOf` takes for a device that is not named. */
const guessed = (unit: Unit): readonly string[] =>
  matchesAnything(unit) ? [unit.name.replace(/^[0-9]+-|\.network$/g, '')] : [];
