/** A door with nothing behind it: it says what it is told to say, and keeps what it was asked. */
import { parseIp, parsePrefix } from '../model/address.ts';
import { parseMac } from '../model/mac.ts';
import { EverlanError, problem } from '../model/problem.ts';
import type { LinkState } from '../model/state.ts';
import type { Status } from '../model/status.ts';
import type { Plan } from '../model/step.ts';
import { VXLAN_DEFAULTS } from '../model/vxlan.ts';
import type { AgentEvent, AgentInfo, ApplyReply, ApplyRequest, Door } from './door.ts';

function known<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new TypeError('a value of a test is wrong');
  return value;
}

const IP = known(parseIp('10.0.0.2'));
const PREFIX = known(parsePrefix('169.254.0.1/24'));

/** With something on it, which must not go over the socket. */
const LINK: LinkState = {
  name: 'vxlan0',
  index: 7,
  kind: 'vxlan',
  overlay: 'vxlan0',
  alias: 'everlan:faketest/vxlan0',
  group: 1,
  up: true,
  mtu: 1450,
  mac: known(parseMac('02:00:00:00:00:01')),
  txChecksum: true,
  master: null,
  vxlan: { ...VXLAN_DEFAULTS, vni: 77, remote: IP },
  addresses: new Map([
    [
      PREFIX,
      {
        prefix: PREFIX,
        origin: 'ours',
        protocol: 119,
        flags: 0,
        validLifetime: 0xffffffff,
        preferredLifetime: 0xffffffff,
        scope: 0,
        broadcast: null,
      },
    ],
  ]),
  fdb: new Map(),
  neighbours: new Map(),
  routes: new Map(),
};

const ADDRESS = known(LINK.addresses.get(PREFIX));

export const FAKE_PLAN: Plan = {
  steps: [
    { kind: 'link', action: 'add', link: 'vxlan0', to: LINK },
    { kind: 'address', action: 'add', link: 'vxlan0', address: ADDRESS },
    {
      kind: 'link',
      action: 'change',
      link: 'vxlan1',
      from: { ...LINK, name: 'vxlan1', mtu: 1300 },
      to: { ...LINK, name: 'vxlan1' },
      changes: [{ attribute: 'mtu', from: 1300, to: 1450 }],
    },
    { kind: 'link', action: 'remove', link: 'vxlan2', from: { ...LINK, name: 'vxlan2' }, reason: 'not in the file' },
  ],
  foreign: [{ kind: 'address', link: 'vxlan0', address: PREFIX }],
  conflicts: [],
};

export function fakeEvent(number: number, more: Partial<AgentEvent> = {}): AgentEvent {
  return {
    number,
    at: '2026-11-22T14:38:00.123Z',
    kind: 'healed',
    level: 'info',
    message: `vxlan0 was deleted: made again, ${number}`,
    overlays: ['vxlan0'],
    steps: ['link vxlan0'],
    ...more,
  };
}

export class FakeDoor implements Door {
  said: AgentInfo;
  /** null: it cannot be told. */
  stands: Status | null;
  happened: AgentEvent[] = [];
  plan: Plan = FAKE_PLAN;
  waiting: ApplyReply['waiting'] = [];
  /** Each change that was asked for. */
  readonly asked: (ApplyRequest | string)[] = [];
  /** How often it was looked how everything stands. */
  looks = 0;
  /** Changes wait for it. */
  gate: Promise<void> = Promise.resolve();
  /** Thrown by changes. */
  failure: Error | null = null;
  readonly eventListeners = new Set<(event: AgentEvent) => void>();
  readonly statusListeners = new Set<() => void>();

  constructor(more: Partial<AgentInfo> = {}) {
    this.said = {
      pid: process.pid,
      since: '2026-11-22T14:00:00.000Z',
      version: '0.1.0',
      mode: 'running',
      fabric: 'faketest',
      host: 'alpha',
      file: '/etc/everlan/fabric.yaml',
      source: '/etc/everlan/fabric.yaml',
      waiting: [],
      problems: [],
      ...more,
    };
    this.stands = {
      version: 1,
      fabric: this.said.fabric ?? '',
      host: 'alpha',
      converged: true,
      overlays: [{ name: 'vxlan0', vni: 77, state: 'up', mtu: 1450, addresses: [PREFIX], peers: [], drift: [] }],
      foreign: [],
    };
  }

  info(): AgentInfo {
    return this.said;
  }

  status(): Status {
    this.looks++;
    if (this.stands === null) throw new EverlanError(problem('no-fabric', 'no good file was ever seen'));
    return this.stands;
  }

  events(): readonly AgentEvent[] {
    return this.happened;
  }

  onEvent(listener: (event: AgentEvent) => void): () => void {
    this.eventListeners.add(listener);
    return () => this.eventListeners.delete(listener);
  }

  onStatus(listener: () => void): () => void {
    this.statusListeners.add(listener);
    return () => this.statusListeners.delete(listener);
  }

  /** Something happens. */
  happen(event: AgentEvent): void {
    this.happened.push(event);
    for (const listener of this.eventListeners) listener(event);
  }

  /** The status may be another one. */
  changed(): void {
    for (const listener of this.statusListeners) listener();
  }

  /** For those that tell others what was asked. */
  protected async heard(_what: ApplyRequest | string): Promise<void> {}

  async #change(what: ApplyRequest | string): Promise<void> {
    this.asked.push(what);
    await this.heard(what);
    await this.gate;
    if (this.failure !== null) throw this.failure;
  }

  async apply(request: ApplyRequest): Promise<ApplyReply> {
    await this.#change(request);
    return { fabric: 'faketest', host: 'alpha', plan: this.plan, warnings: [], waiting: this.waiting };
  }

  confirm(): Promise<void> {
    return this.#change('confirm');
  }

  async revert(token: string): Promise<ApplyReply['warnings']> {
    await this.#change(`revert ${token}`);
    return [];
  }

  async down(): Promise<Plan> {
    await this.#change('down');
    return this.plan;
  }
}
