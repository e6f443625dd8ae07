/** Target `ifupdown`: a stanza for each overlay, whose lines run the script (interfaces(5)). */
import { EverlanError, problem } from '../model/problem.ts';
import { originOf } from './origin.ts';
import { type Part, partsOf } from './part.ts';
import { SCRIPT_REMARKS, SCRIPT_SUPPORT, scriptFile, scriptName, scriptPath } from './script.ts';
import { command, comment } from './shell.ts';
import type { RenderHost, Target } from './target.ts';

/** What ifupdown takes for anything but a name: blanks, patterns, mappings, options of its own. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;

function checkName(name: string): string {
  if (NAME.test(name)) return name;
  const message = `ifupdown cannot have a stanza for a link of the name ${name}`;
  throw new EverlanError(problem('target-name', message, { hint: 'use letters, digits, _, . and -' }));
}

function stanza({ host, overlay }: Part): string {
  const path = scriptPath(host);
  const name = checkName(overlay.name);
  // ifupdown goes through its files from the top, and the underlay often stands below the line that reads this one.
  const first = typeof host.device === 'string' ? [`    pre-up ifup ${checkName(host.device)} || true`] : [];
  return [
    `auto ${name}`,
    `iface ${name} inet manual`,
    ...first,
    `    pre-up ${command(path, 'up', name)}`,
    `    post-down ${command(path, 'down', name)}`,
  ].join('\n');
}

function notes(host: RenderHost): readonly string[] {
  const order =
    typeof host.device === 'string'
      ? []
      : ['In /etc/network/interfaces, put the line that reads interfaces.d below the underlay’s stanza.'];
  return [
    '/etc/network/interfaces must read the folder: source /etc/network/interfaces.d/*',
    ...order,
    'ifdown of the underlay leaves the overlays.',
  ];
}

export const ifupdown: Target = {
  name: 'ifupdown',
  summary: 'stanzas of /etc/network/interfaces, and the script that they run',
  support: SCRIPT_SUPPORT,
  remarks: SCRIPT_REMARKS,
  render: (host, context) => {
    const head = originOf(host, context).map(comment).join('\n');
    const text = `${[head, ...partsOf(host).map(stanza)].join('\n\n')}\n`;
    return {
      files: [scriptFile(host, context), { path: `etc/network/interfaces.d/${scriptName(host)}`, text, mode: 0o644 }],
      notes: notes(host),
    };
  },
};
