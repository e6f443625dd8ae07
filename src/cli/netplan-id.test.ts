import assert from 'node:assert/strict';
import { test } from 'node:test';
import { netplanIdsOf } from './netplan-id.ts';

const eth0 = { name: 'eth0', mac: '52:54:00:12:34:56', driver: 'virtio_net' };

const CASES: readonly { name: string; in: readonly string[]; want: readonly string[] }[] = [
  { name: 'no files', in: [], want: [] },
  { name: 'the name itself', in: ['ethernets: {eth0: {}, eth1: {}}'], want: ['eth0'] },
  {
    name: 'as cloud-init writes it',
    in: ['ethernets: {id0: {match: {macaddress: "52:54:00:12:34:56"}, set-name: eth0}}'],
    want: ['id0'],
  },
  {
    name: 'another MAC',
    in: ['ethernets: {id0: {match: {macaddress: "52:54:00:12:34:57"}, set-name: eth0}}'],
    want: [],
  },
  { name: 'capitals', in: ['ethernets: {id0: {match: {macaddress: "52:54:00:12:34:56"}}}'], want: ['id0'] },
  { name: 'a pattern', in: ['ethernets: {lan: {match: {name: "e*[0-3]"}}}'], want: ['lan'] },
  { name: 'a pattern for others', in: ['ethernets: {lan: {match: {name: "e*[!0-3]"}}}'], want: [] },
  { name: 'signs of regular expressions', in: ['ethernets: {lan: {match: {name: "e.h0"}}}'], want: [] },
  { name: 'a driver', in: ['ethernets: {all: {match: {driver: "virtio*"}}}'], want: ['all'] },
  { name: 'several drivers', in: ['ethernets: {all: {match: {driver: [bnx2x, virtio_net]}}}'], want: ['all'] },
  { name: 'another driver', in: ['ethernets: {all: {match: {driver: bnx2x}}}'], want: [] },
  {
    name: 'an ID that is the name of another link',
    in: ['ethernets: {eth0: {match: {name: eth7}}, id0: {match: {name: eth0}}}'],
    want: ['id0'],
  },
  {
    name: 'what a later file adds',
    in: ['ethernets: {id0: {match: {name: "e*"}}}', 'ethernets: {id0: {set-name: wan0}}'],
    want: [],
  },
  { name: 'a bond', in: ['bonds: {eth0: {interfaces: []}}'], want: ['eth0'] },
  {
    name: 'two that fit',
    in: ['ethernets: {eth0: {}, id0: {match: {macaddress: "52:54:00:12:34:56"}}}'],
    want: ['eth0', 'id0'],
  },
  { name: 'a file that is no YAML beside one that is', in: ['{', 'ethernets: {eth0: {}}'], want: ['eth0'] },
];

for (const { name, in: texts, want } of CASES) {
  test(`the definition of eth0: ${name}`, () => {
    const files = texts.map((text, i) => ({ path: `${i}.yaml`, text: `network: {version: 2, ${text}}\n` }));
    assert.deepEqual(netplanIdsOf(files, eth0), want);
  });
}

test('what is not known of the link is not held against it', () => {
  const files = [{ path: '0.yaml', text: 'network: {ethernets: {id0: {match: {macaddress: "52:54:00:12:34:57"}}}}' }];
  assert.deepEqual(netplanIdsOf(files, { name: 'eth0', mac: null, driver: null }), ['id0']);
});
