/** Labs for tests: names that no other run has, and what a killed run left behind swept away. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openKernel } from '../src/kernel/live.ts';
import { type LabSource, labDown, labs } from '../src/lab/lab.ts';
import { EverlanError } from '../src/model/problem.ts';
import { deleteNamespace } from '../src/sys/netns.ts';

export const root = fileURLToPath(new URL('..', import.meta.url));
export const needsRoot = process.getuid?.() === 0 ? false : 'needs root: makes network namespaces';

const PREFIX = 'ellab';
const OWNER = new RegExp(`^${PREFIX}(\\d+)-`);
let serial = 0;

/** A name with our process in it, so that a later run knows whether it is still needed. */
export function uniqueName(): string {
  return `${PREFIX}${process.pid}-${serial++}`;
}

/** Takes away what runs left that are no more. */
export async function sweep(): Promise<void> {
  const isLeft = (name: string): boolean => {
    const pid = OWNER.exec(name)?.[1];
    return pid !== undefined && !existsSync(`/proc/${pid}`);
  };
  for (const name of labs().filter(isLeft)) await labDown(name);
  for (const name of namespaces().filter(isLeft)) deleteNamespace(name);
}

export function namespaces(): readonly string[] {
  return existsSync('/run/netns') ? readdirSync('/run/netns').sort() : [];
}

/** Everything on the machine that bears the name. */
export function traces(name: string): readonly string[] {
  const records = existsSync('/run/everlan/lab') ? readdirSync('/run/everlan/lab') : [];
  return [...namespaces(), ...records].filter((one) => one.startsWith(name));
}

/** Names of the links of our own namespace. */
export function ownLinks(): readonly string[] {
  const kernel = openKernel();
  try {
    return [...kernel.look().facts.links.keys()].sort();
  } finally {
    kernel.close();
  }
}

/** A fabric file, or its text, under a name of its own. */
export function sourceOf(text: string, name: string): LabSource {
  return { text: Buffer.from(text.replace(/^fabric: \S+/m, `fabric: ${name}`)), file: 'fabric.yaml' };
}

export const exampleNames = readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.yaml'));
export const example = (name: string): string => readFileSync(join(root, 'examples', name), 'utf8');

/** Runs `work` with a name for a lab, of which nothing is left afterwards, however it ends. */
export async function withLabName(work: (name: string) => Promise<void>): Promise<void> {
  const name = uniqueName();
  try {
    await work(name);
  } finally {
    await downIfUp(name);
  }
  assert.deepEqual(traces(name), []);
}

export async function downIfUp(name: string): Promise<void> {
  try {
    await labDown(name);
  } catch (error) {
    if (codeOf(error) !== 'no-lab') throw error;
  }
}

/** The code of an expected error's first problem. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof EverlanError ? error.problems[0]?.code : undefined;
}

/** The output of a program that must succeed. */
export function output(program: string, args: readonly string[]): string {
  const done = spawnSync(program, args, { encoding: 'utf8' });
  assert.equal(done.status, 0, `${program} ${args.join(' ')}: ${done.stderr}`);
  return done.stdout;
}

export const nobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups'] as const;

/** Why a program of ours cannot be run by another user, or false. */
export function skipAsNobody(): string | false {
  if (needsRoot !== false) return 'needs root: to become another user';
  const done = spawnSync('setpriv', [...nobody, process.execPath, '-e', '0']);
  if (done.error !== undefined) return 'needs setpriv (util-linux)';
  return done.status === 0 ? false : `user 65534 cannot run ${process.execPath}: the checkout is not readable for all`;
}
