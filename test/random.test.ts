/**
 * From any state to any other, on the real kernel: random files one after the other, with other people's hands between.
 * After each, a second plan is empty; at the end nothing of ours is left.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EverlanError } from '../src/model/problem.ts';
import { explain } from '../src/plan/explain.ts';
import { applier } from './support/apply.ts';
import { needsRoot, type TestHost, testHost } from './support/host.ts';

const UNDERLAYS = {
  4: { alpha: '10.0.0.1', beta: '10.0.0.2', gamma: '10.0.0.3', delta: '10.0.0.4' },
  6: { alpha: 'fd00::1', beta: 'fd00::2', gamma: 'fd00::3', delta: 'fd00::4' },
} as const;
type Family = keyof typeof UNDERLAYS;
const NAMES = ['alpha', 'beta', 'gamma', 'delta'] as const;

const rarely = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined, freq: 3 });

/** Options that may stand together on either underlay; undefined ones are left out. */
const options = fc.record({
  ageing: rarely(fc.constantFrom(60, 600)),
  limit: rarely(fc.constantFrom(1000, 2000)),
  ttl: rarely(fc.constantFrom(5, 64, 'inherit')),
  'type-of-service': rarely(fc.constantFrom(1, 16)),
  'mac-learning': rarely(fc.boolean()),
  'arp-proxy': rarely(fc.boolean()),
  'port-range': rarely(fc.constantFrom('[4000, 5000]', '[6000, 6001]')),
  notifications: rarely(fc.constantFrom('[l2-miss]', '[l2-miss, l3-miss]')),
  local: rarely(fc.constantFrom('none', 'underlay')),
  mtu: rarely(fc.constantFrom(1300, 1400)),
  flood: rarely(fc.constantFrom('none', 'peers')),
  neighbours: rarely(fc.constantFrom('static', 'learned')),
  macs: rarely(
    fc.constantFrom('{"02:00:00:00:00:bb": VTEP2}', '{"02:00:00:00:00:bb": VTEP3, "02:00:00:00:00:cc": VTEP2}'),
  ),
  'tx-checksum-offload': rarely(fc.boolean()),
  bridged: fc.boolean(),
  routed: fc.boolean(),
});

const overlay = fc.record({
  vni: fc.integer({ min: 1, max: 4 }),
  members: fc.subarray(['beta', 'gamma', 'delta'] as const),
  subnet: fc.integer({ min: 0, max: 3 }),
  six: fc.boolean(),
  options,
});

/** The kernel has one socket for each port, so its links must agree on how they receive. */
const receiving = fc.record({
  checksums: rarely(fc.constantFrom('[]', '[udp, remote-rx]')),
  extensions: rarely(fc.constantFrom('[group-policy]')),
});

const fabric = fc.record({
  receiving,
  family: fc.constantFrom<Family>(4, 4, 6),
  overlays: fc.uniqueArray(overlay, { selector: ({ vni }) => vni, maxLength: 3 }),
});
type FabricCase = ReturnType<(typeof fabric)['generate']>['value'];

function text({ family, overlays, receiving }: FabricCase): string {
  const vtep = UNDERLAYS[family];
  const lines = [
    'fabric: test',
    'hosts:',
    ...NAMES.map((name) => `  ${name}: ${JSON.stringify(vtep[name])}`),
    'overlays:',
  ];
  if (overlays.length === 0) lines[lines.length - 1] = 'overlays: {}';
  const subnets = new Set<number>();
  overlays.forEach(({ vni, members, subnet, six, options: { bridged, routed, ...rest } }, i) => {
    const net = subnets.has(subnet) ? subnet + 10 + i : subnet;
    subnets.add(net);
    lines.push(`  vx${i}:`, `    vni: ${vni}`, '    hosts:');
    for (const name of ['alpha', ...members] as const) {
      const n = NAMES.indexOf(name as (typeof NAMES)[number]) + 1;
      lines.push(`      ${name}: [192.0.${net}.${n}/24${six ? `, "fd77:${net}::${n}/64"` : ''}]`);
    }
    for (const [key, value] of Object.entries({ ...rest, ...receiving })) {
      if (value !== undefined)
        lines.push(
          `    ${key}: ${String(value).replaceAll(/VTEP(\d)/g, (_, n) => `"${vtep[NAMES[Number(n) - 1] ?? 'beta']}"`)}`,
        );
    }
    if (bridged) lines.push(`    bridge: br${i}`);
    const via = members[0];
    if (routed && via !== undefined) lines.push(`    routes: [{to: 198.51.${i}.0/24, via: ${via}}]`);
  });
  return `${lines.join('\n')}\n`;
}

/** What somebody else may do meanwhile; it may well be impossible at that moment. */
const HANDS = [
  'link del vx0',
  'link set vx0 down',
  'link set vx0 address 02:00:00:00:00:77',
  'link set vx1 mtu 1290',
  'addr flush dev vx0',
  'addr add 203.0.113.9/32 dev vx0',
  'addr add 192.0.0.200/24 dev vx0',
  'route add 203.0.113.128/25 dev vx1',
  'link set vx0 nomaster',
  'link set vx1 type vxlan ageing 77',
  'link set vx2 type vxlan nolearning',
] as const;

function tryTo(host: TestHost, line: string): void {
  try {
    host.ip(line);
  } catch {
    // The link is not there in this state: then nobody did anything.
  }
}

/** The kernel's own limits, met by chance: a file that asks for it is refused and undone, which is right. */
const REFUSALS = /specified VNI already exists/;

test('from any state to any other', { skip: needsRoot }, (t) => {
  const host = testHost(t);
  const { apply, plan, down } = applier(host);
  const links = (): string =>
    host
      .ip('-br link show')
      .split('\n')
      .map((line) => line.split(/[ @]/)[0])
      .sort()
      .join(' ');
  const before = links();
  let applied = 0;
  fc.assert(
    fc.property(fabric, fc.option(fc.constantFrom(...HANDS), { freq: 2 }), (wanted, hand) => {
      if (hand !== null) tryTo(host, hand);
      const file = text(wanted);
      try {
        apply(file);
      } catch (error) {
        if (!(error instanceof EverlanError && REFUSALS.test(error.message))) {
          throw new Error(`${error instanceof Error ? error.message : error}\n${file}`);
        }
        return;
      }
      applied++;
      assert.deepEqual(plan(file).steps.map(explain), [], file);
    }),
    // One state leads to the next, so a shorter run would be another one: nothing is gained by shrinking.
    { numRuns: 300, endOnFailure: true },
  );
  assert(applied > 250, `${applied} of 300 applied`);
  down();
  assert.equal(links(), before);
});
