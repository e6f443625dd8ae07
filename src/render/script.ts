/** Target `script`: one POSIX shell file that makes the overlays, takes them down, and tells whether they are right. */
import { addressOf, familyOf, type IpAddress, lengthOf, type Prefix } from '../model/address.ts';
import type { DesiredPeer } from '../model/desired.ts';
import { groupOf, PROTOCOL } from '../model/ownership.ts';
import type { LinkState } from '../model/state.ts';
import { originOf } from './origin.ts';
import { type Part, partsOf } from './part.ts';
import { SCRIPT_RUNTIME } from './script-runtime.ts';
import { vxlanWords } from './script-vxlan.ts';
import { command, comment, inQuotes, quoted } from './shell.ts';
import type { RenderContext, RenderedFile, RenderHost, Target } from './target.ts';

/** The script's name, by which it speaks of itself. */
export const scriptName = ({ desired }: RenderHost): string => `everlan-${desired.fabric}`;

const SCRIPT_FOLDER = 'usr/local/sbin';

/** Where it lies on the host, for those that call it. */
export const scriptPath = (host: RenderHost): string => `/${SCRIPT_FOLDER}/${scriptName(host)}`;

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

function overlayCase(part: Part): readonly string[] {
  const { overlay } = part;
  return [
    `    ${inQuotes(overlay.name)})`,
    `      ${comment(`VNI ${overlay.vni}, ${peersText(overlay.peers)}`)}`,
    ...overlayWords(part).map((line) => `      ${line}`),
    '      ;;',
  ];
}

function settings(host: RenderHost): readonly string[] {
  const { fabric } = host.desired;
  const uses = host.named ? (host.device === null ? 'none' : 'device') : 'address';
  return [
    `me=${inQuotes(scriptName(host))}`,
    `fabric=${inQuotes(fabric)}`,
    `${comment('Of our links, and of our routes, neighbours and, where ip can say it, addresses: everlan knows its own by them.')}`,
    `group=${groupOf(fabric)}`,
    `protocol=${PROTOCOL}`,
    `${comment('The underlay: a device by its name, the one that has the address, or none.')}`,
    `uses=${inQuotes(uses)}`,
    `named=${inQuotes(host.named ? (host.device ?? '') : '')}`,
    `underlay=${inQuotes(host.underlay)}`,
    `overhead=${familyOf(host.underlay as IpAddress) === 4 ? 50 : 70}`,
  ];
}

export function scriptText(host: RenderHost, context: RenderContext): string {
  const parts = partsOf(host);
  const names = parts.map(({ overlay }) => quoted(overlay.name));
  const links = [
    ...new Set(parts.flatMap(({ link, bridge }) => [link.name, ...(bridge === null ? [] : [bridge.name])])),
  ];
  const head = [
    ...originOf(host, context),
    '',
    'up [OVERLAY]...      makes what is missing and repairs what differs; nothing is touched that is as it should be',
    'down [OVERLAY]...    removes it',
    'status [OVERLAY]...  tells what differs; exits 3 when something does',
    'uses LINK            exits 0 when the link is the underlay',
    '',
    'Needs ip and bridge, iproute2 5.1 or newer; ethtool where checksum offload is to be switched off.',
  ];
  const lines = [
    '#!/bin/sh',
    ...head.map(comment),
    '',
    ...settings(host),
    '',
    'the_overlay() {',
    '  alias=everlan:$fabric/$overlay',
    '  case $overlay in',
    ...parts.flatMap(overlayCase),
    '    *) fail "there is no overlay $overlay here" ;;',
    '  esac',
    '}',
    '',
    'every_overlay() {',
    `  wanted=${quoted(` ${links.join(' ')} `)}`,
    `  set -- ${names.join(' ')}`.trimEnd(),
    '  for overlay; do the_overlay; done',
    '}',
    '',
    '# --- What the words above do. The same in every such script.',
    '',
  ];
  return `${lines.join('\n')}\n${SCRIPT_RUNTIME}\nrun "$@"\n`;
}

/** The script as a file of the host, for targets that have others call it. */
export function scriptFile(host: RenderHost, context: RenderContext): RenderedFile {
  return { path: `${SCRIPT_FOLDER}/${scriptName(host)}`, text: scriptText(host, context), mode: 0o755 };
}

/** Everything is said by the script itself, with `ip` and `bridge`. */
export const SCRIPT_SUPPORT: Target['support'] = {
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
  mtu: { by: '`auto` is worked out when the script runs, and does not follow the device afterwards' },
  mac: 'yes',
  flood: 'yes',
  remotes: 'yes',
  macs: { by: 'a row that is no longer in the file stays until the link is made anew' },
  bridge: 'yes',
  ports: 'yes',
  routes: 'yes',
  neighbours: 'yes',
  'tx-checksum-offload': { by: '`ethtool`, which must be installed for `false`' },
};

export const SCRIPT_REMARKS: readonly string[] = [
  'It looks when it is run, and does not watch.',
  'An `ip` that cannot mark addresses as ours (`proto` in `ip address help`; Debian 12 has none) leaves an address that is no longer in the file on the link until the overlay is taken down.',
];

export const script: Target = {
  name: 'script',
  summary: 'a POSIX shell script with up, down and status',
  support: SCRIPT_SUPPORT,
  remarks: SCRIPT_REMARKS,
  render: (host, context) => ({ files: [scriptFile(host, context)], notes: [] }),
};
