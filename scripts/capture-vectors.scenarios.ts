/** The commands whose netlink traffic is captured, with what a person says that they ask for and are answered. */
import { pid } from 'node:process';

export interface Scenario {
  readonly name: string;
  /** Commands that are run first, not captured. */
  readonly before?: readonly string[];
  readonly command: string;
  /** The kernel is to refuse it. */
  readonly refused?: boolean;
  /** Of the request, such as `NEWLINK`. */
  readonly type: string;
  /** The request, all of it that our tables know. */
  readonly request: object;
  /** Given: the answers are kept, and one of their messages has all of this. */
  readonly answer?: object;
}

const LINK = { index: 0, flags: 0, change: 0 };
const MULTI = 0x2;
const UP_RUNNING = 0x11043; // UP, BROADCAST, RUNNING, MULTICAST, LOWER_UP

/** What `ip` asks for when it shows one link: virtual functions (RTEXT_FILTER_VF), and counters. */
const shown = (name: string) => ({ link: { ...LINK, attributes: { name, extMask: 1 } } });
const made = (attributes: object) => ({ link: { ...LINK, attributes } });
const changed = (index: number, attributes: object) => ({ link: { ...LINK, index, attributes } });
const vxlanMade = (name: string, vxlan: object, more: object = {}) =>
  made({ name, ...more, linkInfo: { kind: 'vxlan', vxlan } });
/** Some attributes of the one link that a GETLINK is answered with. */
const vxlanTold = (vxlan: object) => ({
  type: 'NEWLINK',
  link: { attributes: { linkInfo: { kind: 'vxlan', vxlan } } },
});
const RESERVED = 'f7ffffff000000ff';

/** What the kernel tells of a VXLAN link of which nothing was said but its VNI. */
const TOLD_BY_DEFAULT = {
  ttl: 0,
  ttlInherit: false,
  tos: 0,
  df: 0,
  label: 0,
  learning: true,
  proxy: false,
  rsc: false,
  l2miss: false,
  l3miss: false,
  external: false,
  ageing: 300,
  limit: 0,
  udpCsum: true,
  udpZeroCsum6Tx: false,
  udpZeroCsum6Rx: false,
  remcsumTx: false,
  remcsumRx: false,
  localbypass: true,
  portRange: [0, 0],
};

/** Indexes: lo 1, far0 2, under0 3, vxlan0 4, vx4 5, vx6 6, mc4 7, mc6 8, vxe 9, vxg 10, vxi 11, br0 12, ve1 14, ve0 15. */
export const SETUP = [
  'ip link set lo up',
  'ip link add under0 address 02:00:00:00:00:01 type veth peer name far0 address 02:00:00:00:00:02',
  'ip address add 10.10.0.4/24 dev under0',
  'ip address add fd00::4/64 dev under0 nodad',
  'ip link set under0 up',
  'ip link set far0 up',
];

const links: readonly Scenario[] = [
  {
    name: 'the article’s link',
    command: 'ip link add vxlan0 type vxlan id 77 remote 10.0.0.4 dstport 4789 dev under0',
    type: 'NEWLINK',
    // Learning is not asked for, but ip always says it: off on external links, else on.
    request: vxlanMade('vxlan0', { vni: 77, group: '10.0.0.4', link: 3, learning: true, port: 4789 }),
    answer: { type: 'ERROR', acknowledgement: { errno: 0, message: null, offset: null } },
  },
  {
    name: 'show the article’s link',
    before: ['ip link set vxlan0 address 02:00:00:00:00:77'],
    command: 'ip -d link show dev vxlan0',
    type: 'GETLINK',
    request: shown('vxlan0'),
    answer: {
      type: 'NEWLINK',
      link: {
        index: 4,
        flags: 0x1002,
        attributes: {
          name: 'vxlan0',
          mtu: 1450,
          group: 0,
          address: '02:00:00:00:00:77',
          linkInfo: {
            kind: 'vxlan',
            vxlan: { ...TOLD_BY_DEFAULT, vni: 77, group: '10.0.0.4', link: 3, port: 4789, reservedBits: RESERVED },
          },
        },
      },
    },
  },
  {
    name: 'every VXLAN attribute over IPv4',
    command:
      'ip link add vx4 mtu 1400 address 02:00:00:00:00:04 type vxlan id 16777215 remote 10.10.0.9 local 10.10.0.4 dev under0' +
      ' ttl 64 tos 0x10 df set dstport 4790 srcport 30000 40000 nolearning proxy rsc l2miss l3miss ageing 600' +
      ' maxaddress 1000 noudpcsum udp6zerocsumtx udp6zerocsumrx remcsumtx remcsumrx gbp',
    type: 'NEWLINK',
    request: vxlanMade(
      'vx4',
      {
        vni: 16777215,
        group: '10.10.0.9',
        local: '10.10.0.4',
        link: 3,
        ttl: 64,
        tos: 16,
        df: 1,
        learning: false,
        proxy: true,
        rsc: true,
        l2miss: true,
        l3miss: true,
        ageing: 600,
        limit: 1000,
        portRange: [30000, 40000],
        port: 4790,
        udpCsum: false,
        udpZeroCsum6Tx: true,
        udpZeroCsum6Rx: true,
        remcsumTx: true,
        remcsumRx: true,
        gbp: true,
      },
      { mtu: 1400, address: '02:00:00:00:00:04' },
    ),
  },
  {
    name: 'show every VXLAN attribute over IPv4',
    command: 'ip -d link show dev vx4',
    type: 'GETLINK',
    request: shown('vx4'),
    answer: vxlanTold({
      vni: 16777215,
      group: '10.10.0.9',
      local: '10.10.0.4',
      link: 3,
      ttl: 64,
      ttlInherit: false,
      tos: 16,
      df: 1,
      label: 0,
      learning: false,
      proxy: true,
      rsc: true,
      l2miss: true,
      l3miss: true,
      external: false,
      ageing: 600,
      limit: 1000,
      portRange: [30000, 40000],
      port: 4790,
      udpCsum: false,
      udpZeroCsum6Tx: true,
      udpZeroCsum6Rx: true,
      remcsumTx: true,
      remcsumRx: true,
      gbp: true,
      localbypass: true,
    }),
  },
  {
    name: 'over IPv6, with a flow label',
    command:
      'ip link add vx6 type vxlan id 6 remote fd00::9 local fd00::4 dev under0 flowlabel 703710 dstport 4789 df inherit',
    type: 'NEWLINK',
    request: vxlanMade('vx6', {
      vni: 6,
      group6: 'fd00::9',
      local6: 'fd00::4',
      link: 3,
      df: 2,
      label: 0xabcde,
      learning: true,
      port: 4789,
    }),
  },
  {
    name: 'show over IPv6, with a flow label',
    command: 'ip -d link show dev vx6',
    type: 'GETLINK',
    request: shown('vx6'),
    answer: vxlanTold({
      ...TOLD_BY_DEFAULT,
      vni: 6,
      group6: 'fd00::9',
      local6: 'fd00::4',
      link: 3,
      df: 2,
      label: 703710,
      port: 4789,
    }),
  },
  {
    name: 'a multicast group over IPv4',
    command: 'ip link add mc4 type vxlan id 40 group 239.1.1.1 dev under0 ttl 5 dstport 4789',
    type: 'NEWLINK',
    request: vxlanMade('mc4', { vni: 40, group: '239.1.1.1', link: 3, ttl: 5, learning: true, port: 4789 }),
  },
  {
    name: 'show a multicast group over IPv4',
    command: 'ip -d link show dev mc4',
    type: 'GETLINK',
    request: shown('mc4'),
    answer: vxlanTold({ ...TOLD_BY_DEFAULT, vni: 40, group: '239.1.1.1', link: 3, ttl: 5, port: 4789 }),
  },
  {
    name: 'a multicast group over IPv6',
    command: 'ip link add mc6 type vxlan id 41 group ff05::77 dev under0 dstport 4789',
    type: 'NEWLINK',
    request: vxlanMade('mc6', { vni: 41, group6: 'ff05::77', link: 3, learning: true, port: 4789 }),
    answer: { type: 'ERROR', acknowledgement: { errno: 0 } },
  },
  {
    name: 'external with a VNI filter',
    command: 'ip link add vxe type vxlan external vnifilter dstport 4792',
    type: 'NEWLINK',
    request: vxlanMade('vxe', { learning: false, port: 4792, external: true, vnifilter: true }),
  },
  {
    name: 'show external with a VNI filter',
    command: 'ip -d link show dev vxe',
    type: 'GETLINK',
    request: shown('vxe'),
    answer: vxlanTold({ ...TOLD_BY_DEFAULT, vni: 0, learning: false, port: 4792, external: true, vnifilter: true }),
  },
  {
    name: 'generic protocol extension',
    command: 'ip link add vxg type vxlan external gpe dstport 4793',
    type: 'NEWLINK',
    request: vxlanMade('vxg', { learning: false, port: 4793, external: true, gpe: true }),
  },
  {
    name: 'show generic protocol extension',
    command: 'ip -d link show dev vxg',
    type: 'GETLINK',
    request: shown('vxg'),
    answer: vxlanTold({ vni: 0, learning: false, port: 4793, external: true, gpe: true }),
  },
  {
    name: 'all that can be inherited',
    command: 'ip link add vxi type vxlan id 11 ttl inherit tos inherit df inherit dstport 4789 remote 10.10.0.9',
    type: 'NEWLINK',
    request: vxlanMade('vxi', {
      vni: 11,
      group: '10.10.0.9',
      tos: 1,
      df: 2,
      ttlInherit: true,
      learning: true,
      port: 4789,
    }),
  },
  {
    name: 'show all that can be inherited',
    command: 'ip -d link show dev vxi',
    type: 'GETLINK',
    request: shown('vxi'),
    answer: vxlanTold({
      ...TOLD_BY_DEFAULT,
      vni: 11,
      group: '10.10.0.9',
      tos: 1,
      df: 2,
      ttlInherit: true,
      port: 4789,
    }),
  },
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

/** What is asked for to list a table, of one link or of all. */
const everyAddress = (family: number, index: number) => ({
  address: { family, length: 0, scope: 0, index, attributes: {} },
});
const INET = 2;
const BRIDGE = 7;
const INET6 = 10;
const FOREVER = 0xffffffff;

const addresses: readonly Scenario[] = [
  {
    name: 'the article’s address',
    before: ['ip link set dev vxlan0 up'],
    command: 'ip address add 169.254.0.2/24 dev vxlan0',
    type: 'NEWADDR',
    request: {
      address: {
        family: INET,
        length: 24,
        scope: 0,
        index: 4,
        attributes: { local: '169.254.0.2', address: '169.254.0.2' },
      },
    },
  },
  {
    name: 'label, broadcast, lifetimes, metric',
    command:
      'ip address add 169.254.0.3/25 broadcast + dev vxlan0 label vxlan0:x valid_lft 3600 preferred_lft 1800 metric 50',
    type: 'NEWADDR',
    request: {
      address: {
        family: INET,
        length: 25,
        scope: 0,
        index: 4,
        attributes: {
          local: '169.254.0.3',
          address: '169.254.0.3',
          broadcast: '169.254.0.127',
          label: 'vxlan0:x',
          priority: 50,
          lifetimes: { preferred: 1800, valid: 3600 },
        },
      },
    },
  },
  {
    name: 'the far end of a point-to-point link, host scope, no route',
    command: 'ip address add 10.1.0.1 peer 10.2.0.1/30 dev vxlan0 scope host noprefixroute',
    type: 'NEWADDR',
    request: {
      address: {
        family: INET,
        length: 30,
        scope: 254,
        index: 4,
        attributes: { local: '10.1.0.1', address: '10.2.0.1', flags: 0x200 },
      },
    },
  },
  {
    name: 'IPv6, two flags',
    command: 'ip address add fd00:77::2/64 dev vxlan0 nodad noprefixroute',
    type: 'NEWADDR',
    request: {
      address: {
        family: INET6,
        length: 64,
        scope: 0,
        index: 4,
        attributes: { local: 'fd00:77::2', address: 'fd00:77::2', flags: 0x202 },
      },
    },
  },
  {
    name: 'IPv6, preferred never',
    command: 'ip address add fd00:77::3/128 dev vxlan0 preferred_lft 0',
    type: 'NEWADDR',
    request: {
      address: {
        family: INET6,
        length: 128,
        scope: 0,
        index: 4,
        attributes: { local: 'fd00:77::3', address: 'fd00:77::3', lifetimes: { preferred: 0, valid: FOREVER } },
      },
    },
  },
  {
    name: 'change lifetimes',
    command: 'ip address change 169.254.0.2/24 dev vxlan0 valid_lft 600 preferred_lft 300',
    type: 'NEWADDR',
    request: {
      address: {
        family: INET,
        length: 24,
        scope: 0,
        index: 4,
        attributes: {
          local: '169.254.0.2',
          address: '169.254.0.2',
          lifetimes: { preferred: 300, valid: 600 },
        },
      },
    },
  },
  {
    name: 'show IPv4 on one link',
    command: 'ip -4 address show dev vxlan0',
    type: 'GETADDR',
    request: everyAddress(INET, 4),
    answer: {
      type: 'NEWADDR',
      flags: MULTI | 0x20, // NLM_F_DUMP_FILTERED
      address: {
        family: INET,
        length: 25,
        scope: 0,
        index: 4,
        attributes: {
          local: '169.254.0.3',
          address: '169.254.0.3',
          broadcast: '169.254.0.127',
          label: 'vxlan0:x',
          priority: 50,
          lifetimes: { preferred: 1800, valid: 3600 },
          flags: 0,
        },
      },
    },
  },
  {
    name: 'show IPv6 on one link',
    command: 'ip -6 address show dev vxlan0',
    type: 'GETADDR',
    request: everyAddress(INET6, 4),
    answer: {
      type: 'NEWADDR',
      address: {
        family: INET6,
        length: 64,
        scope: 0,
        index: 4,
        attributes: { address: 'fd00:77::2', lifetimes: { preferred: FOREVER, valid: FOREVER }, flags: 0x282 },
      },
    },
  },
  {
    name: 'show all, among them what the kernel made itself',
    command: 'ip address show',
    type: 'GETADDR',
    request: everyAddress(0, 0),
    // IFAPROT_KERNEL_LO.
    answer: {
      type: 'NEWADDR',
      flags: MULTI,
      address: { family: INET6, length: 128, index: 1, scope: 254, attributes: { address: '::1', protocol: 1 } },
    },
  },
  {
    name: 'delete',
    command: 'ip address delete 169.254.0.3/25 dev vxlan0',
    type: 'DELADDR',
    request: {
      address: {
        family: INET,
        length: 25,
        scope: 0,
        index: 4,
        attributes: { local: '169.254.0.3', address: '169.254.0.3' },
      },
    },
  },
];

const fdb = (index: number, flags: number, attributes: object, state = 0x80) => ({
  neighbour: { family: BRIDGE, index, state, flags, attributes },
});
const ZERO_MAC = '00:00:00:00:00:00';
const MAC = '02:00:00:00:00:05';

const neighbours: readonly Scenario[] = [
  {
    name: 'a permanent neighbour with a protocol',
    command: `ip neighbour add 169.254.0.9 lladdr ${MAC} dev vxlan0 nud permanent protocol 119`,
    type: 'NEWNEIGH',
    request: {
      neighbour: {
        family: INET,
        index: 4,
        state: 0x80,
        flags: 0,
        attributes: { destination: '169.254.0.9', mac: MAC, protocol: 119 },
      },
    },
  },
  {
    name: 'an IPv6 router, learned elsewhere',
    command: `ip neighbour replace fd00:77::9 lladdr ${MAC} dev vxlan0 router extern_learn`,
    type: 'NEWNEIGH',
    request: {
      neighbour: {
        family: INET6,
        index: 4,
        state: 0x80,
        flags: 0x90,
        attributes: { destination: 'fd00:77::9', mac: MAC },
      },
    },
  },
  {
    name: 'managed: extended flags',
    command: 'ip neighbour add 169.254.0.10 dev vxlan0 managed',
    type: 'NEWNEIGH',
    request: {
      neighbour: {
        family: INET,
        index: 4,
        state: 0,
        flags: 0,
        attributes: { destination: '169.254.0.10', flagsExt: 1 },
      },
    },
  },
  {
    name: 'show on one link',
    command: 'ip neighbour show dev vxlan0',
    type: 'GETNEIGH',
    request: { neighbour: { family: 0, index: 0, state: 0, flags: 0, attributes: { via: 4 } } },
    answer: {
      type: 'NEWNEIGH',
      neighbour: {
        family: INET,
        index: 4,
        state: 0x80,
        attributes: { destination: '169.254.0.9', mac: MAC, protocol: 119 },
      },
    },
  },
  {
    name: 'show on a link whose addresses have no bytes',
    before: [
      'ip tuntap add dev tun0 mode tun',
      'ip link set dev tun0 up',
      'ip neighbour add 10.5.0.9 dev tun0 nud permanent',
    ],
    command: 'ip neighbour show nud all dev tun0',
    type: 'GETNEIGH',
    request: { neighbour: { family: 0, index: 0, state: 0, flags: 0, attributes: { via: 16 } } },
    // On a point-to-point link the kernel keeps one neighbour for all.
    answer: {
      type: 'NEWNEIGH',
      neighbour: { family: INET, index: 16, state: 0x80, attributes: { destination: '0.0.0.0' } },
    },
  },
  {
    name: 'delete',
    command: 'ip neighbour delete 169.254.0.9 dev vxlan0',
    type: 'DELNEIGH',
    request: {
      neighbour: { family: INET, index: 4, state: 0x80, flags: 0, attributes: { destination: '169.254.0.9' } },
    },
  },
  {
    name: 'head-end replication: one more peer',
    command: `bridge fdb append ${ZERO_MAC} dev vx4 dst 10.10.0.9`,
    type: 'NEWNEIGH',
    // Without self or master, bridge means self. 0xc0: permanent, no ARP.
    request: fdb(5, 0x02, { mac: ZERO_MAC, destination: '10.10.0.9' }, 0xc0),
  },
  {
    name: 'a row with port, VNI and outgoing link',
    command: `bridge fdb add ${MAC} dev vx4 dst 10.10.0.10 port 4791 vni 88 via under0 self permanent`,
    type: 'NEWNEIGH',
    request: fdb(5, 0x02, { mac: MAC, destination: '10.10.0.10', vni: 88, port: 4791, via: 3 }, 0xc0),
  },
  {
    name: 'a row over IPv6, learned elsewhere',
    command: `bridge fdb add ${MAC} dev vx6 dst fd00::9 self static extern_learn`,
    type: 'NEWNEIGH',
    // Static: no ARP, reachable.
    request: fdb(6, 0x12, { mac: MAC, destination: 'fd00::9' }, 0x42),
  },
  {
    name: 'a row of one source VNI',
    before: ['ip link add vxs type vxlan external dstport 4795'],
    command: `bridge fdb add ${MAC} dev vxs src_vni 5 dst 10.10.0.11 self`,
    type: 'NEWNEIGH',
    request: fdb(17, 0x02, { mac: MAC, destination: '10.10.0.11', sourceVni: 5 }, 0xc0),
  },
  {
    name: 'a row of the bridge',
    before: ['ip link add br0 type bridge', 'ip link set dev vx4 master br0'],
    command: 'bridge fdb add 02:00:00:00:00:06 dev vx4 master static',
    type: 'NEWNEIGH',
    request: fdb(5, 0x04, { mac: '02:00:00:00:00:06' }, 0x42),
  },
  {
    name: 'a row of the bridge in one VLAN',
    command: 'bridge fdb add 02:00:00:00:00:07 dev vx4 master static vlan 10',
    // The kernel that answered was built without CONFIG_BRIDGE_VLAN_FILTERING.
    refused: true,
    type: 'NEWNEIGH',
    request: fdb(5, 0x04, { mac: '02:00:00:00:00:07', vlan: 10 }, 0x42),
    answer: { type: 'ERROR' },
  },
  {
    name: 'show rows of one link',
    command: 'bridge fdb show brport vx4',
    type: 'GETNEIGH',
    request: fdb(5, 0, {}, 0),
    answer: {
      type: 'NEWNEIGH',
      neighbour: {
        family: BRIDGE,
        index: 5,
        state: 0xc0,
        flags: 0x02,
        attributes: { mac: MAC, destination: '10.10.0.10', port: 4791, vni: 88, via: 3 },
      },
    },
  },
  {
    name: 'show rows of a bridge',
    command: 'bridge fdb show br br0',
    type: 'GETNEIGH',
    request: fdb(0, 0, { master: 18 }, 0),
    answer: {
      type: 'NEWNEIGH',
      neighbour: { family: BRIDGE, index: 5, state: 0x40, attributes: { mac: '02:00:00:00:00:06', master: 18 } },
    },
  },
  {
    name: 'show all rows',
    command: 'bridge fdb show',
    type: 'GETNEIGH',
    request: fdb(0, 0, {}, 0),
    answer: {
      type: 'NEWNEIGH',
      neighbour: { family: BRIDGE, index: 6, flags: 0x12, attributes: { mac: MAC, destination: 'fd00::9' } },
    },
  },
  {
    name: 'show a row of one source VNI',
    command: 'bridge fdb show brport vxs',
    type: 'GETNEIGH',
    request: fdb(17, 0, {}, 0),
    answer: {
      type: 'NEWNEIGH',
      neighbour: { family: BRIDGE, index: 17, attributes: { mac: MAC, destination: '10.10.0.11', sourceVni: 5 } },
    },
  },
  {
    name: 'delete a row',
    command: `bridge fdb delete ${MAC} dev vx4 dst 10.10.0.10 port 4791 vni 88 via under0 self`,
    type: 'DELNEIGH',
    request: fdb(5, 0x02, { mac: MAC, destination: '10.10.0.10', vni: 88, port: 4791, via: 3 }, 0xc0),
  },
];

const route = (family: number, length: number, more: object, attributes: object) => ({
  route: { family, length, table: 254, protocol: 3, scope: 0, type: 1, ...more, attributes },
});

const routes: readonly Scenario[] = [
  {
    name: 'by a gateway, with protocol, metric and source',
    command: 'ip route add 10.20.0.0/16 via 169.254.0.9 dev vxlan0 protocol 119 metric 50 src 169.254.0.2',
    type: 'NEWROUTE',
    request: route(
      INET,
      16,
      { protocol: 119 },
      { destination: '10.20.0.0', gateway: '169.254.0.9', outputLink: 4, metric: 50, preferredSource: '169.254.0.2' },
    ),
  },
  {
    name: 'straight onto the link',
    command: 'ip route add 10.30.0.0/16 dev vxlan0 protocol 119',
    type: 'NEWROUTE',
    request: route(INET, 16, { protocol: 119, scope: 253 }, { destination: '10.30.0.0', outputLink: 4 }),
  },
  {
    name: 'default, in a table above 255',
    command: 'ip route add default via 169.254.0.9 dev vxlan0 table 1000',
    type: 'NEWROUTE',
    request: route(INET, 0, { table: 0 }, { gateway: '169.254.0.9', outputLink: 4, table: 1000 }),
  },
  {
    name: 'IPv6 by a gateway',
    command: 'ip route add fd01:2::/48 via fd00:77::9 dev vxlan0 protocol 119 onlink',
    type: 'NEWROUTE',
    request: route(INET6, 48, { protocol: 119 }, { destination: 'fd01:2::', gateway: 'fd00:77::9', outputLink: 4 }),
  },
  {
    name: 'blackhole',
    command: 'ip route add blackhole 10.40.0.0/16',
    type: 'NEWROUTE',
    request: route(INET, 16, { type: 6 }, { destination: '10.40.0.0' }),
  },
  {
    name: 'show IPv4',
    command: 'ip -4 route show',
    type: 'GETROUTE',
    request: route(INET, 0, { table: 0, protocol: 0, type: 0 }, { table: 254 }),
    answer: {
      type: 'NEWROUTE',
      ...route(
        INET,
        16,
        { protocol: 119 },
        {
          table: 254,
          destination: '10.20.0.0',
          gateway: '169.254.0.9',
          outputLink: 4,
          metric: 50,
          preferredSource: '169.254.0.2',
        },
      ),
    },
  },
  {
    name: 'show IPv6',
    command: 'ip -6 route show',
    type: 'GETROUTE',
    request: route(INET6, 0, { table: 0, protocol: 0, type: 0 }, { table: 254 }),
    answer: {
      type: 'NEWROUTE',
      ...route(
        INET6,
        48,
        { protocol: 119 },
        { table: 254, destination: 'fd01:2::', gateway: 'fd00:77::9', outputLink: 4, metric: 1024 },
      ),
    },
  },
  {
    name: 'show a table above 255',
    command: 'ip -4 route show table 1000',
    type: 'GETROUTE',
    request: route(INET, 0, { table: 0, protocol: 0, type: 0 }, { table: 1000 }),
    answer: {
      type: 'NEWROUTE',
      ...route(INET, 0, { table: 252 }, { table: 1000, gateway: '169.254.0.9', outputLink: 4 }),
    },
  },
  {
    name: 'delete',
    command: 'ip route delete 10.30.0.0/16 dev vxlan0 protocol 119',
    type: 'DELROUTE',
    request: route(INET, 16, { protocol: 119, scope: 255, type: 0 }, { destination: '10.30.0.0', outputLink: 4 }),
  },
];

/** What the kernel says when it refuses, as `ip` prints it behind `Error: ` or `RTNETLINK answers: `. */
const acknowledgements: readonly Scenario[] = [
  {
    name: 'a VNI that is taken',
    command: 'ip link add vxd type vxlan id 77 remote 10.0.0.5 dstport 4789',
    refused: true,
    type: 'NEWLINK',
    request: vxlanMade('vxd', { vni: 77, group: '10.0.0.5', learning: true, port: 4789 }),
    answer: {
      type: 'ERROR',
      acknowledgement: {
        errno: 17,
        message: 'A VXLAN device with the specified VNI already exists',
      },
    },
  },
  {
    name: 'a VNI that cannot change',
    command: 'ip link set dev vxlan0 type vxlan id 78',
    refused: true,
    type: 'NEWLINK',
    request: changed(4, { linkInfo: { kind: 'vxlan', vxlan: { vni: 78 } } }),
    answer: { type: 'ERROR', acknowledgement: { errno: 95, message: 'Cannot change VNI', offset: null } },
  },
  {
    name: 'source ports the wrong way round, and where in the request they stand',
    command: 'ip link add vxr type vxlan id 90 srcport 40000 30000 dstport 4789',
    refused: true,
    type: 'NEWLINK',
    request: vxlanMade('vxr', { vni: 90, learning: true, port: 4789, portRange: [40000, 30000] }),
    answer: { type: 'ERROR', acknowledgement: { errno: 22, message: 'Invalid source port range', offset: 60 } },
  },
  {
    name: 'an address that is there',
    command: 'ip address add 169.254.0.2/24 dev vxlan0',
    refused: true,
    type: 'NEWADDR',
    request: {
      address: {
        family: INET,
        length: 24,
        scope: 0,
        index: 4,
        attributes: { local: '169.254.0.2', address: '169.254.0.2' },
      },
    },
    answer: { type: 'ERROR', acknowledgement: { errno: 17, message: 'ipv4: Address already assigned' } },
  },
  {
    name: 'a link that is missing',
    command: 'ip link show dev nowhere',
    refused: true,
    type: 'GETLINK',
    request: made({ name: 'nowhere', extMask: 9 }),
    answer: { type: 'ERROR', acknowledgement: { errno: 19 } },
  },
  {
    name: 'an MTU that is too large',
    command: 'ip link set dev vxlan0 mtu 65536',
    refused: true,
    type: 'NEWLINK',
    request: changed(4, { mtu: 65536 }),
    answer: { type: 'ERROR', acknowledgement: { errno: 22, message: 'mtu greater than device maximum' } },
  },
  {
    name: 'a gateway that cannot be reached',
    command: 'ip route add 10.50.0.0/16 via 192.0.2.1',
    refused: true,
    type: 'NEWROUTE',
    request: route(INET, 16, {}, { destination: '10.50.0.0', gateway: '192.0.2.1' }),
    answer: { type: 'ERROR', acknowledgement: { errno: 101, message: 'Nexthop has invalid gateway' } },
  },
  {
    name: 'a table that is missing: the dump ends with the error',
    command: 'ip -4 route show table 2000',
    refused: true,
    type: 'GETROUTE',
    request: route(INET, 0, { table: 0, protocol: 0, type: 0 }, { table: 2000 }),
    answer: { type: 'DONE', acknowledgement: { errno: 2, message: 'ipv4: FIB table does not exist' } },
  },
  {
    name: 'the whole request comes back where the answer is not capped',
    // ip asks so on every start, to learn whether the kernel checks strictly.
    command: 'ip link set dev vxlan0 up',
    type: 'NEWLINK',
    request: { link: { ...LINK, attributes: {} } },
    answer: { type: 'ERROR', flags: 0, acknowledgement: { errno: 19, message: null, offset: null } },
  },
];

export const FILES = { links, addresses, neighbours, routes, acknowledgements };
