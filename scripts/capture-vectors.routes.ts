/** Routes. */
import { INET, INET6, type Scenario } from './capture-vectors.scenario.ts';

export const route = (family: number, length: number, more: object, attributes: object) => ({
  route: { family, length, table: 254, protocol: 3, scope: 0, type: 1, ...more, attributes },
});

export const routes: readonly Scenario[] = [
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
