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

/** A link to be made: `link vxlan0: vni 77, port 4789, remote 10.10.0.4, local 10.0.0.4, device eth0, mtu 1450` */
function describeLink(link: LinkState): string {
  const said = Object.entries(linkFacts(link)).filter(([name, value]) => name !== 'type' && value !== null);
  const facts = said.map(([name, value]) => `${name} ${showValue(value)}`).join(', ');
  return `${link.kind === 'bridge' ? 'bridge' : 'link'} ${link.name}: ${facts}`;
}

function linkFacts(link: LinkState): Record<string, unknown> {
  const v = link.vxlan;
  if (v === null) return { type: link.kind, mtu: link.mtu };
  const { vni, port, remote, local, device } = v;
  return { type: link.kind, vni, port, remote, local, device, mtu: link.mtu };
}

function sentence(step: Step): string {
  switch (step.kind) {
    case 'link':
      switch (step.action) {
        case 'add':
          return `add ${describeLink(step.to)}`;
        case 'remove':
          return `remove ${step.from.kind === 'bridge' ? 'bridge' : 'link'} ${step.link}`;
        case 'change':
        case 'recreate': {
          const changes = showChanges(step.changes, step.from, step.to);
          return `${step.action} ${step.to.kind === 'bridge' ? 'bridge' : 'link'} ${step.link}${changes === '' ? '' : `: ${changes}`}`;
        }
        default:
          return step satisfies never;
      }
    case 'bridge-port':
      return step.action === 'add'
        ? `put ${step.link} into bridge ${step.bridge}`
        : `take ${step.link} out of bridge ${step.bridge}`;
    case 'address':
      return `${step.action} address ${step.address.prefix} on ${step.link}`;
    case 'fdb': {
      const { mac, vtep } = step.row;
      const what = mac === ZERO_MAC ? `flooding to ${vtep}` : `MAC ${mac} at ${vtep}`;
      return `${step.action} ${what} on ${step.link}`;
    }
    case 'neighbour':
      return `${step.action} neighbour ${step.neighbour.address} at ${step.neighbour.mac} on ${step.link}`;
    case 'route': {
      const via = step.route.via === null ? '' : ` via ${step.route.via}`;
      return `${step.action} route ${step.route.to}${via} on ${step.link}`;
    }
    default:
      return step satisfies never;
  }
}

/** One line, without the marker: `change link vxlan0: mtu 1450 → 1400`. */
export function explain(step: Step): string {
  return step.reason === undefined ? sentence(step) : `${sentence(step)} (${step.reason})`;
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
