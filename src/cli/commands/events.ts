/** `everlan events` */
import { type AgentClient, findAgent } from '../../agent/client.ts';
import type { AgentEvent } from '../../agent/door.ts';
import { storeFolder } from '../../apply/store.ts';
import { EverlanError, EXIT, problem } from '../../model/problem.ts';
import { cookieOf } from '../../sys/netns.ts';
import { eventText } from '../agent-text.ts';
import type { Context, Run } from '../command.ts';
import { namespaceOf } from '../namespace.ts';
import { wrongUse } from '../options.ts';
import { onInterrupt } from '../watch.ts';

const DEFAULT_LAST = '20';

function lastOf({ options }: Context): number {
  const text = options.text('last') ?? DEFAULT_LAST;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw wrongUse(`--last takes a whole number, 0 or more, not “${text}”`);
}

async function agentOf({ options }: Context): Promise<AgentClient> {
  const { file } = options;
  const netns = namespaceOf(options.netns);
  try {
    const agent = await findAgent(storeFolder(cookieOf(netns?.fd)), { file });
    if (agent !== null) return agent;
  } finally {
    netns?.close();
  }
  const hint = '`everlan agent` starts one, or `systemctl start everlan`';
  throw new EverlanError(problem('no-agent', `no agent runs for ${file}`, { hint }));
}

function show({ io, options }: Context, events: readonly AgentEvent[]): void {
  const style = { paints: io.outPaints, all: options.verbose };
  for (const event of events) io.out(options.json ? JSON.stringify(event) : eventText(event, style));
}

async function follow(context: Context, agent: AgentClient, last: number): Promise<void> {
  const off = onInterrupt(() => agent.close());
  try {
    for await (const events of agent.follow(last)) {
      show(context, events);
      if (context.io.outIsClosed) return;
    }
  } finally {
    off();
  }
}

export const run: Run = async (context) => {
  const last = lastOf(context);
  const agent = await agentOf(context);
  try {
    if (context.options.flag('follow')) await follow(context, agent, last);
    else show(context, await agent.events(last));
    return EXIT.done;
  } finally {
    agent.close();
  }
};
