/** Fabrics that networkd and netplan are tried with, and on which of their hosts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const example = (name: string): string =>
  readFileSync(join(import.meta.dirname, '..', 'examples', `${name}.yaml`), 'utf8');

const EVERY_OPTION = `
fabric: every
hosts:
  alpha: {underlay: 10.0.0.4, device: eth0}
  beta: 10.0.0.5
  gamma: 10.0.0.6
overlays:
  all4:
    vni: 1
    port: 4790
    ageing: 4294967
    limit: 4294967295
    ttl: 255
    type-of-service: 255
    do-not-fragment: true
    mac-learning: false
    arp-proxy: true
    short-circuit: true
    port-range: [5000, 5000]
    notifications: [l2-miss, l3-miss]
    checksums: [remote-tx, remote-rx]
    extensions: [group-policy]
    mtu: 1300
    mac: {alpha: "02:00:00:00:00:01"}
    remotes: [10.0.0.99]
    macs: {"02:00:00:00:00:99": 10.0.0.99, "02:00:00:00:00:98": 10.0.0.99}
    neighbours: static
    tx-checksum-offload: false
    hosts: {alpha: [10.1.0.1/24, 10.1.0.3/24, "fd00:1::1/64"], beta: [10.1.0.2/24, "fd00:1::2/64"], gamma: 10.1.0.9/24}
    routes: [{to: 10.9.0.0/16, via: beta}, {to: "fd00:9::/48", via: beta}, {to: 10.8.0.1/32, via: 10.1.0.77}]
  small:
    vni: 2
    ttl: inherit
    do-not-fragment: inherit
    type-of-service: 1
    mac-learning: true
    arp-proxy: false
    notifications: []
    checksums: [udp, zero-udp6-tx, zero-udp6-rx]
    local: none
    mtu: 600
    flood: none
    hosts: {alpha: 10.2.0.1/31, beta: }
  cast:
    vni: 3
    flood: 239.1.1.1
    port: 4791
    do-not-fragment: false
    hosts: {alpha: 169.254.9.1/16, beta: 169.254.9.2/16}
    routes: [{to: 0.0.0.0/0, via: beta}]
  lan:
    vni: 16777215
    port: 4792
    bridge: br.0
    ports: [eth1, eth2]
    mtu: 1200
    hosts: {alpha: 10.3.0.1/24, beta: 10.3.0.2/24}
    routes: [{to: 10.33.0.0/16, via: beta}]
  alone:
    vni: 4
    port: 4793
    hosts: {alpha: }
`;

export const SIX = `
fabric: six
hosts: {alpha: {underlay: "fd00::4", device: eth0}, beta: "fd00::5", gamma: "fd00::6"}
overlays:
  many:
    vni: 1
    flow-label: 1048575
    checksums: []
    hosts: {alpha: "fd00:1::1/64", beta: "fd00:1::2/64", gamma: "fd00:1::3/64"}
    routes: [{to: "::/0", via: beta}]
  one:
    vni: 2
    local: none
    hosts: {alpha: "fd00:2::1/64", beta: "fd00:2::2/64"}
  cast:
    vni: 3
    port: 4790
    flood: "ff05::1"
    hosts: {alpha: "fd00:3::1/64", beta: "fd00:3::2/64"}
`;

const NO_DEVICE = `
fabric: free
hosts: {alpha: {underlay: 10.0.0.4, device: none}, beta: 10.0.0.5}
overlays:
  vxlan0: {vni: 1, hosts: {alpha: 10.1.0.1/24, beta: 10.1.0.2/24}}
  vxlan1: {vni: 2, mtu: 1300, hosts: {alpha: 10.2.0.1/24, beta: 10.2.0.2/24}}
`;

export const ODD_NAMES = `
fabric: odd
hosts: {alpha: {underlay: 10.0.0.4, device: eth0}, beta: 10.0.0.5}
overlays:
  "a[b]*?": {vni: 1, hosts: {alpha: 10.1.0.1/24, beta: 10.1.0.2/24}}
  "#;$(x)~": {vni: 2, bridge: "=,{}<>|", ports: ["&e\`1"], hosts: {alpha: 10.2.0.1/24, beta: 10.2.0.2/24}}
`;

export const CASES: readonly { name: string; text: string; host: string }[] = [
  { name: 'article', text: example('article'), host: 'alpha' },
  { name: 'three-hosts', text: example('three-hosts'), host: 'alpha' },
  { name: 'ipv6-underlay', text: example('ipv6-underlay'), host: 'alpha' },
  { name: 'multicast', text: example('multicast'), host: 'alpha' },
  { name: 'bridged-lan', text: example('bridged-lan'), host: 'west' },
  { name: 'big, a router', text: example('big'), host: 'tyo-rt' },
  { name: 'big, a worker', text: example('big'), host: 'tyo-01' },
  { name: 'every option', text: EVERY_OPTION, host: 'alpha' },
  { name: 'an IPv6 underlay', text: SIX, host: 'alpha' },
  { name: 'no device', text: NO_DEVICE, host: 'alpha' },
];
