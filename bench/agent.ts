/**
 * The marks of `everlan agent`, the program of the package: beside the article's recipe (its three scripts and Debian's
 * networkd-dispatcher 2.2.3), in turn, in one run. `node bench/agent.ts [WORD…]` prints those whose name has one of the words;
 * with EVERLAN_BENCH_ROUNDS=N in its environment after N rounds, for a first look.
 */
import { randomInt } from 'node:crypto';
import { statSync } from 'node:fs';
import { installedHosts, rebootRounds } from '../test/reboot.testing.ts';
import { everlanPackage } from '../test/support/package.ts';
import { type Boot, type Both, type OnHosts, onHosts, recipeHeals } from './agent-hosts.ts';
import { deletedAlone, deletedAtOnce } from './agent-namespace.ts';
import type { DispatcherMark, DispatcherRow } from './dispatcher.ts';
import { median } from './measure.ts';

const fewer = (rounds: number): number => Math.min(rounds, Number(process.env.EVERLAN_BENCH_ROUNDS ?? rounds));
const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
const mib = (value: number): string => `${value.toFixed(1)} MiB`;
const seconds = (value: number): string => `${value.toFixed(2)} s`;
const range = (values: readonly number[]): string => `${ms(Math.min(...values))} to ${ms(Math.max(...values))}`;
const p99 = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.ceil(values.length * 0.99) - 1] ?? Number.NaN;

/** Several marks are read from one run. */
function once<T>(measure: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= measure();
    return result;
  };
}

const alone = once(() => deletedAlone(fewer(200)));
const hosts = once(() => onHosts(fewer(15)));

const inMs = (value: number, ours: string, theirs: string): DispatcherRow => ({ ours, theirs, value, unit: ' ms' });

/** The recipe runs its scripts when networkd changes a state of eth0, and the deletion of vxlan0 is none. */
const WAIT_SECONDS = 10;
const heals = once(() => recipeHeals(WAIT_SECONDS));

async function deleted(of: (values: readonly number[]) => number): Promise<DispatcherRow> {
  const values = await alone();
  const theirs = (await heals()) ? `within ${WAIT_SECONDS} s` : `not within ${WAIT_SECONDS} s`;
  return inMs(of(values), `${ms(of(values))} (${range(values)}, ${values.length} times)`, theirs);
}

type Boots = Both<readonly Boot[]>;

const eachSide = <T>(of: (side: keyof Boots) => T): Both<T> => ({ ours: of('ours'), recipe: of('recipe') });

async function started(): Promise<DispatcherRow> {
  const { boots } = await hosts();
  const vxlan0 = eachSide((side) => median(boots[side].map((boot) => boot.vxlan0)));
  const eth0 = eachSide((side) => median(boots[side].map((boot) => boot.eth0)));
  const show = (side: keyof Boots): string => `${ms(vxlan0[side])} (eth0 ${ms(eth0[side])})`;
  return { ours: show('ours'), theirs: show('recipe'), value: vxlan0.ours / vxlan0.recipe };
}

async function afterEth0(): Promise<DispatcherRow> {
  const { boots } = await hosts();
  const lag = eachSide((side) => boots[side].map((boot) => boot.vxlan0 - boot.eth0));
  const show = (side: keyof Boots): string => `${ms(median(lag[side]))} (${range(lag[side])})`;
  return inMs(median(lag.ours), show('ours'), show('recipe'));
}

async function answered(): Promise<DispatcherRow> {
  const { boots } = await hosts();
  const waits = eachSide((side) => boots[side].map((boot) => boot.answered).filter((wait) => wait !== null));
  // The longest: whoever waits is not helped by the median.
  const longest = Math.max(...waits.ours);
  return inMs(longest, range(waits.ours), range(waits.recipe));
}

async function idle(of: (idle: OnHosts['idle']) => DispatcherRow): Promise<DispatcherRow> {
  return of((await hosts()).idle);
}

async function bulk(): Promise<DispatcherRow> {
  const { healed, applied } = await deletedAtOnce(1000, fewer(3));
  return { ours: seconds(healed), theirs: seconds(applied), value: healed / applied };
}

async function rounds(): Promise<DispatcherRow> {
  const ends: (() => void | Promise<void>)[] = [];
  const seed = randomInt(2 ** 31);
  try {
    const members = await installedHosts({ after: (end) => ends.push(end) }, 3);
    await Promise.all(members.map(({ host }) => host.boot()));
    const { boots, slowestMs } = await rebootRounds(members, fewer(20), seed);
    // It throws when a pair does not answer: there is no figure of a failure.
    const ours = `${boots} boots, all pairs answered after at most ${ms(slowestMs)}`;
    return inMs(slowestMs, ours, '–');
  } finally {
    for (const end of ends) await end();
  }
}

const RECIPE = 'the article’s recipe';

export const AGENT_MARKS: readonly DispatcherMark[] = [
  {
    name: 'agent: vxlan0 deleted, then link, address and FDB are back, median',
    against: RECIPE,
    most: 10,
    aim: 3,
    measure: () => deleted(median),
  },
  {
    name: 'agent: vxlan0 deleted, then link, address and FDB are back, p99',
    against: RECIPE,
    most: 50,
    aim: 10,
    measure: () => deleted(p99),
  },
  {
    name: 'agent: start of systemd to vxlan0 up with its address, median',
    against: RECIPE,
    most: 1,
    aim: 1,
    measure: started,
  },
  {
    name: 'agent: vxlan0 up with its address after eth0 has its own, median',
    against: RECIPE,
    // The recipe's own on quiet hosts: medians of 378 and 282 ms from the start of systemd.
    most: 96,
    aim: 10,
    measure: afterEth0,
  },
  {
    name: 'agent: a host reboots, its peer is answered after the link is back, longest',
    against: RECIPE,
    most: 1000,
    aim: 200,
    measure: answered,
  },
  {
    name: 'agent: idle, Private_Dirty',
    against: 'networkd-dispatcher 2.2.3',
    most: 20,
    aim: 12,
    measure: () =>
      idle(({ ours, recipe }) => ({
        ours: mib(ours.dirtyMib),
        theirs: mib(recipe.dirtyMib),
        value: ours.dirtyMib,
        unit: ' MiB',
      })),
  },
  {
    name: 'agent: idle, CPU in 60 s',
    against: 'networkd-dispatcher 2.2.3',
    most: 50,
    aim: 5,
    measure: () => idle(({ ours, recipe }) => inMs(ours.cpuMs, ms(ours.cpuMs), ms(recipe.cpuMs))),
  },
  {
    name: 'agent: 1,000 overlays deleted at once, all back',
    against: '`everlan apply` of the same file',
    most: 2,
    aim: 1.2,
    measure: bulk,
  },
  {
    name: 'agent: size of the package',
    against: '–',
    most: 45,
    aim: 35,
    measure: async () => {
      const value = statSync(everlanPackage('6')).size / 2 ** 20;
      return { ours: mib(value), theirs: '–', value, unit: ' MiB' };
    },
  },
  {
    name: 'agent: 20 rounds of reboots and power cuts on three hosts',
    against: '–',
    most: 1000,
    aim: 200,
    measure: rounds,
  },
];

if (import.meta.main) {
  const words = process.argv.slice(2);
  for (const mark of AGENT_MARKS) {
    if (words.length > 0 && !words.some((word) => mark.name.includes(word))) continue;
    const { ours, theirs, value, unit = '×' } = await mark.measure();
    process.stdout.write(
      `${mark.name}: ${ours} | ${theirs} | ${value.toFixed(2)}${unit} of at most ${mark.most} (${mark.aim})\n`,
    );
  }
}
