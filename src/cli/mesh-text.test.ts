import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EchoResult } from '../kernel/echo.ts';
import type { PeerProof } from '../lab/mesh.ts';
import { type Family, type IpAddress, parseIp } from '../model/address.ts';
import { paints } from './colour.ts';
import { meshHeadline, meshJson, meshTable, type Proof, silences } from './mesh-text.ts';

const ip = (text: string): IpAddress => parseIp(text) ?? assert.fail(text);
const plain = { paints: paints(false), all: false };
const answered: EchoResult = { ok: true, rttMs: 0.1234567, attempt: 1 };
const silent: EchoResult = { ok: false, reason: 'timeout', detail: 'no answer in 3000 ms, 12 attempts' };

function peer(name: string, small: EchoResult, full: EchoResult): PeerProof {
  const ok = small.ok && full.ok;
  return { overlay: 'vxlan0', peer: name, link: 'vxlan0', address: ip('169.254.0.2'), small, full, fullSize: 1450, ok };
}

function proof(peers: readonly PeerProof[], underlay: Family = 4): Proof {
  const unasked = [{ overlay: 'vxlan0', peer: '10.0.0.9', address: null, reason: 'it has no address on the overlay' }];
  return { host: 'alpha', peers, unasked, underlayOf: () => underlay };
}

const lost = peer('beta', answered, silent);
const gone = peer('gamma', silent, silent);

test('a line for each peer, with those that cannot be asked', () => {
  assert.deepEqual(meshTable([proof([peer('beta', answered, answered), lost])], false, plain), [
    'OVERLAY  PEER      ADDRESS      SMALL    FULL SIZE',
    'vxlan0   beta      169.254.0.2  0.12 ms  0.12 ms (1450 bytes)',
    'vxlan0   beta      169.254.0.2  0.12 ms  no answer',
    'vxlan0   10.0.0.9  -            -        not asked: it has no address on the overlay',
  ]);
});

test('the headline', () => {
  assert.equal(meshHeadline('article on alpha', true, plain), 'article on alpha: every peer answers');
  assert.equal(meshHeadline('article on alpha', false, plain), 'article on alpha: not every peer answers');
});

for (const [family, outer] of [
  [4, '1500 bytes (1450 + 50)'],
  [6, '1520 bytes (1450 + 70)'],
] as const) {
  test(`small ones pass and large ones do not: a hop of the IPv${family} underlay is too narrow`, () => {
    const [found] = silences([proof([lost], family)], false);
    assert.equal(found?.code, 'full-size-lost');
    assert.match(found?.message ?? '', /^beta 169\.254\.0\.2 on vxlan0: small packets pass, 1450 bytes do not/);
    assert.ok(found?.hint?.includes(outer), found?.hint);
  });
}

test('no answer at all', () => {
  const [found] = silences([proof([gone])], true);
  assert.equal(found?.message, 'alpha → gamma 169.254.0.2 on vxlan0: no answer in 3000 ms, 12 attempts');
});

test('a link that is not there', () => {
  const missing: EchoResult = { ok: false, reason: 'no such link', detail: 'there is no link vxlan0' };
  assert.match(silences([proof([peer('beta', missing, missing)])], false)[0]?.hint ?? '', /everlan apply/);
});

test('many silent peers are counted', () => {
  const found = silences([proof(Array.from({ length: 30 }, (_, i) => peer(`p${i}`, silent, silent)))], false);
  assert.equal(found.length, 11);
  assert.match(found.at(-1)?.message ?? '', /^20 more/);
});

test('of many rows the silent ones come first', () => {
  const peers = Array.from({ length: 60 }, (_, i) => peer(`p${i}`, i === 59 ? silent : answered, answered));
  const lines = meshTable([proof(peers)], true, plain);
  assert.match(lines[1] ?? '', /^alpha +vxlan0 +p59 .*no answer/);
  assert.equal(lines.at(-1), '… and 21 more (-v shows all)');
});

test('JSON: one object for each echo', () => {
  assert.deepEqual(meshJson(proof([lost])), {
    peers: [
      { overlay: 'vxlan0', peer: 'beta', address: '169.254.0.2', size: 84, ok: true, ms: 0.123, reason: null },
      {
        overlay: 'vxlan0',
        peer: 'beta',
        address: '169.254.0.2',
        size: 1450,
        ok: false,
        ms: null,
        reason: 'no answer in 3000 ms, 12 attempts',
      },
    ],
    unasked: [{ overlay: 'vxlan0', peer: '10.0.0.9', address: null, reason: 'it has no address on the overlay' }],
  });
});

test('nobody to ask', () => {
  assert.deepEqual(meshTable([{ ...proof([]), unasked: [] }], false, plain), ['There is no peer to ask.']);
});
