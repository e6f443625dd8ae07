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
  return NOTES.flatMap(({ when, say }) => {
    const some = parts.filter(when);
    return some.length === 0 ? [] : [say(some.map(({ overlay }) => overlay.name).join(', '))];
  });
}

interface Note {
  when(part: Part): boolean;
  say(names: string): string;
}

const NOTES: readonly Note[] = [
  {
    when: ({ mtu }) => mtu === null,
    say: (names) =>
      `The MTU of ${names} is taken from the device when the link is made, and does not follow it afterwards.`,
  },
  {
    when: ({ mtu, options }) => mtu !== null && options.mtu === 'auto',
    say: (names) => `The MTU of ${names} is written as a number: without a device the kernel would take 1500.`,
  },
  {
    when: ({ link }) => !link.txChecksum,
    say: (names) => `Checksum offload of ${names} is switched off by udev, so not where udev does not run.`,
  },
  {
    when: () => true,
    say: (names) =>
      `networkd leaves the VNI, the port and the like of a link that is there as they are, and forwarding rows of former peers too: after a change, \`networkctl delete\` those of ${names} that it concerns, and then reload.`,
  },
];

/** @param instead what to do where the port has a file already. */
export function portNotes(
  parts: readonly Part[],
  instead: (port: string, bridge: string) => string,
): readonly string[] {
  return parts.flatMap(({ ports, bridge }) =>
    bridge === null
      ? []
      : ports.map((port) => `${PREFIX}${port}.network puts ${port} into ${bridge.name}; ${instead(port, bridge.name)}`),
  );
}
