/** What `everlan apply` and `everlan check` do, on one host of a lab. */
import { converge, lookAt, type Report } from '../apply/converge.ts';
import { openStore, type Store } from '../apply/store.ts';
import { identify } from '../fabric/identify.ts';
import { resolve } from '../fabric/resolve.ts';
import { addressesReady } from '../kernel/dad.ts';
import { openKernel } from '../kernel/live.ts';
import type { Kernel, View } from '../kernel/port.ts';
import { addressOf, familyOf, type IpAddress } from '../model/address.ts';
import type { Desired } from '../model/desired.ts';
import type { Fabric } from '../model/fabric.ts';
import { EverlanError } from '../model/problem.ts';
import type { Plan } from '../model/step.ts';
import { cookieOf, openNamespace } from '../sys/netns.ts';
import { meshTargets } from './mesh.ts';
import type { Prover } from './prove.ts';

export interface Applied {
  readonly desired: Desired;
  readonly report: Report;
  readonly ms: number;
}

export interface HostOf {
  readonly fabric: Fabric;
  readonly host: string;
  readonly namespace: string;
}

interface Opened {
  readonly kernel: Kernel;
  readonly view: View;
  readonly desired: Desired;
  readonly store: Store;
}

/** Says of which host an error speaks. */
function named(host: string, error: unknown): unknown {
  if (!(error instanceof EverlanError)) return error;
  const problems = error.problems.map((one) => ({ ...one, message: `${host}: ${one.message}` }));
  return new EverlanError(problems, error.exitCode);
}

async function withHost<T>({ fabric, host, namespace }: HostOf, work: (opened: Opened) => T): Promise<Awaited<T>> {
  const netns = openNamespace(namespace);
  try {
    const kernel = openKernel(netns.fd);
    try {
      const view = kernel.look();
      const desired = resolve(fabric, identify(fabric, view.facts, host), view.facts);
      return await work({ kernel, view, desired, store: openStore(fabric.name, cookieOf(netns.fd)) });
    } catch (error) {
      throw named(host, error);
    } finally {
      kernel.close();
    }
  } finally {
    netns.close();
  }
}

/** Makes the host match the file. @throws EverlanError that names the host. */
export function applyOn(of: HostOf): Promise<Applied> {
  const start = performance.now();
  return withHost(of, async ({ kernel, view, desired, store }) => {
    const lock = await store.lock('everlan lab');
    try {
      const report = converge(kernel, desired, store, { view });
      return { desired, report, ms: performance.now() - start };
    } finally {
      lock.release();
    }
  });
}

/** What would change on the host. */
export function planOn(of: HostOf): Promise<Plan> {
  return withHost(of, ({ kernel, view, desired, store }) => lookAt(kernel, desired, store, { view }).plan);
}

const DAD_MS = 5000;

/** Waits until the host uses the addresses that it was given, so that the times of echoes are those of the network. */
export async function readyOn({ namespace }: HostOf, { desired }: Pick<Applied, 'desired'>): Promise<void> {
  const addresses = new Set<IpAddress>();
  for (const link of desired.state.links.values()) {
    for (const prefix of link.addresses.keys()) if (familyOf(prefix) === 6) addresses.add(addressOf(prefix));
  }
  if (addresses.size === 0) return;
  const netns = openNamespace(namespace);
  try {
    await addressesReady(addresses, { netns: netns.fd, timeoutMs: DAD_MS });
  } finally {
    netns.close();
  }
}

/** The host as one that asks all of its peers. */
export function proverOf(
  { host, namespace }: HostOf,
  { desired, report }: Pick<Applied, 'desired' | 'report'>,
): Prover {
  return { host, namespace, mesh: meshTargets(desired, (link) => report.after.links.get(link)?.mtu) };
}
