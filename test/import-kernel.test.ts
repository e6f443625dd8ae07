/** What everlan applied, read from the kernel again, is a file that wants the same of every host. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { converge } from '../src/apply/converge.ts';
import { memoryStore } from '../src/apply/store.ts';
import { observeOverlays } from '../src/cli/observe-overlays.ts';
import { parseFabricOrThrow } from '../src/fabric/parse.ts';
import { resolve } from '../src/fabric/resolve.ts';
import type { HostImport } from '../src/import/draft.ts';
import { join } from '../src/import/join.ts';
import { importKernel } from '../src/import/kernel.ts';
import { fabrics } from '../src/import/round-trip.testing.ts';
import { writeFabric } from '../src/import/write.ts';
import type { Fabric } from '../src/model/fabric.ts';
import type { LinkState } from '../src/model/state.ts';
import { needsRoot, type TestHost, testHost } from './support/host.ts';

const NAMES = ['alpha', 'beta', 'gamma', 'delta'] as const;

/** The hosts of the random fabrics, each in a namespace of its own. */
function hosts(t: TestContext): ReadonlyMap<string, TestHost> {
  return new Map(
    NAMES.map((name, i) => {
      const host = testHost(t);
      if (i > 0) {
        for (const line of ['10.0.0.1/24', 'fd00::1/64']) host.ip(`addr del ${line} dev eth0`);
        host.ip(`addr add 10.0.0.${i + 1}/24 dev eth0`);
        host.ip(`addr add fd00::${i + 1}/64 dev eth0 nodad`);
      }
      for (const n of [1, 2, 3]) host.ip(`link add eth${n} type veth peer name far${n}`);
      return [name, host] as const;
    }),
  );
}

const fabricOf = (text: string): Fabric => parseFabricOrThrow(Buffer.from(text), 'drawn.yaml').fabric;

function wanted(fabric: Fabric, name: string, host: TestHost): Record<string, LinkState> {
  return Object.fromEntries(resolve(fabric, name, host.kernel.look().facts).state.links);
}

function importOf(name: string, host: TestHost): HostImport {
  return { name, imported: importKernel('kernel', observeOverlays(host.fd)), underlay: null };
}

/** @param name of the fabric; null: as the links say. */
function joined(imports: readonly HostImport[], name: string | null = null): { fabric: Fabric; text: string } {
  const { file, problems } = join(name, 'a test', imports);
  assert.deepEqual(problems, []);
  const text = writeFabric(file);
  return { fabric: fabricOf(text), text };
}

/** Whatever the run before left. */
function clear(host: TestHost): void {
  for (const name of host.kernel.look().facts.links.keys()) if (/^(?:vx|br)\d/.test(name)) host.ip(`link del ${name}`);
}

test('random fabrics, applied and read from the kernel again', { skip: needsRoot }, (t) => {
  const all = hosts(t);
  fc.assert(
    fc.property(fabrics(true), ({ text }) => {
      const fabric = fabricOf(text);
      const used = NAMES.filter((name) => [...fabric.overlays.values()].some(({ members }) => members.has(name)));
      const of = (name: string): TestHost => all.get(name) ?? assert.fail(name);
      for (const host of all.values()) clear(host);
      for (const name of used) {
        const host = of(name);
        converge(host.kernel, resolve(fabric, name, host.kernel.look().facts), memoryStore('drawn'));
      }
      const imports = used.map((name) => importOf(name, of(name)));
      const { fabric: again, text: written } = joined(imports);
      assert.equal(again.name, 'drawn');
      for (const name of used) assert.deepEqual(wanted(again, name, of(name)), wanted(fabric, name, of(name)), written);
      for (const each of imports) {
        const alone = joined([each]);
        assert.deepEqual(
          wanted(alone.fabric, each.name, of(each.name)),
          wanted(fabric, each.name, of(each.name)),
          alone.text,
        );
      }
    }),
    { numRuns: 40 },
  );
});
