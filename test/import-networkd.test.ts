/** What the import reads from networkd's files is what a real systemd-networkd 252 makes of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lookAt } from '../src/apply/converge.ts';
import { memoryStore } from '../src/apply/store.ts';
import { parseFabricOrThrow } from '../src/fabric/parse.ts';
import { resolve } from '../src/fabric/resolve.ts';
import { join } from '../src/import/join.ts';
import { importer } from '../src/import/networkd.ts';
import { writeFabric } from '../src/import/write.ts';
import { madeByNetworkd, needsTools, plainLinks } from './import.testing.ts';

type Files = Readonly<Record<string, string>>;

const eth0 = (...lines: string[]): string =>
  [
    '[Match]',
    'Name=eth0',
    '[Network]',
    'IPv6AcceptRA=no',
    'Address=10.0.0.1/24',
    'Address=fd00::1/64',
    ...lines,
    '',
  ].join('\n');
const netdev = (name: string, ...lines: string[]): string =>
  ['[NetDev]', `Name=${name}`, 'Kind=vxlan', '[VXLAN]', ...lines, ''].join('\n');
const network = (name: string, ...lines: string[]): string =>
  ['[Match]', `Name=${name}`, '[Network]', 'LinkLocalAddressing=no', ...lines, ''].join('\n');

/** Files, and the links that are made of them. */
const ROWS: readonly { name: string; links: readonly string[]; files: Files }[] = [
  {
    name: 'the least: no port, no checksums',
    links: ['vx0'],
    files: { 'e.network': eth0('VXLAN=vx0'), 'a.netdev': netdev('vx0', 'VNI=77'), 'a.network': network('vx0') },
  },
  {
    name: 'every key',
    links: ['vx0'],
    files: {
      'e.network': eth0('VXLAN=vx0'),
      'a.netdev': netdev(
        'vx0',
        ...['VNI=77', 'Local=10.0.0.1', 'Remote=10.0.0.2', 'TOS=4', 'TTL=64', 'MacLearning=no', 'FDBAgeingSec=5min'],
        ...['MaximumFDBEntries=10', 'ReduceARPProxy=yes', 'L2MissNotification=1', 'L3MissNotification=on'],
        ...['RouteShortCircuit=t', 'UDPChecksum=y', 'UDP6ZeroChecksumTx=true', 'UDP6ZeroChecksumRx=true'],
        ...['RemoteChecksumTx=true', 'RemoteChecksumRx=true', 'GroupPolicyExtension=yes', 'DestinationPort=4789'],
        ...['PortRange=4000-5000', 'IPDoNotFragment=inherit'],
      ),
      'a.network': network('vx0', 'Address=10.9.0.1/24', 'Address=fd00:77::1/64'),
    },
  },
  {
    name: 'older spellings and other forms of values',
    links: ['vx0'],
    files: {
      'e.network': eth0('VXLAN=vx0'),
      'a.netdev': netdev(
        'vx0',
        ...['Id=0x4d', 'ARPProxy=yes', 'UDPCheckSum=TRUE', 'UDP6ZeroCheckSumTx=1', 'UDP6ZeroCheckSumRx=1'],
        ...['FDBAgeingSec=1min 30.5s', 'TOS=010', 'TTL=0b11', 'DestinationPort=0x12b5', 'PortRange=5000'],
      ),
      'a.network': network('vx0'),
    },
  },
  {
    name: 'the last counts, and an empty one takes back',
    links: ['vx0'],
    files: {
      'e.network': eth0('VXLAN=vx0'),
      'a.netdev': netdev(
        'vx0',
        ...['VNI=1', 'Remote=10.0.0.2', 'DestinationPort=4789', 'TTL=5', 'TTL=inherit', 'TTL=7'],
      ),
      'a.netdev.d/b.conf': '[VXLAN]\nVNI=2\nRemote=\nLocal=10.0.0.1\nDestinationPort=\n',
      'a.netdev.d/a.conf': '[VXLAN]\nVNI=3\nMacLearning=no\n',
      'a.network': network('vx0', 'Address=10.9.0.1/24'),
      'a.network.d/more.conf': '[Network]\nAddress=10.9.0.3/24\n',
    },
  },
  {
    name: 'IPv6, and no device',
    links: ['vx0'],
    files: {
      'a.netdev': netdev('vx0', ...['VNI=5', 'Local=fd00::1', 'Remote=fd00::2', 'FlowLabel=1000', 'Independent=yes']),
      'a.network': network('vx0', 'Address=fd00:77::1/64'),
    },
  },
  {
    name: 'a multicast group',
    links: ['vx0'],
    files: {
      'e.network': eth0('VXLAN=vx0'),
      'a.netdev': netdev('vx0', ...['VNI=5', 'Group=239.0.0.5', 'DestinationPort=4789']),
      'a.network': network('vx0', 'Address=10.9.0.1/24'),
    },
  },
  {
    name: 'Independent= counts more than VXLAN=',
    links: ['vx0'],
    files: {
      'e.network': eth0('VXLAN=vx0'),
      'a.netdev': netdev('vx0', ...['VNI=5', 'Independent=yes', 'DestinationPort=4789']),
      'a.network': network('vx0'),
    },
  },
  {
    name: 'rows, neighbours, routes, MTU and MAC',
    links: ['vx0'],
    files: {
      'e.network': eth0('VXLAN=vx0'),
      'a.netdev': `[NetDev]\nName=vx0\nKind=vxlan\nMTUBytes=1300\nMACAddress=02-00-5E-00-53-01\n[VXLAN]\nVNI=9\nDestinationPort=4789\n`,
      'a.network': [
        '[Match]\nName=vx*\n[Link]\nMTUBytes=1K\n[Network]\nLinkLocalAddressing=no',
        '[Address]\nAddress=10.9.0.1/24',
        '[Route]\nGateway=10.9.0.2\nDestination=10.8.0.7/16',
        '[Neighbor]\nAddress=10.9.0.2\nLinkLayerAddress=02:00:5e:00:53:02',
        '[BridgeFDB]\nMACAddress=00:00:00:00:00:00\nDestination=10.0.0.2',
        '[BridgeFDB]\nMACAddress=00:00:00:00:00:00\nDestination=10.0.0.3\nAssociatedWith=self',
        '[BridgeFDB]\nMACAddress=02:00:5e:00:53:02\nDestination=10.0.0.2\nVNI=9',
        '',
      ].join('\n'),
    },
  },
  {
    name: 'a bridge',
    links: ['vx0', 'br0', 'port7'],
    files: {
      'e.network': eth0('VXLAN=vx0'),
      'a.netdev': netdev('vx0', 'VNI=9', 'DestinationPort=4789'),
      'br.netdev': '[NetDev]\nName=br0\nKind=bridge\n',
      'd.netdev': '[NetDev]\nName=port7\nKind=veth\n[Peer]\nName=far7\n',
      'a.network': network('vx0', 'Bridge=br0'),
      'b.network': network('br0', 'Address=10.9.0.1/24', '[Route]', 'Gateway=10.9.0.2', 'Destination=10.8.0.0/16'),
      'd.network': network('port*', 'Bridge=br0'),
      'f.network': network('far7'),
    },
  },
  {
    name: 'masked files, comments, continued lines, blanks',
    links: ['vx0'],
    files: {
      'e.network': eth0('VXLAN=vx0'),
      'a.netdev':
        '# one\n[NetDev]\n ; two\nName = vx0\nKind=\\\n  # in between\n vxlan\n[VXLAN]\n\tVNI =\t9\nTTL=5\\\n\n',
      'a.network': '',
      'b.network': network('vx0', 'Address=10.9.0.2/24'),
      'c.network': network('vx0', 'Address=10.9.0.3/24'),
    },
  },
  {
    name: 'a link without a .network file stays down',
    links: ['vx0'],
    files: { 'e.network': eth0('VXLAN=vx0'), 'a.netdev': netdev('vx0', 'VNI=77') },
  },
  {
    name: 'two links, and a list in one file',
    links: ['vx0', 'vx1'],
    files: {
      'e.network': eth0('VXLAN=vx0', 'VXLAN=vx1'),
      'a.netdev': netdev('vx0', 'VNI=1', 'DestinationPort=4789'),
      'b.netdev': netdev('vx1', 'VNI=1', 'DestinationPort=4790'),
      'a.network': network('vx0 vx1'),
    },
  },
  {
    name: 'quotes are part of a pattern for names, and not of one for kinds',
    links: ['vx0', 'vx1'],
    files: {
      'e.network': eth0('VXLAN=vx0', 'VXLAN=vx1'),
      'a.netdev': netdev('vx0', 'VNI=1'),
      'b.netdev': netdev('vx1', 'VNI=2'),
      'a.network': network('"vx0"'),
      'b.network': '[Match]\nName=!vx1 eth*\nKind="vxlan"\n[Network]\nLinkLocalAddressing=no\nAddress=10.9.0.1/24\n',
      'c.network': '[Match]\nName=v?[!02-9]\n[Network]\nLinkLocalAddressing=no\nAddress=10.9.1.1/24\n',
    },
  },
];

for (const { name, files, links } of ROWS) {
  test(`networkd makes what is imported: ${name}`, { skip: needsTools }, async (t) => {
    const sources = Object.entries(files).map(([path, text]) => ({ path, text }));
    const imported = importer.read(sources, () => []);
    assert.deepEqual(
      imported.problems.filter(({ severity }) => severity === 'error'),
      [],
    );
    const made = await madeByNetworkd(t, files, links);
    assert.deepEqual(plainLinks(imported.links, made.links), plainLinks(made.links, made.links));
  });
}

const FOUND = 'Remote=10.0.0.2';
const REAL: readonly { name: string; vxlan: readonly string[]; network: readonly string[] }[] = [
  { name: 'no port', vxlan: [FOUND], network: ['Address=10.9.0.1/24'] },
  {
    name: 'a local address, a port and checksums',
    vxlan: [FOUND, 'Local=10.0.0.1', 'DestinationPort=4789', 'UDPChecksum=yes', 'TTL=inherit'],
    network: ['Address=10.9.0.1/24', '[Route]', 'Destination=10.8.0.0/16', 'Gateway=10.9.0.2'],
  },
  {
    name: 'three hosts',
    vxlan: ['Local=10.0.0.1', 'DestinationPort=4789', 'MacLearning=no'],
    network: [
      ...['Address=10.9.0.1/24', '[BridgeFDB]', 'Destination=10.0.0.2', '[BridgeFDB]', 'Destination=10.0.0.3'],
      ...['[BridgeFDB]', 'MACAddress=02:00:5e:00:53:02', 'Destination=10.0.0.2'],
    ],
  },
  {
    name: 'a group',
    vxlan: ['Group=239.0.0.5', 'Local=10.0.0.1', 'DestinationPort=4789'],
    network: ['Address=10.9.0.1/24'],
  },
];

for (const { name, vxlan, network: lines } of REAL) {
  test(`what networkd made is what the imported file wants: ${name}`, { skip: needsTools }, async (t) => {
    const files = {
      'e.network': eth0('VXLAN=vx0'),
      'a.netdev': `[NetDev]\nName=vx0\nKind=vxlan\nMACAddress=02:00:5e:00:53:01\n[VXLAN]\nVNI=77\n${vxlan.join('\n')}\n`,
      'a.network': network('vx0', ...lines),
    };
    const sources = Object.entries(files).map(([path, text]) => ({ path, text }));
    const imported = importer.read(sources, () => []);
    const { file, problems } = join('made', 'a test', [{ name: 'alpha', imported, underlay: null }]);
    assert.deepEqual(problems, []);
    const { kernel } = await madeByNetworkd(t, files, ['vx0', 'eth0']);
    const { fabric } = parseFabricOrThrow(Buffer.from(writeFabric(file)), 'made.yaml');
    const desired = resolve(fabric, 'alpha', kernel.look().facts);
    const { plan } = lookAt(kernel, desired, memoryStore('made'), { adopt: true });
    assert.deepEqual(plan.conflicts, []);
    // Only our marks are new.
    const changed = plan.steps.map((step) =>
      'changes' in step ? step.changes.map(({ attribute }) => attribute) : step,
    );
    assert.deepEqual(changed, [['alias', 'group']]);
  });
}
