/** The article, to the letter: with `local: none` the link is the one that its three commands make. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applier } from './support/apply.ts';
import { needsRoot, testHost } from './support/host.ts';

const FILE = `
fabric: test
hosts:
  alpha: 10.10.0.4
  beta: {underlay: 10.0.0.1, device: eth0}
overlays:
  vxlan0:
    vni: 77
    local: none
    hosts:
      alpha: 169.254.0.1/24
      beta: 169.254.0.2/24
`;

const COMMANDS = [
  'link add vxlan0 type vxlan id 77 remote 10.10.0.4 dstport 4789 dev eth0',
  'link set up vxlan0',
  'address add 169.254.0.2/24 dev vxlan0',
];

type Json = Record<string, unknown>;

/** Without what must differ: the MAC (stable instead of random) and what follows from it, alias, group. */
function comparable(text: string): unknown {
  const different = new Set(['address', 'ifindex', 'ifalias', 'group', 'mac']);
  const clean = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(clean).filter((entry) => !isLinkLocal(entry));
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(
      Object.entries(value as Json)
        .filter(([key]) => !different.has(key))
        .map(([key, inner]) => [key, clean(inner)]),
    );
  };
  return clean(JSON.parse(text));
}

/** fe80:: is made from the MAC. */
function isLinkLocal(entry: unknown): boolean {
  return typeof entry === 'object' && entry !== null && 'local' in entry && String(entry.local).startsWith('fe80:');
}

test('the article’s link, attribute by attribute', { skip: needsRoot }, (t) => {
  const theirs = testHost(t);
  for (const line of COMMANDS) theirs.ip(line);
  const ours = testHost(t);
  applier(ours, 'beta').apply(FILE);

  for (const question of ['-d -j link show vxlan0', '-j addr show vxlan0']) {
    assert.deepEqual(comparable(ours.ip(question)), comparable(theirs.ip(question)), `ip ${question}`);
  }
  const fdb = '-j fdb show dev vxlan0';
  assert.deepEqual(JSON.parse(ours.bridge(fdb)), JSON.parse(theirs.bridge(fdb)), `bridge ${fdb}`);

  const [link] = JSON.parse(ours.ip('-d -j link show vxlan0')) as Json[];
  assert.equal(link?.ifalias, 'everlan:test/vxlan0');
  // printf test/vxlan0/beta | sha256sum
  assert.equal(link?.address, '22:21:38:bb:a8:2f');
});
