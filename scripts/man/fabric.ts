/** fabric.yaml(5), from the table of options. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OPTION_NAMES, OPTIONS, type OptionRow } from '../../src/model/options.ts';
import { changeText, defaultText, valueText } from '../docs.ts';
import { bold, example, inline, item, paragraph, section } from './roff.ts';

const EXAMPLE = join(import.meta.dirname, '..', '..', 'examples', 'article.yaml');

function option(name: (typeof OPTION_NAMES)[number]): string {
  const row: OptionRow = OPTIONS[name];
  const names = [name, ...(row.aliases ?? [])].map(bold).join(', ');
  const facts = `Value: ${valueText(row.type)}. Default: ${defaultText(row)}. A change is made: ${changeText(name, row)}.`;
  return `${item(names, row.help)}\n.br\n${inline(facts)}`;
}

export const fabricParts = (): readonly string[] => [
  section('synopsis'),
  bold('/etc/everlan/fabric.yaml'),
  section('description'),
  paragraph(
    'YAML, at most 4 MiB. The same file goes to every host. Every mistake in it is shown at once, each with its place; an unknown key is an error. `everlan schema` prints a JSON Schema, by which editors complete and check it.',
  ),
  item(
    bold('fabric'),
    'A name for all of it: small letters, digits and hyphens, at most 32. What everlan makes bears it as a mark.',
  ),
  item(
    bold('hosts'),
    'An entry for each host: its underlay address alone, or a map of `underlay`, `device` and `hostname`. `device` is the link to the others (default: the one that has the underlay address; `none`: leave it to routing), `hostname` what the machine calls itself (default: the key).',
  ),
  item(
    bold('overlays'),
    'An entry for each overlay, named as its link, at most 15 bytes. It has a `vni`, 1 to 16777215, and its member `hosts`: a host and its address, list of addresses, or `null` for none. A member’s peers are all other members, and the `remotes`.',
  ),
  section('options of an overlay'),
  paragraph(
    'Those that netplan has too bear its names and take its values. To recreate means that the kernel cannot change it on a live link: the link is made anew, and traffic stops for a moment.',
  ),
  ...OPTION_NAMES.map(option),
  section('example'),
  example(readFileSync(EXAMPLE, 'utf8')),
  section('see also'),
  paragraph('`everlan`(1), `everlan-agent`(8), `ip-link`(8)'),
];
