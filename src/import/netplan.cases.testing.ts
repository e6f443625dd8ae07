/** Netplan files, what the real netplan does with them, and what everlan says. */
export interface NetplanCase {
  readonly name: string;
  /** Files by name; a text alone is one file. */
  readonly in: string | Readonly<Record<string, string>>;
  /** Whether the real `netplan generate` takes it. */
  readonly netplan: boolean;
  /** Errors and warnings: `code line:column marked text`. */
  readonly want: readonly string[];
}

/** One file with an eth0 and the VXLAN tunnel vx0; its keys begin on line 6, column 7. */
const tunnel = (...keys: string[]): string =>
  ['network:', '  ethernets:', '    eth0: {}', '  tunnels:', '    vx0:', ...keys.map((key) => `      ${key}`), ''].join(
    '\n',
  );

const vxlan = (...keys: string[]): string => tunnel('mode: vxlan', 'id: 77', ...keys);

const takes = (name: string, text: NetplanCase['in'], ...want: string[]): NetplanCase => ({
  name,
  in: text,
  netplan: true,
  want,
});
const refuses = (name: string, text: NetplanCase['in'], ...want: string[]): NetplanCase => ({
  name,
  in: text,
  netplan: false,
  want,
});

/** Good, and both say so. */
const GOOD: readonly NetplanCase[] = [
  takes('the least', vxlan()),
  takes(
    'everything',
    vxlan(
      ...['link: eth0', 'local: 10.0.0.1', 'remote: 10.0.0.2', 'port: 4789', 'ttl: 64', 'type-of-service: 4'],
      ...['do-not-fragment: yes', 'mac-learning: OFF', 'arp-proxy: y', 'short-circuit: on', 'port-range: [4000, 5000]'],
      ...['notifications: [l2-miss, L3-MISS]', 'checksums: [udp, zero-udp6-tx, zero-udp6-rx, remote-tx, remote-rx]'],
      ...['extensions: [group-policy]', 'limit: 10', 'ageing: 60', 'mtu: 1400', 'macaddress: 02:00:5e:00:53:01'],
      ...['addresses: [10.9.0.1/24, "fd00:77::1/64"]', 'routes: [{to: 10.8.0.0/16, via: 10.9.0.2}]', 'optional: true'],
    ),
  ),
  takes('IPv6', vxlan('local: fd00::1', 'remote: fd00::2', 'flow-label: 5')),
  takes('a group', vxlan('remote: 239.0.0.1', 'link: eth0')),
  takes('the American spelling', vxlan('aging: 60')),
  takes('quoted numbers', tunnel('mode: "vxlan"', 'id: "77"', "port: '4789'")),
  takes('a leading zero is decimal', vxlan('port: 04789')),
  takes('an empty file', ''),
  takes('a comment', '# nothing\n'),
  takes('all zeros is no end', vxlan('remote: 0.0.0.0', 'local: "::"').replace('"::"', '0.0.0.0')),
  takes('a renderer for some', 'network:\n  tunnels:\n    renderer: networkd\n    vx0: {mode: vxlan, id: 7}\n'),
  takes('a link that is defined further down', {
    'a.yaml': 'network:\n  tunnels: {vx0: {mode: vxlan, id: 7, link: eth0}}\n  ethernets: {eth0: {}}\n',
  }),
  takes('a link in an earlier file', {
    'a.yaml': 'network: {ethernets: {eth0: {}}}\n',
    'b.yaml': 'network: {tunnels: {vx0: {mode: vxlan, id: 7, link: eth0}}}\n',
  }),
  takes('a lifetime of forever', vxlan('addresses: [10.9.0.1/24: {lifetime: forever}]')),
  takes('a physical device by MAC', 'network: {ethernets: {nic: {match: {macaddress: 02:00:5e:00:53:09}}}}\n'),
  takes('a bond, a VLAN and a VRF', {
    'a.yaml': [
      'network:',
      '  version: 2',
      '  renderer: networkd',
      '  ethernets: {eth0: {dhcp4: no}, eth1: {nameservers: {addresses: [9.9.9.9], search: [lan]}}}',
      '  bonds: {bond0: {interfaces: [eth0, eth1], parameters: {mode: 802.3ad, mii-monitor-interval: 100}}}',
      '  vlans: {vlan5: {id: 5, link: bond0, addresses: [10.0.5.1/24]}}',
      '  vrfs: {blue: {table: 7, interfaces: [vlan5]}}',
      '',
    ].join('\n'),
  }),
];

/** Both refuse it. */
const WRONG: readonly NetplanCase[] = [
  refuses('an unknown key', vxlan('prot: 4789'), 'source-key 8:7 prot'),
  refuses('an unknown key of an ethernet', 'network: {ethernets: {eth0: {dhcp: true}}}', 'source-key 1:30 dhcp'),
  refuses('an unknown type', 'network: {tunnel: {}}', 'source-key 1:11 tunnel'),
  refuses('an unknown root', 'networks: {}', 'source-key 1:1 networks'),
  refuses('no VNI', tunnel('mode: vxlan'), 'source-missing 5:5 vx0'),
  refuses('VNI 0', tunnel('mode: vxlan', 'id: 0'), 'source-value 7:11 0'),
  refuses('a VNI too large', tunnel('mode: vxlan', 'id: 16777216'), 'source-value 7:11 16777216'),
  refuses('a VNI of no digits', tunnel('mode: vxlan', 'id: x'), 'source-value 7:11 x'),
  refuses('a negative number', vxlan('port: -1'), 'source-value 8:13 -1'),
  refuses('a hexadecimal number', vxlan('port: 0x10'), 'source-value 8:13 0x10'),
  refuses('a number above 32 bits', vxlan('limit: 4294967296'), 'source-value 8:14 4294967296'),
  refuses('no mode', tunnel('id: 7'), 'source-missing 5:5 vx0'),
  refuses('an unknown mode', tunnel('mode: vxlans'), 'source-value 6:13 vxlans'),
  refuses('a mode in capitals', tunnel('mode: VXLAN', 'id: 7'), 'source-value 6:13 VXLAN'),
  refuses('two families', vxlan('local: 10.0.0.1', 'remote: fd00::2'), 'source-conflict 9:15 fd00::2'),
  refuses('a remote with a length', vxlan('remote: 10.0.0.2/24'), 'source-value 8:15 10.0.0.2/24'),
  refuses('a remote by name', vxlan('remote: beta'), 'source-value 8:15 beta'),
  refuses('octal addresses', vxlan('remote: 010.0.0.2'), 'source-value 8:15 010.0.0.2'),
  refuses('a TTL above 255', vxlan('ttl: 256'), 'source-value 8:12 256'),
  refuses('a TTL of inherit', vxlan('ttl: inherit'), 'source-value 8:12 inherit'),
  refuses('a flow label above 20 bits', vxlan('remote: fd00::2', 'flow-label: 1048576'), 'source-value 9:19 1048576'),
  refuses('no boolean', vxlan('mac-learning: 1'), 'source-value 8:21 1'),
  refuses('do-not-fragment: inherit', vxlan('do-not-fragment: inherit'), 'source-value 8:24 inherit'),
  refuses('a scalar for a list', vxlan('addresses: 10.9.0.1/24'), 'source-value 8:18 10.9.0.1/24'),
  refuses('an empty list', vxlan('addresses:'), 'source-value 8:7 addresses'),
  refuses('a list for a scalar', vxlan('port: [4789]'), 'source-value 8:13 [4789]'),
  refuses('no map', 'network: {tunnels: {vx0: }}', 'source-value 1:21 vx0'),
  refuses('an address without a length', vxlan('addresses: [10.9.0.1]'), 'source-value 8:19 10.9.0.1'),
  refuses('a length of 0', vxlan('addresses: [10.9.0.1/0]'), 'source-value 8:19 10.9.0.1/0'),
  refuses('a length of 33', vxlan('addresses: [10.9.0.1/33]'), 'source-value 8:19 10.9.0.1/33'),
  refuses('a lifetime in seconds', vxlan('addresses: [10.9.0.1/24: {lifetime: 5}]'), 'source-value 8:43 5'),
  refuses('an option of an address', vxlan('addresses: [10.9.0.1/24: {life: 0}]'), 'source-key 8:33 life'),
  refuses('an unknown checksum', vxlan('checksums: [udp, tcp]'), 'source-value 8:24 tcp'),
  refuses('an unknown notification', vxlan('notifications: [l4-miss]'), 'source-value 8:23 l4-miss'),
  refuses('an unknown extension', vxlan('extensions: [gbp]'), 'source-value 8:20 gbp'),
  refuses('a range of one', vxlan('port-range: [4000]'), 'source-value 8:19 [4000]'),
  refuses('a MAC with hyphens', vxlan('macaddress: 02-00-5e-00-53-01'), 'source-value 8:19 02-00-5e-00-53-01'),
  refuses('a key for VXLAN', vxlan('key: 5'), 'source-conflict 8:12 5'),
  refuses('a link that nothing has', vxlan('link: eth9'), 'source-reference 8:13 eth9'),
  refuses(
    'a link in a later file',
    {
      'a.yaml': 'network: {tunnels: {vx0: {mode: vxlan, id: 7, link: eth0}}}\n',
      'b.yaml': 'network: {ethernets: {eth0: {}}}\n',
    },
    'source-reference 1:53 eth0',
  ),
  refuses(
    'a later file forgets the VNI',
    {
      'a.yaml': 'network: {tunnels: {vx0: {mode: vxlan, id: 7}}}\n',
      'b.yaml': 'network: {tunnels: {vx0: {mtu: 1400}}}\n',
    },
    'source-missing 1:21 vx0',
  ),
  refuses(
    'a type that changes',
    'network:\n  tunnels: {vx0: {mode: vxlan, id: 7}}\n  bridges: {vx0: {}}\n',
    'source-conflict 3:13 vx0',
  ),
  refuses('globbing', 'network: {tunnels: {"vx*": {mode: vxlan, id: 7}}}', 'source-value 1:21 "vx*"'),
  refuses('a blank in a name', 'network: {tunnels: {"v x": {mode: vxlan, id: 7}}}', 'source-value 1:21 "v x"'),
  refuses('version 1', 'network: {version: 1}', 'source-value 1:20 1'),
  refuses('an unknown renderer', 'network: {renderer: ifupdown}', 'source-value 1:21 ifupdown'),
  refuses('a route without an end', vxlan('routes: [{via: 10.9.0.2}]'), 'source-missing 8:16 {via: 10.9.0.2}'),
  refuses(
    'a route of two families',
    vxlan('routes: [{to: 10.8.0.0/16, via: "fd00::2"}]'),
    'source-conflict 8:39 "fd00::2"',
  ),
  refuses('set-name alone', 'network: {ethernets: {a: {set-name: eth0}}}', 'source-missing 1:37 eth0'),
  refuses(
    'another tunnel without ends',
    tunnel('mode: gre'),
    ...['source-missing 5:5 vx0', 'source-missing 5:5 vx0', 'source-left-out 6:13 gre'],
  ),
  refuses('a VLAN without a link', 'network: {vlans: {v5: {id: 5}}}', 'source-missing 1:19 v5'),
  refuses('a port of no bridge', 'network: {bridges: {br0: {interfaces: [eth7]}}}', 'source-reference 1:40 eth7'),
  refuses(
    'a port of two bridges',
    'network:\n  tunnels: {vx0: {mode: vxlan, id: 7}}\n  bridges: {br0: {interfaces: [vx0]}, br1: {interfaces: [vx0]}}\n',
    'source-conflict 3:58 vx0',
  ),
  refuses(
    'a port of a bond and of a bridge',
    'network:\n  ethernets: {eth0: {}}\n  bonds: {bond0: {interfaces: [eth0]}}\n  bridges: {br0: {interfaces: [eth0]}}\n',
    'source-conflict 4:32 eth0',
  ),
  refuses('broken YAML', 'network:\n\ttunnels: {}\n', 'yaml-syntax 2:1'),
];

/** netplan takes it; the link is then another one, or none. */
const SILENT: readonly NetplanCase[] = [
  takes('port 65536', vxlan('port: 65536'), 'source-accepted 8:13 65536'),
  takes('port 0', vxlan('port: 0'), 'source-accepted 8:13 0'),
  takes('a number that is not written', vxlan('port: ""'), 'source-value 8:13 ""'),
  takes('a range from 0', vxlan('port-range: [0, 10]'), 'source-accepted 8:19 [0, 10]'),
  takes('a range to 70000', vxlan('port-range: [10, 70000]'), 'source-accepted 8:19 [10, 70000]'),
  takes('a range that is turned round', vxlan('port-range: [20, 10]'), 'source-accepted 8:19 [20, 10]'),
  takes('ageing 0', vxlan('ageing: 0'), 'source-accepted 8:15 0'),
  takes('ageing beyond 32 bits of jiffies', vxlan('ageing: 4294968'), 'source-accepted 8:15 4294968'),
  takes('a limit of 32 bits', vxlan('limit: 2147483648'), 'source-accepted 8:14 2147483648'),
  takes('TTL 0', vxlan('ttl: 0'), 'source-accepted 8:12 0'),
  takes('TOS 300', vxlan('type-of-service: 300'), 'source-accepted 8:24 300'),
  takes('a flow label over IPv4', vxlan('remote: 10.0.0.2', 'flow-label: 5'), 'source-accepted 9:19 5'),
  takes('a local group', vxlan('local: 239.0.0.1'), 'source-accepted 8:14 239.0.0.1'),
  takes('a group without a link', vxlan('remote: 239.0.0.1'), 'source-accepted 8:15 239.0.0.1'),
  takes('a loopback remote', vxlan('remote: 127.0.0.1'), 'source-accepted 8:15 127.0.0.1'),
  takes('a mapped remote', vxlan('remote: ::ffff:10.0.0.2'), 'source-accepted 8:15 ::ffff:10.0.0.2'),
  takes('generic-protocol', vxlan('extensions: [generic-protocol]'), 'source-accepted 8:20 generic-protocol'),
  takes(
    'a name of 16 bytes',
    'network: {tunnels: {vxlan0123456789a: {mode: vxlan, id: 7}}}',
    'source-accepted 1:21 vxlan0123456789a',
  ),
  takes('a name with a slash', 'network: {tunnels: {"a:b": {mode: vxlan, id: 7}}}', 'source-accepted 1:21 "a:b"'),
  takes('MTU 0', vxlan('mtu: 0'), 'source-accepted 8:12 0'),
  takes('the MAC of a group', vxlan('macaddress: 01:00:5e:00:53:01'), 'source-accepted 8:19 01:00:5e:00:53:01'),
  takes('letters behind a length', vxlan('addresses: [10.9.0.1/24x]'), 'source-value 8:19 10.9.0.1/24x'),
  takes(
    'one VNI and port twice',
    'network:\n  tunnels:\n    a: {mode: vxlan, id: 7}\n    b: {mode: vxlan, id: 7}\n',
    'source-accepted 4:26 7',
  ),
  takes('a key twice', vxlan('port: 1', 'port: 2'), 'yaml-duplicate-key 9:7 port'),
  takes('a second document', `${vxlan()}---\nnetwork: {}\n`, 'yaml-documents 8:1 ---'),
  takes(
    'what NetworkManager is not told',
    'network:\n  renderer: NetworkManager\n  tunnels:\n    vx0: {mode: vxlan, id: 7, checksums: [udp]}\n',
    'source-accepted 4:31 checksums',
  ),
];

/** Good, but more than a fabric can say. */
const LEFT_OUT: readonly NetplanCase[] = [
  takes('DHCP on an overlay', vxlan('dhcp4: true'), 'source-left-out 8:7 dhcp4'),
  takes('a gateway', vxlan('gateway4: 10.9.0.2'), 'source-left-out 8:7 gateway4'),
  takes('nameservers', vxlan('nameservers: {addresses: [9.9.9.9]}'), 'source-left-out 8:7 nameservers'),
  takes('a label', vxlan('addresses: [10.9.0.1/24: {label: "vx0:1"}]'), 'source-left-out 8:33 label'),
  takes('a lifetime of 0', vxlan('addresses: [10.9.0.1/24: {lifetime: 0}]'), 'source-left-out 8:33 lifetime'),
  takes('a metric', vxlan('routes: [{to: 10.8.0.0/16, via: 10.9.0.2, metric: 5}]'), 'source-left-out 8:57 5'),
  takes('a route on the link', vxlan('routes: [{to: 10.8.0.0/16}]'), 'source-left-out 8:16 {to: 10.8.0.0/16}'),
  takes('another tunnel', tunnel('mode: gre', 'local: 10.0.0.1', 'remote: 10.0.0.2'), 'source-left-out 6:13 gre'),
  takes(
    'a device by MAC',
    'network:\n  ethernets: {nic: {match: {macaddress: 02:00:5e:00:53:09}}}\n  tunnels: {vx0: {mode: vxlan, id: 7, link: nic}}\n',
    'source-guessed 3:45 nic',
  ),
  takes(
    'STP of a bridge',
    'network:\n  tunnels: {vx0: {mode: vxlan, id: 7}}\n  bridges: {br0: {interfaces: [vx0], parameters: {forward-delay: 0}}}\n',
    ...['source-left-out 3:38 parameters', 'source-left-out 3:51 forward-delay'],
  ),
];

export const NETPLAN_CASES: readonly NetplanCase[] = [...GOOD, ...WRONG, ...SILENT, ...LEFT_OUT];

export const filesOf = (text: NetplanCase['in']): Readonly<Record<string, string>> =>
  typeof text === 'string' ? { 'a.yaml': text } : text;
