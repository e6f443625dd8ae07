/** Hosts with an underlay, and real agents that keep them: processes of their own, ended with the test whatever happens. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { type AgentClient, findAgent } from '../../src/agent/client.ts';
import type { Seen } from '../../src/agent/protocol.ts';
import { lookAt } from '../../src/apply/converge.ts';
import { openStore, type Store, storeFolder } from '../../src/apply/store.ts';
import { parseFabricOrThrow } from '../../src/fabric/parse.ts';
import { resolve } from '../../src/fabric/resolve.ts';
import { type EchoResult, echo } from '../../src/kernel/echo.ts';
import { watchChanges } from '../../src/kernel/hints.ts';
import { openKernel } from '../../src/kernel/live.ts';
import type { Kernel } from '../../src/kernel/port.ts';
import { makeLab, removeLab } from '../../src/lab/make.ts';
import { type LabHost, namespacesOf, topologyOf } from '../../src/lab/topology.ts';
import { type IpAddress, parseIp } from '../../src/model/address.ts';
import { explain } from '../../src/plan/explain.ts';
import { cookieOf, inNamespace, type Namespace, openNamespace, writeSysctl } from '../../src/sys/netns.ts';
import { needsRoot } from './host.ts';
import { Log } from './log.ts';
import { NotifySocket } from './notify-socket.ts';
import { ended } from './process.ts';
import { cleanEnvironment, EVERLAN, everlan, type Ran } from './program.ts';

/** Of every test with an agent: one that waits in vain for its events ends too. */
export const LIMITS = { skip: needsRoot, timeout: 60_000 } as const;

/** What an echo is given until it is answered. Only a failure takes this long. */
const PATIENCE_MS = 5000;
const EACH_MS = 50;

export class Host {
  readonly name: string;
  readonly namespace: string;
  readonly fd: number;
  readonly kernel: Kernel;
  readonly store: Store;
  /** What the namespace's agents and commands leave behind. */
  readonly folder: string;
  readonly #opened: Namespace;

  constructor({ name, namespace }: LabHost, fabric: string) {
    this.name = name;
    this.namespace = namespace;
    this.#opened = openNamespace(namespace);
    this.fd = this.#opened.fd;
    this.kernel = openKernel(this.fd);
    const cookie = cookieOf(this.fd);
    this.store = openStore(fabric, cookie);
    this.folder = storeFolder(cookie);
  }

  close(): void {
    this.kernel.close();
    this.#opened.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #tool(program: 'ip' | 'bridge', line: string, input = ''): string {
    const args = ['-n', this.namespace, ...line.split(' ')];
    return execFileSync(program, args, { encoding: 'utf8', input, stdio: ['pipe', 'pipe', 'pipe'] });
  }

  /** One word for each argument, split at spaces. @param input for `-batch -` */
  ip(line: string, input?: string): string {
    return this.#tool('ip', line, input);
  }

  bridge(line: string, input?: string): string {
    return this.#tool('bridge', line, input);
  }

  /** A program inside the namespace. */
  inside(...command: readonly string[]): string {
    return execFileSync('ip', ['netns', 'exec', this.namespace, ...command], { encoding: 'utf8' });
  }

  /** null: there is no such link. */
  index(link: string): number | null {
    return this.kernel.look().facts.links.get(link)?.index ?? null;
  }

  mtu(link: string): number | null {
    return this.kernel.look().facts.links.get(link)?.mtu ?? null;
  }

  /** The steps, in words, that `everlan apply` would take now. */
  planned(text: string): readonly string[] {
    const { fabric } = parseFabricOrThrow(Buffer.from(text), 'fabric.yaml');
    const desired = resolve(fabric, this.name, this.kernel.look().facts);
    return lookAt(this.kernel, desired, this.store).plan.steps.map(explain);
  }

  /** Settles when it holds; asked now, and whenever the kernel tells of a change in the namespace. */
  async until(holds: () => boolean): Promise<void> {
    let wake = (): void => undefined;
    const watch = watchChanges(this.fd, () => wake());
    try {
      while (!holds()) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      watch.close();
    }
  }

  /** Settles when the kernel is done with what follows a link's coming up: from then on it tells of nothing by itself. */
  quiet(): Promise<void> {
    return this.until(() => !this.ip('addr show').includes('tentative'));
  }

  /** Whether an echo comes back over the link, within some tries. @param size of the whole packet */
  async echo(link: string, address: string, { size = 84, attempts = PATIENCE_MS / EACH_MS } = {}): Promise<EchoResult> {
    const target = { link, address: ip(address), size };
    const [result] = await echo([target], { netns: this.fd, timeoutMs: PATIENCE_MS, attempts });
    if (result === undefined) throw new Error('no result');
    return result;
  }
}

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === null) throw new Error(`${text} is no address`);
  return address;
}

export interface Site {
  readonly fabric: string;
  /** The file, with the fabric's own name for this test. */
  readonly text: string;
  host(name: string): Host;
  /** Commands in the router's namespace, where the underlay of every host ends: `n0`, `n1`, … are its segments, `h0`, `h1`, … its cables. */
  router(line: string): string;
  /** Done before the hosts go, the latest first. */
  after(end: () => void | Promise<void>): void;
}

/** Whether IPv6 addresses of the links that are there are looked for elsewhere before they are used (RFC 4862), as by default. */
function setDad({ fd, kernel }: Host, on: boolean): void {
  const names = [...kernel.look().facts.links.keys()];
  const set = (name: string, value: number): void => writeSysctl(`/proc/sys/net/ipv6/conf/${name}/accept_dad`, value);
  inNamespace(fd, () => {
    set('default', 0);
    for (const name of names) set(name, on ? 1 : 0);
  });
}

/**
 * The underlay of every host of the file, in namespaces of its own; nothing is applied.
 * @param text with `fabric: test`
 * @param dad whether the kernel looks for the underlay's IPv6 addresses elsewhere before it uses them, which takes a second or two
 */
export function site(t: TestContext, text: string, { dad = false } = {}): Site {
  const fabric = `ev${process.pid}-${randomBytes(3).toString('hex')}`;
  const own = text.replace(/^fabric: .*$/m, `fabric: ${fabric}`);
  const topology = topologyOf(parseFabricOrThrow(Buffer.from(own), 'fabric.yaml').fabric);
  const hosts = new Map<string, Host>();
  const ends: (() => void | Promise<void>)[] = [];
  t.after(async () => {
    for (const end of ends.reverse()) await end();
    for (const host of hosts.values()) host.close();
    removeLab(namespacesOf(topology), fabric, true);
  });
  makeLab(topology);
  for (const host of topology.hosts) hosts.set(host.name, new Host(host, fabric));
  for (const host of hosts.values()) setDad(host, dad);
  return {
    fabric,
    text: own,
    host: (name) => {
      const host = hosts.get(name);
      if (host === undefined) throw new Error(`no host ${name}`);
      return host;
    },
    router: (line) => execFileSync('ip', ['-n', topology.router, ...line.split(' ')], { encoding: 'utf8' }),
    after: (end) => ends.push(end),
  };
}

export interface AgentOptions {
  /** Default: the site's. */
  readonly text?: string;
  /** Another's file and state: an agent that starts again. */
  readonly like?: Agent;
  readonly file?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Microseconds, as systemd has it. */
  readonly watchdogUsec?: number;
  /** What runs it: a program and its arguments, such as `unshare --mount`, with the agent's own behind them. */
  readonly within?: readonly string[];
  /** Default: the host's name is told. */
  readonly named?: boolean;
}

export class Agent {
  readonly host: Host;
  readonly file: string;
  readonly stateFolder: string;
  /** Its standard error. */
  readonly log = new Log();
  /** What systemd would hear. */
  readonly notified: NotifySocket;
  readonly exit: Promise<void>;
  readonly #child: ChildProcess;
  #from = 0;
  /** What it has not said yet. */
  #wanted: RegExp | null = null;

  constructor(host: Host, folder: string, options: AgentOptions, text: string) {
    this.host = host;
    this.file = options.file ?? options.like?.file ?? join(folder, 'fabric.yaml');
    this.stateFolder = options.like?.stateFolder ?? join(folder, 'state');
    if (options.like === undefined && options.file === undefined) this.write(text);
    const address = `@everlan-test-${randomBytes(6).toString('hex')}`;
    this.notified = new NotifySocket(address);
    const named = options.named === false ? [] : ['--host', host.name];
    const line = [EVERLAN, 'agent', '-f', this.file, '--netns', host.namespace, ...named];
    const [program = EVERLAN, ...args] = [...(options.within ?? []), ...line];
    const watchdog = options.watchdogUsec === undefined ? {} : { WATCHDOG_USEC: String(options.watchdogUsec) };
    this.#child = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...cleanEnvironment(),
        ...watchdog,
        STATE_DIRECTORY: this.stateFolder,
        NOTIFY_SOCKET: address,
        ...options.env,
      },
    });
    this.exit = ended(this.#child);
    if (this.#child.stderr !== null) createInterface(this.#child.stderr).on('line', (line) => this.log.add(line));
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error('the agent was not started');
    return pid;
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  /** Writes the file as editors do: another one, renamed. */
  write(text: string): void {
    writeFileSync(`${this.file}.new`, text);
    renameSync(`${this.file}.new`, this.file);
  }

  /** `work`, unless the agent ends before. */
  async #whileItRuns<T>(what: string, work: Promise<T>): Promise<T> {
    const over = this.exit.then(() => {
      throw new Error(`the agent ended before ${what}:\n${this.log.lines.join('\n')}`);
    });
    return Promise.race([work, over]);
  }

  /** The first line from here on that fits, which is then behind us. */
  async said(pattern: RegExp): Promise<string> {
    this.#wanted = pattern;
    const line = await this.#whileItRuns(`it said ${pattern}`, this.#said(pattern));
    this.#wanted = null;
    return line;
  }

  async #said(pattern: RegExp): Promise<string> {
    for (;;) {
      const at = this.log.lines.findIndex((line, i) => i >= this.#from && pattern.test(line));
      const line = this.log.lines[at];
      if (line !== undefined) {
        this.#from = at + 1;
        return line;
      }
      await this.log.more();
    }
  }

  /** What it said by now is behind us. */
  mark(): void {
    this.#from = this.log.lines.length;
  }

  /** The lines from the mark on, or from the one that was last waited for. */
  since(): readonly string[] {
    return this.log.lines.slice(this.#from);
  }

  ready(): Promise<void> {
    return this.#whileItRuns('it was ready', this.notified.heard('READY=1'));
  }

  async #client(): Promise<AgentClient> {
    const client = await findAgent(this.host.folder, { file: this.file });
    if (client === null) throw new Error('no agent answers');
    return client;
  }

  /** What `everlan status` gets to hear. */
  async status(): Promise<Seen> {
    const client = await this.#client();
    try {
      return await client.status();
    } finally {
      client.close();
    }
  }

  /** Settles when the agent's own account of how it stands is such. */
  async sees(fits: (seen: Seen) => boolean): Promise<Seen> {
    const client = await this.#client();
    try {
      for await (const seen of client.watch()) if (fits(seen)) return seen;
    } finally {
      client.close();
    }
    throw new Error('the agent ended');
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.exit;
  }

  /** @returns its exit code. */
  async stop(): Promise<number | null> {
    this.signal('SIGTERM');
    await this.exit;
    return this.exitCode;
  }

  /** `everlan COMMAND` for the agent's file and namespace, to its end. */
  run(...args: readonly string[]): Ran {
    return everlan([...args, '-f', this.file, '--netns', this.host.namespace]);
  }

  /** For the end: kills it, whatever it does. */
  async close(): Promise<void> {
    await this.kill();
    this.notified.close();
    if (this.#wanted !== null) console.error(`Not said: ${this.#wanted}. It said:\n${this.log.lines.join('\n')}`);
  }
}

/** Starts an agent for a host. It is not ready yet. */
export function agentOn(at: Site, name: string, options: AgentOptions = {}): Agent {
  const folder = mkdtempSync(join(tmpdir(), 'everlan-agent-'));
  const agent = new Agent(at.host(name), folder, options, options.text ?? at.text);
  at.after(async () => {
    await agent.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return agent;
}

/** Agents on all these hosts, ready. */
export async function agentsOn<const Names extends readonly string[]>(
  at: Site,
  ...names: Names
): Promise<{ readonly [Name in keyof Names]: Agent }> {
  const agents = names.map((name) => agentOn(at, name));
  await Promise.all(agents.map((agent) => agent.ready()));
  return agents as { readonly [Name in keyof Names]: Agent };
}
