import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IpAddress, Prefix } from '../model/address.ts';
import type { Fabric } from '../model/fabric.ts';
import { EverlanError } from '../model/problem.ts';
import type { HostFacts } from '../model/state.ts';
import { identify } from './identify.ts';

const host = (name: string, underlay: string, hostname = name) =>
  [name, { name, underlay: underlay as IpAddress, device: undefined, hostname }] as const;

const fabric: Fabric = {
  name: 't',
  hosts: new Map([
    host('alpha', '10.0.0.1'),
    host('beta', 'fd00::2'),
    host('gamma', '10.0.0.3', 'g.example.com'),
    host('delta', '10.0.0.4', 'g.example.net'),
  ]),
  overlays: new Map(),
};

function facts(hostname: string, ...addresses: string[]): HostFacts {
  const links = addresses.map((address, i) => {
    const name = `eth${i}`;
    return [name, { name, index: i + 1, kind: '', up: true, mtu: 1500, addresses: [address as Prefix] }] as const;
  });
  return { hostname, links: new Map(links) };
}

const good: { name: string; in: [HostFacts, string?]; want: string }[] = [
  { name: '--host wins', in: [facts('alpha', '10.0.0.3/24'), 'beta'], want: 'beta' },
  { name: 'hostname', in: [facts('alpha', '10.0.0.3/24')], want: 'alpha' },
  { name: 'hostname in another case', in: [facts('ALPHA')], want: 'alpha' },
  { name: 'full hostname of the machine', in: [facts('alpha.example.org')], want: 'alpha' },
  { name: 'full hostname in the file', in: [facts('g.example.net')], want: 'delta' },
  { name: 'underlay address', in: [facts('other', '127.0.0.1/8', 'fd00::2/64')], want: 'beta' },
  { name: 'underlay address in a namespace', in: [facts('', '10.0.0.1/32')], want: 'alpha' },
];

for (const row of good) test(`identify: ${row.name}`, () => assert.equal(identify(fabric, ...row.in), row.want));

const bad: { name: string; in: [HostFacts, string?]; want: RegExp }[] = [
  { name: 'unknown --host', in: [facts('alpha'), 'aplha'], want: /no host “aplha” in the fabric t.*alpha/ },
  {
    name: 'nothing fits',
    in: [facts('other', '10.9.9.9/24', 'fe80::1/64')],
    want: /hostname is other, and its addresses are 10\.9\.9\.9\b(?!.*fe80)/,
  },
  { name: 'nothing to look at', in: [facts('')], want: /no hostname was looked at, and it has no address/ },
  { name: 'two by hostname', in: [facts('g')], want: /could be gamma, delta/ },
  { name: 'two by address', in: [facts('x', '10.0.0.1/24', '10.0.0.3/24')], want: /could be alpha, gamma/ },
  { name: 'a network address is not looked at as a text', in: [facts('x', '10.0.0.11/24')], want: /10\.0\.0\.11/ },
];

for (const row of bad) {
  test(`identify refuses: ${row.name}`, () => {
    assert.throws(
      () => identify(fabric, ...row.in),
      (error) => {
        assert.ok(error instanceof EverlanError);
        assert.equal(error.exitCode, 2);
        assert.match(`${error.message} ${error.problems[0]?.hint}`, row.want);
        return true;
      },
    );
  });
}
