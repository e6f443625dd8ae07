/**
 * What goes over the agent's socket: one JSON object a line in UTF-8, a request and its reply, in turn. The reply to
 * `watch`, and to `events` with `follow`, has no end: more lines come until one side closes.
 */
import { EXIT, type ExitCode, type Problem } from '../model/problem.ts';
import type { LinkState } from '../model/state.ts';
import type { Status } from '../model/status.ts';
import type { Plan, Step } from '../model/step.ts';
import type { AgentEvent, AgentInfo, ApplyReply, ApplyRequest } from './door.ts';

export const VERSION = 1;

/** What is asked, without the `version` that every request bears. */
export type Request =
  | { readonly op: 'info' }
  | { readonly op: 'status' }
  | { readonly op: 'watch' }
  | { readonly op: 'events'; readonly last: number; readonly follow: boolean }
  | ({ readonly op: 'apply' } & ApplyRequest)
  | { readonly op: 'confirm' }
  | { readonly op: 'revert'; readonly token: string }
  | { readonly op: 'down' };

export type Op = Request['op'];

/** Whether an operation changes the host: only root, and whoever the agent runs as, may ask for it then. */
export const CHANGES = {
  info: false,
  status: false,
  watch: false,
  events: false,
  apply: true,
  confirm: true,
  revert: true,
  down: true,
} as const satisfies Record<Op, boolean>;

/** How the host stands, and the agent. */
export interface Seen {
  readonly info: AgentInfo;
  /** null: it cannot be told, and `problems` say why. */
  readonly status: Status | null;
  readonly problems: readonly Problem[];
  /** Of `problems`. */
  readonly exitCode: ExitCode;
}

/** What each operation answers when it is done, beside `ok: true`. */
export interface Replies {
  readonly info: { readonly info: AgentInfo };
  readonly status: Seen;
  readonly watch: Seen;
  readonly events: { readonly events: readonly AgentEvent[] };
  readonly apply: ApplyReply;
  readonly confirm: Readonly<Record<never, never>>;
  readonly revert: { readonly left: readonly Problem[] };
  readonly down: { readonly plan: Plan };
}

/** The reply to what was not done. */
export interface Refusal {
  readonly ok: false;
  readonly problems: readonly Problem[];
  readonly exitCode: ExitCode;
}

/** A request that is none. The message says what is wrong with it. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
}

type Fields = Readonly<Record<string, unknown>>;

/** Takes what a request may have, by name; what is left over is refused. */
class Reader {
  readonly #fields: Fields;
  readonly #taken = new Set(['version', 'op']);

  constructor(fields: Fields) {
    this.#fields = fields;
  }

  #take(name: string): unknown {
    this.#taken.add(name);
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
  }

  text(name: string): string {
    const value = this.#take(name);
    if (typeof value === 'string') return value;
    throw new RequestError(`“${name}” must be a text`);
  }

  /** Missing and null are the same. */
  textOrNull(name: string): string | null {
    return (this.#take(name) ?? null) === null ? null : this.text(name);
  }

  flag(name: string): boolean {
    const value = this.#take(name);
    if (typeof value === 'boolean') return value;
    throw new RequestError(`“${name}” must be true or false`);
  }

  count(name: string): number {
    const value = this.#take(name);
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    throw new RequestError(`“${name}” must be a whole number, 0 or more`);
  }

  /** What nobody has asked for is a mistake of whoever sent it. */
  end(): void {
    for (const name of Object.keys(this.#fields)) {
      if (!this.#taken.has(name)) throw new RequestError(`“${name.slice(0, 40)}” is not known here`);
    }
  }
}

const READERS = {
  info: () => ({ op: 'info' }),
  status: () => ({ op: 'status' }),
  watch: () => ({ op: 'watch' }),
  events: (reader) => ({ op: 'events', last: reader.count('last'), follow: reader.flag('follow') }),
  apply: (reader) => ({
    op: 'apply',
    text: reader.text('text'),
    file: reader.text('file'),
    host: reader.textOrNull('host') ?? undefined,
    adopt: reader.flag('adopt'),
    prune: reader.flag('prune'),
    trial: reader.textOrNull('trial'),
  }),
  confirm: () => ({ op: 'confirm' }),
  revert: (reader) => ({ op: 'revert', token: reader.text('token') }),
  down: () => ({ op: 'down' }),
} as const satisfies { readonly [O in Op]: (reader: Reader) => Extract<Request, { op: O }> };

const isOp = (op: unknown): op is Op => typeof op === 'string' && Object.hasOwn(READERS, op);

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws RequestError. */
export function readRequest(line: string): Request {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new RequestError('a request is one line of JSON');
  }
  if (!isFields(value)) throw new RequestError('a request is a JSON object');
  if (value.version !== VERSION) throw new RequestError(`“version” must be ${VERSION}`);
  const { op } = value;
  if (!isOp(op)) throw new RequestError(`“op” must be one of ${Object.keys(READERS).join(', ')}`);
  const reader = new Reader(value);
  const request = READERS[op](reader);
  reader.end();
  return request;
}

export function writeRequest(request: Request): string {
  return `${JSON.stringify({ version: VERSION, ...request })}\n`;
}

export function refusal(problems: readonly Problem[], exitCode: ExitCode = EXIT.failed): Refusal {
  return { ok: false, problems, exitCode };
}

/** What stands on a link: no step is told by it, and JSON has no maps. */
const NOTHING = { addresses: new Map(), fdb: new Map(), neighbours: new Map(), routes: new Map() } as const;

function linksOf(step: Step, of: (link: LinkState) => unknown): Record<string, unknown> {
  if (step.kind !== 'link') return {};
  const from = 'from' in step ? { from: of(step.from) } : {};
  return 'to' in step ? { ...from, to: of(step.to) } : from;
}

function withLinks(plan: Plan, of: (link: LinkState) => unknown): unknown {
  return { ...plan, steps: plan.steps.map((step) => ({ ...step, ...linksOf(step, of) })) };
}

/** A plan as JSON has it: links with their attributes alone. */
export function planToWire(plan: Plan): unknown {
  return withLinks(plan, ({ addresses: _, fdb: __, neighbours: ___, routes: ____, ...link }) => link);
}

/** The same plan, for `planJson` and for people; its links have nothing on them. */
export function planFromWire(plan: unknown): Plan {
  // Written by planToWire of an agent of the same version.
  return withLinks(plan as Plan, (link) => ({ ...link, ...NOTHING })) as Plan;
}

/** The reply to a request, of an agent that a command may believe. @throws RequestError when it is none. */
export function readReply<O extends Op>(op: O, line: string): (Replies[O] & { readonly ok: true }) | Refusal {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new RequestError('its answer is not JSON');
  }
  if (!isFields(value) || typeof value.ok !== 'boolean') throw new RequestError('its answer has no “ok”');
  if (!value.ok && !Array.isArray(value.problems)) throw new RequestError('its refusal has no “problems”');
  const plan = value.ok && CHANGES[op] && 'plan' in value ? { plan: planFromWire(value.plan) } : {};
  // Told by root's own agent in a folder of root's: its form is not doubted further.
  return { ...value, ...plan } as unknown as (Replies[O] & { readonly ok: true }) | Refusal;
}
