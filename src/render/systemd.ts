/** Target `systemd`: a oneshot unit that runs the script at boot, and its way back at the end. */
import { originOf } from './origin.ts';
import { SCRIPT_REMARKS, SCRIPT_SUPPORT, scriptFile, scriptName, scriptPath } from './script.ts';
import type { RenderedFile, RenderHost, Target } from './target.ts';
import { type Entry, unitFile } from './unit-file.ts';

/** What `ip`, `bridge` and `ethtool` can do without: systemd.exec(5). */
const HARDENING: readonly Entry[] = [
  ['CapabilityBoundingSet', 'CAP_NET_ADMIN'],
  ['NoNewPrivileges', 'yes'],
  ['ProtectSystem', 'strict'],
  ['ProtectHome', 'yes'],
  ['PrivateTmp', 'yes'],
  ['PrivateDevices', 'yes'],
  ['ProtectKernelTunables', 'yes'],
  ['ProtectKernelModules', 'yes'],
  ['ProtectKernelLogs', 'yes'],
  ['ProtectControlGroups', 'yes'],
  ['ProtectClock', 'yes'],
  ['ProtectHostname', 'yes'],
  ['ProtectProc', 'invisible'],
  ['ProcSubset', 'pid'],
  ['RestrictAddressFamilies', 'AF_NETLINK AF_UNIX AF_INET AF_INET6'],
  ['RestrictNamespaces', 'yes'],
  ['RestrictRealtime', 'yes'],
  ['RestrictSUIDSGID', 'yes'],
  ['LockPersonality', 'yes'],
  ['MemoryDenyWriteExecute', 'yes'],
  ['SystemCallArchitectures', 'native'],
  ['SystemCallFilter', '@system-service'],
  ['SystemCallFilter', '~@privileged @resources'],
  ['UMask', '0077'],
];

export const unitName = (host: RenderHost): string => `${scriptName(host)}.service`;

/** @param origin where it came from, a line each */
function unitText(host: RenderHost, origin: readonly string[]): string {
  const path = scriptPath(host);
  const comments = [
    ...origin,
    'The script looks once, so it waits until the underlay has its address and its MTU: network-online.target.',
    'What fails at boot is tried again until it works.',
  ];
  return unitFile(comments, [
    {
      name: 'Unit',
      entries: [
        ['Description', `VXLAN overlays of the fabric ${host.desired.fabric}`],
        ['Wants', 'network-online.target'],
        ['After', 'network-online.target'],
        ['StartLimitIntervalSec', '0'],
      ],
    },
    {
      name: 'Service',
      entries: [
        ['Type', 'oneshot'],
        ['RemainAfterExit', 'yes'],
        ['ExecStart', `${path} up`],
        ['ExecReload', `${path} up`],
        ['ExecStop', `${path} down`],
        ['Restart', 'on-failure'],
        ['RestartSec', '2'],
        ...HARDENING,
      ],
    },
    { name: 'Install', entries: [['WantedBy', 'multi-user.target']] },
  ]);
}

/** The unit's file on the host, for targets that have it run the script. */
export function unitFileOf(host: RenderHost, origin: readonly string[]): RenderedFile {
  return { path: `etc/systemd/system/${unitName(host)}`, text: unitText(host, origin), mode: 0o644 };
}

export const systemd: Target = {
  name: 'systemd',
  summary: 'a oneshot unit of systemd, and the script that it runs',
  support: SCRIPT_SUPPORT,
  remarks: SCRIPT_REMARKS,
  render: (host, context) => {
    const unit = unitName(host);
    return {
      files: [scriptFile(host, context), unitFileOf(host, originOf(host, context))],
      notes: [
        `Then: systemctl daemon-reload && systemctl enable --now ${unit}; systemctl reload ${unit} repairs. systemd 244 or newer.`,
      ],
    };
  },
};
