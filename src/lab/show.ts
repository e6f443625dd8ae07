/** A VXLAN link in the words of `ip -d link show` (iproute2 6.1), from what the kernel says of it. Pure. */
import type { LinkDetails } from '../kernel/link-details.ts';
import { isMulticast } from '../model/address.ts';

const IFF = { UP: 0x1, RUNNING: 0x40 } as const;

/** IFF_* in the order of `ip` (<linux/if.h>). */
const FLAGS: readonly (readonly [bit: number, name: string])[] = [
  [0x8, 'LOOPBACK'],
  [0x2, 'BROADCAST'],
  [0x10, 'POINTOPOINT'],
  [0x1000, 'MULTICAST'],
  [0x80, 'NOARP'],
  [0x200, 'ALLMULTI'],
  [0x100, 'PROMISC'],
  [0x400, 'MASTER'],
  [0x800, 'SLAVE'],
  [0x4, 'DEBUG'],
  [0x8000, 'DYNAMIC'],
  [0x4000, 'AUTOMEDIA'],
  [0x2000, 'PORTSEL'],
  [0x20, 'NOTRAILERS'],
  [IFF.UP, 'UP'],
  [0x10000, 'LOWER_UP'],
  [0x20000, 'DORMANT'],
  [0x40000, 'ECHO'],
];
/** IF_OPER_* and IN6_ADDR_GEN_MODE_* (<linux/if.h>, <linux/if_link.h>), by number. */
const STATES = ['UNKNOWN', 'NOTPRESENT', 'DOWN', 'LOWERLAYERDOWN', 'TESTING', 'DORMANT', 'UP'];
const MODES = ['DEFAULT', 'DORMANT'];
const ADDRESS_MODES = ['eui64', 'none', 'stable_secret', 'random'];
const DF = ['', 'df set', 'df inherit'];

/** Words with a value; those without one are left out. */
const words = (list: readonly (readonly [word: string, value: string | number | null | undefined])[]): string[] =>
  list.flatMap(([word, value]) => (value === undefined || value === null ? [] : [`${word} ${value}`]));

function flagsOf({ flags }: LinkDetails): string {
  const names = FLAGS.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);
  const carrier = (flags & IFF.UP) !== 0 && (flags & IFF.RUNNING) === 0 ? ['NO-CARRIER'] : [];
  return `<${[...carrier, ...names].join(',')}>`;
}

const hex = (value: number): string => `0x${value.toString(16)}`;
const switched = (on: boolean | undefined, name: string): string => `${on ? '' : 'no'}${name}`;
const present = (on: boolean | undefined, name: string): string[] => (on ? [name] : []);

function vxlanWords({ vxlan, device }: LinkDetails): string[] {
  if (vxlan === null) return [];
  const { tos = 0, ttl = 0, label = 0, limit = 0, df = 0, ageing } = vxlan;
  const remote = vxlan.group ?? vxlan.group6;
  const range = vxlan.portRange;
  return [
    'vxlan',
    ...present(vxlan.external, 'external'),
    ...present(vxlan.vnifilter, 'vnifilter'),
    ...words([
      ['id', vxlan.vni],
      [remote !== undefined && isMulticast(remote) ? 'group' : 'remote', remote],
      ['local', vxlan.local ?? vxlan.local6],
      ['dev', device],
      ['srcport', range?.join(' ')],
      ['dstport', vxlan.port],
    ]),
    ...(vxlan.learning === false ? ['nolearning'] : []),
    ...present(vxlan.proxy, 'proxy'),
    ...present(vxlan.rsc, 'rsc'),
    ...present(vxlan.l2miss, 'l2miss'),
    ...present(vxlan.l3miss, 'l3miss'),
    ...(tos === 0 ? [] : [`tos ${tos === 1 ? 'inherit' : hex(tos)}`]),
    `ttl ${vxlan.ttlInherit ? 'inherit' : ttl === 0 ? 'auto' : ttl}`,
    ...(df === 0 ? [] : [DF[df] ?? '']),
    ...(label === 0 ? [] : [`flowlabel ${hex(label)}`]),
    ...words([['ageing', ageing === 0 ? 'none' : ageing]]),
    ...(limit === 0 ? [] : [`maxaddr ${limit}`]),
    switched(vxlan.udpCsum, 'udpcsum'),
    switched(vxlan.udpZeroCsum6Tx, 'udp6zerocsumtx'),
    switched(vxlan.udpZeroCsum6Rx, 'udp6zerocsumrx'),
    ...present(vxlan.remcsumTx, 'remcsumtx'),
    ...present(vxlan.remcsumRx, 'remcsumrx'),
    ...present(vxlan.gbp, 'gbp'),
    ...present(vxlan.gpe, 'gpe'),
  ];
}

/**
 * The lines that `ip -d link show NAME` prints, byte for byte, blanks at their ends included. A bridge's port has a line
 * more there, `bridge_slave`.
 */
export function showLink(link: LinkDetails): readonly string[] {
  const { index, name, mtu, queueing, master, group } = link;
  const head = words([
    ['mtu', mtu],
    ['qdisc', queueing],
    ['master', master],
    ['state', STATES[link.operState ?? 0]],
    ['mode', MODES[link.linkMode ?? 0]],
    // Named in /etc/iproute2/group, which knows 0 alone as it comes.
    ['group', group === 0 ? 'default' : group],
    ['qlen', link.queueLength === 0 ? null : link.queueLength],
  ]);
  const ether = words([
    ['link/ether', link.mac],
    ['brd', link.broadcast],
    ['promiscuity', link.promiscuity],
    // `ip` puts a second blank before this one.
    [' allmulti', link.allMulticast],
    ['minmtu', link.minMtu],
    ['maxmtu', link.maxMtu],
  ]);
  const mode = link.families?.inet6?.addressMode;
  const rest = words([
    ['addrgenmode', mode === undefined ? undefined : ADDRESS_MODES[mode]],
    ['numtxqueues', link.txQueues],
    ['numrxqueues', link.rxQueues],
    ['gso_max_size', link.gsoMaxSize],
    ['gso_max_segs', link.gsoMaxSegments],
    ['tso_max_size', link.tsoMaxSize],
    ['tso_max_segs', link.tsoMaxSegments],
    ['gro_max_size', link.groMaxSize],
  ]);
  return [
    `${index}: ${name}: ${flagsOf(link)} ${head.join(' ')}`,
    `    ${ether.join(' ')} `,
    `    ${[...vxlanWords(link), ...rest].join(' ')} `,
    ...(link.alias === '' ? [] : [`    alias ${link.alias}`]),
  ];
}
