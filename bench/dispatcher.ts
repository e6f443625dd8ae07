/**
 * The marks of `everlan dispatcher`: beside Debian's networkd-dispatcher, in turn, in one run, on a host with a real
 * systemd-networkd. `node bench/dispatcher.ts [WORD…]` prints those whose name has one of the words.
 */
import { spawn } from 'node:child_process';
import { constants, openSync, readFileSync } from 'node:fs';
import { ROOT_RULE } from '../src/hooks/find.ts';
import { runHook } from '../src/hooks/run.ts';
import { verify } from '../src/hooks/script.ts';
import { HOOK_STATES } from '../src/hooks/states.ts';
import { openBus } from '../src/networkd/client.ts';
import { isVariant } from '../src/networkd/wire.ts';
import { readPipe } from '../src/sys/pipe.ts';
import { close, onReadable } from '../src/sys/socket.ts';
import { RunningDispatcher, Scripts, until } from '../test/dispatcher.testing.ts';
import { type NetworkdHost, networkdHost } from '../test/support/networkd.ts';
import { NotifySocket } from '../test/support/notify-socket.ts';
import { installed, median } from './measure.ts';

type Program = 'ours' | 'debian';
const paths = new Map<Program, string>([['debian', '/usr/bin/networkd-dispatcher']]);

function pathOf(program: Program): string {
  const path = paths.get(program) ?? installed('networkd-dispatcher');
  paths.set(program, path);
  return path;
}

export interface DispatcherRow {
  readonly ours: string;
  readonly theirs: string;
  /** What is held against `most`; a ratio unless `unit` says otherwise. */
  readonly value: number;
  readonly unit?: string;
}

/** As the marks of main.ts, but for the promise. */
export interface DispatcherMark {
  readonly name: string;
  readonly against: string;
  readonly most: number;
  readonly aim: number;
  measure(): Promise<DispatcherRow>;
}

const FOLDER = '/run/bench';
const FIFO = `${FOLDER}/fifo`;
const QUIET_MS = 400;
const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
const mb = (kb: number): string => `${(kb / 1024).toFixed(1)} MB`;
const p95 = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.ceil(values.length * 0.95) - 1] ?? Number.NaN;

/** When hooks wrote their first line, and when networkd's signals came: both seen by this process. */
class Stage {
  readonly host: NetworkdHost;
  readonly #scripts: Scripts;
  readonly hooks: { readonly at: number; readonly text: string }[] = [];
  readonly signals: { readonly at: number; readonly path: string; readonly state: string }[] = [];
  readonly #ends: (() => void)[] = [];

  constructor(host: NetworkdHost) {
    this.host = host;
    this.#scripts = new Scripts(host, FOLDER);
    host.run('mkfifo', FIFO);
    const fd = openSync(`/proc/${host.pid}/root${FIFO}`, constants.O_RDWR | constants.O_NONBLOCK);
    const buffer = Buffer.alloc(4096);
    const watch = onReadable(fd, () => {
      const at = performance.now();
      const length = readPipe(fd, buffer);
      for (const text of buffer.toString('utf8', 0, Math.max(0, length)).trim().split('\n'))
        this.hooks.push({ at, text });
    });
    this.#ends.push(() => {
      watch.close();
      close(fd);
    });
    this.#ends.push(this.#listen());
  }

  #listen(): () => void {
    return openBus(this.host.socket, {
      ready: (bus) => {
        const rule = "type='signal',sender='org.freedesktop.network1',member='PropertiesChanged'";
        bus.ask('AddMatch', 's', [rule], () => {});
      },
      wants: ({ member }) => member === 'PropertiesChanged',
      signal: (header, [, properties]) => {
        if (!(properties instanceof Map) || header.path === null) return;
        for (const key of ['AdministrativeState', 'OperationalState']) {
          const state = properties.get(key);
          if (state === undefined || !isVariant(state)) continue;
          this.signals.push({ at: performance.now(), path: header.path, state: String(state.value) });
        }
      },
      end: () => {},
    });
  }

  /** A hook that says at once that it runs. */
  hook(state: string): void {
    this.#scripts.add(`${state}.d/10-bench`, `echo "$IFACE $STATE" > ${FIFO}`);
  }

  signalsOf(link: string): readonly { readonly at: number; readonly state: string }[] {
    const path = `/org/freedesktop/network1/link/_3${this.host.index(link)}`;
    return this.signals.filter((signal) => signal.path === path);
  }

  clear(): void {
    this.hooks.length = 0;
    this.signals.length = 0;
  }

  /** Nothing has been heard for a while. */
  async quiet(): Promise<void> {
    const begun = performance.now();
    await until(() => {
      const last = Math.max(begun, this.hooks.at(-1)?.at ?? 0, this.signals.at(-1)?.at ?? 0);
      return performance.now() - last > QUIET_MS;
    });
  }

  async start(program: Program, ...args: string[]): Promise<RunningDispatcher> {
    const running = new RunningDispatcher(this.host, {
      program: pathOf(program),
      args: ['-S', FOLDER, '-v', ...args],
    });
    await running.says(/^INFO:Startup complete/);
    await sleep(QUIET_MS);
    return running;
  }

  async end(): Promise<void> {
    for (const end of this.#ends) end();
    await this.host.end();
  }
}

async function onStage<T>(work: (stage: Stage) => Promise<T>): Promise<T> {
  const stage = new Stage(await networkdHost({ after: () => {} }));
  try {
    await until(() => /routable \(configured\)/.test(stage.host.networkctl('status', 'eth0')));
    await sleep(1500); // duplicate address detection
    return await work(stage);
  } finally {
    await stage.end();
  }
}

/** Runs the same with both, one after the other, several times, so that a busy moment meets both. */
async function inTurn(
  rounds: number,
  work: (program: Program) => Promise<readonly number[]>,
): Promise<Record<Program, number[]>> {
  const found: Record<Program, number[]> = { ours: [], debian: [] };
  for (let i = 0; i < rounds; i++) {
    for (const program of ['ours', 'debian'] as const) found[program].push(...(await work(program)));
  }
  return found;
}

async function flap(stage: Stage, link: string): Promise<void> {
  stage.host.ip(`link set ${link} down`);
  await stage.quiet();
  stage.host.ip(`link set ${link} up`);
  await stage.quiet();
}

let latencies: Promise<Record<Program, number[]>> | undefined;

/** Milliseconds from networkd's signal to the first line of the only hook. */
function latency(): Promise<Record<Program, number[]>> {
  latencies ??= onStage(async (stage) => {
    stage.hook('off');
    return inTurn(3, async (program) => {
      const running = await stage.start(program);
      const found: number[] = [];
      for (let i = 0; i < 10; i++) {
        stage.clear();
        await flap(stage, 'far0');
        const signal = stage.signalsOf('far0').find(({ state }) => state === 'off');
        const hook = stage.hooks.find(({ text }) => text === 'far0 off');
        if (signal !== undefined && hook !== undefined) found.push(hook.at - signal.at);
      }
      await running.stop();
      return found;
    });
  });
  return latencies;
}

const ratioOf = (
  pair: Record<Program, number[]>,
  of: (values: readonly number[]) => number,
  show = ms,
): DispatcherRow => {
  const [ours, theirs] = [of(pair.ours), of(pair.debian)];
  return { ours: show(ours), theirs: show(theirs), value: ours / theirs };
};

/** Milliseconds from the first signal of a link that comes up to the last of the hooks of all states. */
const allStates = (): Promise<Record<Program, number[]>> =>
  onStage(async (stage) => {
    for (const state of HOOK_STATES) stage.hook(state);
    return inTurn(3, async (program) => {
      const running = await stage.start(program);
      const found: number[] = [];
      for (let i = 0; i < 5; i++) {
        stage.host.ip('link set eth0 down');
        await stage.quiet();
        stage.clear();
        stage.host.ip('link set eth0 up');
        await stage.quiet();
        const first = stage.signalsOf('eth0')[0];
        const last = stage.hooks.findLast(({ text }) => text.startsWith('eth0 '));
        if (first !== undefined && last !== undefined) found.push(last.at - first.at);
      }
      await running.stop();
      return found;
    });
  });

const ready = (...args: string[]): Promise<Record<Program, number[]>> =>
  onStage(async (stage) => {
    for (const state of HOOK_STATES) stage.hook(state);
    let count = 0;
    return inTurn(9, async (program) => {
      const name = `/run/notify${count++}`;
      const socket = new NotifySocket(`/proc/${stage.host.pid}/root${name}`);
      // nsenter is in both, and takes about a millisecond.
      const [nsenter = '', ...rest] = stage.host.inside(pathOf(program), '-S', FOLDER, ...args);
      const start = performance.now();
      const child = spawn(nsenter, rest, { stdio: 'ignore', env: { PATH: process.env.PATH, NOTIFY_SOCKET: name } });
      await socket.heard('READY=1');
      const took = performance.now() - start;
      await stage.quiet();
      const pid = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim());
      process.kill(pid, 'SIGTERM');
      await new Promise((done) => child.once('exit', done));
      socket.close();
      return [took];
    });
  });

interface Memory {
  readonly dirty: number;
  readonly rss: number;
  readonly pss: number;
}

function memoryOf(pid: number): Memory {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const of = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(rollup)?.[1]);
  return { dirty: of('Private_Dirty'), rss: of('Rss'), pss: of('Pss') };
}

async function memory(): Promise<DispatcherRow> {
  const found = new Map<Program, Memory>();
  await onStage(async (stage) => {
    stage.hook('off');
    await inTurn(1, async (program) => {
      const running = await stage.start(program);
      // It has done its work once.
      await flap(stage, 'far0');
      await sleep(1000);
      found.set(program, memoryOf(running.pid));
      await running.stop();
      return [];
    });
  });
  const [ours, theirs] = [found.get('ours'), found.get('debian')];
  if (ours === undefined || theirs === undefined) throw new Error('no memory was measured');
  const show = ({ dirty, rss, pss }: Memory): string => `${mb(dirty)} (RSS ${mb(rss)}, PSS ${mb(pss)})`;
  return { ours: show(ours), theirs: show(theirs), value: ours.dirty / theirs.dirty };
}

const STORM_LINKS = 10;
const STORM_FLAPS = 100;

/** Milliseconds until the last hook of 1,000 flaps, and how many hooks ran. */
async function storm(): Promise<DispatcherRow> {
  const ran: Record<Program, number> = { ours: 0, debian: 0 };
  const took = await onStage(async (stage) => {
    stage.hook('off');
    const links = Array.from({ length: STORM_LINKS }, (_, i) => `s${i}`);
    for (const link of links) {
      stage.host.ip(`link add ${link} type veth peer name p${link}`);
      stage.host.ip(`link set p${link} up`);
      stage.host.ip(`link set ${link} up`);
    }
    await stage.quiet();
    const lines = Array.from({ length: STORM_FLAPS }, () =>
      links.flatMap((link) => [`link set ${link} down`, `link set ${link} up`]),
    );
    new Scripts(stage.host, FOLDER).addFile('batch', `${lines.flat().join('\n')}\n`);
    return inTurn(1, async (program) => {
      const running = await stage.start(program);
      stage.clear();
      const start = performance.now();
      stage.host.run('ip', '-batch', `${FOLDER}/batch`);
      await stage.quiet();
      const last = stage.hooks.at(-1)?.at ?? Number.NaN;
      ran[program] = stage.hooks.length;
      await running.stop();
      return [last - start];
    });
  });
  const [ours = Number.NaN] = took.ours;
  const [theirs = Number.NaN] = took.debian;
  const show = (value: number, count: number): string => `${(value / 1000).toFixed(2)} s (${count} hooks)`;
  return { ours: show(ours, ran.ours), theirs: show(theirs, ran.debian), value: ours / theirs };
}

/** Milliseconds for which the start of one script holds up everything else. */
async function blocked(): Promise<DispatcherRow> {
  const script = verify('true', '/bin/true', { ...ROOT_RULE, exactly: null });
  if (!script.runs) throw new Error(script.why);
  const found: number[] = [];
  for (let i = 0; i < 300; i++) {
    const start = performance.now();
    const outcome = runHook(script, { env: { PATH: '/bin' }, timeoutMs: 600_000, onLine: () => {} });
    found.push(performance.now() - start);
    await outcome;
  }
  found.splice(0, 20); // before V8 has compiled it
  const p99 = found.sort((a, b) => a - b)[Math.ceil(found.length * 0.99) - 1] ?? Number.NaN;
  return { ours: `${p99.toFixed(2)} ms (median ${median(found).toFixed(2)})`, theirs: '', value: p99, unit: ' ms' };
}

const AGAINST = 'networkd-dispatcher 2.2.3';

export const DISPATCHER_MARKS: readonly DispatcherMark[] = [
  {
    name: 'dispatcher: signal to first line of a hook, median',
    against: AGAINST,
    most: 0.5,
    aim: 0.2,
    measure: async () => ratioOf(await latency(), median),
  },
  {
    name: 'dispatcher: signal to first line of a hook, p95',
    against: AGAINST,
    most: 0.5,
    aim: 0.2,
    measure: async () => ratioOf(await latency(), p95),
  },
  {
    name: 'dispatcher: link up, hooks for every state, the last one',
    against: AGAINST,
    most: 0.4,
    aim: 0.15,
    measure: async () => ratioOf(await allStates(), median),
  },
  {
    name: 'dispatcher: exec to READY',
    against: AGAINST,
    most: 1.3,
    aim: 1,
    measure: async () => ratioOf(await ready(), median),
  },
  {
    name: 'dispatcher: exec to READY, start-up triggers',
    against: AGAINST,
    most: 1.3,
    aim: 1,
    measure: async () => ratioOf(await ready('-T'), median),
  },
  { name: 'dispatcher: idle, Private_Dirty', against: AGAINST, most: 1.3, aim: 1, measure: memory },
  {
    name: 'dispatcher: 1,000 flaps of 10 interfaces, all hooks done',
    against: AGAINST,
    most: 0.5,
    aim: 0.2,
    measure: storm,
  },
  { name: 'dispatcher: loop blocked by starting a script, p99', against: '', most: 1, aim: 0.2, measure: blocked },
];

if (import.meta.main) {
  const words = process.argv.slice(2);
  for (const mark of DISPATCHER_MARKS) {
    if (words.length > 0 && !words.some((word) => mark.name.includes(word))) continue;
    const { ours, theirs, value, unit = '×' } = await mark.measure();
    process.stdout.write(
      `${mark.name}: ${ours} | ${theirs} | ${value.toFixed(2)}${unit} of at most ${mark.most} (${mark.aim})\n`,
    );
  }
}
