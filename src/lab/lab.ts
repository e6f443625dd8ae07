/** Every host of a fabric file as a network namespace on this machine: up, reboot, exec, down. */
import type { Report } from '../apply/converge.ts';
import { parseFabricOrThrow } from '../fabric/parse.ts';
import type { Fabric } from '../model/fabric.ts';
import { EverlanError, EXIT, type Problem, problem } from '../model/problem.ts';
import { hasCapability } from '../sys/caps.ts';
import { namespaceExists } from '../sys/netns.ts';
import { execIn } from './exec.ts';
import { type Applied, applyOn, type HostOf, proverOf, readyOn } from './host.ts';
import { makeLab, refuseStranger, refuseStrangers, remakeHost, removeLab } from './make.ts';
import { type HostProof, proveAll } from './prove.ts';
import { type LabRecord, readRecord, recordedLabs, removeRecord, withLab, writeRecord } from './record.ts';
import { type LabHost, namespacesOf, type Topology, topologyOf } from './topology.ts';

export interface LabSource {
  readonly text: Uint8Array;
  /** Its name in messages. */
  readonly file: string;
}

/** What a lab is doing, as it does it. Times in milliseconds. */
export type LabEvent =
  | { readonly kind: 'made'; readonly topology: Topology; readonly ms: number }
  | { readonly kind: 'remade'; readonly host: LabHost; readonly ms: number }
  | { readonly kind: 'applied'; readonly host: string; readonly report: Report; readonly ms: number }
  | { readonly kind: 'proved'; readonly hosts: number; readonly ms: number };

export interface LabOptions {
  readonly progress?: (event: LabEvent) => void;
}

export interface LabReport {
  readonly fabric: string;
  readonly topology: Topology;
  readonly applied: ReadonlyMap<string, Applied>;
  /** One for each host, in file order. */
  readonly proofs: readonly HostProof[];
  /** Of the file. */
  readonly warnings: readonly Problem[];
  /** Whether every peer that has an address answered, small and full-size. */
  readonly ok: boolean;
}

/** @throws EverlanError (exit 1) that says which capability is missing. */
export function requireRoot(): void {
  for (const name of ['CAP_SYS_ADMIN', 'CAP_NET_ADMIN'] as const) {
    if (hasCapability(name)) continue;
    const what = name === 'CAP_SYS_ADMIN' ? 'to make network namespaces' : 'to make links in them';
    throw new EverlanError(
      problem('lab-needs-root', `a lab needs ${name}, ${what}`, {
        hint: 'run it as root, or try `everlan demo`, which needs no root',
      }),
    );
  }
}

const ofHost = (fabric: Fabric, { name: host, namespace }: LabHost): HostOf => ({ fabric, host, namespace });

async function apply(fabric: Fabric, host: LabHost, { progress }: LabOptions): Promise<Applied> {
  const applied = await applyOn(ofHost(fabric, host));
  progress?.({ kind: 'applied', host: host.name, report: applied.report, ms: applied.ms });
  return applied;
}

interface Proving {
  readonly fabric: Fabric;
  readonly topology: Topology;
  readonly warnings: readonly Problem[];
}

async function prove(
  { fabric, topology, warnings }: Proving,
  applied: ReadonlyMap<string, Applied>,
  { progress }: LabOptions,
): Promise<LabReport> {
  const start = performance.now();
  const hosts = topology.hosts.flatMap((host) => {
    const done = applied.get(host.name);
    return done === undefined ? [] : [{ of: ofHost(fabric, host), done }];
  });
  await Promise.all(hosts.map(({ of, done }) => readyOn(of, done)));
  const proofs = await proveAll(hosts.map(({ of, done }) => proverOf(of, done)));
  progress?.({ kind: 'proved', hosts: proofs.length, ms: performance.now() - start });
  const ok = proofs.every(({ peers }) => peers.every((peer) => peer.ok));
  return { fabric: fabric.name, topology, applied, proofs, warnings, ok };
}

async function applyAll(proving: Proving, options: LabOptions): Promise<ReadonlyMap<string, Applied>> {
  const applied = new Map<string, Applied>();
  for (const host of proving.topology.hosts) applied.set(host.name, await apply(proving.fabric, host, options));
  return applied;
}

/**
 * Makes every host of the file, applies the file on each, and proves the mesh. The lab stays when only the proof fails,
 * so that one can look; everything is undone when it could not be made or the file could not be applied.
 * @throws EverlanError: exit 2 for a bad file, exit 1 when it cannot be made.
 */
export async function labUp(source: LabSource, options: LabOptions = {}): Promise<LabReport> {
  requireRoot();
  const { fabric, warnings } = parseFabricOrThrow(source.text, source.file);
  const topology = topologyOf(fabric);
  const proving = { fabric, topology, warnings };
  return withLab(fabric.name, 'everlan lab up', async () => {
    const old = readRecord(fabric.name);
    if (old?.complete) {
      const hint = '`everlan lab down` takes it down';
      throw new EverlanError(problem('lab-is-up', `the lab ${fabric.name} is up already`, { hint }));
    }
    if (old !== null) takeDown(old);
    const record = { fabric: fabric.name, ...source, namespaces: namespacesOf(topology), complete: false };
    refuseStrangers(record.namespaces);
    writeRecord(record);
    let applied: ReadonlyMap<string, Applied>;
    try {
      const start = performance.now();
      makeLab(topology);
      options.progress?.({ kind: 'made', topology, ms: performance.now() - start });
      applied = await applyAll(proving, options);
      writeRecord({ ...record, complete: true });
    } catch (error) {
      takeDown(record);
      throw error;
    }
    return prove(proving, applied, options);
  });
}

function takeDown({ fabric, namespaces, complete }: LabRecord): readonly string[] {
  const left = removeLab(namespaces, fabric, !complete);
  removeRecord(fabric);
  return left;
}

export interface LabDown {
  readonly fabric: string;
  readonly removed: readonly string[];
  /** Namespaces that somebody else put in the lab's place: they stay. */
  readonly left: readonly string[];
}

/** Takes the lab down, also one that was left half-way. @throws EverlanError when there is none. */
export async function labDown(fabric: string): Promise<LabDown> {
  requireRoot();
  return withLab(fabric, 'everlan lab down', async () => {
    const record = known(fabric);
    const left = takeDown(record);
    return { fabric, removed: record.namespaces.filter((name) => !left.includes(name)), left };
  });
}

function known(fabric: string): LabRecord {
  const record = readRecord(fabric);
  if (record !== null) return record;
  const others = recordedLabs();
  const hint = others.length === 0 ? '`everlan lab up -f FILE` makes one' : `labs that are up: ${others.join(', ')}`;
  throw new EverlanError(problem('no-lab', `there is no lab ${fabric}`, { hint }));
}

/** The topology that a lab was made by: from the file as it was then. */
function planOf(record: LabRecord): Proving {
  const { fabric, warnings } = parseFabricOrThrow(record.text, record.file);
  return { fabric, topology: topologyOf(fabric), warnings };
}

function hostOf({ topology }: Proving, name: string): LabHost {
  const host = topology.hosts.find((one) => one.name === name);
  if (host !== undefined) return host;
  const hint = `hosts are ${topology.hosts.map((one) => one.name).join(', ')}`;
  const message = `there is no host “${name}” in the lab ${topology.fabric}`;
  throw new EverlanError(problem('host-not-in-lab', message, { hint }), EXIT.usage);
}

/**
 * A host as after a reboot: its namespace is made anew, and the file applied again. Then the whole mesh is proven.
 * @throws EverlanError, exit 2 for a host that the lab does not have.
 */
export async function labReboot(fabric: string, host: string, options: LabOptions = {}): Promise<LabReport> {
  requireRoot();
  return withLab(fabric, 'everlan lab reboot', async () => {
    const record = known(fabric);
    const proving = planOf(record);
    const rebooted = hostOf(proving, host);
    const { router, outside } = proving.topology;
    for (const common of [router, ...(outside === null ? [] : [outside])]) {
      mustExist(common, '`everlan lab down`, then `everlan lab up`, makes all of it anew');
    }
    if (record.complete) refuseStranger(rebooted.namespace, fabric);
    const start = performance.now();
    // Killed from here on, it leaves a namespace that does not say yet whose it is.
    writeRecord({ ...record, complete: false });
    remakeHost(rebooted, proving.topology);
    writeRecord({ ...record, complete: true });
    options.progress?.({ kind: 'remade', host: rebooted, ms: performance.now() - start });
    const quiet: LabOptions = {};
    const applied = new Map<string, Applied>();
    for (const one of proving.topology.hosts) {
      applied.set(one.name, await apply(proving.fabric, one, one === rebooted ? options : quiet));
    }
    return prove(proving, applied, options);
  });
}

/** @throws EverlanError when somebody took the namespace away, or it was never made. */
function mustExist(namespace: string, hint: string): void {
  if (namespaceExists(namespace)) return;
  throw new EverlanError(problem('lab-incomplete', `the network namespace ${namespace} is gone`, { hint }));
}

/** Runs a command on a host. @returns its exit code. */
export async function labExec(fabric: string, host: string, argv: readonly string[]): Promise<number> {
  requireRoot();
  const { name, namespace } = hostOf(planOf(known(fabric)), host);
  mustExist(namespace, `\`everlan lab reboot ${name}\` makes it anew`);
  return execIn(namespace, argv);
}

/** The hosts of a lab that is up, in file order. */
export function labHosts(fabric: string): readonly LabHost[] {
  return planOf(known(fabric)).topology.hosts;
}

/** The names of the labs that are up, or were left half-way. */
export function labs(): readonly string[] {
  return recordedLabs();
}

/**
 * Which lab is meant: that of the file, or without one the only one that is up.
 * @throws EverlanError: exit 2 for a bad file or when several are up, exit 1 when none is.
 */
export function labOf(source?: LabSource): string {
  if (source !== undefined) return parseFabricOrThrow(source.text, source.file).fabric.name;
  const up = recordedLabs();
  const [only] = up;
  if (only === undefined) {
    throw new EverlanError(problem('no-lab', 'no lab is up', { hint: '`everlan lab up -f FILE` makes one' }));
  }
  if (up.length === 1) return only;
  const hint = 'name one by its file: `-f FILE`';
  throw new EverlanError(problem('many-labs', `several labs are up: ${up.join(', ')}`, { hint }), EXIT.usage);
}
