/** What one host's .netdev and .network files hold together. */
import type { Place } from '../model/problem.ts';
import { quote } from '../text/words.ts';
import { isOpen, type Link, matchesAnything, Networks, namesOf } from './networkd-match.ts';
import type { Unit } from './networkd-units.ts';
import { readMac } from './networkd-values.ts';
import type { Report } from './report.ts';

export interface Netdev extends Link {
  readonly unit: Unit;
}

export interface Host {
  readonly netdevs: ReadonlyMap<string, Netdev>;
  readonly networks: Networks;
  /** Name of a VXLAN link → the files whose links carry it. */
  readonly parents: ReadonlyMap<string, readonly Said[]>;
  /** Bridge → the files that put links into it. */
  readonly members: ReadonlyMap<string, readonly Said[]>;
  /** Links that networkd makes, by the file that is for them. */
  readonly made: ReadonlyMap<Unit | undefined, readonly Netdev[]>;
  readonly report: Report;
}

/** Where a file says something. */
export interface Said {
  readonly unit: Unit;
  readonly value: string;
  readonly place: Place;
}

export function hostOf(units: readonly Unit[], report: Report): Host {
  const networks = new Networks(units.filter(({ kind }) => kind === 'network'));
  const netdevs = readNetdevs(units, report);
  const carried = networks.units.flatMap((unit) =>
    unit.entries('Network', 'VXLAN').map((entry) => ({ ...entry, unit })),
  );
  const bridged = networks.units.flatMap((unit) => {
    const entry = unit.last('Network', 'Bridge');
    return entry === undefined ? [] : [{ ...entry, unit }];
  });
  for (const said of carried) checkCarried(said, netdevs, report);
  const effective = carried.filter(({ unit }) => matchesAnything(unit));
  return {
    netdevs,
    networks,
    parents: Map.groupBy(effective, ({ value }) => value),
    members: Map.groupBy(bridged, ({ value }) => value),
    made: Map.groupBy(netdevs.values(), (netdev) => networks.of(netdev)),
    report,
  };
}

/** The name of the device that a .network file is for; `known` is false where it names none, or more than one. */
export function deviceName(unit: Unit): { readonly name: string; readonly known: boolean } {
  const [name, second] = namesOf(unit);
  if (name === undefined) return { name: unit.name.replace(/^[0-9]+-|\.network$/g, ''), known: false };
  return { name, known: second === undefined && !isOpen(unit) };
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

/** Reports a line `VXLAN=` that has no effect. */
function checkCarried({ unit, value, place }: Said, netdevs: ReadonlyMap<string, Netdev>, report: Report): void {
  if (!matchesAnything(unit)) {
    report.add('source-accepted', place, `${unit.name} has nothing in [Match]: networkd does not read it`);
  } else if (netdevs.get(value)?.kind !== 'vxlan') {
    const message = `there is no .netdev file of the VXLAN link ${quote(value)}: networkd reads past it`;
    report.add('source-reference', place, message);
  }
}
