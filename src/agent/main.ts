/** `everlan agent` from its options to its exit code: the agent among the real things. */
import { writeSync } from 'node:fs';
import { resolve } from 'node:path';
import pkg from '../../package.json' with { type: 'json' };
import { openStore, storeFolder } from '../apply/store.ts';
import { duplicate } from '../kernel/duplicate.ts';
import { watchHints } from '../kernel/hints.ts';
import { openKernel } from '../kernel/live.ts';
import { overlaps } from '../kernel/overlap.ts';
import type { Desired } from '../model/desired.ts';
import type { Problem } from '../model/problem.ts';
import type { HostFacts } from '../model/state.ts';
import { netlinkUsers } from '../sys/netlink-users.ts';
import { cookieOf, openNamespace } from '../sys/netns.ts';
import { whoIs } from '../sys/who.ts';
import { Agent } from './agent.ts';
import { Events } from './events.ts';
import { keepHome } from './home.ts';
import { homeHazards } from './home-hazards.ts';
import { openJournal } from './journal.ts';
import { openLastGood, stateFolder } from './last-good.ts';
import { takeSeat } from './seat.ts';
import { openService } from './service.ts';
import { readSource, watchFile } from './source.ts';
import { tolerantStore } from './tolerant-store.ts';

export interface AgentOptions {
  readonly file: string;
  readonly host: string | undefined;
  /** Name or path of the network namespace to act in. */
  readonly netns: string | undefined;
}

async function hazards(facts: HostFacts, desired: Desired, netns: number | undefined): Promise<readonly Problem[]> {
  const found = [...homeHazards(facts, desired, netns), ...overlaps(facts, desired, netns)];
  const asked = new Set<string>();
  for (const { vxlan } of desired.state.links.values()) {
    const device = facts.links.get(vxlan?.device ?? '');
    const local = vxlan?.local ?? null;
    if (device === undefined || local === null || asked.has(`${device.name} ${local}`)) continue;
    asked.add(`${device.name} ${local}`);
    const other = await duplicate(local, device, netns);
    if (other !== null) found.push(other);
  }
  return found;
}

/**
 * Runs until SIGTERM or SIGINT; the overlays stay. SIGHUP reads the file again.
 * @returns the exit code.
 * @throws EverlanError when another agent keeps the same fabric or file; SysError without the rights or the namespace.
 */
export async function runAgent(options: AgentOptions): Promise<number> {
  const ends: Ending[] = [];
  try {
    await runUntilStopped(options, (end) => ends.push(end));
  } finally {
    for (const end of ends.reverse()) await end();
  }
  return 0;
}

/** Directly: Node's own stream would load much before the first overlay is there. What nobody takes is lost. */
function writeError(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // The journal is gone, or full for a moment.
  }
}

type Ending = () => void | Promise<void>;

async function runUntilStopped({ file, host, netns }: AgentOptions, atEnd: (end: Ending) => void): Promise<void> {
  const namespace = netns === undefined ? undefined : openNamespace(netns);
  atEnd(() => namespace?.close());
  const fd = namespace?.fd;
  const path = resolve(file);
  const cookie = cookieOf(fd);
  const events = new Events();
  events.listen(openJournal(process.env, writeError));
  const trouble = (message: string): void => events.add({ kind: 'trouble', level: 'warning', message });
  const service = openService(process.env, trouble);
  const told = ({ message, hint }: Problem): void =>
    events.add({ kind: 'neighbour', level: 'warning', message, ...(hint === undefined ? {} : { hint }) });
  // Links in another namespace are nobody's business here.
  const home = keepHome(process.env, told, ...(netns === undefined ? [] : [null]));
  atEnd(() => home.close());
  let forget = (): void => undefined;
  const served = Promise.withResolvers<void>();
  const agent = new Agent({
    file: path,
    host,
    version: pkg.version,
    openKernel: () => openKernel(fd),
    forgetHints: () => forget(),
    openStore: (fabric) =>
      tolerantStore(openStore(fabric, cookie), (why) =>
        trouble(why === null ? 'what is applied can be kept again' : `what is applied is kept in memory only: ${why}`),
      ),
    readFile: () => readSource(path),
    lastGood: openLastGood(path, stateFolder(process.env)),
    events,
    // Whoever waits for it asks the socket next.
    service: { ...service, ready: () => void served.promise.then(() => service.ready()) },
    home,
    hazards: (facts, desired) => hazards(facts, desired, fd),
    watchFile: (watched, changed) => {
      const watch = watchFile(watched, { changed, polling: () => undefined });
      return () => watch.close();
    },
    netlinkUsers: () => netlinkUsers(fd),
    who: (pid) => whoIs(pid)?.name ?? null,
  });
  const seat = await takeSeat(storeFolder(cookie), path, trouble);
  atEnd(() => seat.leave());
  // Heard before the first look, so that nothing is missed in between.
  const hints = watchHints(fd, {
    hint: (hint) => agent.hint(hint),
    lost: () => agent.lookAgain(),
    settled: () => agent.settled(),
    broken: (error) => {
      trouble(`the kernel's events were lost for a moment: ${error.message}`);
      agent.lookAgain();
    },
  });
  atEnd(() => hints.close());
  forget = () => hints.forget();
  const over = Promise.withResolvers<void>();
  // What fails during the start is told after it.
  over.promise.catch(() => undefined);
  const readAgain = (): void => void agent.fileChanged().catch(over.reject);
  process.on('SIGHUP', () => void agent.reload().catch(over.reject));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => over.resolve());
  await agent.start();
  atEnd(() => agent.stop());
  await seat.open(agent);
  atEnd(() => seat.close());
  served.resolve();
  const watch = watchFile(path, {
    changed: readAgain,
    polling: (problem) => trouble(problem === null ? `${path} is watched again` : problem.message),
  });
  atEnd(() => watch.close());
  // It may have changed before it was watched.
  readAgain();
  const heart = service.watchdogMs === null ? undefined : setInterval(() => service.tick(), service.watchdogMs);
  atEnd(() => clearInterval(heart));
  await over.promise;
  service.stopping();
}
