/** What stands on the links of an overlay: MACs, forwarding rows, bridges, routes. */
import { addressOf, familyOf, type IpAddress, type Prefix } from '../model/address.ts';
import { isGroupMac, type Mac } from '../model/mac.ts';
import type { Option } from '../model/options.ts';
import type { YamlValue } from '../text/value.ts';
import { placeOf, type Side } from './draft.ts';
import { importProblem } from './errors.ts';
import type { Context, Member } from './members.ts';
import { show } from './merge.ts';
import type { Group } from './pairs.ts';

/** Host → its MAC, where the source sets one. */
export function sourceMacs(
  members: readonly Member[],
  name: string,
  { problems }: Context,
  notes: string[],
): ReadonlyMap<string, Mac> {
  const macs = new Map<string, Mac>();
  const owners = new Map<Mac, Side>();
  const random: string[] = [];
  for (const { name: host, side } of members) {
    if (side === null) continue;
    const { mac } = side.link;
    if (mac === null) {
      random.push(host);
      continue;
    }
    macs.set(host, mac);
    const owner = owners.get(mac);
    owners.set(mac, side);
    if (owner === undefined) continue;
    const message = `${name} has the MAC ${mac} on ${owner.host.name} and on ${host}`;
    const also = [{ message: `on ${host}`, place: placeOf(side, 'mac') }];
    problems.push(importProblem('import-mac-twice', message, { place: placeOf(owner, 'mac'), also }));
  }
  if (random.length > 0) {
    notes.push(
      `The source leaves the MAC on ${random.join(', ')} to chance; everlan derives a lasting one, so apply changes it.`,
    );
  }
  return macs;
}

/** The `macs` of the file: static rows that `covered` does not say. */
export function macsOf(
  group: Group,
  members: readonly Member[],
  covered: ReadonlySet<Mac>,
  { problems }: Context,
): ReadonlyMap<Mac, string> {
  const names = new Map(members.map(({ underlay, name }) => [underlay, name]));
  const found = new Map<Mac, { readonly vtep: IpAddress; readonly side: Side }>();
  for (const side of group) {
    for (const [mac, vtep] of side.link.macs) {
      if (covered.has(mac)) continue;
      const place = placeOf(side, `macs ${mac}`);
      const other = found.get(mac);
      if (isGroupMac(mac)) {
        const message = `the row ${mac} → ${vtep} is left out: the file takes no rows of group addresses`;
        problems.push(importProblem('import-unsaid', message, { place }));
      } else if (other === undefined) found.set(mac, { vtep, side });
      else if (other.vtep !== vtep) {
        const message = `${mac} is at ${other.vtep} for ${other.side.host.name} and at ${vtep} for ${side.host.name}`;
        const also = [{ message: `on ${side.host.name}`, place }];
        problems.push(importProblem('import-differs', message, { place: placeOf(other.side, `macs ${mac}`), also }));
      }
    }
  }
  for (const side of group) {
    const lacks = [...found].filter(([mac, { vtep }]) => vtep !== side.host.underlay && !side.link.macs.has(mac));
    const [first] = lacks;
    if (first === undefined) continue;
    const [mac, { side: from }] = first;
    const more = lacks.length > 1 ? ` and ${lacks.length - 1} more` : '';
    const message = `${side.host.name} does not have the row for ${mac}${more} on ${side.link.name} that ${from.host.name} has: the file gives it to both`;
    problems.push(importProblem('import-one-sided', message, { place: placeOf(from, `macs ${mac}`) }));
  }
  return new Map([...found].map(([mac, { vtep }]) => [mac, names.get(vtep) ?? vtep]));
}

/** `bridge` and `ports`: the same on all members. */
export function bridgeOf([first, ...rest]: Group, { problems }: Context): readonly (readonly [Option, YamlValue])[] {
  if (first === undefined) return [];
  const said = ({ link: { bridge } }: Side): string =>
    bridge === null ? 'no bridge' : `${bridge.name} with ports ${show(bridge.ports.toSorted())}`;
  for (const side of rest) {
    if (said(side) === said(first)) continue;
    const message = `${first.link.name} has ${said(first)} on ${first.host.name} and ${said(side)} on ${side.host.name}; in a fabric an overlay has one for all members`;
    const also = [{ message: `on ${side.host.name}`, place: placeOf(side, 'bridge') }];
    problems.push(importProblem('import-differs', message, { place: placeOf(first, 'bridge'), also }));
  }
  const { bridge } = first.link;
  if (bridge === null) return [];
  return [['bridge', bridge.name], ...(bridge.ports.length === 0 ? [] : [['ports', bridge.ports] as const])];
}

/** `routes`: those of all members; a gateway that is a member's first address goes under the member's name. */
export function routesOf(
  group: Group,
  members: readonly Member[],
  { problems }: Context,
): readonly ReadonlyMap<string, string>[] {
  const found = new Map<Prefix, { readonly via: IpAddress; readonly side: Side }>();
  for (const side of group) {
    for (const { to, via } of side.link.routes) {
      const other = found.get(to);
      if (other === undefined) found.set(to, { via, side });
      else if (other.via !== via) {
        const message = `the route to ${to} goes via ${other.via} on ${other.side.host.name} and via ${via} on ${side.host.name}`;
        const also = [{ message: `on ${side.host.name}`, place: placeOf(side, `route ${to}`) }];
        const place = placeOf(other.side, `route ${to}`);
        problems.push(importProblem('import-differs', message, { place, also }));
      }
    }
  }
  for (const [to, { via, side: from }] of found) {
    const gains = group.find((side) => side !== from && takes(side, to, via));
    if (gains === undefined) continue;
    const message = `${gains.host.name} does not have the route to ${to} that ${from.host.name} has: the file gives it to both`;
    problems.push(importProblem('import-one-sided', message, { place: placeOf(from, `route ${to}`) }));
  }
  return [...found].map(
    ([to, { via }]) =>
      new Map([
        ['to', to],
        ['via', gatewayName(via, members)],
      ]),
  );
}

/** Whether the file would give the host a route that it does not have. */
function takes({ link }: Side, to: Prefix, via: IpAddress): boolean {
  const same = link.addresses.filter((prefix) => familyOf(prefix) === familyOf(via));
  return same.length > 0 && !same.some((prefix) => addressOf(prefix) === via) && !link.routes.some((r) => r.to === to);
}

function gatewayName(via: IpAddress, members: readonly Member[]): string {
  const member = members.find(({ addresses }) => {
    const first = addresses.find((prefix) => familyOf(prefix) === familyOf(via));
    return first !== undefined && addressOf(first) === via;
  });
  return member?.name ?? via;
}
