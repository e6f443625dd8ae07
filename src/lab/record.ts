/**
 * What is written down of a lab, under /run: before anything is made, so that a lab that was left half-way can be taken
 * down. One folder for each fabric, with the file as it was given.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { EverlanError, problem } from '../model/problem.ts';
import { hasCode } from '../sys/errno.ts';
import { type Lock, LockedError, lockFile } from '../sys/lock.ts';
import { ensureDir, UnsafePathError, writeAtomic } from '../sys/safe-dir.ts';

const ROOT = '/run/everlan/lab';
const LOCK_WAIT_MS = 10_000;

export interface LabRecord {
  readonly fabric: string;
  /** Name of the file, for messages. */
  readonly file: string;
  readonly text: Uint8Array;
  /** Of the router, the outside and the hosts. */
  readonly namespaces: readonly string[];
  /** false while it is being made: found so under the lock, it was left half-way. */
  readonly complete: boolean;
}

const folderOf = (fabric: string): string => join(ROOT, fabric);
const recordOf = (fabric: string): string => join(folderOf(fabric), 'record.json');
const textOf = (fabric: string): string => join(folderOf(fabric), 'fabric.yaml');
const lockOf = (fabric: string): string => join(ROOT, `${fabric}.lock`);

function safely<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof UnsafePathError) throw new EverlanError(problem('unsafe-run', error.message));
    throw error;
  }
}

/** Names of the fabrics that have a lab, sorted. */
export function recordedLabs(): readonly string[] {
  try {
    return readdirSync(ROOT)
      .filter((name) => existsSync(recordOf(name)))
      .sort();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

/** null: there is no lab of this fabric. */
export function readRecord(fabric: string): LabRecord | null {
  if (!existsSync(recordOf(fabric))) return null;
  safely(() => ensureDir(folderOf(fabric)));
  const record: Omit<LabRecord, 'text'> = JSON.parse(readFileSync(recordOf(fabric), 'utf8'));
  return { ...record, text: readFileSync(textOf(fabric)) };
}

export function writeRecord({ fabric, file, text, namespaces, complete }: LabRecord): void {
  safely(() => ensureDir(folderOf(fabric)));
  writeAtomic(textOf(fabric), text);
  writeAtomic(recordOf(fabric), `${JSON.stringify({ fabric, file, namespaces, complete })}\n`);
}

export function removeRecord(fabric: string): void {
  rmSync(folderOf(fabric), { recursive: true, force: true });
}

/**
 * Runs `work` while nobody else makes or removes this lab.
 * @throws EverlanError that names the holder, after 10 s.
 */
export async function withLab<T>(fabric: string, describe: string, work: () => Promise<T>): Promise<T> {
  safely(() => ensureDir(ROOT));
  let lock: Lock;
  try {
    lock = await lockFile(lockOf(fabric), { waitMs: LOCK_WAIT_MS, describe });
  } catch (error) {
    if (!(error instanceof LockedError)) throw error;
    throw new EverlanError(problem('locked', `somebody else is at work on the lab ${fabric}: ${error.message}`));
  }
  try {
    return await work();
  } finally {
    // While it is still held: who waits for it sees that the file is gone, and makes a new one.
    if (!existsSync(folderOf(fabric))) rmSync(lockOf(fabric), { force: true });
    lock.release();
  }
}
