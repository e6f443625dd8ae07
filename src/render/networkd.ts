/** systemd-networkd: .netdev and .network files, and a drop-in with which the underlay's own .network asks for the links. */
import { familyOf, type IpAddress } from '../model/address.ts';
import { EverlanError, EXIT, problem } from '../model/problem.ts';
import type { LinkState } from '../model/state.ts';
import {
  aboutLink,
  networkdNotes,
  offloadFiles,
  PREFIX,
  portFiles,
  portNotes,
  type Write,
  writer,
} from './networkd-files.ts';
import { networkSections } from './networkd-network.ts';
import { vxlanEntries } from './networkd-vxlan.ts';
import { oneLine } from './one-line.ts';
import { checkNames, type Part, partsOf } from './part.ts';
import type { RenderContext, Rendered, RenderedFile, RenderHost, Target, Unsaid } from './target.ts';
import type { Entry, Section } from './unit-file.ts';

const SUPPORT: Target['support'] = {
  port: 'yes',
  ageing: 'yes',
  limit: 'yes',
  ttl: 'yes',
  'type-of-service': 'yes',
  'flow-label': 'yes',
  'do-not-fragment': 'yes',
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
  flood: 'yes',
  remotes: 'yes',
  macs: 'yes',
  bridge: 'yes',
  ports: { by: 'a .network of their own, unless one that sorts before is for them' },
  routes: 'yes',
  neighbours: 'yes',
  'tx-checksum-offload': { by: 'a .link file, which udev applies' },
};

/**
 * A link that names no address is an IPv4 one: `Remote=` and `Local=` are all that tells networkd the family, and `::` is
 * nothing to it.
 */
export function unsaidFamily(host: RenderHost): readonly Unsaid[] {
  if (familyOf(host.underlay as IpAddress) === 4) return [];
  const why = 'without an address of its own and one remote, networkd makes a link for IPv4';
  return partsOf(host)
    .filter(({ link }) => link.vxlan?.local === null && link.vxlan.remote === null && link.fdb.size > 0)
    .map(({ overlay }) => ({ overlay: overlay.name, option: 'local', why }));
}

function netdevSections({ mtu }: Part, { name, kind, mac, vxlan }: LinkState): readonly Section[] {
  const entries: Entry[] = [
    ['Name', name],
    ['Kind', kind],
    ['MACAddress', mac],
  ];
  if (mtu !== null) entries.push(['MTUBytes', String(mtu)]);
  const netdev: Section = { name: 'NetDev', entries };
  return vxlan === null ? [netdev] : [netdev, { name: 'VXLAN', entries: vxlanEntries(vxlan) }];
}

/** The files of a link that networkd makes. */
function linkFiles(part: Part, link: LinkState, write: Write): readonly RenderedFile[] {
  const about = aboutLink(part, link);
  return [
    write(`${PREFIX}${link.name}.netdev`, about, netdevSections(part, link)),
    write(`${PREFIX}${link.name}.network`, about, networkSections(part, link)),
  ];
}

/** `10-netplan-eth0`, of a file's name or its whole path. */
function unitName(id: string): string {
  const name = id.slice(id.lastIndexOf('/') + 1).replace(/\.network$/, '');
  if (name !== '' && !name.startsWith('.') && oneLine(name) === name) return name;
  throw new EverlanError(
    problem('underlay-id', `${JSON.stringify(id)} is not the name of a .network file`),
    EXIT.usage,
  );
}

function underlayName({ device, networkFile }: RenderHost, { underlayId }: RenderContext): string {
  const known = underlayId ?? networkFile;
  if (known !== null) return unitName(known);
  const link = device ?? 'the underlay device';
  const message = `the name of the .network file of ${link} is not known, and it must ask for the overlays`;
  const hint = `say it with --underlay-id NAME: on the host, \`networkctl status ${device ?? 'DEVICE'}\` shows it as “Network File”`;
  throw new EverlanError(problem('underlay-id', message, { hint }), EXIT.usage);
}

/** Never a .network of our own for the device: it could be the first that matches, and take the host's address away. */
function underlayFile(host: RenderHost, context: RenderContext, parts: readonly Part[], write: Write): RenderedFile {
  const entries = parts.map(({ overlay }): Entry => ['VXLAN', overlay.name]);
  const path = `${underlayName(host, context)}.network.d/50-everlan.conf`;
  return write(path, 'What the underlay’s own .network asks for: the overlays.', [{ name: 'Network', entries }]);
}

function render(host: RenderHost, context: RenderContext): Rendered {
  const parts = partsOf(host);
  if (parts.length === 0) return { files: [], notes: [] };
  checkNames(parts);
  const write = writer(host, context);
  const files = parts.flatMap((part) => [
    ...linkFiles(part, part.link, write),
    ...(part.bridge === null ? [] : linkFiles(part, part.bridge, write)),
    ...portFiles(part, write),
    ...offloadFiles(part, write),
  ]);
  const underlay = host.device === null ? [] : [underlayFile(host, context, parts, write)];
  const instead = (port: string, bridge: string): string =>
    `if a file that sorts before it is for ${port}, write Bridge=${bridge} there.`;
  return {
    files: [...files, ...underlay],
    notes: [
      'Copy the files below / and run `networkctl reload`.',
      ...portNotes(parts, instead),
      ...networkdNotes(parts),
    ],
  };
}

export const networkd: Target = {
  name: 'networkd',
  summary: 'files for systemd-networkd',
  support: SUPPORT,
  unsaid: unsaidFamily,
  render,
};
