/** The `routes` of an overlay: each one must be a route that every member's kernel would take. */
import { addressOf, contains, familyOf, type IpAddress, networkOf, type Prefix } from '../model/address.ts';
import type { OverlayRoute } from '../model/options.ts';
import type { YamlMap, YamlValue } from '../text/value.ts';
import { type Around, checkMember } from './around.ts';
import {
  type Field,
  isTextKey,
  readList,
  readMap,
  readPrefix,
  readText,
  readUnicast,
  report,
  unknownKey,
} from './atoms.ts';
import { below } from './findings.ts';
import { ROUTE_KEYS } from './keys.ts';

const KEYS = Object.keys(ROUTE_KEYS);

export function readRoutes(
  value: YamlValue,
  wanted: string,
  field: Field,
  around: Around,
): readonly OverlayRoute[] | undefined {
  const list = readList(value, wanted, field);
  if (list === undefined) return undefined;
  const routes = new Map<Prefix, OverlayRoute>();
  for (const [i, item] of list.entries()) {
    const one: Field = { what: 'each route', at: below(field.at, i), findings: field.findings };
    const map = readMap(item, 'a map {to, via}', one);
    const route = map === undefined ? undefined : readRoute(map, one, around);
    if (route === undefined) continue;
    if (routes.has(route.to)) report(inside(one, 'to'), 'route-twice', `a route to ${route.to} is there already`);
    else routes.set(route.to, route);
  }
  return [...routes.values()];
}

function inside(field: Field, key: string): Field {
  return { what: `\`${key}\` of a route`, at: below(field.at, key), findings: field.findings };
}

function readRoute(map: YamlMap, field: Field, around: Around): OverlayRoute | undefined {
  for (const key of map.keys()) {
    if (!isTextKey(key, field.at, field.findings)) continue;
    if (!KEYS.includes(key)) unknownKey(key, field.at, KEYS, field.findings);
  }
  for (const key of KEYS) if (!map.has(key)) report(field, 'missing-key', `a route needs \`${key}\``);
  const to = map.has('to') ? readTo(map.get('to') ?? null, inside(field, 'to')) : undefined;
  const viaField = inside(field, 'via');
  const via = map.has('via') ? readVia(map.get('via') ?? null, viaField, around) : undefined;
  if (to === undefined || via === undefined) return undefined;
  const { members, complete } = around;
  if (members !== null && complete && !isReachable({ to, via }, inside(field, 'to'), viaField, members))
    return undefined;
  return { to, via };
}

function readTo(value: YamlValue, field: Field): Prefix | undefined {
  if (value === 'default') {
    return report(field, 'prefix-form', `${field.what} must be a network`, 'write 0.0.0.0/0 or ::/0');
  }
  const to = readPrefix(value, field);
  if (to === undefined) return undefined;
  const network = networkOf(to);
  if (network === to) return to;
  return report(field, 'route-host-bits', `${to} is an address in a network, not a network`, `write ${network}`);
}

function readVia(value: YamlValue, field: Field, around: Around): string | IpAddress | undefined {
  const text = readText(value, 'a member of the overlay or an address', field);
  if (text === undefined) return undefined;
  if (/[.:]/.test(text)) return readUnicast(text, field);
  if (around.members === null || around.members.has(text)) return text;
  if (around.names?.has(text) === true) return checkMember(text, field, around) ? text : undefined;
  const hint = around.members.size <= 8 ? `members are ${[...around.members.keys()].join(', ')}` : undefined;
  return report(
    field,
    'route-via-unknown',
    `${field.what} must be a member or an address, and “${text}” is neither`,
    hint,
  );
}

function isReachable(
  { to, via }: OverlayRoute,
  toField: Field,
  viaField: Field,
  members: ReadonlyMap<string, readonly Prefix[]>,
): boolean {
  const gateway = gatewayOf(via, to, members);
  if (gateway === null) {
    const what = members.has(via)
      ? `${via} has no IPv${familyOf(to)} address on this overlay`
      : `${via} is IPv${familyOf(via as IpAddress)}`;
    report(viaField, 'route-via-family', `${what}, and ${to} is IPv${familyOf(to)}`);
    return false;
  }
  let good = true;
  for (const [name, addresses] of members) {
    const same = addresses.filter((address) => familyOf(address) === familyOf(gateway));
    if (same.some((address) => networkOf(address) === to)) {
      report(toField, 'route-own-network', `${to} is the network of ${name} on this overlay itself`);
      return false;
    }
    // Without an address a member has no use for the route, and the gateway needs none to itself.
    if (!good || same.length === 0 || same.some((address) => addressOf(address) === gateway)) continue;
    if (same.some((address) => contains(address, gateway))) continue;
    const message = `${gateway} is in no network of ${name}, which is on ${same.join(' and ')}`;
    report(viaField, 'route-via-unreachable', via === gateway ? message : `${message}: ${via} cannot be its gateway`);
    good = false;
  }
  return good;
}

/** The address that the kernel is told: a member's first one of the family of `to`, or null when there is none. */
export function gatewayOf(via: string, to: Prefix, members: ReadonlyMap<string, readonly Prefix[]>): IpAddress | null {
  const addresses = members.get(via);
  if (addresses === undefined) {
    const address = via as IpAddress;
    return familyOf(address) === familyOf(to) ? address : null;
  }
  const first = addresses.find((address) => familyOf(address) === familyOf(to));
  return first === undefined ? null : addressOf(first);
}
