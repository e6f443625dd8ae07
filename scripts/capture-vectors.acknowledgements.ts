/** What the kernel says when it refuses. */

import { route } from './capture-vectors.routes.ts';
import { changed, INET, LINK, made, type Scenario, vxlanMade } from './capture-vectors.scenario.ts';

/** What the kernel says when it refuses, as `ip` prints it behind `Error: ` or `RTNETLINK answers: `. */
export const acknowledgements: readonly Scenario[] = [
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
