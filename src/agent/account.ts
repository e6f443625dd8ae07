/** What one pass of the loop did, in words. Pure. */
import type { Plan, Step } from '../model/step.ts';
import { explain, explainDrift } from '../plan/explain.ts';
import { CONSEQUENCES } from '../plan/rules.ts';
import { byWhom, type Culprit } from './culprits.ts';
import type { AgentEvent } from './door.ts';

export type EventDraft = Pick<AgentEvent, 'kind' | 'level' | 'message'> &
  Partial<Pick<AgentEvent, 'hint' | 'overlays' | 'steps'>>;

/** Why steps were done: the host did not match before anything was known, the fabric is another one, or somebody else changed something. */
export type Occasion = 'start' | 'fabric' | 'change';

export interface Done {
  readonly plan: Plan;
  readonly occasion: Occasion;
  readonly ms: number;
  /** Overlays that waited until now. */
  readonly came: ReadonlySet<string>;
  readonly culprits: readonly Culprit[];
  /** The overlay that a link belongs to. */
  overlayOf(link: string): string;
}

const SHOWN = 3;

function some(list: readonly string[]): string {
  const rest = list.length - SHOWN;
  return rest > 0 ? `${list.slice(0, SHOWN).join('; ')}; and ${rest} more` : list.join('; ');
}

/** What was wrong, not what came with it: of a link that is gone, that it is gone. */
function drifts(steps: readonly Step[]): string[] {
  const anew = new Set(steps.filter(({ kind, action }) => kind === 'link' && action === 'add').map(({ link }) => link));
  return steps
    .filter((step) => !CONSEQUENCES.has(step.reason) && (step.kind === 'link' || !anew.has(step.link)))
    .map(explainDrift);
}

const milliseconds = (ms: number): string => `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;

/** Overlay → its steps, in the order of the steps. */
export function byOverlay(steps: readonly Step[], overlayOf: (link: string) => string): ReadonlyMap<string, Step[]> {
  return Map.groupBy(steps, ({ link }) => overlayOf(link));
}

const COUNTED = { add: 'added', change: 'changed', recreate: 'made anew', remove: 'removed' } as const satisfies Record<
  Step['action'],
  string
>;

function counts(steps: readonly Step[]): string {
  return Object.entries(COUNTED)
    .map(([action, word]) => [steps.filter((step) => step.action === action).length, word] as const)
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${word}`)
    .join(', ');
}

/** At most two events: what came up or was applied, and what was put right. */
export function account({ plan, occasion, ms, came, culprits, overlayOf }: Done): readonly EventDraft[] {
  const took = milliseconds(ms);
  if (occasion !== 'change') {
    const overlays = [...byOverlay(plan.steps, overlayOf).keys()];
    const message = `${counts(plan.steps)} in ${took}, verified`;
    return [{ kind: 'applied', level: 'info', message, overlays, steps: plan.steps.map(explain) }];
  }
  const [late, wrong] = [true, false].map((waited) =>
    plan.steps.filter(({ link }) => came.has(overlayOf(link)) === waited),
  );
  const events: EventDraft[] = [];
  if (late !== undefined && late.length > 0) {
    const overlays = [...byOverlay(late, overlayOf).keys()];
    const message = `${some(overlays)}: made in ${took}, now that what was waited for is there`;
    events.push({ kind: 'applied', level: 'info', message, overlays, steps: late.map(explain) });
  }
  if (wrong !== undefined && wrong.length > 0) {
    const overlays = [...byOverlay(wrong, overlayOf).keys()];
    const who = byWhom(culprits);
    const message = `${some(drifts(wrong))}${who === '' ? '' : ` (changed ${who})`}: put right in ${took}`;
    events.push({ kind: 'healed', level: 'warning', message, overlays, steps: wrong.map(explain) });
  }
  return events;
}
