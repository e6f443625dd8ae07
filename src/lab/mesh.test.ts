import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseFabricOrThrow } from '../fabric/parse.ts';
import { resolve } from '../fabric/resolve.ts';
import type { EchoResult } from '../kernel/echo.ts';
import type { Prefix } from '../model/address.ts';
import type { Desired } from '../model/desired.ts';
import type { HostFacts, LinkFacts } from '../model/state.ts';
import { meshTargets, readMesh } from './mesh.ts';

/** Host `a` of a fabric whose one overlay has these members and options. */
function wanted(members: string, options = ''): Desired {
  const hosts = '{a: 10.0.0.1, b: 10.0.0.2, c: 10.0.0.3, d: 10.0.0.4}';
  const text = `fabric: f\nhosts: ${hosts}\noverlays: {v: {vni: 1, hosts: {${members}}${options}}}\n`;
  const { fabric } = parseFabricOrThrow(Buffer.from(text), 'test.yaml');
  const link = (name: string, addresses: Prefix[]): [string, LinkFacts] => {
    return [name, { name, index: 2, kind: '', up: true, mtu: 1500, addresses }];
  };
  const facts: HostFacts = {
    hostname: 'a',
    links: new Map([link('eth0', ['10.0.0.1/24' as Prefix]), link('eth1', [])]),
  };
  return resolve(fabric, 'a', facts);
}

const targets = (desired: Desired, mtu?: number) =>
  meshTargets(desired, () => mtu).targets.map(({ peer, link, address, size, full }) => {
    return `${peer} ${address} by ${link}: ${size}${full ? ' full' : ''}`;
  });

describe('whom to ask', () => {
  const cases = [
    {
      name: 'every address of every peer, small and full',
      in: wanted('a: [10.5.0.1/24, "fd00::1/64"], b: [10.5.0.2/24, "fd00::2/64"], c: 10.5.0.3/24'),
      want: [
        'b 10.5.0.2 by v: 84',
        'b 10.5.0.2 by v: 1450 full',
        'b fd00::2 by v: 104',
        'b fd00::2 by v: 1450 full',
        'c 10.5.0.3 by v: 84',
        'c 10.5.0.3 by v: 1450 full',
      ],
    },
    {
      name: 'over the bridge that has the addresses',
      in: wanted('a: 10.5.0.1/24, b: 10.5.0.2/24', ', bridge: br0, ports: [eth1]'),
      want: ['b 10.5.0.2 by br0: 84', 'b 10.5.0.2 by br0: 1450 full'],
    },
    {
      name: 'by a route over the overlay',
      in: wanted('a: 10.5.0.1/24, b: [10.5.0.2/24, 10.6.0.2/24]', ', routes: [{to: 10.6.0.0/16, via: b}]'),
      want: ['b 10.5.0.2 by v: 84', 'b 10.5.0.2 by v: 1450 full', 'b 10.6.0.2 by v: 84', 'b 10.6.0.2 by v: 1450 full'],
    },
    { name: 'nobody, alone', in: wanted('a: 10.5.0.1/24'), want: [] },
    { name: 'nobody, without an address', in: wanted('a: null, b: 10.5.0.2/24'), want: [] },
  ];
  for (const { name, in: desired, want } of cases) test(name, () => assert.deepEqual(targets(desired), want));

  test('the size is the MTU that the link really has', () => {
    const desired = wanted('a: 10.5.0.1/24, b: 10.5.0.2/24');
    assert.deepEqual(targets(desired, 1300), ['b 10.5.0.2 by v: 84', 'b 10.5.0.2 by v: 1300 full']);
    assert.deepEqual(targets(desired, 70), ['b 10.5.0.2 by v: 70', 'b 10.5.0.2 by v: 70 full']);
  });
});

test('who cannot be asked is named, with the reason', () => {
  const desired = wanted('a: 10.5.0.1/24, b: null, c: "fd00::3/64", d: 10.6.0.4/24', ', remotes: [192.0.2.9]');
  assert.deepEqual(
    meshTargets(desired, () => undefined),
    {
      targets: [],
      unasked: [
        { overlay: 'v', peer: 'b', address: null, reason: 'it has no address on the overlay' },
        { overlay: 'v', peer: 'c', address: 'fd00::3', reason: 'this host has no IPv6 address on the overlay' },
        {
          overlay: 'v',
          peer: 'd',
          address: '10.6.0.4',
          reason: 'it is in no network that this host has on the overlay',
        },
        { overlay: 'v', peer: '192.0.2.9', address: null, reason: 'it has no address on the overlay' },
      ],
    },
  );
});

test('results are read in pairs, and one of two lost is not well', () => {
  const { targets: asked } = meshTargets(wanted('a: 10.5.0.1/24, b: 10.5.0.2/24, c: 10.5.0.3/24'), () => undefined);
  const answered: EchoResult = { ok: true, rttMs: 0.5, attempt: 1 };
  const lost: EchoResult = { ok: false, reason: 'timeout', detail: 'no answer' };
  const proofs = readMesh(asked, [answered, lost, answered, answered]);
  assert.deepEqual(
    proofs.map(({ peer, address, small, full, fullSize, ok }) => ({ peer, address, small, full, fullSize, ok })),
    [
      { peer: 'b', address: '10.5.0.2', small: answered, full: lost, fullSize: 1450, ok: false },
      { peer: 'c', address: '10.5.0.3', small: answered, full: answered, fullSize: 1450, ok: true },
    ],
  );
});
