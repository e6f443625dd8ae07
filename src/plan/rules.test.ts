import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LinkAttributes } from '../model/state.ts';
import { VXLAN_ATTRIBUTE_NAMES, VXLAN_ATTRIBUTES, type VxlanState } from '../model/vxlan.ts';
import { changesBetween, mustRecreate, sameLink, sameVxlan } from './rules.ts';
import { type ShortLink, shortLink } from './states.testing.ts';

/** Another value of the same type. */
function other(value: unknown): unknown {
  if (typeof value === 'boolean') return !value;
  return typeof value === 'number' ? value + 1 : '192.0.2.77';
}

const base = shortLink('vxlan0', { vxlan: { local: '10.0.0.4', device: 'eth0' } as Partial<VxlanState> });
const vxlan = base.vxlan;
assert.ok(vxlan !== null);

describe('each VXLAN attribute alone', () => {
  for (const name of VXLAN_ATTRIBUTE_NAMES) {
    test(`${name} is seen and is ${VXLAN_ATTRIBUTES[name].change}`, () => {
      const changed = { ...vxlan, [name]: other(vxlan[name]) } as VxlanState;
      assert.equal(sameVxlan(vxlan, changed), false);
      assert.equal(sameVxlan(vxlan, { ...vxlan }), true);
      const want = { ...base, vxlan: changed };
      const changes = changesBetween(base, want);
      assert.deepEqual(changes, [{ attribute: name, from: vxlan[name], to: changed[name] }]);
      assert.equal(mustRecreate(base, want, changes) !== null, VXLAN_ATTRIBUTES[name].change === 'recreate');
    });
  }
});

describe('each attribute of a link alone', () => {
  const names: readonly (keyof LinkAttributes)[] = ['alias', 'group', 'up', 'mtu', 'mac', 'txChecksum'];
  for (const name of names) {
    test(`${name} is seen and changed in place`, () => {
      const want = { ...base, [name]: other(base[name]) };
      assert.equal(sameLink(base, want), false);
      const changes = changesBetween(base, want);
      assert.deepEqual(changes, [{ attribute: name, from: base[name], to: want[name] }]);
      assert.equal(mustRecreate(base, want, changes), null);
    });
  }
});

describe('what needs a new link beside the attributes’ own rows', () => {
  const cases: readonly { name: string; have: unknown; want: unknown; reason: string | null }[] = [
    {
      name: 'ttl of a ttl inherit link',
      have: { ttlInherit: true },
      want: { ttlInherit: true, ttl: 9 },
      reason: 'ttl',
    },
    { name: 'ttl of another link', have: { ttl: 4 }, want: { ttl: 9 }, reason: null },
    { name: 'device taken away', have: { device: 'eth0' }, want: {}, reason: 'device' },
    { name: 'device given', have: {}, want: { device: 'eth0' }, reason: null },
    { name: 'local of the other family', have: { local: '10.0.0.4' }, want: { local: 'fd00::4' }, reason: 'family' },
    { name: 'remote of the other family', have: { remote: '10.0.0.4' }, want: { remote: 'fd00::4' }, reason: 'family' },
    { name: 'IPv6 on a link made without endpoints', have: {}, want: { local: 'fd00::4' }, reason: 'family' },
    { name: 'local taken away', have: { local: '10.0.0.4' }, want: {}, reason: null },
    { name: 'remote taken away', have: { remote: 'fd00::4' }, want: {}, reason: null },
    { name: 'into a group', have: { remote: '10.0.0.5' }, want: { remote: '239.1.1.1' }, reason: 'multicast' },
    { name: 'out of a group', have: { remote: 'ff0e::1' }, want: { remote: 'fd00::5' }, reason: 'multicast' },
    {
      name: 'a group over another device',
      have: { remote: '239.1.1.1', device: 'eth0' },
      want: { remote: '239.1.1.1', device: 'eth1' },
      reason: 'multicast',
    },
  ];
  for (const { name, have, want, reason } of cases) {
    test(name, () => {
      const [from, to] = [have, want].map((said) => shortLink('vxlan0', { vxlan: said } as ShortLink));
      assert.ok(from !== undefined && to !== undefined);
      const found = mustRecreate(from, to, changesBetween(from, to));
      if (reason === null) assert.equal(found, null);
      else assert.match(found?.because ?? '', new RegExp(reason));
    });
  }
});
