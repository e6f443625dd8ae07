import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type IpAddress, type Prefix, parseIp, parsePrefix } from '../model/address.ts';
import type { OverlayStatus, Status } from '../model/status.ts';
import { paints } from './colour.ts';
import { statusText } from './status-text.ts';

const ip = (text: string): IpAddress => parseIp(text) ?? assert.fail(text);
const prefix = (text: string): Prefix => parsePrefix(text) ?? assert.fail(text);
const plain = { paints: paints(false), all: false };

function overlay(name: string, more: Partial<OverlayStatus> = {}): OverlayStatus {
  return { name, vni: 77, state: 'up', mtu: 1450, addresses: [], peers: [], drift: [], ...more };
}

function status(overlays: readonly OverlayStatus[], more: Partial<Status> = {}): Status {
  const converged = overlays.every(({ state }) => state === 'up');
  return { version: 1, fabric: 'article', host: 'alpha', converged, overlays, foreign: [], ...more };
}

test('a table', () => {
  const peers = [
    { host: 'beta', underlay: ip('10.0.0.5') },
    { host: '10.0.0.9', underlay: ip('10.0.0.9') },
  ];
  const said = statusText(
    status([overlay('vxlan0', { addresses: [prefix('169.254.0.1/24')], peers }), overlay('lan', { vni: 100 })]),
    plain,
  );
  assert.deepEqual(said.split('\n'), [
    'article on alpha: matches the file',
    '',
    'OVERLAY  STATE  VNI  MTU   ADDRESSES       PEERS',
    'vxlan0   up     77   1450  169.254.0.1/24  beta 10.0.0.5, 10.0.0.9',
    'lan      up     100  1450  -               -',
  ]);
});

test('what does not match, and what is not ours', () => {
  const foreign = [{ kind: 'address', link: 'vxlan0', address: prefix('169.254.0.9/24') }] as const;
  const said = statusText(
    status([overlay('vxlan0', { state: 'drifted', drift: ['mtu is 1300, not 1450'] }), overlay('b')], { foreign }),
    plain,
  );
  assert.deepEqual(said.split('\n').slice(0, 1), ['article on alpha: 1 of 2 overlays is not as in the file']);
  assert.ok(
    said.endsWith(
      '\n\nvxlan0 needs:\n  mtu is 1300, not 1450\n\nNot ours, left alone (--prune removes it):\n  address 169.254.0.9/24 on vxlan0',
    ),
    said,
  );
});

test('a host in no overlay', () => {
  assert.equal(statusText(status([]), plain), 'article on alpha: matches the file\nThis host is in no overlay.');
});

test('many peers are counted, and listed with -v', () => {
  const peers = Array.from({ length: 10 }, (_, i) => ({ host: `h${i}`, underlay: ip(`10.0.0.${i}`) }));
  const one = status([overlay('vxlan0', { peers })]);
  assert.match(statusText(one, plain), /h2 10\.0\.0\.2 and 7 more$/m);
  assert.match(statusText(one, { ...plain, all: true }), /, h9 10\.0\.0\.9$/m);
});

test('of many overlays those that do not match come first', () => {
  const many = Array.from({ length: 100 }, (_, i) => overlay(`vx${i}`, i === 99 ? { state: 'missing' } : {}));
  const lines = statusText(status(many), plain).split('\n');
  assert.match(lines[3] ?? '', /^vx99 +missing/);
  assert.equal(lines.at(-1), '… and 50 more overlays (-v shows all)');
  assert.equal(statusText(status(many), { ...plain, all: true }).split('\n').length, 103);
});
