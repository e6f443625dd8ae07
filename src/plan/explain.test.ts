import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Step } from '../model/step.ts';
import { diff } from './diff.ts';
import { explain, explainDrift, isConverged, markerOf, planJson, stepJson } from './explain.ts';
import { FABRIC, type ShortLink, shortLink, shortState } from './states.testing.ts';

function change(have: unknown, want: unknown): Step {
  const before = shortState({ vxlan0: have as ShortLink });
  const [step] = diff(shortState({ vxlan0: want as ShortLink }), before, { fabric: FABRIC }).steps;
  assert.ok(step !== undefined);
  return step;
}

const link = shortLink('vxlan0', {
  vxlan: { remote: '10.10.0.4', local: '10.0.0.4', device: 'eth0' } as never,
  addresses: ['169.254.0.1/24'],
  fdb: ['02:00:00:00:00:05 10.0.0.6', '00:00:00:00:00:00 10.0.0.7'],
  neighbours: ['169.254.0.2 02:00:00:00:00:02'],
  routes: ['10.1.0.0/16 via 169.254.0.2', '10.2.0.0/16'],
});

describe('a step in words and as JSON', () => {
  const bridge = shortLink('br0', { kind: 'bridge', mtu: 1400 });
  const cases: readonly { name: string; step: Step; line: string; drift: string; json: unknown }[] = [
    {
      name: 'link added',
      step: { kind: 'link', action: 'add', link: 'vxlan0', to: link },
      line: 'add link vxlan0: vni 77, port 4789, remote 10.10.0.4, local 10.0.0.4, device eth0, mtu 1450',
      drift: 'link vxlan0 is missing',
      json: { type: 'vxlan', vni: 77, port: 4789, remote: '10.10.0.4', local: '10.0.0.4', device: 'eth0', mtu: 1450 },
    },
    {
      name: 'bridge added',
      step: { kind: 'link', action: 'add', link: 'br0', to: bridge },
      line: 'add bridge br0: mtu 1400',
      drift: 'bridge br0 is missing',
      json: { link: 'br0', type: 'bridge', mtu: 1400 },
    },
    {
      name: 'link removed',
      step: { kind: 'link', action: 'remove', link: 'vxlan0', from: link },
      line: 'remove link vxlan0',
      drift: 'link vxlan0 should not be there',
      json: { type: 'vxlan' },
    },
    {
      name: 'link changed in place, under the options’ names',
      step: change({ vxlan: { learning: true, ttl: 0 } }, { vxlan: { learning: false, ttl: 64, label: 5 } }),
      line: 'in place link vxlan0: ttl auto → 64, flow-label 0 → 5, mac-learning on → off',
      drift: 'link vxlan0: ttl is auto, not 64, flow-label is 0, not 5, mac-learning is on, not off',
      json: {
        type: 'vxlan',
        changes: [
          { attribute: 'ttl', from: 'auto', to: 64 },
          { attribute: 'flow-label', from: 0, to: 5 },
          { attribute: 'mac-learning', from: true, to: false },
        ],
      },
    },
    {
      name: 'several attributes that are one option are said once',
      step: change({ vxlan: {} }, { vxlan: { portLow: 1000, portHigh: 2000, udpCsum: false, remcsumTx: true } }),
      line: 'recreate (with downtime) link vxlan0: port-range none → 1000, 2000, checksums udp → remote-tx',
      drift: 'link vxlan0: port-range is none, not 1000, 2000, checksums is udp, not remote-tx',
      json: {
        type: 'vxlan',
        changes: [
          { attribute: 'port-range', from: null, to: [1000, 2000] },
          { attribute: 'checksums', from: ['udp'], to: ['remote-tx'] },
        ],
      },
    },
    {
      name: 'a reason',
      step: change({ vxlan: { device: 'eth0' } }, {}),
      line: 'recreate (with downtime) link vxlan0: device eth0 → none (the kernel does not take the device away from a link)',
      drift: 'link vxlan0: device is eth0, not none',
      json: {
        type: 'vxlan',
        changes: [{ attribute: 'device', from: 'eth0', to: null }],
        reason: 'the kernel does not take the device away from a link',
      },
    },
    {
      name: 'bridge port',
      step: { kind: 'bridge-port', action: 'add', link: 'eth1', bridge: 'br0' },
      line: 'add eth1 in bridge br0',
      drift: 'eth1 in bridge br0 is missing',
      json: { link: 'eth1', bridge: 'br0' },
    },
    ...[...link.addresses.values()].map((address) => ({
      name: 'address',
      step: { kind: 'address', action: 'add', link: 'vxlan0', address } as const,
      line: 'add address 169.254.0.1/24 on vxlan0',
      drift: 'address 169.254.0.1/24 on vxlan0 is missing',
      json: { address: '169.254.0.1/24' },
    })),
    ...[...link.fdb.values()].slice(0, 1).map((row) => ({
      name: 'FDB row',
      step: { kind: 'fdb', action: 'change', link: 'vxlan0', row } as const,
      line: 'in place MAC 02:00:00:00:00:05 at 10.0.0.6 on vxlan0',
      drift: 'MAC 02:00:00:00:00:05 at 10.0.0.6 on vxlan0 has another value',
      json: { mac: '02:00:00:00:00:05', vtep: '10.0.0.6' },
    })),
    ...[...link.fdb.values()].slice(1).map((row) => ({
      name: 'row of the flooding list',
      step: { kind: 'fdb', action: 'remove', link: 'vxlan0', row } as const,
      line: 'remove flooding to 10.0.0.7 on vxlan0',
      drift: 'flooding to 10.0.0.7 on vxlan0 should not be there',
      json: { mac: '00:00:00:00:00:00', vtep: '10.0.0.7' },
    })),
    ...[...link.neighbours.values()].map((neighbour) => ({
      name: 'neighbour',
      step: { kind: 'neighbour', action: 'add', link: 'vxlan0', neighbour } as const,
      line: 'add neighbour 169.254.0.2 at 02:00:00:00:00:02 on vxlan0',
      drift: 'neighbour 169.254.0.2 at 02:00:00:00:00:02 on vxlan0 is missing',
      json: { address: '169.254.0.2', mac: '02:00:00:00:00:02' },
    })),
    ...[...link.routes.values()].map((route) => ({
      name: 'route',
      step: { kind: 'route', action: 'add', link: 'vxlan0', route } as const,
      line: `add route ${route.to}${route.via === null ? '' : ' via 169.254.0.2'} on vxlan0`,
      drift: `route ${route.to}${route.via === null ? '' : ' via 169.254.0.2'} on vxlan0 is missing`,
      json: { to: route.to, via: route.via },
    })),
  ];
  for (const { name, step, line, drift, json } of cases) {
    test(name, () => {
      assert.equal(`${markerOf(step)} ${explain(step)}`, line);
      assert.equal(explainDrift(step), drift);
      assert.deepEqual(stepJson(step), { action: step.action, kind: step.kind, link: step.link, ...(json as object) });
    });
  }
});

test('a plan as JSON', () => {
  const want = shortState({ vxlan0: {} });
  const have = shortState({ vxlan0: { addresses: ['foreign 169.254.0.9/24'] } });
  const plan = diff(want, have, { fabric: FABRIC });
  assert.deepEqual(planJson(plan, { fabric: FABRIC, host: 'alpha' }), {
    version: 1,
    fabric: 'article',
    host: 'alpha',
    converged: true,
    steps: [],
    foreign: [{ kind: 'address', link: 'vxlan0', address: '169.254.0.9/24' }],
  });
  assert.equal(isConverged(diff(want, shortState({}), { fabric: FABRIC })), false);
  assert.equal(isConverged(diff(want, shortState({ vxlan0: { alias: '' } }), { fabric: FABRIC })), false);
});
