import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Problem } from '../model/problem.ts';
import type { Imported } from './found.ts';
import { importer } from './networkd.ts';
import { readMac, readRange, readSize, readTimeSpan, readUnsigned, readWords } from './networkd-values.ts';

type Files = Readonly<Record<string, string>>;

function read(files: Files): Imported {
  return importer.read(
    Object.entries(files).map(([path, text]) => ({ path, text })),
    () => [],
  );
}

/** `code line:column marked text`. */
function shown({ code, place }: Problem): string {
  if (place === undefined) return code;
  const marked = [...place.text].slice(place.column - 1, place.column - 1 + place.length).join('');
  return `${code} ${place.line}:${place.column} ${marked}`.trimEnd();
}

const ETH0 = '[Match]\nName=eth0\n[Network]\nAddress=10.0.0.1/24\nVXLAN=vx0\n';
const NETWORK = '[Match]\nName=vx0\n[Network]\nLinkLocalAddressing=no\n';

/** vx0 on eth0; the lines of [VXLAN] begin on line 6, those of its [Network] on line 5. */
const vxlan = (...lines: string[]): Files => ({
  'e.network': ETH0,
  'a.network': NETWORK,
  'a.netdev': `[NetDev]\nName=vx0\nKind=vxlan\n[VXLAN]\nVNI=77\n${lines.join('\n')}\n`,
});
const network = (...lines: string[]): Files => ({ ...vxlan(), 'a.network': `${NETWORK}${lines.join('\n')}\n` });
const address = '[NetDev]\nName=vx0\nKind=vxlan\n';

const CASES: readonly { name: string; in: Files; want: readonly string[] }[] = [
  { name: 'good', in: vxlan('Remote=10.0.0.2', 'DestinationPort=4789'), want: [] },
  { name: 'an unknown key', in: vxlan('DestPort=4789'), want: ['source-left-out 6:10 4789'] },
  { name: 'an unknown section', in: vxlan('[Tunnel]', 'Local=10.0.0.1'), want: ['source-left-out 6:1 [Tunnel]'] },
  { name: 'a line that is none', in: vxlan('TTL 5'), want: ['source-left-out 6:1 TTL 5'] },
  { name: 'a broken header', in: vxlan('[VXLAN'), want: ['source-value 6:1 [VXLAN'] },
  { name: 'port 0', in: vxlan('DestinationPort=0'), want: ['source-accepted 6:17 0'] },
  { name: 'port 65536', in: vxlan('DestinationPort=65536'), want: ['source-accepted 6:17 65536'] },
  { name: 'no boolean', in: vxlan('MacLearning=maybe'), want: ['source-accepted 6:13 maybe'] },
  { name: 'a boolean that is not written', in: vxlan('MacLearning='), want: ['source-accepted 6:1 MacLearning'] },
  { name: 'TOS 300', in: vxlan('TOS=300'), want: ['source-accepted 6:5 300'] },
  { name: 'TTL 256', in: vxlan('TTL=256'), want: ['source-accepted 6:5 256'] },
  { name: 'a range from 0', in: vxlan('PortRange=0-10'), want: ['source-accepted 6:11 0-10'] },
  { name: 'a range that is turned round', in: vxlan('PortRange=20-10'), want: ['source-accepted 6:11 20-10'] },
  { name: 'less than a second', in: vxlan('FDBAgeingSec=500ms'), want: ['source-accepted 6:14 500ms'] },
  { name: 'no time span', in: vxlan('FDBAgeingSec=5 fortnights'), want: ['source-accepted 6:14 5 fortnights'] },
  { name: 'forever', in: vxlan('FDBAgeingSec=infinity'), want: ['source-accepted 6:14 infinity'] },
  { name: 'a local group', in: vxlan('Local=239.0.0.1'), want: ['source-accepted 6:7 239.0.0.1'] },
  { name: 'a group that is none', in: vxlan('Group=10.0.0.2'), want: ['source-accepted 6:7 10.0.0.2'] },
  { name: 'both', in: vxlan('Group=239.0.0.1', 'Remote=10.0.0.2'), want: ['source-conflict 7:8 10.0.0.2'] },
  { name: 'two families', in: vxlan('Local=fd00::1', 'Remote=10.0.0.2'), want: ['source-conflict 6:7 fd00::1'] },
  { name: 'a flow label over IPv4', in: vxlan('FlowLabel=5'), want: ['source-accepted 6:11 5'] },
  { name: 'a flow label of 21 bits', in: vxlan('FlowLabel=1048576'), want: ['source-accepted 6:11 1048576'] },
  { name: 'GPE', in: vxlan('GenericProtocolExtension=yes'), want: ['source-accepted 6:26 yes'] },
  { name: 'a local address by DHCP', in: vxlan('Local=dhcp4'), want: ['source-left-out 6:7 dhcp4'] },
  {
    name: 'a group without a device',
    in: vxlan('Group=239.0.0.1', 'Independent=1'),
    want: ['source-accepted 6:7 239.0.0.1'],
  },
  {
    name: 'no VNI',
    in: { ...vxlan(), 'a.netdev': `${address}[VXLAN]\nTTL=5\n` },
    want: ['source-missing 1:1 [NetDev]'],
  },
  { name: 'VNI 0', in: vxlan('VNI=0'), want: ['source-accepted 6:5 0'] },
  { name: 'nothing makes it', in: { ...vxlan(), 'e.network': '' }, want: ['source-missing 5:5 77'] },
  { name: 'no such link', in: { 'e.network': ETH0 }, want: ['source-reference 5:7 vx0'] },
  {
    name: 'a file for nothing',
    in: { ...vxlan('Independent=yes'), 'x.network': '[Network]\nVXLAN=vx0\n' },
    want: ['source-accepted 2:7 vx0'],
  },
  {
    name: 'a device that is not named',
    in: { ...vxlan(), 'e.network': ETH0.replace('eth0', 'en*') },
    want: ['source-guessed 5:7 vx0'],
  },
  {
    name: 'one name twice',
    in: { ...vxlan(), 'b.netdev': `${address}[VXLAN]\nVNI=78\n` },
    want: ['source-conflict 2:6 vx0'],
  },
  {
    name: 'one VNI and port twice',
    in: {
      ...vxlan(),
      'f.network': '[Match]\nName=eth1\n[Network]\nVXLAN=vx1\n',
      'b.netdev': '[NetDev]\nName=vx1\nKind=vxlan\n[VXLAN]\nVNI=77\n',
    },
    want: ['source-accepted 5:5 77'],
  },
  { name: 'a drop-in of nothing', in: { ...vxlan(), 'x.netdev.d/a.conf': '[VXLAN]\n' }, want: ['source-left-out 1:1'] },
  { name: 'another file', in: { ...vxlan(), 'a.link': '' }, want: ['source-left-out 1:1'] },
  { name: 'other kinds', in: { 'w.netdev': '[NetDev]\nName=wg0\nKind=wireguard\n[WireGuard]\nX=\n' }, want: [] },
  { name: 'an address without a length', in: network('Address=10.9.0.1'), want: ['source-accepted 5:9 10.9.0.1'] },
  { name: 'no address', in: network('Address=beta'), want: ['source-accepted 5:9 beta'] },
  { name: 'an address from the pool', in: network('Address=0.0.0.0/24'), want: ['source-left-out 5:9 0.0.0.0/24'] },
  { name: 'DHCP on an overlay', in: network('DHCP=yes'), want: ['source-left-out 5:6 yes'] },
  { name: 'no DHCP on an overlay', in: network('DHCP=no', 'IPv6AcceptRA=no'), want: [] },
  {
    name: 'a point-to-point address',
    in: network('[Address]', 'Address=10.9.0.1/32', 'Peer=10.9.0.2/32'),
    want: ['source-left-out 7:6 10.9.0.2/32'],
  },
  {
    name: 'a label',
    in: network('[Address]', 'Address=10.9.0.1/24', 'Label=vx0:1'),
    want: ['source-left-out 7:7 vx0:1'],
  },
  {
    name: 'a metric',
    in: network('[Route]', 'Destination=10.8.0.0/16', 'Gateway=10.9.0.2', 'Metric=5'),
    want: ['source-left-out 8:8 5'],
  },
  {
    name: 'a route on the link',
    in: network('[Route]', 'Destination=10.8.0.0/16'),
    want: ['source-left-out 5:1 [Route]'],
  },
  { name: 'a row without a VTEP', in: network('[BridgeFDB]', 'VNI=77'), want: ['source-accepted 5:1 [BridgeFDB]'] },
  {
    name: 'a row of the bridge',
    in: network('[BridgeFDB]', 'AssociatedWith=master', 'MACAddress=02:00:5e:00:53:01'),
    want: ['source-left-out 6:16 master'],
  },
  {
    name: 'a row with a VNI of its own',
    in: network('[BridgeFDB]', 'VNI=78', 'Destination=10.0.0.2'),
    want: ['source-left-out 6:5 78'],
  },
  { name: 'half a neighbour', in: network('[Neighbor]', 'Address=10.9.0.2'), want: ['source-accepted 5:1 [Neighbor]'] },
  { name: 'a bridge that nothing makes', in: network('Bridge=br0'), want: ['source-reference 5:8 br0'] },
  {
    name: 'addresses in a bridge',
    in: {
      ...network('Bridge=br0', 'Address=10.9.0.1/24'),
      'b.netdev': '[NetDev]\nName=br0\nKind=bridge\n[Bridge]\nSTP=yes\n',
    },
    want: ['source-left-out 6:9 10.9.0.1/24', 'source-left-out 4:1 [Bridge]'],
  },
  {
    name: 'a name of 16 bytes',
    in: {
      'a.netdev': '[NetDev]\nName=vxlan0123456789a\nKind=vxlan\n[VXLAN]\nVNI=7\nIndependent=yes\n',
    },
    want: ['source-accepted 2:6 vxlan0123456789a'],
  },
  {
    name: 'the MAC of a group',
    in: { ...vxlan(), 'a.netdev': `${address}MACAddress=01:00:5e:00:00:01\n[VXLAN]\nVNI=77\n` },
    want: ['source-accepted 4:12 01:00:5e:00:00:01'],
  },
];

for (const { name, in: files, want } of CASES) {
  test(`networkd: ${name}`, () => {
    assert.deepEqual(read(files).problems.map(shown), want);
  });
}

test('networkd: places of what two hosts may disagree on', () => {
  const [link] = read({
    ...vxlan('Remote=10.0.0.2', 'DestinationPort=4789'),
    'a.network': `${NETWORK}Address=10.9.0.1/24\n`,
  }).links;
  const lines = ['vni', 'remote', 'port', 'device', 'address 10.9.0.1/24'].map((key) => {
    const place = link?.places.get(key);
    return `${place?.file}:${place?.line}`;
  });
  assert.deepEqual(lines, ['a.netdev:5', 'a.netdev:6', 'a.netdev:7', 'e.network:5', 'a.network:5']);
});

test('networkd: addresses of what is no overlay', () => {
  const { underlays } = read({
    ...vxlan(),
    'v.netdev': '[NetDev]\nName=vlan5\nKind=vlan\n[VLAN]\nId=5\n',
    'v.network': '[Match]\nName=vlan*\n[Network]\nAddress=10.5.0.1/24\n',
    'z.network': '[Match]\nName=eth0\n[Network]\nAddress=10.6.0.1/24\n',
  });
  assert.deepEqual(
    [...underlays],
    [
      ['vlan5', ['10.5.0.1/24']],
      ['eth0', ['10.0.0.1/24']],
    ],
  );
});

const VALUES: readonly { name: string; read: (text: string) => unknown; rows: Readonly<Record<string, unknown>> }[] = [
  {
    name: 'a number',
    read: readUnsigned,
    rows: {
      '10': 10,
      '010': 8,
      '0x10': 16,
      '0b10': 2,
      '0o10': 8,
      '+5': 5,
      '0': 0,
      '-1': undefined,
      '': undefined,
      '08': undefined,
      '4294967296': undefined,
    },
  },
  {
    name: 'a time span',
    read: readTimeSpan,
    rows: {
      '300': 300,
      '5min': 300,
      '5 min 3s': 303,
      '1.5h': 5400,
      '5m': 300,
      '1M': 2629800,
      '50ms': 0.05,
      '5 10': 15,
      '': undefined,
      '5x': undefined,
      '-5': undefined,
      infinity: Number.POSITIVE_INFINITY,
    },
  },
  { name: 'a size', read: readSize, rows: { '1400': 1400, '1K': 1024, '1k': undefined, '': undefined } },
  { name: 'a range', read: readRange, rows: { '1-2': [1, 2], '5': [5, 5], '5-': undefined, '-5': undefined } },
  {
    name: 'a MAC',
    read: readMac,
    rows: {
      '02:00:5E:00:53:01': '02:00:5e:00:53:01',
      '0200.5e00.5301': '02:00:5e:00:53:01',
      '02-00-5e-00-53-01': '02:00:5e:00:53:01',
      '02:00-5e:00:53:01': null,
      '02005e005301': null,
    },
  },
  { name: 'words', read: readWords, rows: { 'a  b': ['a', 'b'], '"a b" c': ['a b', 'c'], '': [] } },
];

for (const { name, read: reader, rows } of VALUES) {
  for (const [text, want] of Object.entries(rows)) {
    test(`networkd: ${name}: ${JSON.stringify(text)}`, () => assert.deepEqual(reader(text), want));
  }
}
