/**
 * The marks: everlan beside the reference tool, in turn, in one run. `node bench/main.ts [WORD…]` runs those whose name
 * has one of the words. Writes docs/benchmarks.md when all of them ran.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { createNamespace, deleteNamespace } from '../src/sys/netns.ts';
import { AGENT_MARKS } from './agent.ts';
import { DISPATCHER_MARKS } from './dispatcher.ts';
import { fileOf, installed, median, type Run, run, sleep } from './measure.ts';
import { toolMarks } from './tools.ts';
import * as work from './work.ts';

const root = join(import.meta.dirname, '..');
const everlan = installed('everlan');
const { NAMESPACE } = work;

/** Runs of each side; their medians count. */
const RUNS = 3;
/** Duplicate address detection ends a second after a link came up; its worker must not disturb the next measurement. */
const SETTLE_SECONDS = 3;

interface Pair {
  readonly ours: readonly Run[];
  readonly theirs: readonly Run[];
}

interface Mark {
  readonly name: string;
  readonly against: string;
  /** Highest ratio, and the one to aim at. */
  readonly most: number;
  readonly aim: number;
  measure(): Row | Promise<Row>;
}

interface Row {
  readonly ours: string;
  readonly theirs: string;
  /** What is held against `most`; a ratio unless the mark says otherwise. */
  readonly value: number;
  readonly unit?: string;
  readonly phases?: Readonly<Record<string, number>>;
}

const ip = (name: string, batch: string): Run => run('ip', '-n', NAMESPACE, '-batch', fileOf(name, batch));
const bridge = (name: string, batch: string): Run => run('bridge', '-n', NAMESPACE, '-batch', fileOf(name, batch));
const ours = (command: string, file: string, ...more: readonly string[]): Run =>
  run(everlan, command, '-f', file, '--host', 'alpha', '--netns', NAMESPACE, ...more);
const down = (): Run => run(everlan, 'down', '--fabric', work.FABRIC, '--netns', NAMESPACE);

function inTurn(us: () => Run, cleanUs: () => void, them: () => Run, cleanThem: () => void, runs = RUNS): Pair {
  const pair = { ours: [] as Run[], theirs: [] as Run[] };
  for (let i = 0; i < runs; i++) {
    pair.ours.push(us());
    cleanUs();
    pair.theirs.push(them());
    cleanThem();
  }
  return pair;
}

const seconds = (runs: readonly Run[]): number => median(runs.map((one) => one.seconds));
const show = (value: number): string => (value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(2)} s`);

function phases(runs: readonly Run[]): Record<string, number> {
  const names = Object.keys(runs[0]?.timings ?? {});
  return Object.fromEntries(names.map((name) => [name, Math.round(median(runs.map((one) => one.timings[name] ?? 0)))]));
}

function ratio(pair: Pair): Row {
  const [a, b] = [seconds(pair.ours), seconds(pair.theirs)];
  return { ours: show(a), theirs: show(b), value: a / b, phases: phases(pair.ours) };
}

/** At once, so that no clean-up in the background disturbs what follows. */
const clear = (count: number): void => {
  ip('mark', work.markBatch(count));
  down();
  sleep(1);
};

/** Remembered, since the exponent needs them too. */
const applied = new Map<number, Pair>();

function applyOverlays(count: number): Pair {
  const known = applied.get(count);
  if (known !== undefined) return known;
  const file = fileOf(`overlays-${count}.yaml`, work.overlaysFile(count));
  const pair = inTurn(
    () => ours('apply', file),
    () => {
      sleep(SETTLE_SECONDS);
      down();
      sleep(1);
    },
    () => ip(`overlays-${count}`, work.overlaysBatch(count)),
    () => {
      sleep(SETTLE_SECONDS);
      clear(count);
    },
    count > 4000 ? 1 : RUNS,
  );
  applied.set(count, pair);
  return pair;
}

const appliedRows = new Map<number, Pair>();

function applyRows(count: number): Pair {
  const known = appliedRows.get(count);
  if (known !== undefined) return known;
  const file = fileOf(`macs-${count}.yaml`, work.macsFile(count));
  const pair = inTurn(
    () => ours('apply', file),
    () => void down(),
    () => {
      ip('fdb-link', work.FDB_LINK);
      return bridge(`macs-${count}`, work.macsBatch(count));
    },
    () => clear(1),
  );
  appliedRows.set(count, pair);
  return pair;
}

/** With 4,000 overlays in place and at rest. */
function withOverlays<T>(count: number, measure: (file: string) => T): T {
  const file = fileOf(`overlays-${count}.yaml`, work.overlaysFile(count));
  ours('apply', file);
  sleep(SETTLE_SECONDS);
  const result = measure(file);
  down();
  return result;
}

const exponent = (small: number, large: number, factor: number): number => Math.log(large / small) / Math.log(factor);

const MARKS: readonly Mark[] = [
  ...AGENT_MARKS,
  ...DISPATCHER_MARKS,
  ...[1000, 4000].map((count) => ({
    name: `apply ${count.toLocaleString('en')} overlays`,
    against: '`ip -batch`: link, address, up',
    most: 1,
    aim: 0.8,
    measure: () => ratio(applyOverlays(count)),
  })),
  ...[
    { count: 20_000, most: 1.3 },
    { count: 100_000, most: 0.8 },
  ].map(({ count, most }) => ({
    name: `apply ${count.toLocaleString('en')} FDB rows on one overlay`,
    against: '`bridge -batch`',
    most,
    aim: most,
    measure: () => ratio(applyRows(count)),
  })),
  {
    name: 'the kernel’s part of 100,000 FDB rows',
    against: '`bridge -batch`',
    most: 0.5,
    aim: 0.35,
    measure: () => {
      const pair = applyRows(100_000);
      const [a, b] = [median(pair.ours.map(({ timings }) => timings.apply ?? Number.NaN)) / 1000, seconds(pair.theirs)];
      return { ours: show(a), theirs: show(b), value: a / b };
    },
  },
  {
    name: 'memory of 100,000 FDB rows',
    against: '–',
    most: 400,
    aim: 400,
    measure: () => {
      const mib = median(applyRows(100_000).ours.map(({ timings }) => timings.maxRss ?? Number.NaN)) / 1024;
      return { ours: `${mib.toFixed(0)} MiB`, theirs: '–', value: mib, unit: ' MiB' };
    },
  },
  {
    name: 'apply again with nothing to do, 4,000 overlays',
    against: '`ip -j -d link show` + `ip -j addr show`',
    most: 3,
    aim: 1.5,
    measure: () =>
      withOverlays(4000, (file) =>
        ratio(
          inTurn(
            () => ours('apply', file),
            () => undefined,
            () => {
              const link = run('ip', '-n', NAMESPACE, '-j', '-d', 'link', 'show');
              const address = run('ip', '-n', NAMESPACE, '-j', 'addr', 'show');
              return { seconds: link.seconds + address.seconds, timings: {} };
            },
            () => undefined,
          ),
        ),
      ),
  },
  {
    name: 'down, 4,000 overlays',
    against: '`ip -batch` deleting 500 one by one, times 8',
    most: 0.02,
    aim: 0.02,
    measure: () => {
      const pair: { ours: Run[]; theirs: Run[] } = { ours: [], theirs: [] };
      const file = fileOf('overlays-4000.yaml', work.overlaysFile(4000));
      for (let i = 0; i < RUNS; i++) {
        ours('apply', file);
        sleep(SETTLE_SECONDS);
        if (i === 0) {
          const one = ip('delete', work.deleteBatch(500));
          pair.theirs.push({ ...one, seconds: one.seconds * 8 });
          ours('apply', file);
          sleep(SETTLE_SECONDS);
        }
        pair.ours.push(down());
      }
      return ratio(pair);
    },
  },
  {
    name: 'plan on the article’s file, nothing to do',
    against: '`node -e 0` of the same Node',
    most: 2.5,
    aim: 1.8,
    measure: () => {
      const file = join(root, 'examples/article.yaml');
      ours('apply', file);
      const pair: { ours: Run[]; theirs: Run[] } = { ours: [], theirs: [] };
      for (let i = 0; i < 21; i++) {
        pair.ours.push(ours('plan', file, '--exit-code'));
        pair.theirs.push(run(process.execPath, '-e', '0'));
      }
      run(everlan, 'down', '-f', file, '--netns', NAMESPACE);
      return ratio(pair);
    },
  },
  {
    name: 'growth from 1,000 to 8,000 overlays: exponent',
    against: '`ip -batch`’s own',
    most: 1.05,
    aim: 1,
    measure: () => {
      const [small, large] = [applyOverlays(1000), applyOverlays(8000)];
      const a = exponent(seconds(small.ours), seconds(large.ours), 8);
      const b = exponent(seconds(small.theirs), seconds(large.theirs), 8);
      return { ours: a.toFixed(2), theirs: b.toFixed(2), value: a / b, phases: phases(large.ours) };
    },
  },
  ...toolMarks<Row>(
    {
      everlan,
      ours,
      withOverlays,
      inTurn: (us, them) =>
        inTurn(
          us,
          () => undefined,
          them,
          () => undefined,
        ),
    },
    ratio,
  ),
];

function verdict({ most, aim }: Mark, value: number): string {
  if (value <= aim) return 'aim reached';
  return value <= most ? 'within' : '**missed**';
}

function table(rows: readonly (readonly [Mark, Row])[]): string {
  const lines = ['| work | against | everlan | reference | ratio | at most (aim) | |', '|---|---|---|---|---|---|---|'];
  for (const [mark, row] of rows) {
    const unit = row.unit ?? '×';
    const bound = mark.aim === mark.most ? `${mark.most}${unit}` : `${mark.most}${unit} (${mark.aim}${unit})`;
    const value = row.value < 0.1 ? row.value.toFixed(3) : row.value.toFixed(row.value < 10 ? 2 : 0);
    lines.push(
      `| ${mark.name} | ${mark.against} | ${row.ours} | ${row.theirs} | ${value}${unit} | ${bound} | ${verdict(mark, row.value)} |`,
    );
  }
  return lines.join('\n');
}

function phaseTable(rows: readonly (readonly [Mark, Row])[]): string {
  const timed = rows.filter(([, row]) => row.phases !== undefined);
  const names = [...new Set(timed.flatMap(([, row]) => Object.keys(row.phases ?? {})))].filter((n) => n !== 'maxRss');
  return [
    `| milliseconds | ${names.join(' | ')} |`,
    `|---|${names.map(() => '---:').join('|')}|`,
    ...timed.map(([mark, row]) => `| ${mark.name} | ${names.map((name) => row.phases?.[name] ?? '').join(' | ')} |`),
  ].join('\n');
}

async function main(words: readonly string[]): Promise<void> {
  const marks = MARKS.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
  const rows: (readonly [Mark, Row])[] = [];
  createNamespace(NAMESPACE);
  try {
    ip('underlay', work.UNDERLAY_BATCH);
    for (const mark of marks) {
      process.stderr.write(`${mark.name} … `);
      const row = await mark.measure();
      rows.push([mark, row]);
      process.stderr.write(`${row.ours} against ${row.theirs}: ${row.value.toFixed(2)}${row.unit ?? '×'}\n`);
    }
  } finally {
    deleteNamespace(NAMESPACE);
  }
  const text = `${table(rows)}\n\nWhere the time goes:\n\n${phaseTable(rows)}\n`;
  process.stdout.write(`\n${text}`);
  if (words.length > 0) return;
  const page = join(root, 'docs/benchmarks.md');
  const machine = `Linux ${release()}, ${cpus().length} processors (${cpus()[0]?.model ?? 'unknown'}), Node ${process.version}`;
  const [before] = readFileSync(page, 'utf8').split('<!-- measured -->');
  writeFileSync(page, `${before}<!-- measured -->\n\nMeasured by \`make bench\` on ${machine}.\n\n${text}`);
}

await main(process.argv.slice(2));
