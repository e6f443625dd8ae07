import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { IpAddress } from '../model/address.ts';
import type { MeshTarget } from './mesh.ts';
import { type Prover, wavesOf } from './prove.ts';

function prover(host: string, count: number): Prover {
  const targets = Array.from({ length: count }, (_, i): MeshTarget => {
    return { overlay: 'v', peer: `p${i}`, link: 'v', address: '10.0.0.1' as IpAddress, size: 84, full: i % 2 === 1 };
  });
  return { host, namespace: `f-${host}`, mesh: { targets, unasked: [] } };
}

const shape = (counts: readonly number[], most: number) =>
  wavesOf(
    counts.map((count, i) => prover(`h${i}`, count)),
    most,
  ).map((wave) => wave.map(({ prover: { host }, targets }) => `${host}:${targets.length}`).join(' '));

const cases = [
  { name: 'nobody to ask', in: [0, 0], want: [] },
  { name: 'all at once', in: [2, 4, 2], want: ['h0:2 h1:4 h2:2'] },
  { name: 'full to the last', in: [4, 6], want: ['h0:4 h1:6'] },
  { name: 'hosts in turn', in: [6, 6, 6], want: ['h0:6 h1:4', 'h1:2 h2:6'] },
  { name: 'one host in several', in: [24], want: ['h0:10', 'h0:10', 'h0:4'] },
];
for (const { name, in: counts, want } of cases) test(name, () => assert.deepEqual(shape(counts, 10), want));

test('every target is in one wave, in order, and no wave is too large', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(40)), fc.integer({ min: 1, max: 30 }), (counts, most) => {
      const provers = counts.map((count, i) => prover(`h${i}`, count * 2));
      const waves = wavesOf(provers, most * 2);
      for (const wave of waves) {
        const size = wave.reduce((sum, { targets }) => sum + targets.length, 0);
        assert.ok(size > 0 && size <= most * 2);
      }
      for (const one of provers) {
        const sent = waves.flat().filter((part) => part.prover === one);
        assert.deepEqual(
          sent.flatMap(({ targets }) => targets),
          one.mesh.targets,
        );
      }
    }),
  );
});
