/** A VXLAN link in netplan's words (netplan(5), `tunnels`, from 0.105), and what it has no words for. */

import type { Option, OverlayOptions } from '../model/options.ts';
import type { LinkState } from '../model/state.ts';
import type { Part } from './part.ts';
import type { Entry } from './unit-file.ts';
import type { Yaml, YamlMap } from './yaml.ts';

/** The least MTU of a link that speaks IPv6 (RFC 8200, section 5). */
const IPV6_MTU = 1280;

/** Options that netplan has by the same name and with the same values. */
const SHARED = [
  'port',
  'ageing',
  'limit',
  'ttl',
  'type-of-service',
  'flow-label',
  'do-not-fragment',
  'mac-learning',
  'arp-proxy',
  'short-circuit',
  'port-range',
  'notifications',
  'checksums',
  'extensions',
] as const satisfies readonly Option[];

/** netplan 0.106 writes larger numbers as negative ones, which networkd passes over. */
const MOST_LIMIT = 0x7fffffff;

interface Odd {
  readonly option: Option;
  when(options: OverlayOptions): boolean;
  entry(options: OverlayOptions): Entry;
}

/** Values that netplan does not take: said in a drop-in for the .netdev file that it writes. */
const ODD: readonly Odd[] = [
  { option: 'ttl', when: ({ ttl }) => ttl === 'inherit', entry: () => ['TTL', 'inherit'] },
  {
    option: 'do-not-fragment',
    when: (options) => options['do-not-fragment'] === 'inherit',
    entry: () => ['IPDoNotFragment', 'inherit'],
  },
  {
    option: 'limit',
    when: ({ limit }) => limit !== null && limit > MOST_LIMIT,
    entry: ({ limit }) => ['MaximumFDBEntries', String(limit)],
  },
];

const oddOf = ({ options }: Part): readonly Odd[] => ODD.filter(({ when }) => when(options));

/** Entries of `[VXLAN]`. */
export const oddEntries = (part: Part): readonly Entry[] => oddOf(part).map(({ entry }) => entry(part.options));

type Entries = readonly (readonly [string, Yaml])[];

/** A key with its value, or nothing. */
const maybe = (key: string, value: Yaml | null): Entries => (value === null ? [] : [[key, value]]);

function sharedEntries(part: Part): Entries {
  const odd = new Set(oddOf(part).map(({ option }) => option));
  return SHARED.flatMap((option): Entries => {
    if (odd.has(option)) return [];
    const value = part.options[option];
    // The kernel sets UDP checksums without a word, networkd does not.
    return maybe(option, option === 'checksums' && value === null ? ['udp'] : value);
  });
}

/** What a link has, tunnel or bridge. */
function commonEntries({ mtu }: Part, { mac, master, addresses, routes }: LinkState): Entries {
  const ways = [...routes.values()].map(({ to, via }): YamlMap => new Map([['to', to], ...maybe('via', via)]));
  return [
    ['macaddress', mac],
    ...maybe('mtu', mtu),
    // A link that cannot speak IPv6 must not wait for an address of it; netplan takes it away from a bridge's port itself.
    ...maybe('link-local', mtu !== null && mtu < IPV6_MTU && master === null ? [] : null),
    ...maybe('addresses', addresses.size === 0 ? null : [...addresses.keys()]),
    ...maybe('routes', ways.length === 0 ? null : ways),
  ];
}

/** @param link netplan's ID of the underlay device; null: none. */
export function tunnelOf(part: Part, link: string | null): YamlMap {
  const { vxlan } = part.link;
  if (vxlan === null) throw new TypeError(`${part.link.name} is no VXLAN link`);
  return new Map([
    ['mode', 'vxlan'],
    ['id', vxlan.vni],
    ...maybe('link', link),
    ...maybe('local', vxlan.local),
    ...maybe('remote', vxlan.remote),
    ...sharedEntries(part),
    ...commonEntries(part, part.link),
  ]);
}

export function bridgeOf(part: Part, bridge: LinkState): YamlMap {
  return new Map<string, Yaml>([['interfaces', [part.link.name]], ...commonEntries(part, bridge)]);
}
