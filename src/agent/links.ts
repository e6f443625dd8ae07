/** Which links belong to which overlay. */
import type { Fabric, Overlay } from '../model/fabric.ts';
import type { HostFacts } from '../model/state.ts';

function linksOfOne({ name, options }: Overlay): readonly string[] {
  return options.bridge === null ? [name] : [name, options.bridge, ...options.ports];
}

/** Every link of these overlays, bridges and ports as well. */
export function linksOf(fabric: Fabric, overlays: Iterable<string>): ReadonlySet<string> {
  const names = new Set<string>();
  for (const name of overlays) {
    const overlay = fabric.overlays.get(name);
    if (overlay !== undefined) for (const link of linksOfOne(overlay)) names.add(link);
  }
  return names;
}

/** Another text for another state of the host's links, but for these: all that overlays depend on. */
export function keyOfOthers({ links }: HostFacts, own: ReadonlySet<string>): string {
  const others = [...links.values()].filter(({ name }) => !own.has(name));
  return JSON.stringify(
    others.map(({ name, index, kind, up, mtu, addresses }) => [name, index, kind, up, mtu, addresses]),
  );
}

/** Link → its overlay. */
export function overlaysByLink(fabric: Fabric): ReadonlyMap<string, string> {
  const overlays = new Map<string, string>();
  for (const overlay of fabric.overlays.values())
    for (const link of linksOfOne(overlay)) overlays.set(link, overlay.name);
  return overlays;
}
