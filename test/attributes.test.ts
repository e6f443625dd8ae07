/** Settles, against the real kernel, each row of the attribute table: is it changed in place, or must the link be made anew? */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IpAddress } from '../src/model/address.ts';
import { stableMac } from '../src/model/mac.ts';
import type { LinkState } from '../src/model/state.ts';
import type { AttributeChange } from '../src/model/step.ts';
import {
  VXLAN_ATTRIBUTE_NAMES,
  VXLAN_ATTRIBUTES,
  VXLAN_DEFAULTS,
  type VxlanAttribute,
  type VxlanState,
} from '../src/model/vxlan.ts';
import { needsRoot, type TestHost, testHost } from './support/host.ts';

const ip = (text: string): IpAddress => text as IpAddress;

function link(vxlan: Partial<VxlanState>): LinkState {
  const none = new Map<never, never>();
  return {
    name: 'vx0',
    index: 0,
    kind: 'vxlan',
    overlay: 'vx0',
    alias: 'everlan:test/vx0',
    group: 0,
    up: true,
    mtu: 1400,
    mac: stableMac('test', 'vx0', 'a'),
    txChecksum: true,
    master: null,
    vxlan: { ...VXLAN_DEFAULTS, vni: 77, port: 4789, ...vxlan },
    addresses: none,
    fdb: none,
    neighbours: none,
    routes: none,
  };
}

function make(host: TestHost, vxlan: Partial<VxlanState>): LinkState {
  host.kernel.look();
  const to = link(vxlan);
  const { failures } = host.kernel.run([{ kind: 'link', action: 'add', link: 'vx0', to }]);
  assert.deepEqual(failures, []);
  return host.link('vx0');
}

/** The words of the kernel's refusal, or null when it accepted. */
function change(host: TestHost, from: LinkState, to: Partial<VxlanState>): string | null {
  assert(from.vxlan);
  const target = { ...from, vxlan: { ...from.vxlan, ...to } };
  const changes = Object.keys(to).map((name): AttributeChange => {
    const attribute = name as VxlanAttribute;
    return { attribute, from: from.vxlan?.[attribute], to: target.vxlan[attribute] };
  });
  const { failures } = host.kernel.run([{ kind: 'link', action: 'change', link: 'vx0', from, to: target, changes }]);
  return failures[0]?.message ?? null;
}

interface Case {
  /** Beside VNI 77 and port 4789. */
  readonly base?: Partial<VxlanState>;
  /** From the default to this. */
  readonly to: Partial<VxlanState>;
}

/** A value other than the default for each attribute, and what it needs beside it. */
const CASES: Record<VxlanAttribute, Case> = {
  vni: { to: { vni: 78 } },
  port: { to: { port: 4790 } },
  remote: { to: { remote: ip('10.0.0.2') } },
  local: { to: { local: ip('10.0.0.1') } },
  device: { to: { device: 'eth0' } },
  ttl: { to: { ttl: 5 } },
  ttlInherit: { to: { ttlInherit: true } },
  tos: { to: { tos: 16 } },
  df: { to: { df: 1 } },
  label: { base: { local: ip('fd00::1') }, to: { label: 0x12345 } },
  learning: { to: { learning: false } },
  ageing: { to: { ageing: 60 } },
  limit: { to: { limit: 100 } },
  portLow: { to: { portLow: 4000, portHigh: 5000 } },
  portHigh: { to: { portLow: 4000, portHigh: 5000 } },
  proxy: { to: { proxy: true } },
  rsc: { to: { rsc: true } },
  l2miss: { to: { l2miss: true } },
  l3miss: { to: { l3miss: true } },
  udpCsum: { to: { udpCsum: false } },
  udpZeroCsum6Tx: { to: { udpZeroCsum6Tx: true } },
  udpZeroCsum6Rx: { to: { udpZeroCsum6Rx: true } },
  remcsumTx: { to: { remcsumTx: true } },
  remcsumRx: { to: { remcsumRx: true } },
  remcsumNoPartial: { base: { remcsumRx: true }, to: { remcsumNoPartial: true } },
  gbp: { to: { gbp: true } },
  gpe: { base: { external: true, vni: 0, learning: false }, to: { gpe: true } },
  external: { base: { vni: 0 }, to: { external: true } },
  vnifilter: { base: { external: true, vni: 0 }, to: { vnifilter: true } },
  localbypass: { to: { localbypass: false } },
};

const pick = (state: VxlanState | null, of: Partial<VxlanState>): Record<string, unknown> =>
  Object.fromEntries(Object.keys(of).map((name) => [name, state?.[name as VxlanAttribute]]));

for (const name of VXLAN_ATTRIBUTE_NAMES) {
  const { change: kind } = VXLAN_ATTRIBUTES[name];
  const { base = {}, to } = CASES[name];
  test(`${name} can be set at creation, and on a live link is ${kind}`, { skip: needsRoot }, (t) => {
    const made = testHost(t);
    const fresh = make(made, { ...base, ...to });
    assert.deepEqual(pick(fresh.vxlan, to), to, 'at creation');

    const host = testHost(t);
    const from = make(host, base);
    const refused = change(host, from, to);
    const changed = host.link('vx0');
    assert.equal(changed.index, from.index);
    if (kind === 'live') {
      assert.equal(refused, null);
      assert.deepEqual(pick(changed.vxlan, to), to, 'set in place');
    } else {
      assert.notDeepEqual(pick(changed.vxlan, to), to, `the kernel changed it in place: the row should say live`);
    }
  });
}

/** Changes back to "nothing said", and between values: what of it goes in place. */
const MOVES: readonly { name: string; base: Partial<VxlanState>; to: Partial<VxlanState>; live: boolean }[] = [
  { name: 'remote to another', base: { remote: ip('10.0.0.2') }, to: { remote: ip('10.0.0.3') }, live: true },
  { name: 'remote to none', base: { remote: ip('10.0.0.2') }, to: { remote: null }, live: true },
  { name: 'IPv6 remote to none', base: { remote: ip('fd00::2') }, to: { remote: null }, live: true },
  {
    name: 'IPv6 remote to none, with a local address',
    base: { remote: ip('fd00::2'), local: ip('fd00::1') },
    to: { remote: null },
    live: true,
  },
  { name: 'IPv6 remote again', base: { local: ip('fd00::1') }, to: { remote: ip('fd00::2') }, live: true },
  { name: 'remote to the other family', base: { remote: ip('10.0.0.2') }, to: { remote: ip('fd00::2') }, live: false },
  { name: 'local to another', base: { local: ip('10.0.0.1') }, to: { local: ip('10.0.0.9') }, live: true },
  { name: 'local to none', base: { local: ip('10.0.0.1') }, to: { local: null }, live: true },
  { name: 'IPv6 local to none', base: { local: ip('fd00::1') }, to: { local: null }, live: true },
  { name: 'device to another', base: { device: 'eth0' }, to: { device: 'far0' }, live: true },
  { name: 'device to none', base: { device: 'eth0' }, to: { device: null }, live: false },
  { name: 'ttl to auto', base: { ttl: 5 }, to: { ttl: 0 }, live: true },
  {
    name: 'ttl on a link made with ttl inherit',
    base: { ttlInherit: true },
    to: { ttl: 5, ttlInherit: false },
    live: false,
  },
  { name: 'tos to none', base: { tos: 16 }, to: { tos: 0 }, live: true },
  { name: 'df to inherit', base: { df: 1 }, to: { df: 2 }, live: true },
  { name: 'df to unset', base: { df: 2 }, to: { df: 0 }, live: true },
  { name: 'label to none', base: { local: ip('fd00::1'), label: 5 }, to: { label: 0 }, live: true },
  { name: 'learning on again', base: { learning: false }, to: { learning: true }, live: true },
  { name: 'ageing to the default', base: { ageing: 60 }, to: { ageing: 300 }, live: true },
  { name: 'localbypass on again', base: { localbypass: false }, to: { localbypass: true }, live: true },
];

for (const { name, base, to, live } of MOVES) {
  test(`${name}: ${live ? 'in place' : 'not in place'}`, { skip: needsRoot }, (t) => {
    const host = testHost(t);
    const from = make(host, base);
    const refused = change(host, from, to);
    const changed = host.link('vx0');
    if (live) {
      assert.equal(refused, null);
      assert.deepEqual(pick(changed.vxlan, to), to);
    } else assert.notDeepEqual(pick(changed.vxlan, to), to);
  });
}
