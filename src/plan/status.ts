/** How each overlay stands: what `everlan status` tells. */
import type { Desired, DesiredOverlay } from '../model/desired.ts';
import { isOurs } from '../model/ownership.ts';
import type { HostState, LinkState } from '../model/state.ts';
import type { OverlayCondition, OverlayStatus, Status } from '../model/status.ts';
import type { Plan, Step } from '../model/step.ts';
import { explainDrift, isConverged } from './explain.ts';
import { CONSEQUENCES } from './rules.ts';

/** `plan` is the difference of `desired` and `observed`. */
export function statusOf(desired: Desired, observed: HostState, plan: Plan): Status {
  const steps = stepsByLink(plan.steps);
  const overlays = desired.overlays.map((overlay) => overlayStatus(desired, observed, overlay, steps));
  return {
    version: 1,
    fabric: desired.fabric,
    host: desired.host,
    converged: isConverged(plan),
    overlays: [...overlays, ...leftOvers(desired, observed, steps)],
    foreign: plan.foreign,
  };
}

type StepsByLink = ReadonlyMap<string, readonly Step[]>;

function stepsByLink(steps: readonly Step[]): StepsByLink {
  const byLink = new Map<string, Step[]>();
  for (const step of steps) {
    // A port belongs to the bridge that it is in or comes into.
    const own = step.kind === 'bridge-port' ? [step.link, step.bridge] : [step.link];
    for (const link of own) {
      const list = byLink.get(link);
      if (list === undefined) byLink.set(link, [step]);
      else list.push(step);
    }
  }
  return byLink;
}

/** What is wrong now, not what putting it right will take along. */
function driftOf(steps: readonly Step[]): string[] {
  return steps.filter((step) => !CONSEQUENCES.has(step.reason)).map(explainDrift);
}

function overlayStatus(
  desired: Desired,
  observed: HostState,
  overlay: DesiredOverlay,
  steps: StepsByLink,
): OverlayStatus {
  const { name, vni, addressed } = overlay;
  const have = observed.links.get(name);
  const holder = observed.links.get(addressed);
  const mine = new Set(steps.get(name));
  if (addressed !== name) for (const step of steps.get(addressed) ?? []) mine.add(step);
  const links = [have, holder].filter((link) => link !== undefined);
  return {
    name,
    vni,
    state: condition(desired.fabric, have, links, [...mine]),
    mtu: (have ?? desired.state.links.get(name))?.mtu ?? 0,
    addresses: [...(holder?.addresses.keys() ?? [])],
    peers: overlay.peers.map(({ host, underlay }) => ({ host, underlay })),
    drift: driftOf([...mine]),
  };
}

/** A stranger's link that cannot be ours: not one of which only a part concerns us. */
function isStranger(link: LinkState, fabric: string): boolean {
  if (link.kind === 'joined' || link.kind === 'port' || link.kind === 'bridge') return false;
  return link.kind === 'other' || !isOurs(link, fabric);
}

function condition(
  fabric: string,
  have: LinkState | undefined,
  links: readonly LinkState[],
  steps: readonly Step[],
): OverlayCondition {
  if (links.some((link) => isStranger(link, fabric))) return 'foreign';
  if (have === undefined) return 'missing';
  if (links.some((link) => !link.up) && steps.every(comesWithDown)) return 'down';
  return steps.length === 0 ? 'up' : 'drifted';
}

/** Whether a step only sets up what is down, or puts back what a link loses when it goes down. */
function comesWithDown(step: Step): boolean {
  switch (step.kind) {
    case 'link':
      return step.action === 'change' && step.changes.every((change) => change.attribute === 'up');
    case 'address':
      return step.action === 'add' && step.address.prefix.includes(':');
    case 'neighbour':
    case 'route':
      return step.action === 'add';
    case 'fdb':
    case 'bridge-port':
      return false;
    default:
      return step satisfies never;
  }
}

/** Overlays of ours that the file does not have any more. */
function leftOvers(desired: Desired, observed: HostState, steps: StepsByLink): OverlayStatus[] {
  const out: OverlayStatus[] = [];
  for (const link of observed.links.values()) {
    if (link.vxlan === null || desired.state.links.has(link.name)) continue;
    const drift = driftOf(steps.get(link.name) ?? []);
    if (drift.length === 0) continue;
    out.push({
      name: link.name,
      vni: link.vxlan.vni,
      state: 'drifted',
      mtu: link.mtu,
      addresses: [...link.addresses.keys()],
      peers: [],
      drift,
    });
  }
  return out;
}
