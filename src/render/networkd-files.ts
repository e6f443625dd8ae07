/** The files for systemd-networkd and udev that both networkd and netplan need. */
import type { LinkState } from '../model/state.ts';
import { offloadSections, portSections } from './networkd-network.ts';
import { originOf } from './origin.ts';
import type { Part } from './part.ts';
import type { RenderContext, RenderedFile, RenderHost } from './target.ts';
import { type Section, unitFile } from './unit-file.ts';

const FOLDER = 'etc/systemd/network';
/** After netplan's files (10-) and most of the others, before those that match every link (80-, 89-, 99-). */
export const PREFIX = '60-everlan-';

/** @param path below networkd's folder. @param about a sentence: what the file is for. */
export type Write = (path: string, about: string, sections: readonly Section[]) => RenderedFile;

export const writer =
  (host: RenderHost, context: RenderContext): Write =>
  (path, about, sections) => ({
    path: `${FOLDER}/${path}`,
    text: unitFile([about, ...originOf(host, context)], sections),
    mode: 0o644,
  });

export const aboutLink = ({ overlay }: Part, { name }: LinkState): string =>
  name === overlay.name ? `The overlay ${name}.` : `The bridge ${name} of the overlay ${overlay.name}.`;

export function portFiles({ bridge, ports, overlay }: Part, write: Write): readonly RenderedFile[] {
  if (bridge === null) return [];
  return ports.map((port) =>
    write(
      `${PREFIX}${port}.network`,
      `${port} as a port of ${bridge.name}, the bridge of the overlay ${overlay.name}.`,
      portSections(port, bridge.name),
    ),
  );
}

export function offloadFiles(part: Part, write: Write): readonly RenderedFile[] {
  if (part.link.txChecksum) return [];
  return [write(`${PREFIX}${part.link.name}.link`, aboutLink(part, part.link), offloadSections(part.link))];
}

/** What networkd does otherwise than everlan, as far as it concerns these overlays. */
export function networkdNotes(parts: readonly Part[]): readonly string[] {
  const notes: string[] = [];
  const names = (some: readonly Part[]): string => some.map(({ overlay }) => overlay.name).join(', ');
  const auto = parts.filter(({ mtu }) => mtu === null);
  if (auto.length > 0) {
    notes.push(
      `The MTU of ${names(auto)} is taken from the device when the link is made; it does not follow it afterwards.`,
    );
  }
  const guessed = parts.filter(({ mtu, options }) => mtu !== null && options.mtu === 'auto');
  if (guessed.length > 0) {
    notes.push(
      `The MTU of ${names(guessed)} is what this machine has for it: without a device the kernel would take 1500.`,
    );
  }
  const spoiled = parts.filter(({ link }) => !link.txChecksum);
  if (spoiled.length > 0) {
    notes.push(
      `The .link file of ${names(spoiled)} is applied by udev when the link is made, and not where udev does not run.`,
    );
  }
  for (const { ports, bridge } of parts) {
    for (const port of ports) {
      notes.push(
        `${port} is put into ${bridge?.name} by ${PREFIX}${port}.network. If another .network that sorts before it is for ${port}, write Bridge=${bridge?.name} there.`,
      );
    }
  }
  if (parts.length > 0) {
    notes.push(
      'networkd does not change the VNI, the port or the like of a link that is there, and leaves forwarding rows of former peers: remove the link first (`networkctl delete NAME`).',
    );
  }
  return notes;
}
