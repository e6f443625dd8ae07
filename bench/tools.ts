/** The marks of render and import: beside `everlan plan` on the same file, and for what runs beside `ip`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileOf, type Run, run } from './measure.ts';
import * as work from './work.ts';

const OVERLAYS = 1000;
const LINKS = 4000;

/** Those whose output the source of the same name reads; that of ifupdown is a script, which is read as one. */
const SOURCES = ['networkd', 'netplan', 'script'] as const;
const TARGETS = [...SOURCES, 'ifupdown', 'networkd-dispatcher', 'systemd', 'cloud-init'] as const;

/** What a mark needs of the bench around it. */
export interface Bench {
  readonly everlan: string;
  ours(command: string, file: string, ...more: readonly string[]): Run;
  inTurn(us: () => Run, them: () => Run): { readonly ours: readonly Run[]; readonly theirs: readonly Run[] };
  withOverlays<T>(count: number, measure: (file: string) => T): T;
}

type Measure<T> = (pair: ReturnType<Bench['inTurn']>) => T;

/** What the tools call the underlay device. */
const idFor = (target: string): readonly string[] =>
  target === 'networkd' || target === 'netplan' ? ['--underlay-id', 'eth0'] : [];
const overlays = (): string => fileOf(`overlays-${OVERLAYS}.yaml`, work.overlaysFile(OVERLAYS));

/** With the files of one target written below a folder, which is gone afterwards. */
function withTree<T>({ ours }: Bench, target: string, file: string, measure: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'everlan-bench-'));
  try {
    ours('render', file, target, ...idFor(target), '--output', folder);
    return measure(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Where a source's files are in the tree that its target wrote, and what the host has there of its own. */
const PLACES: Readonly<
  Record<(typeof SOURCES)[number], { readonly from: string; readonly own: readonly (readonly [string, string])[] }>
> = {
  networkd: {
    from: 'etc/systemd/network',
    own: [['etc/systemd/network/eth0.network', '[Match]\nName=eth0\n']],
  },
  netplan: {
    from: 'etc/netplan',
    own: [['etc/netplan/10-eth0.yaml', `network: {ethernets: {eth0: {addresses: [${work.UNDERLAY}/24]}}}\n`]],
  },
  script: { from: `usr/local/sbin/everlan-${work.FABRIC}`, own: [] },
};

export function toolMarks<T>(bench: Bench, ratio: Measure<T>) {
  const { ours, inTurn, withOverlays, everlan } = bench;
  const mark = { against: '`everlan plan` on the same file', most: 1.5, aim: 1 } as const;
  return [
    ...TARGETS.map((target) => ({
      ...mark,
      name: `render ${target}, ${OVERLAYS.toLocaleString('en')} overlays`,
      measure: () => {
        const file = overlays();
        return ratio(
          inTurn(
            () => ours('render', file, target, ...idFor(target)),
            () => ours('plan', file, '-q'),
          ),
        );
      },
    })),
    ...SOURCES.map((source) => ({
      ...mark,
      name: `import ${source}, ${OVERLAYS.toLocaleString('en')} overlays`,
      measure: () => {
        const file = overlays();
        return withTree(bench, source, file, (folder) => {
          const { from, own } = PLACES[source];
          for (const [path, text] of own) writeFileSync(join(folder, path), text, { mode: 0o600 });
          return ratio(
            inTurn(
              () =>
                run(
                  everlan,
                  'import',
                  '-q',
                  '--host',
                  'alpha',
                  '--underlay',
                  work.UNDERLAY,
                  source,
                  join(folder, from),
                ),
              () => ours('plan', file, '-q'),
            ),
          );
        });
      },
    })),
    {
      name: `import kernel, ${LINKS.toLocaleString('en')} live links`,
      against: '`ip -j -d link show`',
      most: 2,
      aim: 1.5,
      measure: () =>
        withOverlays(LINKS, () =>
          ratio(
            inTurn(
              () => run(everlan, 'import', '-q', '--netns', work.NAMESPACE, 'kernel'),
              () => run('ip', '-n', work.NAMESPACE, '-j', '-d', 'link', 'show'),
            ),
          ),
        ),
    },
  ];
}
