/**
 * Target `cloud-init`: user-data that needs no package, a unit and its script, or with --package-url the agent. For one host,
 * or for all of them: then each finds out at boot which it is.
 */

import { originOf, originOfAll } from './origin.ts';
import { type PackageUrl, readPackageUrl } from './package-url.ts';
import { SCRIPT_REMARKS, SCRIPT_SUPPORT, scriptFile } from './script.ts';
import { scriptForAll } from './script-for-all.ts';
import { comment, inQuotes } from './shell.ts';
import { unitFileOf, unitName } from './systemd.ts';
import type { RenderContext, Rendered, RenderedFile, RenderHost, Target } from './target.ts';
import { userData } from './user-data.ts';

const INSTALL = 'usr/local/lib/everlan/install';

/** EC2 takes the least: 16 KiB. Others take more, and cloud-init unpacks what is packed. */
const SMALLEST_LIMIT = 16 * 1024;

function rendered(text: string): Rendered {
  const size = Buffer.byteLength(text);
  const large = `It has ${size} bytes, and some clouds take no more than ${SMALLEST_LIMIT}: gzip it there, cloud-init unpacks it.`;
  return {
    files: [{ path: 'user-data', text, mode: 0o644 }],
    notes: [
      'cloud-init does this when an instance boots for the first time; from then on systemd does.',
      ...(size > SMALLEST_LIMIT ? [large] : []),
    ],
  };
}

/** The script needs `ethtool` for one thing alone. */
const packagesOf = (hosts: readonly RenderHost[]): readonly string[] =>
  hosts.some(({ options }) => [...options.values()].some((each) => !each['tx-checksum-offload'])) ? ['ethtool'] : [];

function agentless(
  host: RenderHost,
  hosts: readonly RenderHost[],
  origin: readonly string[],
  script: RenderedFile,
): Rendered {
  const commands = [
    ['systemctl', 'daemon-reload'],
    ['systemctl', 'enable', '--now', unitName(host)],
  ];
  return rendered(userData(origin, packagesOf(hosts), [script, unitFileOf(host, origin)], commands));
}

function installScript({ url, sha256, scheme }: PackageUrl, origin: readonly string[]): string {
  const check = [
    `echo ${inQuotes(`${sha256}  everlan.deb`)} | sha256sum --check --status - || {`,
    '  echo "everlan.deb is not the package that it should be" >&2',
    '  exit 1',
    '}',
  ];
  const lines = [
    '#!/bin/sh',
    ...origin.map(comment),
    '',
    'set -eu',
    'DEBIAN_FRONTEND=noninteractive',
    'export DEBIAN_FRONTEND',
    'folder=$(mktemp -d)',
    `trap 'rm -rf "$folder"' EXIT`,
    'cd "$folder"',
    'if ! command -v curl >/dev/null; then',
    '  apt-get -q update',
    '  apt-get -q -y install curl ca-certificates',
    'fi',
    `curl --fail --silent --show-error --location --proto '=${scheme}' --retry 10 --retry-connrefused \\`,
    `  --output everlan.deb --url ${inQuotes(url)}`,
    ...(sha256 === null ? [] : check),
    '# What it depends on is there already on most hosts.',
    'apt-get -q -y install ./everlan.deb || {',
    '  apt-get -q update',
    '  apt-get -q -y install ./everlan.deb',
    '}',
    'systemctl enable --now everlan.service',
  ];
  return `${lines.join('\n')}\n`;
}

/** The file is the same on every host, and the agent finds itself in it. */
function withAgent(origin: readonly string[], packageUrl: string, { text }: RenderContext): Rendered {
  const files = [
    { path: 'etc/everlan/fabric.yaml', text, mode: 0o644 },
    { path: INSTALL, text: installScript(readPackageUrl(packageUrl), origin), mode: 0o755 },
  ];
  return rendered(userData(origin, [], files, [[`/${INSTALL}`]]));
}

export const cloudInit: Target = {
  name: 'cloud-init',
  summary: 'user-data for cloud-init: a unit and its script, or everlan’s package',
  support: {
    ...SCRIPT_SUPPORT,
    'tx-checksum-offload': { by: '`ethtool`, which cloud-init installs for `false`' },
  },
  remarks: SCRIPT_REMARKS,
  render: (host, context) => {
    const origin = originOf(host, context);
    return context.packageUrl === null
      ? agentless(host, [host], origin, scriptFile(host, context))
      : withAgent(origin, context.packageUrl, context);
  },
  renderAll: (hosts, context) => {
    const [first] = hosts;
    if (first === undefined) return { files: [], notes: [] };
    const origin = originOfAll(first.desired.fabric, context);
    return context.packageUrl === null
      ? agentless(first, hosts, origin, scriptForAll(first, hosts, context))
      : withAgent(origin, context.packageUrl, context);
  },
};
