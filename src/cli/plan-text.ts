/** A plan for people: grouped by link, each step with its marker. */
import { ZERO_MAC } from '../model/mac.ts';
import type { LinkState } from '../model/state.ts';
import type { Action, Plan, Step } from '../model/step.ts';
import { explainForeign } from '../plan/explain.ts';
import { showChanges, showValue } from '../plan/names.ts';
import type { Paints } from './colour.ts';
import { type Cell, columns, counted, thousands } from './text.ts';

/** What is shown without -v: steps of one kind on a link, links, foreign things. */
const MOST_ALIKE = 10;
const MOST_LINKS = 25;
const MOST_FOREIGN = 10;

interface ActionWords {
  readonly marker: string;
  readonly paint: keyof Paints;
  /** In the closing line of a plan, and of an apply. */
  readonly planned: string;
  readonly done: string;
}

/** In the order of the closing line. */
export const ACTIONS = {
  recreate: { marker: '!', paint: 'red', planned: 'to recreate (with downtime)', done: 'recreated' },
  add: { marker: '+', paint: 'green', planned: 'to add', done: 'added' },
  change: { marker: '~', paint: 'yellow', planned: 'to change in place', done: 'changed in place' },
  remove: { marker: '-', paint: 'red', planned: 'to remove', done: 'removed' },
} as const satisfies Record<Action, ActionWords>;

const ACTION_NAMES = Object.keys(ACTIONS) as readonly Action[];

type Noun = readonly [one: string, many: string];

const NOUNS = {
  'bridge-port': ['port', 'ports'],
  address: ['address', 'addresses'],
  neighbour: ['neighbour', 'neighbours'],
  route: ['route', 'routes'],
} as const satisfies Record<string, Noun>;
const LINK: Noun = ['link', 'links'];
const BRIDGE: Noun = ['bridge', 'bridges'];
const FLOODING: Noun = ['flooding', 'VTEPs flooded to'];
const MAC: Noun = ['MAC', 'MACs'];

/** What a step is about. Apart from the rest, since the steps of a large plan are only counted. */
function nounOf(step: Step): Noun {
  if (step.kind === 'link') return (step.action === 'remove' ? step.from : step.to).kind === 'bridge' ? BRIDGE : LINK;
  if (step.kind === 'fdb') return step.row.mac === ZERO_MAC ? FLOODING : MAC;
  return NOUNS[step.kind];
}

function facts(link: LinkState): string {
  if (link.vxlan === null) return `mtu ${link.mtu}`;
  const { vni, port, remote, local, device } = link.vxlan;
  return Object.entries({ vni, port, remote, local, device, mtu: link.mtu })
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${showValue(value)}`)
    .join(', ');
}

function whatOf(step: Step): string {
  switch (step.kind) {
    case 'link':
      switch (step.action) {
        case 'add':
          return facts(step.to);
        case 'remove':
          return facts(step.from);
        case 'change':
        case 'recreate':
          return showChanges(step.changes, step.from, step.to);
        default:
          return step satisfies never;
      }
    case 'bridge-port':
      return `of bridge ${step.bridge}`;
    case 'address':
      return step.address.prefix;
    case 'fdb':
      return step.row.mac === ZERO_MAC ? `to ${step.row.vtep}` : `${step.row.mac} at ${step.row.vtep}`;
    case 'neighbour':
      return `${step.neighbour.address} at ${step.neighbour.mac}`;
    case 'route':
      return step.route.via === null ? step.route.to : `${step.route.to} via ${step.route.via}`;
    default:
      return step satisfies never;
  }
}

/** Steps by what `key` says of them, in the order of their first. */
function groups(steps: readonly Step[], key: (step: Step) => string): ReadonlyMap<string, readonly Step[]> {
  const found = new Map<string, Step[]>();
  for (const step of steps) {
    const name = key(step);
    const list = found.get(name);
    if (list === undefined) found.set(name, [step]);
    else list.push(step);
  }
  return found;
}

interface Style {
  readonly paints: Paints;
  /** Leave nothing out. */
  readonly all: boolean;
}

function stepCells(step: Step, { paints }: Style): Cell[] {
  const { marker, paint } = ACTIONS[step.action];
  const [noun] = nounOf(step);
  const what = whatOf(step);
  const notes = [step.action === 'recreate' ? 'made anew: traffic stops for a moment' : null, step.reason ?? null];
  const why = notes.filter((note) => note !== null).join('; ');
  return [
    { text: `${marker} ${noun}`, paint: paints[paint] },
    { text: why === '' ? what : `${what} ${paints.dim(`(${why})`)}` },
  ];
}

function linkLines(steps: readonly Step[], style: Style): string[] {
  const cells: Cell[][] = [];
  for (const alike of groups(steps, (step) => `${step.action} ${nounOf(step)[0]}`).values()) {
    // One more line takes no more room than the words about it.
    const most = style.all || alike.length <= MOST_ALIKE + 1 ? alike.length : MOST_ALIKE;
    for (const step of alike.slice(0, most)) cells.push(stepCells(step, style));
    const [first] = alike;
    if (most === alike.length || first === undefined) continue;
    const { marker, paint } = ACTIONS[first.action];
    const more = `and ${thousands(alike.length - most)} more ${nounOf(first)[1]}`;
    cells.push([
      { text: `${marker} …`, paint: style.paints[paint] },
      { text: more, paint: style.paints.dim },
    ]);
  }
  return columns(cells, '  ');
}

/** `1 to recreate (with downtime), 2 to add`. */
export function countActions(steps: readonly Step[], words: 'planned' | 'done'): string {
  const counts = new Map<Action, number>();
  for (const { action } of steps) counts.set(action, (counts.get(action) ?? 0) + 1);
  return ACTION_NAMES.flatMap((action) => {
    const count = counts.get(action);
    return count === undefined ? [] : [`${thousands(count)} ${ACTIONS[action][words]}`];
  }).join(', ');
}

/** The steps, each link under its name. */
export function stepLines(steps: readonly Step[], style: Style): string[] {
  const byLink = [...groups(steps, (step) => step.link)];
  const most = style.all || byLink.length <= MOST_LINKS + 1 ? byLink.length : MOST_LINKS;
  const lines = byLink.slice(0, most).flatMap(([link, own]) => [style.paints.bold(link), ...linkLines(own, style)]);
  if (most < byLink.length) {
    const rest = byLink.slice(most);
    const left = rest.reduce((sum, [, own]) => sum + own.length, 0);
    lines.push(
      style.paints.dim(`… and ${counted(rest.length, 'more link')} with ${counted(left, 'step')} (-v shows all)`),
    );
  }
  return lines;
}

/** What somebody else put on our links, and stays. */
export function foreignLines(plan: Pick<Plan, 'foreign'>, style: Style): string[] {
  const { foreign } = plan;
  if (foreign.length === 0) return [];
  const most = style.all || foreign.length <= MOST_FOREIGN + 1 ? foreign.length : MOST_FOREIGN;
  const lines = foreign.slice(0, most).map((item) => `  ${explainForeign(item)}`);
  if (most < foreign.length) lines.push(style.paints.dim(`  … and ${thousands(foreign.length - most)} more`));
  return ['Not ours, left alone (--prune removes it):', ...lines];
}

/** A plan as `everlan plan` prints it. */
export function planText(plan: Plan, of: { fabric: string; host: string }, style: Style): string {
  const where = `${of.fabric} on ${of.host}`;
  const foreign = foreignLines(plan, style);
  const gap = foreign.length === 0 ? [] : [''];
  if (plan.steps.length === 0) {
    const said = plan.conflicts.length === 0 ? 'nothing to do' : 'nothing can be done';
    return [`${where}: ${said}`, ...gap, ...foreign].join('\n');
  }
  const total = `${where}: ${countActions(plan.steps, 'planned')}`;
  return [...stepLines(plan.steps, style), '', style.paints.bold(total), ...gap, ...foreign].join('\n');
}
