import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readAssignments, readDescription, readStateFile, statesOf } from './describe.ts';

/** As systemd 252 describes a link, without what we do not read. */
const DESCRIPTION = {
  Index: 3,
  Name: 'eth0',
  Type: 'ether',
  OnlineState: 'online',
  NetworkFile: '/run/systemd/network/10.network',
  RequiredForOnline: true,
  ActivationPolicy: 'up',
  DNS: [
    { Family: 2, Address: [9, 9, 9, 9], ConfigSource: 'static' },
    { Family: 10, Address: [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] },
  ],
  NTP: [{ Family: 2, Address: [10, 0, 0, 7] }, { Server: 'ntp.example' }],
  SearchDomains: [{ Domain: 'a.example' }],
  RouteDomains: [{ Domain: 'b.example' }],
  SSID: 'two words',
};

test('a description', () => {
  assert.deepEqual(readDescription(DESCRIPTION), {
    networkFile: '/run/systemd/network/10.network',
    linkFile: null,
    onlineState: 'online',
    activationPolicy: 'up',
    requiredForOnline: true,
    dns: ['9.9.9.9', 'fd00::1'],
    ntp: ['10.0.0.7', 'ntp.example'],
    searchDomains: ['a.example'],
    routeDomains: ['b.example'],
    ssid: 'two words',
  });
});

test('a state file', () => {
  const text = `# This is private data. Do not parse.
ADMIN_STATE=configured
ONLINE_STATE=online
REQUIRED_FOR_ONLINE=no
ACTIVATION_POLICY=up
NETWORK_FILE=/run/systemd/network/10.network
DNS=1.1.1.1 9.9.9.9
NTP=
DOMAINS=a.example
ROUTE_DOMAINS=
`;
  assert.deepEqual(readStateFile(text), {
    ...readDescription({}),
    networkFile: '/run/systemd/network/10.network',
    onlineState: 'online',
    activationPolicy: 'up',
    requiredForOnline: false,
    dns: ['1.1.1.1', '9.9.9.9'],
    searchDomains: ['a.example'],
  });
});

test('the states of a state file', () => {
  assert.deepEqual(statesOf('ADMIN_STATE=configured\nOPER_STATE=routable\n'), {
    administrative: 'configured',
    operational: 'routable',
  });
  assert.deepEqual(statesOf('something else'), { administrative: '', operational: '' });
});

test('assignments', () => {
  const read = readAssignments('DEVTYPE=wlan\nINTERFACE=a=b\nnone\n=x\nlower=x\nLAST=');
  assert.deepEqual(
    [...read],
    [
      ['DEVTYPE', 'wlan'],
      ['INTERFACE', 'a=b'],
      ['LAST', ''],
    ],
  );
});

test('whatever a description holds, it is read', () => {
  const keys = fc.constantFrom('DNS', 'NTP', 'SearchDomains', 'RequiredForOnline', 'SSID');
  fc.assert(
    fc.property(fc.dictionary(keys, fc.jsonValue()), (value) => {
      const read = readDescription(value);
      for (const list of [read.dns, read.ntp, read.searchDomains]) {
        assert.ok(list.every((item) => typeof item === 'string'));
      }
    }),
  );
});
