/**
 * The parts of README.md that follow from tables in the code, between markers in the text: `node scripts/docs.ts` writes
 * them anew, a test finds them stale.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMMANDS, isGroup } from '../src/cli/table.ts';
import { OPTION_NAMES, OPTIONS, type Option, type OptionRow, type ValueType } from '../src/model/options.ts';
import { VXLAN_ATTRIBUTES } from '../src/model/vxlan.ts';

export const README = join(import.meta.dirname, '..', 'README.md');

/** What a value looks like, for a person who writes one. */
export function valueText(type: ValueType): string {
  switch (type.kind) {
    case 'integer':
      return `${type.min}–${type.max}${type.unit === undefined ? '' : ` ${type.unit}`}`;
    case 'boolean':
      return '`true`, `false`';
    case 'word':
      return type.words.map((word) => `\`${word}\``).join(', ');
    case 'words':
      return `list of ${type.words.map((word) => `\`${word}\``).join(', ')}`;
    case 'range':
      return `[low, high], ${type.min}–${type.max}`;
    case 'link-name':
      return 'a link’s name';
    case 'link-names':
      return 'list of links’ names';
    case 'unicast-list':
      return 'list of addresses';
    case 'multicast':
      return 'a multicast group';
    case 'host-macs':
      return 'map host → MAC';
    case 'static-macs':
      return 'map MAC → host or address';
    case 'routes':
      return 'list of `{to, via}`';
    case 'any-of':
      return type.types.map(valueText).join(', ');
    default:
      return type satisfies never;
  }
}

export function defaultText({ default: value, attributes }: OptionRow): string {
  if (value === null) return attributes.length > 0 ? 'the kernel’s' : 'none';
  if (value instanceof Map) return '`{}`';
  return `\`${Array.isArray(value) ? `[${value.join(', ')}]` : String(value)}\``;
}

/** Where it depends on the value how a change is made. */
const DEPENDS: Partial<Record<Option, string>> = {
  ttl: 'in place; to or from `inherit`: recreate',
  flood: 'in place; to or from a group: recreate',
};

/** Whether the kernel changes it on a live link. */
export function changeText(name: Option, row: OptionRow): string {
  const fixed = row.attributes.some((attribute) => VXLAN_ATTRIBUTES[attribute].change === 'recreate');
  return DEPENDS[name] ?? (fixed ? 'recreate' : 'in place');
}

const cell = (text: string): string => text.replaceAll('|', '\\|');
const line = (...cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;

export function optionsTable(): string {
  const rows = OPTION_NAMES.map((name) => {
    const row: OptionRow = OPTIONS[name];
    const names = [name, ...(row.aliases ?? [])].map((each) => `\`${each}\``).join(' or ');
    return line(names, valueText(row.type), defaultText(row), changeText(name, row), row.help);
  });
  return [line('key', 'value', 'default', 'a change is made', 'meaning'), '|---|---|---|---|---|', ...rows].join('\n');
}

export function commandsTable(): string {
  const rows = COMMANDS.flatMap((row) => {
    if (isGroup(row)) return row.commands.map(({ name, summary }) => line(`\`everlan ${row.name} ${name}\``, summary));
    return row.hidden === true ? [] : [line(`\`everlan ${row.name}\``, row.summary)];
  });
  return [line('command', 'does'), '|---|---|', ...rows].join('\n');
}

const PARTS: Readonly<Record<string, () => string>> = { commands: commandsTable, options: optionsTable };

/** `text` with what stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->` made anew. */
export function withParts(text: string): string {
  let result = text;
  for (const [name, make] of Object.entries(PARTS)) {
    const begin = `<!-- ${name}:begin -->`;
    const end = `<!-- ${name}:end -->`;
    const from = result.indexOf(begin);
    const to = result.indexOf(end);
    if (from < 0 || to < from) throw new Error(`README.md: ${begin} … ${end} is missing`);
    result = `${result.slice(0, from + begin.length)}\n${make()}\n${result.slice(to)}`;
  }
  return result;
}

if (import.meta.main) writeFileSync(README, withParts(readFileSync(README, 'utf8')));
