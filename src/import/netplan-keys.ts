/**
 * The keys of netplan's files and what each takes, as the parser of netplan 0.106 has them (src/parse.c). Values of keys
 * that lead far from tunnels (`openvswitch`, `networkmanager`, WPA) are not looked into.
 */
export type Shape =
  | { readonly kind: 'text' | 'boolean' | 'uint' | 'mac' | 'ip' | 'ip4' | 'ip6' | 'name' | 'anything' }
  /** The ID of a definition. */
  | { readonly kind: 'reference' }
  | { readonly kind: 'words'; readonly words: readonly string[]; readonly anyCase: boolean }
  | { readonly kind: 'list'; readonly of: Shape }
  | { readonly kind: 'map'; readonly keys: Keys }
  /** A map whose keys are names. */
  | { readonly kind: 'named'; readonly of: Shape }
  | { readonly kind: 'either'; readonly scalar: Shape; readonly other: Shape }
  /** An address with its prefix length, or a map with that as its key. */
  | { readonly kind: 'address' }
  | { readonly kind: 'route' };

export type Keys = Readonly<Record<string, Shape>>;

const text = { kind: 'text' } as const;
const boolean = { kind: 'boolean' } as const;
const uint = { kind: 'uint' } as const;
const mac = { kind: 'mac' } as const;
const ip = { kind: 'ip' } as const;
const name = { kind: 'name' } as const;
const anything = { kind: 'anything' } as const;
const reference = { kind: 'reference' } as const;
const list = (of: Shape): Shape => ({ kind: 'list', of });
const map = (keys: Keys): Shape => ({ kind: 'map', keys });
const named = (of: Shape): Shape => ({ kind: 'named', of });
const words = (...all: string[]): Shape => ({ kind: 'words', words: all, anyCase: false });
const anyCase = (...all: string[]): Shape => ({ kind: 'words', words: all, anyCase: true });

const renderer = words('networkd', 'NetworkManager');

const DHCP_OVERRIDES: Keys = {
  hostname: text,
  'route-metric': uint,
  'send-hostname': boolean,
  'use-dns': boolean,
  'use-domains': text,
  'use-hostname': boolean,
  'use-mtu': boolean,
  'use-ntp': boolean,
  'use-routes': boolean,
};

export const ADDRESS_OPTIONS: Keys = { lifetime: anyCase('0', 'forever'), label: text };

const ROUTE_TYPES = ['unicast', 'anycast', 'blackhole', 'broadcast', 'local', 'multicast', 'nat', 'prohibit', 'throw'];

/** `from`, `to` and `via` are looked at together: they have one family. */
export const ROUTE_KEYS: Keys = {
  from: text,
  to: text,
  via: text,
  'on-link': boolean,
  scope: anyCase('global', 'link', 'host'),
  table: uint,
  type: anyCase(...ROUTE_TYPES, 'unreachable', 'xresolve'),
  metric: uint,
  mtu: uint,
  'congestion-window': uint,
  'advertised-receive-window': uint,
};

const RULE: Keys = { from: text, mark: uint, priority: uint, table: uint, to: text, 'type-of-service': uint };

const COMMON: Keys = {
  'accept-ra': boolean,
  'activation-mode': words('manual', 'off'),
  addresses: list({ kind: 'address' }),
  critical: boolean,
  'ignore-carrier': boolean,
  dhcp4: boolean,
  dhcp6: boolean,
  'dhcp-identifier': anyCase('duid', 'mac'),
  'dhcp4-overrides': map(DHCP_OVERRIDES),
  'dhcp6-overrides': map(DHCP_OVERRIDES),
  gateway4: { kind: 'ip4' },
  gateway6: { kind: 'ip6' },
  'ipv6-address-generation': words('eui64', 'stable-privacy'),
  'ipv6-address-token': { kind: 'ip6' },
  'ipv6-mtu': uint,
  'ipv6-privacy': boolean,
  'link-local': list(anyCase('ipv4', 'ipv6')),
  macaddress: mac,
  mtu: uint,
  nameservers: map({ search: list(text), addresses: list(ip) }),
  optional: boolean,
  'optional-addresses': list(anyCase('ipv4-ll', 'ipv6-ra', 'dhcp4', 'dhcp6', 'static')),
  renderer,
  routes: list({ kind: 'route' }),
  'routing-policy': list(map(RULE)),
  'neigh-suppress': boolean,
};

const BACKENDS: Keys = { networkmanager: named(anything), openvswitch: named(anything) };

const PHYSICAL: Keys = {
  match: map({ driver: { kind: 'either', scalar: text, other: list(text) }, macaddress: mac, name }),
  'set-name': text,
  wakeonlan: boolean,
  wakeonwlan: list(text),
  'emit-lldp': boolean,
  'receive-checksum-offload': boolean,
  'transmit-checksum-offload': boolean,
  'tcp-segmentation-offload': boolean,
  'tcp6-segmentation-offload': boolean,
  'generic-segmentation-offload': boolean,
  'generic-receive-offload': boolean,
  'large-receive-offload': boolean,
};

/** Keys of a tunnel that belong to VXLAN alone: netplan forgets them when a later file has the tunnel again. */
export const VXLAN_KEYS: Keys = {
  link: reference,
  ageing: uint,
  aging: uint,
  id: uint,
  limit: uint,
  'type-of-service': uint,
  'flow-label': uint,
  'do-not-fragment': boolean,
  'short-circuit': boolean,
  'arp-proxy': boolean,
  'mac-learning': boolean,
  notifications: list(anyCase('l2-miss', 'l3-miss')),
  checksums: list(anyCase('udp', 'zero-udp6-tx', 'zero-udp6-rx', 'remote-tx', 'remote-rx')),
  extensions: list(anyCase('group-policy', 'generic-protocol')),
  'port-range': list(uint),
};

const TUNNEL_MODES = ['ipip', 'gre', 'sit', 'isatap', 'vti', 'ip6ip6', 'ipip6', 'ip6gre', 'vti6', 'vxlan', 'gretap'];

const KEY: Shape = { kind: 'either', scalar: text, other: map({ input: text, output: text, private: text }) };

const PEER: Keys = {
  keys: map({ public: text, shared: text }),
  keepalive: uint,
  endpoint: text,
  'allowed-ips': list(text),
};

const BRIDGE_PARAMETERS: Keys = {
  'ageing-time': text,
  'aging-time': text,
  'forward-delay': text,
  'hello-time': text,
  'max-age': text,
  'path-cost': named(uint),
  'port-priority': named(uint),
  priority: uint,
  stp: boolean,
};

const BOND_MODES = ['balance-rr', 'active-backup', 'balance-xor', 'broadcast', '802.3ad', 'balance-tlb', 'balance-alb'];

const BOND_PARAMETERS: Keys = {
  mode: words(...BOND_MODES, 'balance-tcp', 'balance-slb'),
  'lacp-rate': text,
  'mii-monitor-interval': text,
  'min-links': uint,
  'transmit-hash-policy': text,
  'ad-select': text,
  'all-slaves-active': boolean,
  'all-members-active': boolean,
  'arp-interval': text,
  'arp-ip-targets': list({ kind: 'ip4' }),
  'arp-validate': text,
  'arp-all-targets': text,
  'up-delay': text,
  'down-delay': text,
  'fail-over-mac-policy': text,
  'gratuitous-arp': uint,
  'gratuitious-arp': uint,
  'packets-per-slave': uint,
  'packets-per-member': uint,
  'primary-reselect-policy': text,
  'resend-igmp': uint,
  'learn-packet-interval': text,
  primary: reference,
};

const ETHERNET: Keys = {
  ...COMMON,
  ...BACKENDS,
  ...PHYSICAL,
  auth: named(text),
  link: reference,
  'virtual-function-count': uint,
  'embedded-switch-mode': words('switchdev', 'legacy'),
  'delay-virtual-functions-rebind': boolean,
  'infiniband-mode': words('datagram', 'connected'),
};

/** What may stand in a definition, by the type that it stands under. */
export const DEFINITIONS = {
  ethernets: ETHERNET,
  'nm-devices': ETHERNET,
  wifis: {
    ...COMMON,
    ...BACKENDS,
    ...PHYSICAL,
    'access-points': named(named(anything)),
    auth: named(text),
    'regulatory-domain': text,
  },
  modems: {
    ...COMMON,
    ...BACKENDS,
    ...PHYSICAL,
    apn: text,
    'auto-config': boolean,
    'device-id': text,
    'network-id': text,
    number: text,
    password: text,
    pin: text,
    'sim-id': text,
    'sim-operator-id': text,
    username: text,
  },
  bridges: { ...COMMON, ...BACKENDS, interfaces: list(reference), parameters: map(BRIDGE_PARAMETERS) },
  bonds: { ...COMMON, ...BACKENDS, interfaces: list(reference), parameters: map(BOND_PARAMETERS) },
  vlans: { ...COMMON, ...BACKENDS, renderer: words('networkd', 'NetworkManager', 'sriov'), id: uint, link: reference },
  vrfs: {
    ...BACKENDS,
    renderer,
    interfaces: list(reference),
    table: uint,
    routes: list({ kind: 'route' }),
    'routing-policy': list(map(RULE)),
  },
  tunnels: {
    ...COMMON,
    ...BACKENDS,
    mode: words(...TUNNEL_MODES, 'ip6gretap', 'wireguard'),
    local: ip,
    remote: ip,
    ttl: uint,
    key: KEY,
    keys: KEY,
    mark: uint,
    port: uint,
    peers: list(map(PEER)),
    ...VXLAN_KEYS,
  },
} as const satisfies Record<string, Keys>;

export type DefinitionType = keyof typeof DEFINITIONS;

export const isDefinitionType = (key: string): key is DefinitionType => Object.hasOwn(DEFINITIONS, key);

/** Links that are there already: their names on the system are told by `match` and `set-name`. */
export const PHYSICAL_TYPES: ReadonlySet<DefinitionType> = new Set(['ethernets', 'nm-devices', 'wifis', 'modems']);

/** Keys of `network` beside the types. */
export const NETWORK_KEYS: Keys = { version: text, renderer, openvswitch: named(anything) };
