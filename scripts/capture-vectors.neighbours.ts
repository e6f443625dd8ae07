/** Neighbours and FDB rows. */
import { BRIDGE, INET, INET6, type Scenario } from './capture-vectors.scenario.ts';

const fdb = (index: number, flags: number, attributes: object, state = 0x80) => ({
  neighbour: { family: BRIDGE, index, state, flags, attributes },
});
const ZERO_MAC = '00:00:00:00:00:00';
const MAC = '02:00:00:00:00:05';

export const neighbours: readonly Scenario[] = [
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
