/**
 * Target `networkd-dispatcher`: the way of netplan’s FAQ. systemd-networkd’s states run ifupdown’s folders, and a script there
 * makes the overlay when its underlay is routable, and removes it when that is off.
 */
import { originOf } from './origin.ts';
import { SCRIPT_REMARKS, SCRIPT_SUPPORT, scriptFile, scriptName, scriptPath } from './script.ts';
import { command, comment } from './shell.ts';
import type { RenderContext, RenderedFile, RenderHost, Target } from './target.ts';

/** One for every fabric of the host, so it names none. */
function bridgeFile(path: string, when: string, phases: readonly string[]): RenderedFile {
  const lines = [
    '#!/bin/sh',
    comment('From everlan render networkd-dispatcher, for every fabric of this host.'),
    comment(`Runs the scripts that ifupdown would run, when systemd-networkd says that a link is ${when}.`),
    '',
    `for phase in ${phases.join(' ')}; do`,
    '  folder=/etc/network/if-$phase.d',
    '  if [ -d "$folder" ]; then /bin/run-parts "$folder"; fi',
    'done',
    'exit 0',
  ];
  return { path, text: `${lines.join('\n')}\n`, mode: 0o755 };
}

function hookFile(phase: string, word: string, host: RenderHost, context: RenderContext): RenderedFile {
  const path = scriptPath(host);
  const lines = [
    '#!/bin/sh',
    ...originOf(host, context).map(comment),
    '',
    comment('Every link’s state runs this; the underlay’s alone matters.'),
    `${command(path, 'uses')} "\${IFACE-}" || exit 0`,
    `exec ${command(path, word)}`,
  ];
  // run-parts takes names of letters, digits, _ and - alone; a fabric's name has no others.
  return { path: `etc/network/if-${phase}.d/${scriptName(host)}`, text: `${lines.join('\n')}\n`, mode: 0o755 };
}

export const networkdDispatcher: Target = {
  name: 'networkd-dispatcher',
  summary: 'hooks of networkd-dispatcher, as in netplan’s FAQ, with a way back',
  support: SCRIPT_SUPPORT,
  remarks: SCRIPT_REMARKS,
  render: (host, context) => ({
    files: [
      scriptFile(host, context),
      bridgeFile('etc/networkd-dispatcher/routable.d/50-ifup-hooks', 'routable', ['up', 'post-up']),
      bridgeFile('etc/networkd-dispatcher/off.d/50-ifdown-hooks', 'off', ['down', 'post-down']),
      hookFile('post-up', 'up', host, context),
      hookFile('post-down', 'down', host, context),
    ],
    notes: [
      'The files belong to root, as networkd-dispatcher wants it; its service must be enabled.',
      'A script of the same purpose that is there already, such as /etc/network/if-post-up.d/vxlan, has to go.',
    ],
  }),
};
