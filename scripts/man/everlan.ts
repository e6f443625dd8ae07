/** everlan(1), from the table of commands. */
import type { CommandRow, OptionRow } from '../../src/cli/command.ts';
import { COMMON_OPTIONS } from '../../src/cli/options.ts';
import { COMMANDS, isGroup } from '../../src/cli/table.ts';
import { DEFAULT_FILE } from '../../src/model/fabric.ts';
import { bold, example, flags, item, paragraph, section, subsection } from './roff.ts';

const option = ({ flags: text, help }: OptionRow): string => item(flags(text), help);

function usage(path: string, row: CommandRow): string {
  const own = (row.options ?? []).map((each) => `[${flags(each.flags)}]`);
  const args = (row.arguments ?? []).map(({ name }) => flags(name));
  return ['.PP', [bold(`everlan ${path}`), ...own, ...args].join(' ')].join('\n');
}

function command(path: string, row: CommandRow): string[] {
  const args = (row.arguments ?? []).map(({ name, help }) => item(flags(name), help));
  const examples = row.examples.map(([line, does]) => item(bold(`everlan ${line}`), does));
  return [
    subsection(`everlan ${path}`),
    usage(path, row),
    paragraph(row.text),
    ...args,
    ...(row.options ?? []).map(option),
    ...(examples.length > 0 ? [paragraph('Examples:'), ...examples] : []),
  ];
}

const commands = (): string[] =>
  COMMANDS.flatMap((row) => {
    if (!isGroup(row)) return row.hidden === true ? [] : command(row.name, row);
    return row.commands.flatMap((each) => command(`${row.name} ${each.name}`, each));
  });

/** Exit codes, as the design of the program has them. */
const EXITS: readonly (readonly [string, string])[] = [
  ['0', 'Done, or nothing to do.'],
  ['1', 'It could not be done, or did not verify; for `check`, a peer did not answer.'],
  ['2', 'Wrong use, or the file is invalid, missing or unreadable; an unknown `--host` or `--netns`.'],
  ['3', 'With `plan --exit-code` and `status --exit-code` only: this host does not match the file.'],
];

export const everlanParts = (): readonly string[] => [
  section('synopsis'),
  `${bold('everlan')} \\fICOMMAND\\fR [\\fIOPTION\\fR]...`,
  section('description'),
  paragraph(
    'One file describes VXLAN overlays, the same file on every host (`fabric.yaml`(5)). Each host finds itself in it by its hostname or its underlay address, and everlan makes the kernel match it: links, bridges, addresses, FDB rows, neighbours and routes. Links, routes and addresses of others are left alone.',
  ),
  paragraph(
    '`everlan help` `COMMAND` tells about a command. Results go to standard output, everything else to standard error.',
  ),
  section('commands'),
  ...commands(),
  section('common options'),
  paragraph('Each command takes those of them that mean something to it.'),
  ...COMMON_OPTIONS.map(option),
  section('exit status'),
  ...EXITS.map(([code, means]) => item(bold(code), means)),
  section('environment'),
  item(bold('NO_COLOR'), 'If it is set and not empty, nothing is coloured.'),
  section('files'),
  item(bold(DEFAULT_FILE), 'The fabric file.'),
  item(bold('/run/everlan'), 'What was last applied, and the locks.'),
  section('example'),
  example('everlan plan\neverlan apply --confirm 60s\neverlan check && everlan confirm'),
  section('see also'),
  paragraph('`fabric.yaml`(5), `everlan-agent`(8), `ip-link`(8), `bridge`(8)'),
];
