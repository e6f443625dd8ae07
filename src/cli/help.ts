/** The layout of help texts: what it does, its commands, its own options, the common ones. */
import type { Command, Help, Option } from 'commander';

/** Of every help text, so that it is the same everywhere. */
export const HELP_WIDTH = 100;

const OPTIONS_HEADING = 'Options:';

type Item = readonly [term: string, description: string];

/** Takes the place of commander's own, which puts the commands last. */
export function formatHelp(command: Command, help: Help): string {
  const width = help.padWidth(command, help);
  const list = (heading: string, items: readonly Item[]): string[] =>
    items.length === 0
      ? []
      : [`${heading}\n${items.map(([term, text]) => help.formatItem(term, width, text, help)).join('\n')}`];
  const options = new Map<string, Item[]>([[OPTIONS_HEADING, []]]);
  for (const option of help.visibleOptions(command)) {
    const heading = headingOf(option);
    const items = options.get(heading) ?? [];
    options.set(heading, items);
    items.push([help.optionTerm(option), help.optionDescription(option)]);
  }
  const blocks = [
    `Usage: ${help.commandUsage(command)}`,
    help.boxWrap(help.commandDescription(command), HELP_WIDTH),
    ...list(
      'Arguments:',
      help.visibleArguments(command).map((argument) => [help.argumentTerm(argument), argument.description] as const),
    ),
    ...list(
      'Commands:',
      help
        .visibleCommands(command)
        .map((child) => [help.subcommandTerm(child), help.subcommandDescription(child)] as const),
    ),
    ...[...options].flatMap(([heading, items]) => list(heading, items)),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function headingOf(option: Option): string {
  return option.helpGroupHeading ?? OPTIONS_HEADING;
}
