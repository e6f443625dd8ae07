/** What the agent says of itself, for people. */
import type { AgentEvent, AgentInfo, AgentMode, Waiting } from '../agent/door.ts';
import { renderAll } from '../text/render.ts';
import type { Paints } from './colour.ts';
import { styleOf } from './errors.ts';
import { thousands } from './text.ts';

/** What is shown without -v. */
const MOST_STEPS = 3;
const MOST_WAITING = 10;

interface Style {
  readonly paints: Paints;
  /** Leave nothing out. */
  readonly all: boolean;
}

const MODES = {
  running: null,
  suspended: 'Taken down by `everlan down`: the agent lets it rest until the next apply or boot.',
  trial: 'A change waits to be confirmed: `everlan confirm` keeps it.',
  paused: 'A change that was made without the agent waits to be confirmed: it touches nothing until then.',
} as const satisfies Record<AgentMode, string | null>;

/** `vxlan0 waits: no link has 10.0.0.4, the underlay address of alpha` */
export function waitingLines(waiting: readonly Waiting[], { paints, all }: Style): string[] {
  const most = all || waiting.length <= MOST_WAITING + 1 ? waiting.length : MOST_WAITING;
  const lines = waiting.slice(0, most).flatMap(({ overlay, reason, hint }) => {
    const line = `${paints.bold(overlay)} ${paints.yellow('waits:')} ${reason}`;
    return hint === undefined ? [line] : [line, `${paints.cyan('hint:')} ${hint}`];
  });
  if (most < waiting.length) lines.push(paints.dim(`… and ${thousands(waiting.length - most)} more that wait`));
  return lines;
}

/** What stands below the table of a status: nothing when all is well. */
export function agentLines(info: AgentInfo, style: Style): string[] {
  const { mode, source, file, waiting, problems } = info;
  const said = MODES[mode];
  return [
    ...(said === null ? [] : [style.paints.yellow(said)]),
    ...(source === file ? [] : [`In force is ${source}, not ${file}.`]),
    ...waitingLines(waiting, style),
    ...(problems.length === 0 ? [] : [renderAll(problems, styleOf(style.paints))]),
  ];
}

const KIND_WIDTH = 'neighbour'.length;
const LEVELS = { info: 'green', warning: 'yellow', error: 'red' } as const satisfies Record<
  AgentEvent['level'],
  keyof Paints
>;

const digits = (number: number, width = 2): string => String(number).padStart(width, '0');

/** `2026-11-22 14:38:00.123`, as the clocks here show it. */
function localTime(at: string): string {
  const time = new Date(at);
  const day = [digits(time.getFullYear(), 4), digits(time.getMonth() + 1), digits(time.getDate())].join('-');
  const hour = [digits(time.getHours()), digits(time.getMinutes()), digits(time.getSeconds())].join(':');
  return `${day} ${hour}.${digits(time.getMilliseconds(), 3)}`;
}

/** An event: when, what kind, what happened; below it what was done. */
export function eventText(event: AgentEvent, { paints, all }: Style): string {
  const { at, kind, level, message, hint, steps } = event;
  const most = all || steps.length <= MOST_STEPS + 1 ? steps.length : MOST_STEPS;
  const more = steps.length - most;
  return [
    `${paints.dim(localTime(at))}  ${paints[LEVELS[level]](kind.padEnd(KIND_WIDTH))}  ${message}`,
    ...steps.slice(0, most).map((step) => `    ${step}`),
    ...(more === 0 ? [] : [paints.dim(`    … and ${thousands(more)} more`)]),
    ...(hint === undefined ? [] : [`    ${paints.cyan('hint:')} ${hint}`]),
  ].join('\n');
}
