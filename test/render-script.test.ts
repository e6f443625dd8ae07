/** `everlan render script`: the script in one namespace, `everlan apply` in another, and the kernel has the same. */
import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { lookAt } from '../src/apply/converge.ts';
import { memoryStore } from '../src/apply/store.ts';
import { parseFabricOrThrow } from '../src/fabric/parse.ts';
import { diff } from '../src/plan/diff.ts';
import { explain } from '../src/plan/explain.ts';
import { script } from '../src/render/script.ts';
import { applier } from './support/apply.ts';
import { needsRoot, type TestHost, testHost } from './support/host.ts';
import { runs } from './support/process.ts';
import { type Ran, ran, temporaryFile } from './support/program.ts';
import { renderedFor } from './support/render.ts';

const SKIP = { skip: needsRoot || (runs('ethtool') ? false : 'needs ethtool: package ethtool') };

const EXAMPLES = new URL('../examples/', import.meta.url);

interface Script {
  (...args: string[]): Ran;
  readonly path: string;
}

/** The file's script for a host, run in the namespace. */
function scriptIn(t: TestContext, host: TestHost, text: string, as: string): Script {
  const [file] = renderedFor(script, text, as).files;
  const path = temporaryFile(t, file?.text ?? '', 'script');
  chmodSync(path, file?.mode ?? 0);
  const run = (...args: string[]): Ran => ran('ip', ['netns', 'exec', host.name, path, ...args]);
  return Object.assign(run, { path });
}

/** A namespace that has what the host of the file needs: its underlay address, its device, the ports of its bridges. */
function hostFor(t: TestContext, text: string, as: string): TestHost {
  const { fabric } = parseFabricOrThrow(Buffer.from(text), 'test.yaml');
  const host = fabric.hosts.get(as);
  assert(host !== undefined);
  const made = testHost(t);
  const device = host.device ?? 'eth0';
  if (device !== 'eth0') made.ip(`link add ${device} up type bridge`);
  made.ip(
    `addr add ${host.underlay}/${host.underlay.includes(':') ? '64 nodad' : '24'} dev ${device}`.replace(
      '64 nodad dev',
      '64 dev',
    ),
  );
  let far = 0;
  for (const { options, members } of fabric.overlays.values()) {
    for (const port of members.has(as) ? options.ports : [])
      made.ip(`link add ${port} type veth peer name far-${far++}`);
  }
  return made;
}

/** What apply would still do on a host of which it knows nothing: none of its own notes. */
function planned(host: TestHost, text: string, as: string): readonly string[] {
  const { desired } = applier(host, as);
  const wanted = desired(text);
  const { plan } = lookAt(host.kernel, wanted, memoryStore(wanted.fabric));
  return [...plan.steps.map(explain), ...plan.conflicts.map(({ message }) => message)];
}

/** Everything that the kernel tells of links, addresses, routes, neighbours and rows, without what it counts. */
function everything(host: TestHost): string {
  const texts = [
    '-d link show',
    'addr show',
    'route show table all',
    '-6 route show table all',
    'neigh show nud permanent',
  ];
  const all = [...texts.map((line) => host.ip(line)), host.bridge('fdb show')].join('\n');
  return all.replace(/(valid_lft|preferred_lft|_timer|expires) +\S+|(qlen|state|NO-CARRIER|tentative) ?\S*/g, '');
}

/** Proves all of it for one host of one file. */
function proveSame(t: TestContext, text: string, as: string): void {
  const [here, there] = [hostFor(t, text, as), hostFor(t, text, as)];
  const before = everything(here);
  const run = scriptIn(t, here, text, as);
  const checked = ran('shellcheck', [run.path]);
  assert.equal(checked.code, 0, checked.out);

  assert.equal(run('status').code, 3);
  assert.deepEqual(run('up'), { code: 0, out: '', err: '' });
  assert.deepEqual(planned(here, text, as), []);
  const applied = applier(there, as, parseFabricOrThrow(Buffer.from(text), 'test.yaml').fabric.name);
  const { after } = applied.apply(text);
  const fabric = applied.desired(text).fabric;
  const names = new Map([...after.links.values()].map(({ name, kind }) => [name, kind]));
  const made = here.kernel.look().state({ fabric, wanted: names });
  assert.deepEqual(diff(after, made, { fabric }).steps.map(explain), []);

  assert.deepEqual(run('status'), { code: 0, out: '', err: '' });
  const once = everything(here);
  assert.deepEqual(run('up'), { code: 0, out: '', err: '' });
  assert.equal(everything(here), once);

  assert.deepEqual(run('down'), { code: 0, out: '', err: '' });
  assert.equal(everything(here), before);
  assert.deepEqual(run('down'), { code: 0, out: '', err: '' });
}

for (const name of readdirSync(EXAMPLES).filter((each) => each.endsWith('.yaml'))) {
  const text = readFileSync(new URL(name, EXAMPLES), 'utf8');
  const { fabric } = parseFabricOrThrow(Buffer.from(text), name);
  test(`examples/${name}: the script makes what apply makes`, SKIP, (t) => {
    const [first = '', second = ''] = fabric.hosts.keys();
    for (const as of [first, second]) proveSame(t, text, as);
  });
}
