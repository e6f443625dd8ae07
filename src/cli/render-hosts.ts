/** The hosts to render for, as far as this machine and the file tell of them. */
import { identify } from '../fabric/identify.ts';
import type { Fabric, Host } from '../model/fabric.ts';
import { EverlanError } from '../model/problem.ts';
import type { HostFacts } from '../model/state.ts';
import type { RenderHost } from '../render/target.ts';
import type { Context } from './command.ts';
import { networkFileOf } from './network-file.ts';
import { wrongUse } from './options.ts';
import { type LinkFiles, NO_FILES, renderHost } from './render-host.ts';
import { openPlace } from './session.ts';

/** The host that this machine is; null: none, or more than one. */
function hostHere(fabric: Fabric, facts: HostFacts): string | null {
  try {
    return identify(fabric, facts);
  } catch (error) {
    if (error instanceof EverlanError) return null;
    throw error;
  }
}

/** Names alone do not make it the host: what is looked at here must be what carries the overlays. */
function hasUnderlay({ underlay, device }: Host, { links }: HostFacts): boolean {
  if (typeof device === 'string') return links.has(device);
  const start = `${underlay}/`;
  return [...links.values()].some(({ addresses }) => addresses.some((prefix) => prefix.startsWith(start)));
}

function factsHere(context: Context, fabric: Fabric): HostFacts {
  const place = openPlace(context, fabric.name);
  try {
    return context.timings.measure('observe', () => place.kernel.look().facts);
  } finally {
    place.close();
  }
}

/**
 * @param netplanId for a target that needs it.
 * @returns this host, the one of --host, or with --all-hosts all of them.
 * @throws EverlanError when this machine is none of them (exit 2), or lacks something (exit 1).
 */
export function renderHosts(
  context: Context,
  fabric: Fabric,
  netplanId: LinkFiles['netplanId'] = NO_FILES.netplanId,
): readonly RenderHost[] {
  const { options, timings } = context;
  const all = options.flag('allHosts');
  if (all && options.host !== undefined) throw wrongUse('--host and --all-hosts both say for whom: give one');
  const facts = factsHere(context, fabric);
  const here = hostHere(fabric, facts);
  const asked = all ? null : identify(fabric, facts, options.host);
  const hosts = [...fabric.hosts.values()].filter(({ name }) => asked === null || name === asked);
  // In another namespace, the files of this machine speak of other links.
  const files = options.netns === undefined ? { networkFile: networkFileOf, netplanId } : NO_FILES;
  return timings.measure('resolve', () =>
    hosts.map((host) => {
      const isHere = host.name === here && hasUnderlay(host, facts);
      return renderHost(fabric, host, isHere ? facts : null, files);
    }),
  );
}
