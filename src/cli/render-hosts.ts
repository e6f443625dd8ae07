/** The hosts to render for, as far as this machine and the file tell of them. */
import { factsElsewhere } from '../fabric/elsewhere.ts';
import { identify } from '../fabric/identify.ts';
import { resolve } from '../fabric/resolve.ts';
import type { Fabric, Host } from '../model/fabric.ts';
import { EverlanError } from '../model/problem.ts';
import type { HostFacts } from '../model/state.ts';
import type { RenderHost } from '../render/target.ts';
import type { Context } from './command.ts';
import { networkFileOf } from './network-file.ts';
import { wrongUse } from './options.ts';
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

function deviceHere({ underlay }: Host, { links }: HostFacts): string | undefined {
  const start = `${underlay}/`;
  return [...links.values()].find(({ addresses }) => addresses.some((prefix) => prefix.startsWith(start)))?.name;
}

/** @param facts of this machine, when it is the host; else null. @throws EverlanError, exit 1, for what the host lacks. */
function renderHost(fabric: Fabric, host: Host, facts: HostFacts | null, managed: boolean): RenderHost {
  const desired = resolve(fabric, host.name, facts ?? factsElsewhere(fabric, host.name));
  const overlays = [...fabric.overlays.values()].filter(({ members }) => members.has(host.name));
  const device = host.device === undefined && facts !== null ? deviceHere(host, facts) : host.device;
  const index = typeof device === 'string' ? facts?.links.get(device)?.index : undefined;
  return {
    desired,
    options: new Map(overlays.map(({ name, options }) => [name, options])),
    device,
    named: host.device !== undefined,
    networkFile: managed && index !== undefined ? networkFileOf(index) : null,
    hostname: host.hostname,
    underlay: host.underlay,
  };
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
 * This host, the one of --host, or with --all-hosts all of them.
 * @throws EverlanError when this machine is none of them (exit 2), or lacks something (exit 1).
 */
export function renderHosts(context: Context, fabric: Fabric): readonly RenderHost[] {
  const { options, timings } = context;
  const all = options.flag('allHosts');
  if (all && options.host !== undefined) throw wrongUse('--host and --all-hosts both say for whom: give one');
  const facts = factsHere(context, fabric);
  const here = hostHere(fabric, facts);
  const asked = all ? null : identify(fabric, facts, options.host);
  const hosts = [...fabric.hosts.values()].filter(({ name }) => asked === null || name === asked);
  return timings.measure('resolve', () =>
    hosts.map((host) => {
      const isHere = host.name === here && hasUnderlay(host, facts);
      return renderHost(fabric, host, isHere ? facts : null, options.netns === undefined);
    }),
  );
}
