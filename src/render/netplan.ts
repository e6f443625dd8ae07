/** netplan: tunnels and bridges in its own words, and drop-ins for the files that it writes where it has none. */
import { EverlanError, EXIT, problem } from '../model/problem.ts';
import type { LinkState } from '../model/state.ts';
import { bridgeOf, oddEntries, tunnelOf } from './netplan-tunnel.ts';
import { unsaidFamily } from './networkd.ts';
import { aboutLink, networkdNotes, offloadFiles, portFiles, portNotes, type Write, writer } from './networkd-files.ts';
import { beyondNetplan } from './networkd-network.ts';
import { originOf } from './origin.ts';
import { type Part, partsOf } from './part.ts';
import type { RenderContext, Rendered, RenderedFile, RenderHost, Target } from './target.ts';
import type { Section } from './unit-file.ts';
import { type Yaml, type YamlMap, yamlFile } from './yaml.ts';

const PATH = 'etc/netplan/60-everlan.yaml';

const SUPPORT: Target['support'] = {
  port: 'yes',
  ageing: 'yes',
  limit: { by: 'above 2147483647 a drop-in for networkd, because netplan writes a negative number' },
  ttl: { by: '`inherit` by a drop-in for networkd' },
  'type-of-service': 'yes',
  'flow-label': 'yes',
  'do-not-fragment': { by: '`inherit` by a drop-in for networkd' },
  'mac-learning': 'yes',
  'arp-proxy': 'yes',
  'short-circuit': 'yes',
  'port-range': 'yes',
  notifications: 'yes',
  checksums: 'yes',
  extensions: 'yes',
  local: 'yes',
  mtu: { by: '`auto` is the kernel’s own choice when the link is made, and does not follow the device' },
  mac: 'yes',
  flood: { by: 'more than one peer by a drop-in for networkd' },
  remotes: { by: 'more than one peer by a drop-in for networkd' },
  macs: { by: 'a drop-in for networkd' },
  bridge: 'yes',
  ports: { by: 'a .network file for networkd: netplan must not declare what is declared elsewhere' },
  routes: 'yes',
  neighbours: { by: 'a drop-in for networkd' },
  'tx-checksum-offload': { by: 'a .link file, which udev applies' },
};

/** netplan 0.106 writes names into its files as they stand, where other signs would mean something. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;

function checkNames(parts: readonly Part[]): void {
  const names = parts.flatMap(({ link, bridge }) => [link.name, ...(bridge === null ? [] : [bridge.name])]);
  const bad = names.filter((name) => !NAME.test(name) || /^\d+$/.test(name));
  if (bad.length === 0) return;
  const message = `netplan cannot make a link of the name ${bad.join(' or ')}`;
  const hint = 'use letters, digits, “_”, “.” and “-”, and not digits alone';
  throw new EverlanError(problem('netplan-name', message, { hint }), EXIT.usage);
}

/** netplan names the files that it writes for networkd after its IDs. */
const idOf = (networkFile: string): string | null =>
  /(?:^|\/)10-netplan-([^/]+)\.network$/.exec(networkFile)?.[1] ?? null;

function underlayId(host: RenderHost, { underlayId: said }: RenderContext): string {
  const id = said ?? host.netplanId ?? (host.networkFile === null ? null : idOf(host.networkFile));
  if (id !== null) return id;
  const link = host.device ?? 'the underlay device';
  const message = `netplan’s ID of ${link} is not known, and a second one would take its configuration away`;
  const hint =
    'say it with --underlay-id ID: it is the key below `ethernets:`, `bonds:` or the like in the files of /etc/netplan';
  throw new EverlanError(problem('underlay-id', message, { hint }), EXIT.usage);
}

interface Unwritten {
  readonly path: string;
  readonly about: string;
  readonly sections: readonly Section[];
}

/** A drop-in for a file that netplan writes below /run/systemd/network; none when there is nothing to say. */
function dropIn(
  part: Part,
  link: LinkState,
  kind: 'netdev' | 'network',
  sections: readonly Section[],
): readonly Unwritten[] {
  if (sections.length === 0) return [];
  const about = `${aboutLink(part, link)} What netplan has no words for.`;
  return [{ path: `10-netplan-${link.name}.${kind}.d/50-everlan.conf`, about, sections }];
}

function dropIns(part: Part, write: Write): readonly RenderedFile[] {
  const { link, bridge } = part;
  const entries = oddEntries(part);
  return [
    ...dropIn(part, link, 'netdev', entries.length === 0 ? [] : [{ name: 'VXLAN', entries }]),
    ...dropIn(part, link, 'network', beyondNetplan(link)),
    ...(bridge === null ? [] : dropIn(part, bridge, 'network', beyondNetplan(bridge))),
  ].map(({ path, about, sections }) => write(path, about, sections));
}

function netplanFile(host: RenderHost, context: RenderContext, parts: readonly Part[]): RenderedFile {
  const link = host.device === null ? null : underlayId(host, context);
  const tunnels = parts.map((part): [string, YamlMap] => [part.link.name, tunnelOf(part, link)]);
  const bridges = parts.flatMap((part): [string, YamlMap][] =>
    part.bridge === null ? [] : [[part.bridge.name, bridgeOf(part, part.bridge)]],
  );
  const network: [string, Yaml][] = [
    ['version', 2],
    ['tunnels', new Map(tunnels)],
  ];
  if (bridges.length > 0) network.push(['bridges', new Map(bridges)]);
  return { path: PATH, text: yamlFile(originOf(host, context), new Map([['network', new Map(network)]])), mode: 0o600 };
}

function notesOf(parts: readonly Part[], beside: readonly RenderedFile[]): readonly string[] {
  const notes = [
    'Copy the files below / and run `netplan apply`: netplan 0.105 or newer, with networkd as its renderer.',
  ];
  if (beside.length > 0) {
    const paths = beside.map(({ path }) => `/${path}`).join(', ');
    notes.push(`What netplan has no words for is in files for systemd: ${paths}.`);
  }
  if (beside.some(({ text }) => text.includes('\n[Address]\n'))) {
    notes.push(
      'Addresses of 169.254.0.0/16 are in a drop-in once more, because networkd would probe for some seconds before it used them: it logs that they are duplicated, and takes those of the drop-in.',
    );
  }
  const instead = (port: string, bridge: string): string =>
    `if netplan declares ${port}, list it under \`interfaces\` of ${bridge} in a netplan file of your own.`;
  return [...notes, ...portNotes(parts, instead), ...networkdNotes(parts)];
}

function render(host: RenderHost, context: RenderContext): Rendered {
  const parts = partsOf(host);
  if (parts.length === 0) return { files: [], notes: [] };
  checkNames(parts);
  const write = writer(host, context);
  const beside = parts.flatMap((part) => [
    ...dropIns(part, write),
    ...portFiles(part, write),
    ...offloadFiles(part, write),
  ]);
  return { files: [netplanFile(host, context, parts), ...beside], notes: notesOf(parts, beside) };
}

export const netplan: Target = {
  name: 'netplan',
  summary: 'files for netplan',
  support: SUPPORT,
  unsaid: unsaidFamily,
  render,
};
