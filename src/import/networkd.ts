/** Import of systemd-networkd's files (systemd.netdev(5), systemd.network(5)), as version 252 reads them. */
import type { Prefix } from '../model/address.ts';
import type { Imported, ImportedLink, Importer, SourceFile } from './found.ts';
import { deviceName, type Host, hostOf } from './networkd-host.ts';
import { readLink } from './networkd-link.ts';
import { matchesAnything, namesOf } from './networkd-match.ts';
import { addressesOf } from './networkd-network.ts';
import { readUnits, type Unit } from './networkd-units.ts';
import { Report } from './report.ts';
import { checkTwice } from './twice.ts';

export const importer: Importer = {
  name: 'networkd',
  summary: '.netdev and .network files of systemd-networkd, with their drop-ins',
  pattern: /^[^/]+\.(?:netdev|network)$|^[^/]+\.(?:netdev|network)\.d\/[^/]+\.conf$/,
  read,
};

function read(files: readonly SourceFile[]): Imported {
  const report = new Report();
  const host = hostOf(readUnits(files, report), report);
  const overlays = [...host.netdevs.values()].filter(({ kind }) => kind === 'vxlan');
  const links = overlays.flatMap((netdev) => readLink(netdev, host) ?? []);
  checkTwice(links, report);
  return { links, underlays: underlaysOf(links, host), hostname: null, problems: report.problems(files) };
}

/** Addresses of the links that are neither overlays nor their bridges. */
function underlaysOf(
  links: readonly ImportedLink[],
  { networks, netdevs, made }: Host,
): ReadonlyMap<string, readonly Prefix[]> {
  const ours = new Set(links.flatMap(({ name, bridge }) => [name, bridge?.name]));
  const underlays = new Map<string, readonly Prefix[]>();
  const add = (unit: Unit | undefined, name: string): void => {
    const addresses = unit === undefined || ours.has(name) || underlays.has(name) ? [] : addressesOf(unit);
    if (addresses.length > 0) underlays.set(name, addresses);
  };
  for (const netdev of netdevs.values()) if (netdev.kind !== 'vxlan') add(networks.of(netdev), netdev.name);
  for (const unit of networks.units) {
    const { name } = deviceName(unit);
    const guessed = matchesAnything(unit) && !made.has(unit) ? [name] : [];
    for (const device of namesOf(unit).length > 0 ? namesOf(unit) : guessed)
      if (!netdevs.has(device)) add(unit, device);
  }
  return underlays;
}
