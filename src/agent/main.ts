/** `everlan agent` from its options to its exit code: the agent among the real things. */
import { join, resolve } from 'node:path';
import pkg from '../../package.json' with { type: 'json' };
import { openStore, storeFolder } from '../apply/store.ts';
import { duplicate } from '../kernel/duplicate.ts';
import { watchHints } from '../kernel/hints.ts';
import { openKernel } from '../kernel/live.ts';
import { overlaps } from '../kernel/overlap.ts';
import type { Desired } from '../model/desired.ts';
import type { Problem } from '../model/problem.ts';
import type { HostFacts } from '../model/state.ts';
import { lockFile } from '../sys/lock.ts';
import { netlinkUsers } from '../sys/netlink-users.ts';
import { cookieOf, openNamespace } from '../sys/netns.ts';
import { ensureDir } from '../sys/safe-dir.ts';
import { whoIs } from '../sys/who.ts';
import { socketName } from './address.ts';
import { Agent } from './agent.ts';
import { Events } from './events.ts';
import { keepHome } from './home.ts';
import { homeHazards } from './home-hazards.ts';
import { openJournal } from './journal.ts';
import { openLastGood, stateFolder } from './last-good.ts';
import { serve } from './server.ts';
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

/** Settles with the signal that asks to stop. */
function stopAsked(reload: () => void): Promise<void> {
  return new Promise((done) => {
    process.on('SIGHUP', reload);
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => done());
  });
}

/**
 * Runs until SIGTERM or SIGINT; the overlays stay. SIGHUP reads the file again.
 * @returns the exit code.
 * @throws EverlanError when another agent keeps the same fabric or file; SysError without the rights or the namespace.
 */
export async function runAgent({ file, host, netns }: AgentOptions): Promise<number> {
  const namespace = netns === undefined ? undefined : openNamespace(netns);
  const fd = namespace?.fd;
  const path = resolve(file);
  const cookie = cookieOf(fd);
  const folder = storeFolder(cookie);
  const events = new Events();
  const write = (text: string): void => void process.stderr.write(text);
  events.listen(openJournal(process.env, write));
  const trouble = (message: string): void => events.add({ kind: 'trouble', level: 'warning', message });
  const service = openService(process.env, trouble);
  const told = ({ message, hint }: Problem): void =>
    events.add({ kind: 'neighbour', level: 'warning', message, ...(hint === undefined ? {} : { hint }) });
  // Links in another namespace are nobody's business here.
  const home = keepHome(process.env, told, ...(netns === undefined ? [] : [null]));
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
  ensureDir(folder);
  const socket = join(folder, socketName(path));
  const lock = await lockFile(`${socket}.lock`, { waitMs: 0, describe: 'everlan agent' });
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
  forget = () => hints.forget();
  const stopped = stopAsked(() => void agent.reload());
  await agent.start();
  const server = await serve(agent, socket, { onError: (error) => trouble(`the socket: ${String(error)}`) });
  served.resolve();
  const watch = watchFile(path, {
    changed: () => void agent.fileChanged(),
    polling: (problem) => trouble(problem === null ? `${path} is watched again` : problem.message),
  });
  // It may have changed before it was watched.
  void agent.fileChanged();
  const heart = service.watchdogMs === null ? undefined : setInterval(() => service.tick(), service.watchdogMs);
  await stopped;
  service.stopping();
  clearInterval(heart);
  watch.close();
  hints.close();
  await server.close();
  await agent.stop();
  home.close();
  lock.release();
  namespace?.close();
  return 0;
}
