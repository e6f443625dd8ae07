/** Addresses. */
import { INET, INET6, MULTI, type Scenario } from './capture-vectors.scenario.ts';

/** What is asked for to list a table, of one link or of all. */
const everyAddress = (family: number, index: number) => ({
  address: { family, length: 0, scope: 0, index, attributes: {} },
});
const FOREVER = 0xffffffff;

export const addresses: readonly Scenario[] = [
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
