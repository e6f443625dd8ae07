/** Import of netplan's files (netplan(5)), checked by the rules of netplan 0.106 and by what its back ends make of them. */
import type { Prefix } from '../model/address.ts';
import type { Imported, ImportedLink, Importer, SourceFile } from './found.ts';
import { readNetwork } from './netplan-definitions.ts';
import { isVxlan, linkName, prefixesOf, toLink } from './netplan-links.ts';
import { Report } from './report.ts';
import { checkTwice } from './twice.ts';

export const importer: Importer = {
  name: 'netplan',
  summary: 'files of /etc/netplan, merged as netplan merges them',
  pattern: /^[^/]*\.yaml$/,
  read,
};

function read(files: readonly SourceFile[]): Imported {
  const report = new Report();
  const network = readNetwork(files, report);
  const links: ImportedLink[] = [];
  const bridges = new Set<string>();
  const underlays = new Map<string, readonly Prefix[]>();
  for (const definition of network.definitions.values()) {
    if (isVxlan(definition)) {
      const link = toLink(definition, network, report);
      if (link !== undefined) links.push(link);
      const bridge = network.bridges.get(definition.id);
      if (bridge !== undefined) bridges.add(bridge.id);
    } else if (definition.type === 'tunnels' && definition.values.has('mode')) {
      const message = `${definition.id}: a tunnel of mode ${definition.text('mode')} is left out`;
      report.add('source-left-out', definition.values.get('mode')?.place(), message);
    }
  }
  for (const definition of network.definitions.values()) {
    const prefixes = isVxlan(definition) || bridges.has(definition.id) ? [] : prefixesOf(definition);
    if (prefixes.length > 0) underlays.set(linkName(definition).name, prefixes);
  }
  checkTwice(links, report);
  return { links, underlays, hostname: null, problems: report.problems(files) };
}
