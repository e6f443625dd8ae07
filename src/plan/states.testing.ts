/** Host states for tests, written short: what is not said is as in the article's overlay. */
import assert from 'node:assert/strict';
import { type IpAddress, type Prefix, parseIp, parsePrefix } from '../model/address.ts';
import { type Mac, parseMac } from '../model/mac.ts';
import { aliasOf, groupOf, PROTOCOL, readAlias } from '../model/ownership.ts';
import { fdbKey, type HostState, type LinkKind, type LinkState, type Origin, routeKey } from '../model/state.ts';
import { VXLAN_DEFAULTS, type VxlanState } from '../model/vxlan.ts';

export const FABRIC = 'article';

/** Things that stand on a link are words; a first word `foreign` makes them a stranger's. */
export interface ShortLink {
  readonly kind?: LinkKind;
  /** '' makes it a stranger's. */
  readonly alias?: string;
  readonly index?: number;
  readonly up?: boolean;
  readonly mtu?: number;
  readonly mac?: string;
  readonly txChecksum?: boolean;
  readonly master?: string;
  readonly vxlan?: Partial<VxlanState>;
  /** `169.254.0.1/24` */
  readonly addresses?: readonly string[];
  /** `02:00:00:00:00:01 10.0.0.5` */
  readonly fdb?: readonly string[];
  /** `169.254.0.2 02:00:00:00:00:01` */
  readonly neighbours?: readonly string[];
  /** `10.1.0.0/16 via 169.254.0.2 metric 5` */
  readonly routes?: readonly string[];
}

function known<T>(value: T | null, text: string | undefined): T {
  assert.ok(value !== null, `not understood: ${text}`);
  return value;
}

const ip = (text = ''): IpAddress => known(parseIp(text), text);
const prefix = (text = ''): Prefix => known(parsePrefix(text), text);
const mac = (text = ''): Mac => known(parseMac(text), text);

function split(text: string): { words: string[]; origin: Origin; protocol: number } {
  const words = text.split(' ');
  const foreign = words[0] === 'foreign';
  return foreign
    ? { words: words.slice(1), origin: 'foreign', protocol: 4 }
    : { words, origin: 'ours', protocol: PROTOCOL };
}

function addresses(list: readonly string[]): LinkState['addresses'] {
  const entries = list.map((text) => {
    const { words, origin, protocol } = split(text);
    const key = prefix(words[0]);
    const lifetime = words[1] === 'for' ? Number(words[2]) : 0xffffffff;
    const lifetimes = { validLifetime: lifetime, preferredLifetime: lifetime };
    return [key, { prefix: key, origin, protocol, flags: 0, ...lifetimes, scope: 0, broadcast: null }] as const;
  });
  return new Map(entries);
}

function fdb(list: readonly string[]): LinkState['fdb'] {
  const entries = list.map((text) => {
    const { words, origin } = split(text);
    const row = { mac: mac(words[0]), vtep: ip(words[1]), origin };
    return [fdbKey(row.mac, row.vtep), row] as const;
  });
  return new Map(entries);
}

function neighbours(list: readonly string[]): LinkState['neighbours'] {
  const entries = list.map((text) => {
    const { words, origin, protocol } = split(text);
    const address = ip(words[0]);
    return [address, { address, mac: mac(words[1]), origin, protocol }] as const;
  });
  return new Map(entries);
}

function routes(list: readonly string[]): LinkState['routes'] {
  const entries = list.map((text) => {
    const { words, origin, protocol } = split(text);
    const to = prefix(words[0]);
    const option = (name: string): string | undefined => words[words.indexOf(name, 1) + 1];
    const via = words.includes('via') ? ip(option('via')) : null;
    const metric = words.includes('metric') ? Number(option('metric')) : 0;
    const route = { to, via, origin, protocol, metric };
    return [routeKey(route), route] as const;
  });
  return new Map(entries);
}

export function shortLink(name: string, short: ShortLink | null): LinkState {
  const said = short ?? {};
  const kind = said.kind ?? 'vxlan';
  const alias = said.alias ?? (kind === 'vxlan' || kind === 'bridge' ? aliasOf(FABRIC, name) : '');
  return {
    name,
    index: said.index ?? 0,
    kind,
    overlay: readAlias(alias)?.overlay ?? null,
    alias,
    group: readAlias(alias)?.fabric === FABRIC ? groupOf(FABRIC) : 0,
    up: said.up ?? true,
    mtu: said.mtu ?? 1450,
    mac: mac(said.mac ?? '02:00:00:00:00:0a'),
    txChecksum: said.txChecksum ?? true,
    master: said.master ?? null,
    vxlan: kind === 'vxlan' ? { ...VXLAN_DEFAULTS, vni: 77, port: 4789, ...said.vxlan } : null,
    addresses: addresses(said.addresses ?? []),
    fdb: fdb(said.fdb ?? []),
    neighbours: neighbours(said.neighbours ?? []),
    routes: routes(said.routes ?? []),
  };
}

export function shortState(links: Readonly<Record<string, ShortLink | null>>): HostState {
  return { links: new Map(Object.entries(links).map(([name, short]) => [name, shortLink(name, short)])) };
}

/** The kinds that `states` name, later ones first, as a scope wants them. */
export function wantedKinds(...states: readonly HostState[]): Map<string, LinkKind> {
  return new Map(states.flatMap(({ links }) => Array.from(links.values(), ({ name, kind }) => [name, kind] as const)));
}
