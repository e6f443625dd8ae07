/** Hosts with a real systemd-networkd on which dispatchers run: ours, and Debian's networkd-dispatcher. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { HOOK_STATES } from '../src/hooks/states.ts';
import { type Ending, type HostOptions, type NetworkdHost, needsNetworkd, networkdHost } from './support/networkd.ts';
import { ended } from './support/process.ts';

const OURS = join(import.meta.dirname, '..', 'bin', 'networkd-dispatcher');
export const DEBIANS = '/usr/bin/networkd-dispatcher';

/** Why the two cannot be compared here; false: they can. */
export const needsDebians: string | false =
  needsNetworkd || (existsSync(DEBIANS) ? false : 'needs Debian’s networkd-dispatcher: package networkd-dispatcher');

const LOOK_AGAIN_MS = 10;
/** What never comes must not keep the test from ending. */
const PATIENCE_MS = 60_000;

/** Settles when it holds. */
export async function until<T>(holds: () => T | false | null | undefined): Promise<T> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const value = holds();
    if (value) return value;
    if (Date.now() > end) throw new Error(`never came: ${holds}`);
    await new Promise((done) => setTimeout(done, LOOK_AGAIN_MS));
  }
}

/** One run of a script. */
export interface Invocation {
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
}

/** `eth0 routable`. */
export const brief = ({ env }: Invocation): string => `${env.IFACE} ${env.STATE}`;

/** A folder of scripts on a host, and what they did. */
export class Scripts {
  /** As the host sees it. */
  readonly folder: string;
  readonly #root: string;

  constructor(host: NetworkdHost, folder: string) {
    this.folder = folder;
    this.#root = `/proc/${host.pid}/root`;
    mkdirSync(this.#root + folder, { recursive: true, mode: 0o755 });
  }

  #log(): string {
    return `${this.#root}${this.folder}/log`;
  }

  /** A script of root's, mode 755. @param path below the folder @param body after `#!/bin/sh` */
  add(path: string, body: string): void {
    this.addFile(path, `#!/bin/sh\n${body}\n`);
  }

  addFile(path: string, content: string, mode = 0o755): void {
    const file = `${this.#root}${this.folder}/${path}`;
    mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
    writeFileSync(file, content);
    chmodSync(file, mode);
  }

  /** Scripts of all states that write down their environment, one after the other, each at once. */
  recordEverything(name = '10-record'): void {
    for (const state of HOOK_STATES) this.add(`${state}.d/${name}`, this.recording());
  }

  /** The body of a script that writes its environment down. */
  recording(): string {
    return `{ printf '%s\\0' "$0"; env -0; printf '\\0'; } | flock ${this.folder} sh -c 'cat >> ${this.folder}/log'`;
  }

  /** What ran, in the order in which it ended. */
  invocations(): Invocation[] {
    if (!existsSync(this.#log())) return [];
    const records = readFileSync(this.#log(), 'utf8').split('\0\0').slice(0, -1);
    return records.map((record) => {
      const [script = '', ...pairs] = record.split('\0');
      const env = pairs.map((pair): [string, string] => [pair.split('=', 1)[0] ?? '', pair.replace(/^[^=]*=/s, '')]);
      return { script, env: Object.fromEntries(env) };
    });
  }

  /** Those of an interface. */
  of(iface: string): Invocation[] {
    return this.invocations().filter(({ env }) => env.IFACE === iface);
  }

  /** `routable` and so on, of an interface. */
  states(iface: string): string[] {
    return this.of(iface).map(({ env }) => env.STATE ?? '');
  }

  read(path: string): string {
    return existsSync(`${this.#root}${this.folder}/${path}`)
      ? readFileSync(`${this.#root}${this.folder}/${path}`, 'utf8')
      : '';
  }
}

export interface RunOptions {
  readonly program?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Sees the host's files and processes, and this machine's network: a bus with an abstract address is in there. */
  readonly networkOutside?: true;
}

/** A dispatcher that runs on a host. */
export class RunningDispatcher {
  /** Lines of standard error. */
  readonly log: string[] = [];
  /** Lines of standard output. */
  readonly output: string[] = [];
  readonly #nsenter: ChildProcess;

  constructor(host: NetworkdHost, { program = OURS, args = [], env = {}, networkOutside }: RunOptions) {
    const inside = host.inside(program, ...args);
    const [nsenter = '', ...rest] = networkOutside === true ? inside.filter((word) => word !== '-n') : inside;
    this.#nsenter = spawn(nsenter, rest, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', ...env },
    });
    const { stdout, stderr } = this.#nsenter;
    if (stdout !== null) createInterface(stdout).on('line', (line) => this.output.push(line));
    if (stderr !== null) createInterface(stderr).on('line', (line) => this.log.push(line));
  }

  /** As the outside sees it. */
  get pid(): number {
    const children = readFileSync(`/proc/${this.#nsenter.pid}/task/${this.#nsenter.pid}/children`, 'utf8');
    return Number(children.trim().split(' ')[0]);
  }

  /** The first line of the log that matches. */
  says(pattern: RegExp): Promise<string> {
    return until(() => this.log.find((line) => pattern.test(line)));
  }

  kill(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** @returns the exit code; nsenter passes it on */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.kill(signal);
    await ended(this.#nsenter);
    return this.#nsenter.exitCode;
  }

  /** Settles when it has ended by itself. */
  async exit(): Promise<number | null> {
    await ended(this.#nsenter);
    return this.#nsenter.exitCode;
  }
}

/** Starts one, and waits until it has begun to follow networkd or to wait for it. */
export async function dispatcher(
  host: NetworkdHost,
  scripts: Scripts,
  options: RunOptions = {},
): Promise<RunningDispatcher> {
  const args = ['-S', scripts.folder, '-v', ...(options.args ?? [])];
  const running = new RunningDispatcher(host, { ...options, args });
  await running.says(/^INFO:Startup complete/);
  return running;
}

/** A host on which networkd has done its work. */
export async function settledHost(t: Ending, options?: HostOptions): Promise<NetworkdHost> {
  const host = await networkdHost(t, options);
  await until(() => /routable \(configured\)/.test(host.networkctl('status', 'eth0')));
  return host;
}
