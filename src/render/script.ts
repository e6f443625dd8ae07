/** Target `script`: one POSIX shell file that makes the overlays, takes them down, and tells whether they are right. */
import { originOf } from './origin.ts';
import { partsOf } from './part.ts';
import { SCRIPT_RUNTIME } from './script-runtime.ts';
import { BELOW, fabricSettings, hostSettings, overlayCase, overlayList, USAGE } from './script-words.ts';
import { comment } from './shell.ts';
import type { RenderContext, RenderedFile, RenderHost, Target } from './target.ts';

/** The script's name, by which it speaks of itself. */
export const scriptName = ({ desired }: RenderHost): string => `everlan-${desired.fabric}`;

export const SCRIPT_FOLDER = 'usr/local/sbin';

/** Where it lies on the host, for those that call it. */
export const scriptPath = (host: RenderHost): string => `/${SCRIPT_FOLDER}/${scriptName(host)}`;

export function scriptText(host: RenderHost, context: RenderContext): string {
  const parts = partsOf(host);
  const lines = [
    '#!/bin/sh',
    ...[...originOf(host, context), ...USAGE].map(comment),
    '',
    ...fabricSettings(host),
    ...hostSettings(host),
    '',
    'the_overlay() {',
    '  alias=everlan:$fabric/$overlay',
    '  case $overlay in',
    ...parts.flatMap((part) => overlayCase(part, part.overlay.name)),
    '    *) fail "there is no overlay $overlay here" ;;',
    '  esac',
    '}',
    '',
    'every_overlay() {',
    ...overlayList(parts).map((line) => `  ${line}`),
    '  for overlay; do the_overlay; done',
    '}',
    '',
    BELOW,
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
