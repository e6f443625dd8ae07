/** One script for every host of the fabric: it finds out when it runs which of them this machine is. */
import { originOfAll } from './origin.ts';
import { partsOf } from './part.ts';
import { SCRIPT_FOLDER, scriptName } from './script.ts';
import { SCRIPT_RUNTIME } from './script-runtime.ts';
import { BELOW, fabricSettings, hostSettings, overlayCase, overlayList, USAGE } from './script-words.ts';
import { command, comment, inQuotes } from './shell.ts';
import type { RenderContext, RenderedFile, RenderHost } from './target.ts';

/** As `everlan` itself finds itself in the file: by the hostname, else by an underlay address that this machine has. */
const CHOICE = `# --- Which host this machine is

# A full name and its first label are one hostname, unless both are full.
same_name() {
  [ "$1" != "$2" ] || return 0
  case $1:$2 in *.*:*.*) return 1 ;; esac
  [ "\${1%%.*}" = "\${2%%.*}" ]
}

# HOST UNDERLAY HOSTNAME
known() {
  if same_name "$machine" "$3"; then by_name="\${by_name:+$by_name }$1"; fi
  case $addresses in *" $2/"*) by_address="\${by_address:+$by_address }$1" ;; esac
}

choose_host() {
  machine=$(tr '[:upper:]' '[:lower:]' </proc/sys/kernel/hostname)
  addresses=$(ip -o address show) || return 1
  by_name=
  by_address=
  every_host
  host=\${by_name:-$by_address}
  case $host in
    '') fail "this machine is no host of the fabric: its hostname is $machine, and it has none of their underlay addresses" ;;
    *' '*) fail "this machine could be each of these hosts: $host" ;;
  esac
}
`;

function knownLine({ desired, underlay, hostname }: RenderHost): string {
  return `  ${command('known', desired.host, underlay, hostname.toLowerCase())}`;
}

function perHost(hosts: readonly RenderHost[], linesOf: (host: RenderHost) => readonly string[]): readonly string[] {
  const cases = hosts.flatMap((host) => [
    `    ${inQuotes(host.desired.host)})`,
    ...linesOf(host).map((line) => `      ${line}`),
    '      ;;',
  ]);
  return ['  case $host in', ...cases, '  esac'];
}

/** @param hosts of one fabric, `first` among them. */
function textForAll(first: RenderHost, hosts: readonly RenderHost[], context: RenderContext): string {
  const lines = [
    '#!/bin/sh',
    ...[...originOfAll(first.desired.fabric, context), ...USAGE].map(comment),
    '',
    ...fabricSettings(first),
    '',
    'every_host() {',
    ...hosts.map(knownLine),
    '}',
    '',
    'the_host() {',
    ...perHost(hosts, hostSettings),
    '}',
    '',
    'the_overlay() {',
    '  alias=everlan:$fabric/$overlay',
    '  case $host/$overlay in',
    ...hosts.flatMap((host) =>
      partsOf(host).flatMap((part) => overlayCase(part, `${host.desired.host}/${part.overlay.name}`)),
    ),
    '    *) fail "there is no overlay $overlay on $host" ;;',
    '  esac',
    '}',
    '',
    'every_overlay() {',
    ...perHost(hosts, (host) => overlayList(partsOf(host))),
    '  for overlay; do the_overlay; done',
    '}',
    '',
    BELOW,
    '',
  ];
  return `${lines.join('\n')}\n${SCRIPT_RUNTIME}\n${CHOICE}\nchoose_host && the_host && run "$@"\n`;
}

/** Where the script of one host lies. @param hosts of one fabric, `first` among them. */
export function scriptForAll(first: RenderHost, hosts: readonly RenderHost[], context: RenderContext): RenderedFile {
  return { path: `${SCRIPT_FOLDER}/${scriptName(first)}`, text: textForAll(first, hosts, context), mode: 0o755 };
}
