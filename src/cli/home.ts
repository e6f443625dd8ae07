/** What agentless commands tell the neighbours at home (systemd-networkd, NetworkManager) about our links. */
import { claim, namesBefore, ownNames } from '../apply/home.ts';
import type { HostState } from '../model/state.ts';
import type { Context } from './command.ts';
import { type Found, type Place, warn } from './session.ts';

async function tell({ io, options }: Context, { netns, store }: Place, names: Iterable<string>): Promise<void> {
  // Links in another namespace are nobody's business here.
  if (netns !== undefined) return;
  const { changed, problems } = claim(store.fabric, names);
  if (changed.length === 0 && problems.length === 0) return;
  const { tellOnce } = await import('../agent/home.ts');
  const untold = await tellOnce(store.fabric, changed, process.env);
  if (!options.quiet) warn({ io }, [...problems, ...untold]);
}

/** Before anything is changed: says which links are ours and which will be. @returns their names */
export async function claimBefore(context: Context, place: Place, { desired, view }: Found): Promise<string[]> {
  const names = namesBefore(place.store, desired.state, view.facts);
  await tell(context, place, names);
  return names;
}

/** When it is done: those that are there now, and `besides` those that may come back. */
export function claimAfter(
  context: Context,
  place: Place,
  wanted: HostState | null,
  besides: readonly string[] = [],
): Promise<void> {
  return tell(context, place, [...(wanted === null ? [] : ownNames(wanted)), ...besides]);
}
