import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Desired } from '../model/desired.ts';
import { diff } from './diff.ts';
import { FABRIC, type ShortLink, shortState } from './states.testing.ts';
import { statusOf } from './status.ts';

type Links = Readonly<Record<string, ShortLink | null>>;

function desired(links: Links, bridge: string | null): Desired {
  const peers = [{ host: 'beta', underlay: '10.10.0.4' as never, addresses: [] }];
  const overlay = { name: 'vxlan0', vni: 77, addressed: bridge ?? 'vxlan0', peers };
  return { fabric: FABRIC, host: 'alpha', state: shortState(links), overlays: [overlay], warnings: [] };
}

const PLAIN: Links = { vxlan0: { mtu: 1450, addresses: ['169.254.0.1/24', 'fd00:77::1/64'], routes: ['10.1.0.0/16'] } };
const BRIDGED: Links = {
  vxlan0: { master: 'br0' },
  br0: { kind: 'bridge', addresses: ['192.0.2.1/24'] },
  eth1: { kind: 'port', master: 'br0' },
};

describe('how an overlay stands', () => {
  const cases: readonly {
    name: string;
    want?: Links;
    have: Links;
    state: string;
    mtu?: number;
    addresses?: string[];
    drift: string[];
    converged?: boolean;
  }[] = [
    {
      name: 'up',
      have: PLAIN,
      state: 'up',
      addresses: ['169.254.0.1/24', 'fd00:77::1/64'],
      drift: [],
      converged: true,
    },
    {
      name: 'up, with a foreign address',
      have: { vxlan0: { ...PLAIN.vxlan0, addresses: ['169.254.0.1/24', 'foreign 169.254.0.9/24', 'fd00:77::1/64'] } },
      state: 'up',
      addresses: ['169.254.0.1/24', '169.254.0.9/24', 'fd00:77::1/64'],
      drift: [],
      converged: true,
    },
    {
      name: 'missing',
      have: {},
      state: 'missing',
      drift: [
        'link vxlan0 is missing',
        'address 169.254.0.1/24 on vxlan0 is missing',
        'address fd00:77::1/64 on vxlan0 is missing',
        'route 10.1.0.0/16 on vxlan0 is missing',
      ],
    },
    {
      name: 'down: what goes with it counts as down too',
      have: { vxlan0: { up: false, addresses: ['169.254.0.1/24'] } },
      state: 'down',
      addresses: ['169.254.0.1/24'],
      drift: [
        'link vxlan0: up is off, not on',
        'address fd00:77::1/64 on vxlan0 is missing',
        'route 10.1.0.0/16 on vxlan0 is missing',
      ],
    },
    {
      name: 'down and changed otherwise',
      have: { vxlan0: { ...PLAIN.vxlan0, up: false, mtu: 1400 } },
      state: 'drifted',
      mtu: 1400,
      addresses: ['169.254.0.1/24', 'fd00:77::1/64'],
      drift: ['link vxlan0: up is off, not on, mtu is 1400, not 1450'],
    },
    {
      name: 'drifted: a recreate is one thing wrong, not all that it takes along',
      have: { vxlan0: { ...PLAIN.vxlan0, vxlan: { vni: 78 } } },
      state: 'drifted',
      addresses: ['169.254.0.1/24', 'fd00:77::1/64'],
      drift: ['link vxlan0: vni is 78, not 77'],
    },
    {
      name: 'drifted: only a route is missing on a link that is up',
      have: { vxlan0: { ...PLAIN.vxlan0, routes: [] } },
      state: 'drifted',
      addresses: ['169.254.0.1/24', 'fd00:77::1/64'],
      drift: ['route 10.1.0.0/16 on vxlan0 is missing'],
    },
    { name: 'foreign', have: { vxlan0: { alias: '', mtu: 1300 } }, state: 'foreign', mtu: 1300, drift: [] },
    { name: 'foreign, of another kind', have: { vxlan0: { kind: 'other' } }, state: 'foreign', drift: [] },
    {
      name: 'bridged and up',
      want: BRIDGED,
      have: BRIDGED,
      state: 'up',
      addresses: ['192.0.2.1/24'],
      drift: [],
      converged: true,
    },
    {
      name: 'bridged: the port fell out of a stranger’s bridge',
      want: BRIDGED,
      have: { ...BRIDGED, br0: { kind: 'joined', addresses: ['192.0.2.1/24'] }, eth1: { kind: 'port' } },
      state: 'drifted',
      addresses: ['192.0.2.1/24'],
      drift: ['eth1 in bridge br0 is missing'],
    },
  ];
  for (const { name, want = PLAIN, have, ...expected } of cases) {
    test(name, () => {
      const wanted = desired(want, want === BRIDGED ? 'br0' : null);
      const observed = shortState(have);
      const status = statusOf(wanted, observed, diff(wanted.state, observed, { fabric: FABRIC }));
      assert.equal(status.converged, expected.converged ?? false);
      assert.deepEqual(status.overlays, [
        {
          name: 'vxlan0',
          vni: 77,
          state: expected.state,
          mtu: expected.mtu ?? 1450,
          addresses: expected.addresses ?? [],
          peers: [{ host: 'beta', underlay: '10.10.0.4' }],
          drift: expected.drift,
        },
      ]);
    });
  }

  test('an overlay that the file does not have any more is told too', () => {
    const wanted = desired(PLAIN, null);
    const observed = shortState({ ...PLAIN, old: { vxlan: { vni: 5 } } });
    const status = statusOf(wanted, observed, diff(wanted.state, observed, { fabric: FABRIC }));
    assert.deepEqual(
      status.overlays.map(({ name, vni, state, drift }) => ({ name, vni, state, drift })),
      [
        { name: 'vxlan0', vni: 77, state: 'up', drift: [] },
        { name: 'old', vni: 5, state: 'drifted', drift: ['link old should not be there'] },
      ],
    );
  });
});
