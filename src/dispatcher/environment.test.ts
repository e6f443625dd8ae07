import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LinkAddress, LinkStatus } from '../kernel/link-status.ts';
import { type IpAddress, parseIp } from '../model/address.ts';
import { parseMac } from '../model/mac.ts';
import { readDescription } from './describe.ts';
import { hookVariables, inheritedEnvironment, type LinkFacts, listedAddresses } from './environment.ts';

function ip(text: string): IpAddress {
  const found = parseIp(text);
  if (found === null) throw new TypeError(text);
  return found;
}

const address = (text: string, more: Partial<LinkAddress> = {}): LinkAddress => ({
  address: ip(text),
  scope: 0,
  flags: 0x80,
  metric: 0,
  ...more,
});

const STATUS: LinkStatus = {
  index: 3,
  name: 'eth0',
  alternativeNames: [],
  kind: 'veth',
  hardwareType: 1,
  mac: parseMac('52:42:75:38:fe:7f'),
  mtu: 1500,
  minimumMtu: 68,
  maximumMtu: 65535,
  qdisc: 'noqueue',
  queues: { tx: 2, rx: 2 },
  addressGeneration: 'none',
  addresses: [address('10.0.0.1'), address('10.9.9.9'), address('fd00::5'), address('fe80::1', { scope: 253 })],
  gateways: [],
};

const FACTS: LinkFacts = {
  name: 'eth0',
  type: 'ether',
  status: STATUS,
  described: readDescription({
    NetworkFile: '/run/systemd/network/10-eth0.network',
    OnlineState: 'online',
    ActivationPolicy: 'up',
    RequiredForOnline: true,
  }),
  udev: new Map(),
};
const ROUTABLE = { state: 'routable', administrative: 'configured', operational: 'routable' };

// What networkd-dispatcher 2.2.3 gave to a script, without Auto negotiation, Duplex, Port and Speed.
const JSON_ETH0 =
  '{"Activation Policy": ["up"], "Address": ["10.0.0.1", "10.9.9.9", "fd00::5", "fe80::1"], "AdministrativeState": "configured", "Hardware Address": ["52:42:75:38:fe:7f"], "IPv6 Address Generation Mode": ["none"], "InterfaceName": "eth0", "Kind": ["veth"], "Link File": ["n/a"], "MTU": ["1500 (min: 68, max: 65535)"], "Network File": ["/run/systemd/network/10-eth0.network"], "Number of Queues (Tx/Rx)": ["2/2"], "Online state": ["online"], "OperationalState": "routable", "QDisc": ["noqueue"], "Required For Online": ["yes"], "State": "routable (configured)", "Type": "ether"}';

test('a routable link', () => {
  assert.deepEqual(hookVariables(FACTS, ROUTABLE), {
    ADDR: '10.0.0.1',
    ESSID: '',
    IP_ADDRS: '10.0.0.1 10.9.9.9',
    IP6_ADDRS: 'fd00::5',
    IFACE: 'eth0',
    STATE: 'routable',
    AdministrativeState: 'configured',
    OperationalState: 'routable',
    json: JSON_ETH0,
  });
});

test('a link that is gone', () => {
  const gone = { name: 'vx9', type: 'vxlan', status: null, described: null, udev: new Map() };
  const states = { state: 'linger', administrative: 'linger', operational: 'off' };
  const variables = hookVariables(gone, states);
  assert.equal(variables.ADDR, '');
  assert.equal(
    variables.json,
    '{"AdministrativeState": "linger", "InterfaceName": "vx9", "OperationalState": "off", "State": "off (linger)", "Type": "vxlan"}',
  );
});

test('the loopback: its addresses are no IP_ADDRS, and limits that are none are not shown', () => {
  const limits = { mtu: 65536, minimumMtu: 0, maximumMtu: 0xffffffff };
  const lo: LinkStatus = { ...STATUS, ...limits, name: 'lo', addresses: [address('127.0.0.1'), address('::1')] };
  const variables = hookVariables({ ...FACTS, name: 'lo', type: 'loopback', status: lo }, ROUTABLE);
  assert.equal(variables.ADDR, '127.0.0.1');
  assert.equal(variables.IP_ADDRS, '');
  assert.equal(variables.IP6_ADDRS, '::1');
  assert.match(variables.json ?? '', /"MTU": \["65536"\]/);
});

test('the name of a wireless network may have spaces and other characters', () => {
  const described = readDescription({ SSID: 'Café du coin' });
  const variables = hookVariables({ ...FACTS, type: 'wlan', described }, ROUTABLE);
  assert.equal(variables.ESSID, 'Café du coin');
  assert.match(variables.json ?? '', /"ESSID": "Caf\\u00e9 du coin"/);
});

test('gateways', () => {
  const json = hookVariables(
    { ...FACTS, status: { ...STATUS, gateways: [ip('10.0.0.254'), ip('fe80::9')] } },
    ROUTABLE,
  ).json;
  assert.match(json ?? '', /"Gateway": \["10.0.0.254", "fe80::9"\]/);
});

test('what udev knows of a device', () => {
  const udev = new Map([
    ['ID_NET_LINK_FILE', '/usr/lib/systemd/network/99-default.link'],
    ['ID_NET_DRIVER', 'e1000e'],
    ['ID_PATH', 'pci-0000:00:1f.6'],
    ['ID_VENDOR_FROM_DATABASE', 'Intel Corporation'],
    ['ID_MODEL_FROM_DATABASE', 'Ethernet Connection'],
    ['ID_OUI_FROM_DATABASE', 'Some Vendor'],
  ]);
  const json: Record<string, unknown> = JSON.parse(hookVariables({ ...FACTS, udev }, ROUTABLE).json ?? '');
  assert.deepEqual(json['Link File'], ['/usr/lib/systemd/network/99-default.link']);
  assert.deepEqual(json['Hardware Address'], ['52:42:75:38:fe:7f (Some Vendor)']);
  for (const key of ['Driver', 'Path', 'Vendor', 'Model']) assert.ok(Array.isArray(json[key]), key);
});

const LISTS: readonly {
  readonly name: string;
  readonly in: readonly LinkAddress[];
  readonly want: readonly string[];
}[] = [
  { name: 'IPv4 before IPv6', in: [address('::2'), address('10.0.0.1')], want: ['10.0.0.1', '::2'] },
  {
    name: 'by scope',
    in: [address('127.0.0.9', { scope: 254 }), address('192.168.0.9')],
    want: ['192.168.0.9', '127.0.0.9'],
  },
  { name: 'by metric', in: [address('10.0.0.1', { metric: 10 }), address('10.0.0.2')], want: ['10.0.0.2', '10.0.0.1'] },
  { name: 'by value, not by text', in: [address('10.0.0.10'), address('10.0.0.9')], want: ['10.0.0.9', '10.0.0.10'] },
  { name: 'each once', in: [address('10.0.0.1'), address('10.0.0.1')], want: ['10.0.0.1'] },
  { name: 'no tentative ones', in: [address('fd00::1', { flags: 0x40 })], want: [] },
  { name: 'no deprecated ones', in: [address('fd00::1', { flags: 0x20 })], want: [] },
];

for (const { name, in: addresses, want } of LISTS) {
  test(`addresses: ${name}`, () => assert.deepEqual(listedAddresses(addresses), want));
}

test('what is between systemd and us stays home', () => {
  const own = {
    PATH: '/bin',
    LANG: undefined,
    INVOCATION_ID: 'abc',
    NOTIFY_SOCKET: '/run/systemd/notify',
    WATCHDOG_USEC: '1',
    WATCHDOG_PID: '1',
    LISTEN_FDS: '1',
    LISTEN_PID: '1',
    LISTEN_FDNAMES: 'x',
    JOURNAL_STREAM: '1:2',
  };
  assert.deepEqual(inheritedEnvironment(own), { PATH: '/bin', INVOCATION_ID: 'abc' });
});
