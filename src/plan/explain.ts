/** Steps in words for people, and as the flat objects of `plan --json` (`$defs.plan`). */
import { ZERO_MAC } from '../model/mac.ts';
import type { LinkState } from '../model/state.ts';
import type { Foreign, Plan, Step } from '../model/step.ts';
import { namedChanges, showChanges, showValue } from './names.ts';

/** What a step means for the traffic. */
export type Marker = 'in place' | 'add' | 'recreate (with downtime)' | 'remove';

const MARKERS = {
  add: 'add',
  change: 'in place',
  recreate: 'recreate (with downtime)',
  remove: 'remove',
} as const satisfies Record<Step['action'], Marker>;

export function markerOf(step: Step): Marker {
  return MARKERS[step.action];
}

function linkFacts(link: LinkState): Record<string, unknown> {
  const v = link.vxlan;
  if (v === null) return { type: link.kind, mtu: link.mtu };
  const { vni, port, remote, local, device } = v;
  return { type: link.kind, vni, port, remote, local, device, mtu: link.mtu };
}

/** `link vxlan0` */
const named = (link: LinkState): string => `${link.kind === 'bridge' ? 'bridge' : 'link'} ${link.name}`;

/** What a step is about, without what it does: `address 169.254.0.1/24 on vxlan0`. */
function subject(step: Step): string {
  switch (step.kind) {
    case 'link':
      return named(step.action === 'remove' ? step.from : step.to);
    case 'bridge-port':
      return `${step.link} in bridge ${step.bridge}`;
    case 'address':
      return explainForeign({ kind: 'address', link: step.link, address: step.address.prefix });
    case 'fdb':
      return explainForeign({ kind: 'fdb', link: step.link, ...step.row });
    case 'neighbour':
      return explainForeign({ kind: 'neighbour', link: step.link, ...step.neighbour });
    case 'route':
      return explainForeign({ kind: 'route', link: step.link, ...step.route });
    default:
      return step satisfies never;
  }
}

/** What a link step brings: the facts of a new link, the attributes that change. */
function particulars(step: Step): string {
  if (step.kind !== 'link') return '';
  switch (step.action) {
    case 'add':
      return Object.entries(linkFacts(step.to))
        .filter(([name, value]) => name !== 'type' && value !== null)
        .map(([name, value]) => `${name} ${showValue(value)}`)
        .join(', ');
    case 'remove':
      return '';
    case 'change':
    case 'recreate':
      return showChanges(step.changes, step.from, step.to);
    default:
      return step satisfies never;
  }
}

const colon = (text: string): string => (text === '' ? '' : `: ${text}`);

/** One line to stand after the marker: `link vxlan0: mtu 1450 → 1400`, `address 169.254.0.1/24 on vxlan0`. */
export function explain(step: Step): string {
  const line = `${subject(step)}${colon(particulars(step))}`;
  return step.reason === undefined ? line : `${line} (${step.reason})`;
}

/** The same step as what is wrong now: `address 169.254.0.1/24 on vxlan0 is missing`. */
export function explainDrift(step: Step): string {
  switch (step.action) {
    case 'add':
      return `${subject(step)} is missing`;
    case 'remove':
      return `${subject(step)} should not be there`;
    case 'change':
    case 'recreate': {
      if (step.kind !== 'link') return `${subject(step)} has another value`;
      const wrong = namedChanges(step.changes, step.from, step.to).map(
        ({ attribute, from, to }) => `${attribute} is ${showValue(from)}, not ${showValue(to)}`,
      );
      return `${subject(step)}: ${wrong.length === 0 ? step.reason : wrong.join(', ')}`;
    }
    default:
      return step satisfies never;
  }
}

/** One line for a foreign thing: `address 169.254.0.9/24 on vxlan0`. */
export function explainForeign(item: Foreign): string {
  switch (item.kind) {
    case 'address':
      return `address ${item.address} on ${item.link}`;
    case 'fdb':
      return item.mac === ZERO_MAC
        ? `flooding to ${item.vtep} on ${item.link}`
        : `MAC ${item.mac} at ${item.vtep} on ${item.link}`;
    case 'neighbour':
      return `neighbour ${item.address} at ${item.mac} on ${item.link}`;
    case 'route':
      return `route ${item.to}${item.via === null ? '' : ` via ${item.via}`} on ${item.link}`;
    default:
      return item satisfies never;
  }
}

/** A step in `plan --json`: `action`, `kind`, `link`, what the kind has, and `reason` where there is one. */
export type StepJson = { readonly action: string; readonly kind: string; readonly link: string } & Readonly<
  Record<string, unknown>
>;

function details(step: Step): Record<string, unknown> {
  switch (step.kind) {
    case 'link':
      switch (step.action) {
        case 'add':
          return linkFacts(step.to);
        case 'remove':
          return { type: step.from.kind };
        case 'change':
        case 'recreate':
          return { type: step.to.kind, changes: namedChanges(step.changes, step.from, step.to) };
        default:
          return step satisfies never;
      }
    case 'bridge-port':
      return { bridge: step.bridge };
    case 'address':
      return { address: step.address.prefix };
    case 'fdb':
      return { mac: step.row.mac, vtep: step.row.vtep };
    case 'neighbour':
      return { address: step.neighbour.address, mac: step.neighbour.mac };
    case 'route':
      return { to: step.route.to, via: step.route.via };
    default:
      return step satisfies never;
  }
}

export function stepJson(step: Step): StepJson {
  const { action, kind, link, reason } = step;
  return { action, kind, link, ...details(step), ...(reason === undefined ? {} : { reason }) };
}

export interface PlanJson {
  readonly version: 1;
  readonly fabric: string;
  readonly host: string;
  readonly converged: boolean;
  readonly steps: readonly StepJson[];
  readonly foreign: readonly Foreign[];
}

/** Whether the host is as wanted: nothing to do, and nothing in the way. */
export function isConverged(plan: Plan): boolean {
  return plan.steps.length === 0 && plan.conflicts.length === 0;
}

export function planJson(plan: Plan, of: { readonly fabric: string; readonly host: string }): PlanJson {
  return {
    version: 1,
    fabric: of.fabric,
    host: of.host,
    converged: isConverged(plan),
    steps: plan.steps.map(stepJson),
    foreign: plan.foreign,
  };
}
