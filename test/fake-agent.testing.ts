/**
 * An agent as a process with nothing behind it: `node fake-agent.testing.ts SOCKET FILE`. Its parent tells it by messages
 * what to say and hears what it was asked.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { socketName } from '../src/agent/address.ts';
import { FAKE_PLAN, FakeDoor } from '../src/agent/door.testing.ts';
import type { AgentEvent, AgentInfo, ApplyRequest, Waiting } from '../src/agent/door.ts';
import { serve } from '../src/agent/server.ts';
import { storeFolder } from '../src/apply/store.ts';
import { EverlanError, type ExitCode, type Problem } from '../src/model/problem.ts';
import type { Status } from '../src/model/status.ts';

/** What it is told; what is not named stays. */
export interface Told {
  readonly said?: Partial<AgentInfo>;
  /** null: there is no status. */
  readonly stands?: Partial<Status> | null;
  readonly waiting?: readonly Waiting[];
  readonly hasNothingToDo?: boolean;
  readonly failure?: { readonly problems: readonly Problem[]; readonly exitCode: ExitCode } | null;
  readonly event?: AgentEvent;
  /** What becomes of it when it is asked for a change. */
  readonly fate?: 'dies' | 'answers';
}

export type Asked = ApplyRequest | string;

interface Message {
  readonly ready?: true;
  readonly told?: true;
  readonly asked?: Asked;
}

class FakeAgent extends FakeDoor {
  #fate: Told['fate'] = 'answers';

  tell({ said, stands, waiting, hasNothingToDo, failure, event, fate }: Told): void {
    if (said !== undefined) this.said = { ...this.said, ...said };
    if (stands === null) this.stands = null;
    else if (stands !== undefined && this.stands !== null) this.stands = { ...this.stands, ...stands };
    if (waiting !== undefined) this.waiting = waiting;
    if (hasNothingToDo !== undefined) this.plan = hasNothingToDo ? { ...FAKE_PLAN, steps: [] } : FAKE_PLAN;
    if (failure !== undefined) this.failure = failure && new EverlanError(failure.problems, failure.exitCode);
    if (fate !== undefined) this.#fate = fate;
    if (event !== undefined) this.happen(event);
    this.changed();
  }

  protected override heard(asked: Asked): Promise<void> {
    return new Promise((resolve) => {
      process.send?.({ asked } satisfies Message, undefined, undefined, () => {
        if (this.#fate === 'dies') process.kill(process.pid, 'SIGKILL');
        else resolve();
      });
    });
  }
}

if (import.meta.main) {
  const [path = '', file = ''] = process.argv.slice(2);
  const agent = new FakeAgent({ fabric: 'clitest', file, source: file });
  process.on('message', (told: Told) => {
    agent.tell(told);
    process.send?.({ told: true } satisfies Message);
  });
  process.on('disconnect', () => process.exit());
  await serve(agent, path, { group: 'daemon' });
  process.send?.({ ready: true } satisfies Message);
}

export interface AgentProcess {
  readonly asked: readonly Asked[];
  readonly pid: number;
  tell(told: Told): Promise<void>;
  /** Settles when it was asked for so many changes. */
  untilAsked(count: number): Promise<void>;
}

/** @param cookie of the namespace that it serves; its folder is gone at the end. */
export async function fakeAgent(t: TestContext, cookie: string, file: string): Promise<AgentProcess> {
  const folder = storeFolder(cookie);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const child = fork(import.meta.filename, [join(folder, socketName(file)), file]);
  t.after(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    rmSync(folder, { recursive: true, force: true });
  });
  const asked: Asked[] = [];
  const heard = { ready: 0, told: 0 };
  const wake: (() => void)[] = [];
  child.on('message', ({ ready, told, ...message }: Message) => {
    if (message.asked !== undefined) asked.push(message.asked);
    if (ready === true) heard.ready++;
    if (told === true) heard.told++;
    for (const each of wake.splice(0)) each();
  });
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        wake.push(resolve);
      });
    }
  };
  await until(() => heard.ready > 0);
  return {
    asked,
    pid: child.pid ?? 0,
    tell: async (told) => {
      const before = heard.told;
      child.send(told);
      await until(() => heard.told > before);
    },
    untilAsked: (count) => until(() => asked.length >= count),
  };
}
