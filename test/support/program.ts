/** The program itself, as a user starts it: bin/everlan. */
import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export const EVERLAN = join(import.meta.dirname, '..', '..', 'bin', 'everlan');

export interface Ran {
  /** null: ended by a signal. */
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs it to its end. What is not said about the environment is as here, without colour and debugging wishes. */
export function everlan(args: readonly string[], options: SpawnSyncOptions = {}): Ran {
  return ran(EVERLAN, args, options);
}

/** Any program. */
export function ran(program: string, args: readonly string[], options: SpawnSyncOptions = {}): Ran {
  const env = { ...cleanEnvironment(), ...options.env };
  const { status, stdout, stderr, error } = spawnSync(program, args, { ...options, env, encoding: 'utf8' });
  if (error !== undefined) throw error;
  return { code: status, out: String(stdout ?? ''), err: String(stderr ?? '') };
}

export function cleanEnvironment(): NodeJS.ProcessEnv {
  const { NO_COLOR: _, EVERLAN_DEBUG: __, EVERLAN_TIMINGS: ___, ...rest } = process.env;
  return rest;
}

/** A folder that everybody may read, gone at the end of the test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'everlan-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A file with this content, gone at the end of the test. */
export function temporaryFile(t: TestContext, content: string | Uint8Array, name = 'fabric.yaml'): string {
  const path = join(temporaryFolder(t), name);
  writeFileSync(path, content);
  return path;
}
