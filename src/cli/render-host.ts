/** One host to render for. */
import { factsElsewhere } from '../fabric/elsewhere.ts';
import { resolve } from '../fabric/resolve.ts';
import type { Fabric, Host } from '../model/fabric.ts';
import type { HostFacts } from '../model/state.ts';
import type { RenderHost } from '../render/target.ts';

function deviceHere({ underlay }: Host, { links }: HostFacts): string | undefined {
  const start = `${underlay}/`;
  return [...links.values()].find(({ addresses }) => addresses.some((prefix) => prefix.startsWith(start)))?.name;
}

/** What this machine's files tell of a link of it; null: nothing. */
export interface LinkFiles {
  readonly networkFile: (index: number) => string | null;
  readonly netplanId: (name: string) => string | null;
}

export const NO_FILES: LinkFiles = { networkFile: () => null, netplanId: () => null };

/**
 * @param facts of this machine, when it is the host; else null.
 * @throws EverlanError, exit 1, for what the host lacks.
 */
export function renderHost(
  fabric: Fabric,
  host: Host,
  facts: HostFacts | null = null,
  { networkFile, netplanId }: LinkFiles = NO_FILES,
): RenderHost {
  const desired = resolve(fabric, host.name, facts ?? factsElsewhere(fabric, host.name));
  const overlays = [...fabric.overlays.values()].filter(({ members }) => members.has(host.name));
  const device = host.device === undefined && facts !== null ? deviceHere(host, facts) : host.device;
  const link = typeof device === 'string' ? facts?.links.get(device) : undefined;
  return {
    desired,
    options: new Map(overlays.map(({ name, options }) => [name, options])),
    device,
    named: host.device !== undefined,
    networkFile: link === undefined ? null : networkFile(link.index),
    netplanId: link === undefined ? null : netplanId(link.name),
    hostname: host.hostname,
    underlay: host.underlay,
  };
}
