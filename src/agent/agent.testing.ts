/** An agent in a world that tests make: the fake kernel, and everything around it in memory. */
import { memoryStore, type Store } from '../apply/store.ts';
import { FakeKernel } from '../kernel/fake.ts';
import type { Prefix } from '../model/address.ts';
import { type Problem, problem } from '../model/problem.ts';
import type { HostFacts, LinkFacts } from '../model/state.ts';
import { shortLink } from '../plan/states.testing.ts';
import type { EventDraft } from './account.ts';
import { Agent } from './agent.ts';
import type { AgentEvent } from './door.ts';

/** The article's overlay on host alpha. */
export function fabricText({
  mtu = 1450,
  fabric = 'article',
  more = '',
}: {
  mtu?: number;
  fabric?: string;
  more?: string;
} = {}): string {
  return `fabric: ${fabric}
hosts: {alpha: 10.0.0.1, beta: 10.0.0.2}
overlays:
  vxlan0: {vni: 77, mtu: ${mtu}, hosts: {alpha: 169.254.0.1/24, beta: 169.254.0.2/24}}
${more}`;
}

const UNDERLAY: Omit<LinkFacts, 'addresses'> = { name: 'eth0', index: 2, kind: '', up: true, mtu: 1500 };

export function facts(
  addresses: readonly Prefix[] = ['10.0.0.1/24' as Prefix],
  hostname = 'alpha',
  mtu = 1500,
): HostFacts {
  return { hostname, links: new Map([['eth0', { ...UNDERLAY, mtu, addresses }]]) };
}

/** The fake kernel, with an underlay that comes and goes. */
export class World {
  file: string | null = fabricText();
  kept: string | null = null;
  readonly unconfirmed = new Set<string>();
  readonly events: AgentEvent[] = [];
  readonly claims: string[] = [];
  readonly service: string[] = [];
  /** Files beside the fabric's that are watched now. */
  readonly watched: string[] = [];
  readonly stores = new Map<string, Store>();
  readonly agent: Agent;
  readonly kernel: FakeKernel;
  now: HostFacts;
  /** What happens while steps are carried out, unheard. */
  whileRunning = (): void => undefined;

  constructor(now: HostFacts = facts()) {
    this.now = now;
    this.kernel = new FakeKernel({ facts: facts() });
    this.agent = this.newAgent();
  }

  store(fabric = 'article'): Store {
    const known = this.stores.get(fabric) ?? memoryStore(fabric);
    this.stores.set(fabric, known);
    return known;
  }

  newAgent(): Agent {
    const { kernel } = this;
    const shown = (): HostFacts => this.now;
    return new Agent({
      file: '/etc/everlan/fabric.yaml',
      host: undefined,
      version: '0.0.0',
      openKernel: () => ({
        portId: 0,
        look: () => {
          const view = kernel.look();
          const links = new Map([...view.facts.links].filter(([name]) => name !== 'eth0'));
          const { hostname, links: others } = shown();
          return { facts: { hostname, links: new Map([...links, ...others]) }, state: (scope) => view.state(scope) };
        },
        run: (steps, options) => {
          this.whileRunning();
          return kernel.run(steps, options);
        },
        close: () => undefined,
      }),
      forgetHints: () => undefined,
      openStore: (fabric) => this.store(fabric),
      readFile: () =>
        this.file === null
          ? { ok: false, problem: problem('file-unreadable', 'there is no file') }
          : { ok: true, text: this.file },
      lastGood: {
        keep: (text): Problem | null => {
          this.kept = text;
          return null;
        },
        load: () => (this.kept === null ? null : { text: this.kept, name: 'last good' }),
        isUnconfirmed: (text) => this.unconfirmed.has(text),
        markUnconfirmed: (text) => {
          this.unconfirmed.add(text);
          return null;
        },
        clearUnconfirmed: (text) => {
          this.unconfirmed.delete(text);
          return null;
        },
      },
      events: {
        add: (draft: EventDraft) => {
          this.events.push({ number: this.events.length + 1, at: '', overlays: [], steps: [], ...draft });
        },
        list: () => this.events,
        listen: () => () => undefined,
      },
      service: {
        ready: () => this.service.push('READY'),
        reloading: () => this.service.push('RELOADING'),
        status: (text) => this.service.push(text),
      },
      home: {
        claim: async (fabric, names) => {
          this.claims.push(`${fabric}: ${names.join(' ')}`);
          return [];
        },
        release: async (fabric) => {
          this.claims.push(`${fabric} released`);
          return [];
        },
      },
      hazards: async () => [],
      watchFile: (path) => {
        this.watched.push(path);
        return () => this.watched.splice(this.watched.indexOf(path), 1);
      },
      netlinkUsers: () => [],
      who: (pid) => `program ${pid}`,
    });
  }

  /** Everything that is due has been done. */
  async quiet(agent = this.agent): Promise<void> {
    await agent.fileChanged();
    agent.lookAgain();
    // Its turn comes after the pass that was just asked for.
    await new Promise((done) => setTimeout(done, 20));
    await agent.fileChanged();
  }

  async start(agent = this.agent): Promise<void> {
    await agent.start();
    await this.quiet(agent);
  }

  link(name = 'vxlan0') {
    const wanted = new Map([[name, 'vxlan' as const]]);
    return this.kernel.look().state({ fabric: 'article', wanted }).links.get(name);
  }

  /** A guard begins to watch over a change. */
  arm(token: string): void {
    const before = this.kernel.look().state({ fabric: 'article', wanted: new Map([['vxlan0', 'vxlan']]) });
    this.store().setPending({ token, seconds: 60, until: 0, before, remembered: this.store().remembered() });
  }

  /** As `ip link delete` does it. */
  delete(name: string): void {
    const from = this.link(name);
    if (from !== undefined) this.kernel.run([{ kind: 'link', action: 'remove', link: name, from }]);
  }

  /** A link that somebody else makes. */
  stranger(name: string): void {
    const wanted = shortLink(name, { vxlan: { vni: 99 } });
    this.kernel.run([
      { kind: 'link', action: 'add', link: name, to: { ...wanted, alias: '', group: 0, overlay: null } },
    ]);
  }

  kinds(): string[] {
    return this.events.map(({ kind }) => kind);
  }
}
