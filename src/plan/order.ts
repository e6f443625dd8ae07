/** The order in which steps are done: a table of phases, each with the reason for its place. */
import type { Step } from '../model/step.ts';

/**
 * What is taken away comes first, so that a name, a VNI with its port, or a default row of the flooding list is free
 * before somebody takes it; what stands on a link comes after the link.
 */
export const PHASES = [
  'route-remove',
  'neighbour-remove',
  // Before link changes: a `remote` set while its own row stands in the flooding list would send each frame twice.
  'fdb-remove',
  'bridge-port-remove',
  'link-remove',
  // One run of link steps: the kernel's side removes what goes before it makes anything, so VNIs may change places.
  'link-recreate',
  // Bridges before the links that are put into them.
  'bridge-add',
  'link-add',
  // Before FDB adds: `remote` must go before rows of the same VTEP come. Before addresses: going down loses them.
  'link-change',
  'bridge-port-add',
  // Adds before removes: losing its last IPv4 address takes a link's IPv4 routes and neighbours with it.
  'address-add',
  'address-remove',
  // The primary address of a subnet takes its secondaries along.
  'address-again',
  'fdb-add',
  'neighbour-add',
  // Last: the next hop must be reachable.
  'route-add',
] as const;

export type Phase = (typeof PHASES)[number];

/** The phase of a step by its kind and action alone. */
export function phaseOf(step: Step): Phase {
  switch (step.kind) {
    case 'link':
      if (step.action === 'add') return step.to.kind === 'bridge' ? 'bridge-add' : 'link-add';
      return `link-${step.action}`;
    case 'address':
    case 'bridge-port':
    case 'route':
      return `${step.kind}-${step.action}`;
    case 'fdb':
    case 'neighbour':
      return `${step.kind}-${step.action === 'remove' ? 'remove' : 'add'}`;
    default:
      return step satisfies never;
  }
}

/** Collects steps and gives them back by phase; within a phase they keep the order in which they came. */
export class StepList {
  readonly #phases = new Map<Phase, Step[]>(PHASES.map((phase) => [phase, []]));

  put(step: Step, phase: Phase = phaseOf(step)): void {
    this.#phases.get(phase)?.push(step);
  }

  inOrder(): Step[] {
    return [...this.#phases.values()].flat();
  }
}
