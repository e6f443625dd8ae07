/** The part of a script that is about its host and its overlays, in words that `script-runtime.ts` explains to the shell. */
import { addressOf, familyOf, type IpAddress, lengthOf, type Prefix } from '../model/address.ts';
import type { DesiredPeer } from '../model/desired.ts';
import { groupOf, PROTOCOL } from '../model/ownership.ts';
import type { LinkState } from '../model/state.ts';
import type { Part } from './part.ts';
import { vxlanWords } from './script-vxlan.ts';
import { command, comment, inQuotes, quoted } from './shell.ts';
import type { RenderHost } from './target.ts';

/** A destination as `ip route` shows it. */
function shownRoute(to: Prefix): string {
  const length = lengthOf(to);
  if (length === 0) return 'default';
  return length === (familyOf(to) === 4 ? 32 : 128) ? addressOf(to) : to;
}

function peersText(peers: readonly DesiredPeer[]): string {
  if (peers.length === 0) return 'no peers';
  const shown = peers.slice(0, 8).map(({ host, underlay }) => (host === underlay ? underlay : `${host} ${underlay}`));
  const more = peers.length - shown.length;
  return `peers ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function standing(link: LinkState): readonly string[] {
  const words = [
    ...[...link.addresses.keys()].map((prefix) => command('address', prefix)),
    ...[...link.neighbours.values()].map(({ address, mac }) => command('neighbour', address, mac)),
    ...[...link.routes.values()].flatMap(({ to, via }) => (via === null ? [] : command('route', shownRoute(to), via))),
  ];
  return [command('on', link.name), ...words, 'nothing_else'];
}

/** The words for one overlay, in the order in which they are done. */
function overlayWords({ host, options, link, bridge, ports }: Part): readonly string[] {
  if (link.vxlan === null) throw new TypeError(`${link.name} is no VXLAN link`);
  const mtu = String(options.mtu);
  const { fixed, live } = vxlanWords(link.vxlan, host.underlay as IpAddress);
  const makeBridge = bridge === null ? [] : [`${command('bridge_link', bridge.name, bridge.mac, mtu)} || return`];
  const makeLink = [
    `${command('vxlan_link', link.name, link.mac, mtu)} ${quoted(bridge?.name ?? '')} ${quoted(link.vxlan.remote ?? '')} \\`,
    `  ${quoted(fixed.join(' '))} \\`,
    `  ${quoted(live.join(' '))} || return`,
  ];
  return [
    ...makeBridge,
    ...makeLink,
    ...[...link.fdb.values()].map(({ mac, vtep }) => command('row', mac, vtep)),
    'no_other_rows',
    command('offload', link.txChecksum ? 'on' : 'off'),
    ...(bridge === null ? [] : ports.map((port) => command('port', port, bridge.name))),
    ...standing(bridge ?? link),
  ];
}

/** @param key what tells this overlay from all others of the script. */
export function overlayCase(part: Part, key: string): readonly string[] {
  const { overlay } = part;
  return [
    `    ${inQuotes(key)})`,
    `      ${comment(`VNI ${overlay.vni}, ${peersText(overlay.peers)}`)}`,
    ...overlayWords(part).map((line) => `      ${line}`),
    '      ;;',
  ];
}

/** What is the same on every host. */
export function fabricSettings({ desired: { fabric } }: RenderHost): readonly string[] {
  return [
    `me=${inQuotes(`everlan-${fabric}`)}`,
    `fabric=${inQuotes(fabric)}`,
    comment(
      'Of our links, and of our routes, neighbours and, where ip can say it, addresses: everlan knows its own by them.',
    ),
    `group=${groupOf(fabric)}`,
    `protocol=${PROTOCOL}`,
  ];
}

export function hostSettings(host: RenderHost): readonly string[] {
  const uses = host.named ? (host.device === null ? 'none' : 'device') : 'address';
  return [
    comment('The underlay: a device by its name, the one that has the address, or none.'),
    `uses=${inQuotes(uses)}`,
    `named=${inQuotes(host.named ? (host.device ?? '') : '')}`,
    `underlay=${inQuotes(host.underlay)}`,
    `overhead=${familyOf(host.underlay as IpAddress) === 4 ? 50 : 70}`,
  ];
}

/** The host's overlays as the arguments of a function, and all links that are to be there. */
export function overlayList(parts: readonly Part[]): readonly string[] {
  const links = parts.flatMap(({ link, bridge }) => [link.name, ...(bridge === null ? [] : [bridge.name])]);
  return [
    `wanted=${inQuotes(` ${[...new Set(links)].join(' ')} `)}`,
    `set -- ${parts.map(({ overlay }) => quoted(overlay.name)).join(' ')}`.trimEnd(),
  ];
}

/** How the script is used, for its comments. */
export const USAGE: readonly string[] = [
  '',
  'up [OVERLAY]...      makes what is missing and repairs what differs; nothing is touched that is as it should be',
  'down [OVERLAY]...    removes it',
  'status [OVERLAY]...  tells what differs; exits 3 when something does',
  'uses LINK            exits 0 when the link is the underlay',
  '',
  'Needs ip and bridge, iproute2 5.1 or newer; ethtool where checksum offload is to be switched off.',
];

export const BELOW = '# --- What the words above do. The same in every such script.';
