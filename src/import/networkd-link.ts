/** One VXLAN .netdev file with all that the other files say of its link → the link. */
import { isMulticast } from '../model/address.ts';
import { isGroupMac, type Mac, ZERO_MAC } from '../model/mac.ts';
import type { Place } from '../model/problem.ts';
import { quote } from '../text/words.ts';
import type { ImportedLink } from './found.ts';
import { checkName } from './link-name.ts';
import { deviceName, type Host, type Netdev } from './networkd-host.ts';
import { isOpen, namesOf } from './networkd-match.ts';
import { type Given, readGiven } from './networkd-network.ts';
import type { Unit } from './networkd-units.ts';
import { readBoolean, readMac, readSize } from './networkd-values.ts';
import { readVxlan, type Vxlan } from './networkd-vxlan.ts';
import type { Report } from './report.ts';

const NETDEV_KEYS = new Set(['Name', 'Kind', 'Description', 'MTUBytes', 'MACAddress']);

export function readLink(netdev: Netdev, host: Host): ImportedLink | undefined {
  const { unit, name } = netdev;
  const { networks, report } = host;
  const place = unit.last('NetDev', 'Name')?.place ?? unit.place;
  checkName(name, place, report);
  reportNetdev(unit, report);
  const vxlan = readVxlan(unit, report);
  const device = deviceOf(netdev, vxlan, host);
  if (vxlan.vni === undefined || device === undefined) return undefined;
  const own = networks.of(netdev);
  const managed = own !== undefined && readBoolean(own.last('Link', 'Unmanaged')?.value ?? '') !== true;
  const given = readGiven(managed ? own : undefined, vxlan.vni, report);
  const bridge = managed ? bridgeOf(netdev, own, host) : null;
  const through = bridge === null ? given : readGiven(networks.of(bridge), null, report);
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
  readonly places: readonly (readonly ['device', Place])[];
}

/** null: made without one. undefined: nothing makes the link, and that is reported. */
function deviceOf({ name, unit }: Netdev, vxlan: Vxlan, { parents, report }: Host): Device | null | undefined {
  if (vxlan.independent) return independent(vxlan, report);
  const [parent, second] = parents.get(name) ?? [];
  if (parent === undefined) {
    const message = `nothing makes ${name}: no .network file has VXLAN=${name}, and the link is not Independent=`;
    const hint = 'import the .network file of its device, too';
    return report.add('source-missing', vxlan.places.get('vni') ?? unit.place, message, hint);
  }
  if (second !== undefined) {
    const message = `${name} is made on the device of ${parent.unit.name}, or of this file: the first that comes up`;
    report.add('source-guessed', second.place, message);
  }
  const { name: device, known } = deviceName(parent.unit);
  if (!known) {
    const message = `${parent.unit.name} does not tell the name of one device: ${quote(device)} is taken for it`;
    report.add('source-guessed', parent.place, message, 'correct `device` in the result');
  }
  return { name: device, places: [['device', parent.place]] };
}

function independent({ attributes: { remote }, places }: Vxlan, report: Report): null {
  if (remote === undefined || remote === null || !isMulticast(remote)) return null;
  const message = `the multicast group ${remote} needs a device: the kernel refuses an Independent= link`;
  return report.add('source-accepted', places.get('remote'), message) ?? null;
}

function bridgeOf(netdev: Netdev, own: Unit, { netdevs, report }: Host): Netdev | null {
  const entry = own.last('Network', 'Bridge');
  if (entry === undefined || entry.value === '') return null;
  const bridge = netdevs.get(entry.value);
  if (bridge?.kind === 'bridge') return bridge;
  const message = `${netdev.name}: there is no .netdev file of the bridge ${quote(entry.value)}: networkd reads past it`;
  report.add('source-reference', entry.place, message);
  return null;
}

function reportBridged(netdev: Netdev, bridge: Netdev, given: Given, report: Report): void {
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
function portsOf(netdev: Netdev, bridge: Netdev, { members, made, networks, report }: Host): readonly string[] {
  const ports = new Set<string>();
  for (const { unit, place } of members.get(bridge.name) ?? []) {
    for (const name of [...namesOf(unit), ...(made.get(unit) ?? []).map(({ name }) => name)]) ports.add(name);
    if (!isOpen(unit) || networks.of(netdev) === unit) continue;
    const message = `${unit.name} does not tell the names of all the links that it puts into ${bridge.name}`;
    report.add('source-guessed', place, message, 'add what is missing to `ports` in the result');
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
