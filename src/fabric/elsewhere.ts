/** What is assumed of a host that is not this machine. */
import { familyOf, type Prefix } from '../model/address.ts';
import type { Fabric, Host, Overlay } from '../model/fabric.ts';
import type { HostFacts, LinkFacts } from '../model/state.ts';

/** Stands for a device whose name nobody has told. No link can have this name, so it cannot pass for one. */
export const UNKNOWN_DEVICE = '(unknown)';

const MTU = 1500;

/** Large enough for every MTU that the file states: whether the device carries it is found out over there. */
function mtuOf(host: Host, overlays: readonly Overlay[]): number {
  const overhead = familyOf(host.underlay) === 4 ? 50 : 70;
  const stated = overlays.map(({ options }) => (options.mtu === 'auto' ? 0 : options.mtu + overhead));
  return stated.reduce((most, mtu) => Math.max(most, mtu), MTU);
}

/**
 * Facts with which `resolve` finds nothing missing: a device that holds the underlay address, and the ports. Its name and
 * MTU are guesses where the file does not say them.
 */
export function factsElsewhere(fabric: Fabric, hostName: string): HostFacts {
  const host = fabric.hosts.get(hostName);
  if (host === undefined) throw new TypeError(`no host ${hostName} in the fabric`);
  const overlays = [...fabric.overlays.values()].filter(({ members }) => members.has(hostName));
  const links = new Map<string, LinkFacts>();
  const add = (name: string, mtu: number, addresses: readonly Prefix[]): void => {
    links.set(name, { name, index: links.size + 1, kind: '', up: true, mtu, addresses });
  };
  const length = familyOf(host.underlay) === 4 ? 24 : 64;
  add(host.device ?? UNKNOWN_DEVICE, mtuOf(host, overlays), [`${host.underlay}/${length}` as Prefix]);
  for (const { options } of overlays) {
    for (const port of options.ports) if (!links.has(port)) add(port, MTU, []);
  }
  return { hostname: host.hostname, links };
}
