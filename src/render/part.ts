/** One overlay on its host, as the targets that write files for systemd-networkd go through them. */
import type { DesiredOverlay } from '../model/desired.ts';
import type { OverlayOptions } from '../model/options.ts';
import { EverlanError, EXIT, problem } from '../model/problem.ts';
import type { LinkState } from '../model/state.ts';
import type { RenderHost } from './target.ts';

export interface Part {
  readonly host: RenderHost;
  readonly overlay: DesiredOverlay;
  readonly options: OverlayOptions;
  readonly link: LinkState;
  readonly bridge: LinkState | null;
  readonly ports: readonly string[];
  /** Bytes; null: left to the kernel, which takes the device's less the outer headers. */
  readonly mtu: number | null;
}

/** In the file's order. */
export function partsOf(host: RenderHost): readonly Part[] {
  const { links } = host.desired.state;
  return host.desired.overlays.map((overlay) => {
    const link = links.get(overlay.name);
    const options = host.options.get(overlay.name);
    if (link === undefined || options === undefined) throw new TypeError(`no overlay ${overlay.name} on the host`);
    const bridge = options.bridge === null ? null : (links.get(options.bridge) ?? null);
    // Without a device the kernel would take 1500, whatever the path carries.
    const mtu = options.mtu === 'auto' && host.device !== null ? null : link.mtu;
    return { host, overlay, options, link, bridge, ports: options.ports, mtu };
  });
}

/** @throws EverlanError: networkd takes a name of digits alone for an index. */
export function checkNames(parts: readonly Part[]): void {
  const names = parts.flatMap(({ link, bridge, ports }) => [
    link.name,
    ...(bridge === null ? [] : [bridge.name]),
    ...ports,
  ]);
  const bad = names.filter((name) => /^\d+$/.test(name));
  if (bad.length === 0) return;
  const message = `systemd takes ${bad.join(', ')} for the index of a link, not for its name`;
  throw new EverlanError(problem('link-name-digits', message, { hint: 'use a name with a letter' }), EXIT.usage);
}
