/** `everlan status` while an agent runs: its answer, without a look of our own. */
import type { AgentClient } from '../agent/client.ts';
import type { Seen } from '../agent/protocol.ts';
import { EverlanError, EXIT, type Problem } from '../model/problem.ts';
import type { Status } from '../model/status.ts';
import { agentLines } from './agent-text.ts';
import type { Context } from './command.ts';
import { showFailure } from './errors.ts';
import { statusText } from './status-text.ts';
import { onInterrupt, type Shown, screenOf } from './watch.ts';

/** Each once: why there is no status may be what is wrong with the file. */
function problemsOf({ problems, info }: Seen): readonly Problem[] {
  const messages = new Set(problems.map(({ message }) => message));
  return [...problems, ...info.problems.filter(({ message }) => !messages.has(message))];
}

function textOf(status: Status, { info }: Seen, { io, options }: Context): string {
  if (options.json) {
    const { pid, since, mode, source, waiting, problems } = info;
    return JSON.stringify({ ...status, agent: { pid, since, mode, source, waiting, problems } });
  }
  const style = { paints: io.outPaints, all: options.verbose };
  const said = agentLines(info, style);
  return [statusText(status, style), ...(said.length === 0 ? [] : ['', ...said])].join('\n');
}

function shownOf(seen: Seen, context: Context): Shown {
  if (seen.status !== null) return { text: textOf(seen.status, seen, context), failed: false };
  const failure = { problems: problemsOf(seen), exitCode: seen.exitCode };
  return { text: showFailure(failure, context.io.outPaints, false), failed: true };
}

async function watch(context: Context, agent: AgentClient): Promise<void> {
  const screen = screenOf(context);
  const off = onInterrupt(() => agent.close());
  try {
    for await (const seen of agent.watch()) {
      screen(shownOf(seen, context));
      if (context.io.outIsClosed) return;
    }
  } finally {
    off();
  }
}

/** The exit code. */
export async function statusOfAgent(context: Context, agent: AgentClient): Promise<number> {
  const { io, options } = context;
  if (options.flag('watch')) {
    await watch(context, agent);
    return EXIT.done;
  }
  const seen = await agent.status();
  const { status } = seen;
  if (status === null) throw new EverlanError(problemsOf(seen), seen.exitCode);
  if (options.json || !options.quiet) io.out(textOf(status, seen, context));
  return options.flag('exitCode') && !status.converged ? EXIT.differs : EXIT.done;
}
