/** The table of commands as a commander program. */
import { Argument, Command, CommanderError, Option } from 'commander';
import { EXIT } from '../model/problem.ts';
import type { Call, CommandRow, CommonSet, GroupRow } from './command.ts';
import { formatHelp, HELP_WIDTH } from './help.ts';
import type { Io } from './io.ts';
import { COMMON_OPTIONS, wrongUse } from './options.ts';
import { COMMANDS, isGroup } from './table.ts';

const INTRO =
  'VXLAN overlays that are still there tomorrow: one file describes them, the same on every host, and each host makes its kernel match.';
const OUTRO = `
Exit codes: 0 done, or nothing to do; 1 it could not be done; 2 wrong use or a bad file;
3 with --exit-code: this host does not match the file.
\`everlan help COMMAND\` tells more about a command.`;

const COMMON_HEADING = 'Common options:';

/** `lab exec` of the command exec below lab. */
function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function addCommon(command: Command, shown: CommonSet): void {
  for (const { flags, help, sets } of COMMON_OPTIONS) {
    const option = new Option(flags, help).helpGroup(COMMON_HEADING);
    if (!sets.includes(shown)) option.hideHelp();
    command.addOption(option);
  }
  command.addHelpOption(new Option('-h, --help', 'print this help').helpGroup(COMMON_HEADING));
}

function examplesOf(row: CommandRow): string {
  if (row.examples.length === 0) return '';
  const lines = row.examples.flatMap(([line, what]) => [`  everlan ${line}`, `      ${what}`]);
  return `\nExamples:\n${lines.join('\n')}`;
}

/** What building a program needs to know. */
interface Building {
  readonly io: Io;
  /** Every word of the command line: a command that is not among them is known by name only, which saves 3 ms. */
  readonly words: ReadonlySet<string>;
  done(call: Call): void;
}

function addCommand(parent: Command, row: CommandRow, building: Building): void {
  const command = parent.command(row.name, { hidden: row.hidden === true }).summary(row.summary);
  if (!building.words.has(row.name)) return;
  configure(command, building.io).description(row.text).addHelpText('after', examplesOf(row));
  for (const { name, help, choices } of row.arguments ?? []) {
    const argument = new Argument(name, help);
    command.addArgument(choices === undefined ? argument : argument.choices(choices));
  }
  for (const { flags, help } of row.options ?? []) command.addOption(new Option(flags, help));
  addCommon(command, row.common);
  if (row.passThrough === true) command.passThroughOptions();
  command.action(() => building.done({ row, args: command.args, values: given(command) }));
}

/** What was given, before the command (`everlan -f x plan`) or after it; the nearer one counts. */
function given(command: Command): Record<string, unknown> {
  const values = command.parent === null ? {} : given(command.parent);
  for (const [name, value] of Object.entries(command.opts<Record<string, unknown>>())) {
    if (command.getOptionValueSource(name) === 'cli') values[name] = value;
  }
  return values;
}

function addGroup(parent: Command, row: GroupRow, building: Building): void {
  const group = parent.command(row.name).summary(row.summary);
  if (!building.words.has(row.name)) return;
  configure(group, building.io).description(row.text).helpCommand(false);
  addCommon(group, 'file');
  for (const child of row.commands) addCommand(group, child, building);
}

function configure(command: Command, io: Io): Command {
  return command
    .exitOverride()
    .enablePositionalOptions()
    .configureOutput({
      writeOut: (text) => io.out(text),
      writeErr: (text) => io.err(text),
      // Reported by our own hands, as a problem.
      outputError: () => undefined,
      getOutHelpWidth: () => HELP_WIDTH,
      getErrHelpWidth: () => HELP_WIDTH,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .configureHelp({ formatHelp, subcommandTerm: (sub) => sub.name() });
}

function build(building: Building): Command {
  const program = configure(new Command('everlan'), building.io).description(INTRO).addHelpText('after', OUTRO);
  program.helpCommand(false);
  addCommon(program, 'host');
  for (const row of COMMANDS) {
    if (isGroup(row)) addGroup(program, row, building);
    else addCommand(program, row, building);
  }
  return program;
}

/** The command that the first words name. */
function named(command: Command, [word, ...rest]: readonly string[]): Command {
  const next = command.commands.find((candidate) => candidate.name() === word);
  return next === undefined ? command : named(next, rest);
}

/** The command that all of the words lead to, for `everlan help lab up`. */
function find(program: Command, words: readonly string[]): Command {
  let command = program;
  for (const word of words) {
    const next = command.commands.find((candidate) => candidate.name() === word);
    // Commander knows best how to say that there is no such command.
    if (next === undefined) command.parse([word], { from: 'user' });
    else command = next;
  }
  return command;
}

/** `error: unknown option '--jsn'\n(Did you mean --json?)` as a problem with a hint. */
function usageError(error: CommanderError, command: string): Error {
  const [, message = error.message, near] =
    /^(?:error: )?(.*?)(?:\n\(Did you mean (.*)\?\))?$/s.exec(error.message) ?? [];
  return wrongUse(message, near === undefined ? `\`${command} --help\` shows what there is` : `did you mean ${near}?`);
}

/**
 * Understands a command line.
 * @returns the call, or the exit code when help was all that was asked for.
 * @throws EverlanError, exit 2, for wrong use.
 */
export function parseArguments(args: readonly string[], io: Io): Call | number {
  const asksForHelp = args[0] === 'help';
  const asksForVersion = args[0] === '--version' || args[0] === '-V';
  const words = asksForVersion ? ['version', ...args.slice(1)] : args;
  let call: Call | undefined;
  const program = build({
    io,
    words: new Set(words),
    done: (found) => {
      call = found;
    },
  });
  try {
    if (asksForHelp) {
      find(program, words.slice(1)).outputHelp();
      return EXIT.done;
    }
    program.parse([...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.helpDisplayed') return EXIT.done;
    if (error.code === 'commander.help') return EXIT.usage;
    throw usageError(error, pathOf(named(program, asksForHelp ? words.slice(1) : words)));
  }
  return call ?? EXIT.usage;
}
