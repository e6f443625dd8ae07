/** Links changed, bridges, ports, veth pairs, removal. */
import { pid } from 'node:process';
import { changed, LINK, MULTI, made, type Scenario, shown, UP_RUNNING } from './capture-vectors.scenario.ts';

/** The on-off options of a bridge port: ip's words and our names. */
const PORT_SWITCHES = {
  hairpin: 'hairpin',
  guard: 'guard',
  root_block: 'protect',
  fastleave: 'fastLeave',
  learning: 'learning',
  flood: 'unicastFlood',
  proxy_arp: 'proxyArp',
  mcast_flood: 'multicastFlood',
  neigh_suppress: 'neighbourSuppress',
  isolated: 'isolated',
} as const;

/** A port of which only these options are on. Any two differ in some scenario, so taking one for the other shows. */
function portSwitched(...on: readonly (keyof typeof PORT_SWITCHES)[]): Scenario {
  const switches = Object.entries(PORT_SWITCHES).map(([word, name]) => {
    const value = on.some((each) => each === word);
    return { word: `${word} ${value ? 'on' : 'off'}`, told: [name, value] as const };
  });
  return {
    name: `show a bridge port with ${on.join(', ')}`,
    before: [`ip link set dev vx4 type bridge_slave ${switches.map(({ word }) => word).join(' ')}`],
    command: 'ip -d link show dev vx4',
    type: 'GETLINK',
    request: shown('vx4'),
    answer: {
      type: 'NEWLINK',
      link: {
        attributes: {
          linkInfo: { portKind: 'bridge', bridgePort: Object.fromEntries(switches.map(({ told }) => told)) },
        },
      },
    },
  };
}

export const links: readonly Scenario[] = [
  {
    name: 'change in place',
    command: 'ip link set dev vx4 type vxlan remote 10.10.0.8 ttl 9 ageing 60 learning',
    type: 'NEWLINK',
    request: changed(5, {
      linkInfo: { kind: 'vxlan', vxlan: { group: '10.10.0.8', ttl: 9, learning: true, ageing: 60 } },
    }),
  },
  {
    name: 'alias',
    command: 'ip link set dev vxlan0 alias everlan:article/vxlan0',
    type: 'NEWLINK',
    request: changed(4, { alias: 'everlan:article/vxlan0' }),
  },
  {
    name: 'group and up at once',
    command: 'ip link set dev vxlan0 group 77 up',
    type: 'NEWLINK',
    request: { link: { index: 4, flags: 1, change: 1, attributes: { group: 77 } } },
  },
  {
    name: 'show alias, group and up',
    command: 'ip link show dev vxlan0',
    type: 'GETLINK',
    request: shown('vxlan0'),
    answer: {
      type: 'NEWLINK',
      link: { index: 4, flags: UP_RUNNING, attributes: { alias: 'everlan:article/vxlan0', group: 77 } },
    },
  },
  {
    name: 'an alias in two scripts',
    command: 'ip link set dev vx6 alias überlagert-重ね',
    type: 'NEWLINK',
    request: changed(6, { alias: 'überlagert-重ね' }),
  },
  {
    name: 'show an alias in two scripts',
    command: 'ip link show dev vx6',
    type: 'GETLINK',
    request: shown('vx6'),
    answer: { type: 'NEWLINK', link: { index: 6, attributes: { alias: 'überlagert-重ね' } } },
  },
  {
    name: 'an alias taken away',
    command: "ip link set dev vx6 alias ''",
    type: 'NEWLINK',
    request: changed(6, { alias: '' }),
  },
  {
    name: 'a bridge with options',
    command:
      'ip link add br0 address 02:00:00:00:00:0b type bridge forward_delay 1600 hello_time 300 max_age 2100' +
      ' ageing_time 40000 stp_state 1 priority 4096 group_fwd_mask 8 mcast_snooping 0',
    type: 'NEWLINK',
    request: made({
      name: 'br0',
      address: '02:00:00:00:00:0b',
      linkInfo: {
        kind: 'bridge',
        bridge: {
          forwardDelay: 1600,
          helloTime: 300,
          maxAge: 2100,
          ageingTime: 40000,
          stpState: 1,
          priority: 4096,
          groupForwardMask: 8,
          multicastSnooping: 0,
        },
      },
    }),
  },
  {
    name: 'show a bridge with options',
    command: 'ip -d link show dev br0',
    type: 'GETLINK',
    request: shown('br0'),
    answer: {
      type: 'NEWLINK',
      link: {
        index: 12,
        attributes: {
          linkInfo: {
            kind: 'bridge',
            bridge: {
              forwardDelay: 1600,
              helloTime: 300,
              maxAge: 2100,
              ageingTime: 40000,
              stpState: 1,
              priority: 4096,
              groupForwardMask: 8,
              multicastSnooping: 0,
            },
          },
        },
      },
    },
  },
  {
    name: 'a bridge that filters VLANs',
    command: 'ip link add brv type bridge vlan_filtering 1 vlan_protocol 802.1ad',
    // The kernel that answered was built without CONFIG_BRIDGE_VLAN_FILTERING.
    refused: true,
    type: 'NEWLINK',
    request: made({
      name: 'brv',
      linkInfo: { kind: 'bridge', bridge: { vlanFiltering: 1, vlanProtocol: 0x88a8 } },
    }),
    answer: { type: 'ERROR', acknowledgement: { errno: 95 } },
  },
  {
    name: 'put into a bridge',
    command: 'ip link set dev vx4 master br0',
    type: 'NEWLINK',
    request: changed(5, { master: 12 }),
  },
  {
    name: 'a bridge port with options',
    before: ['ip link set br0 type bridge stp_state 0', 'ip link set vx4 up'],
    command:
      'ip link set dev vx4 type bridge_slave state 1 priority 16 cost 42 hairpin on guard on root_block on fastleave on' +
      ' learning off flood off proxy_arp on mcast_flood off neigh_suppress on isolated on',
    type: 'NEWLINK',
    // ip names no IFLA_INFO_SLAVE_KIND, so our reader cannot tell what the port's data mean; the answer below does.
    request: changed(5, { linkInfo: { kind: 'bridge_slave' } }),
  },
  {
    name: 'show a bridge port with options',
    command: 'ip -d link show dev vx4',
    type: 'GETLINK',
    request: shown('vx4'),
    answer: {
      type: 'NEWLINK',
      link: {
        index: 5,
        attributes: {
          master: 12,
          mtu: 1400,
          linkInfo: {
            kind: 'vxlan',
            vxlan: { group: '10.10.0.8', ttl: 9, learning: true, ageing: 60 },
            portKind: 'bridge',
            bridgePort: {
              priority: 16,
              cost: 42,
              hairpin: true,
              guard: true,
              protect: true,
              fastLeave: true,
              learning: false,
              unicastFlood: false,
              proxyArp: true,
              multicastFlood: false,
              neighbourSuppress: true,
              isolated: true,
            },
          },
        },
      },
    },
  },
  portSwitched('hairpin', 'guard', 'root_block', 'fastleave', 'learning'),
  portSwitched('hairpin', 'guard', 'proxy_arp', 'neigh_suppress', 'flood'),
  portSwitched('hairpin', 'root_block', 'proxy_arp', 'isolated'),
  {
    name: 'taken out of a bridge',
    command: 'ip link set dev vx4 nomaster',
    type: 'NEWLINK',
    request: changed(5, { master: 0 }),
  },
  {
    name: 'a veth pair',
    command: 'ip link add ve0 mtu 1450 type veth peer name ve1 mtu 1450 address 02:00:00:00:00:e1',
    type: 'NEWLINK',
    request: made({
      name: 've0',
      mtu: 1450,
      linkInfo: {
        kind: 'veth',
        peer: { ...LINK, attributes: { mtu: 1450, address: '02:00:00:00:00:e1', name: 've1' } },
      },
    }),
  },
  {
    name: 'show a veth pair',
    command: 'ip -d link show dev ve0',
    type: 'GETLINK',
    request: shown('ve0'),
    answer: { type: 'NEWLINK', link: { index: 15, attributes: { link: 14, mtu: 1450, linkInfo: { kind: 'veth' } } } },
  },
  {
    name: 'into the namespace of a process',
    command: `ip link set dev ve1 netns ${pid}`,
    type: 'NEWLINK',
    request: changed(14, { namespacePid: pid }),
  },
  {
    name: 'into the namespace of a descriptor',
    command: 'ip link set dev ve1 netns /proc/self/ns/net',
    type: 'NEWLINK',
    request: changed(14, { namespaceFd: 4 }),
  },
  {
    name: 'down',
    command: 'ip link set dev vxlan0 down',
    type: 'NEWLINK',
    request: { link: { index: 4, flags: 0, change: 1, attributes: {} } },
  },
  { name: 'delete', command: 'ip link delete dev vxg', type: 'DELLINK', request: changed(10, {}) },
  {
    name: 'delete a group',
    before: ['ip link set dev vxe group 1702232183', 'ip link set dev vxi group 1702232183'],
    command: 'ip link delete group 1702232183',
    type: 'DELLINK',
    request: { link: { ...LINK, attributes: { group: 0x6576_0077 } } },
    answer: { type: 'ERROR', acknowledgement: { errno: 0 } },
  },
  {
    name: 'show all links',
    before: ['ip link delete br0', 'ip link delete ve0', 'ip link delete mc4', 'ip link delete mc6'],
    command: 'ip link show',
    type: 'GETLINK',
    request: { link: { ...LINK, attributes: { extMask: 1 } } },
    answer: {
      type: 'NEWLINK',
      flags: MULTI,
      link: { index: 1, flags: 0x10049, attributes: { name: 'lo', mtu: 65536 } },
    },
  },
];
