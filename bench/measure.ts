/** Whole processes, from start to exit, timed from outside. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Run {
  readonly seconds: number;
  /** What the process said about itself (EVERLAN_TIMINGS): milliseconds by phase, `maxRss` in KiB. */
  readonly timings: Readonly<Record<string, number>>;
}

const folder = mkdtempSync(join(tmpdir(), 'everlan-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const root = join(import.meta.dirname, '..');
let release: string | undefined;

/** A program of the release as it is installed: without sources beside it, which the launcher would compare with it. */
export function installed(name: string): string {
  if (release === undefined) {
    release = join(folder, 'release');
    mkdirSync(release);
    for (const part of ['bin', 'dist']) cpSync(join(root, part), join(release, part), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(release, 'node_modules'));
  }
  return join(release, 'bin', name);
}

/** A file with this text; its path. */
export function fileOf(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, `${text}\n`);
  return path;
}

/** @throws when the program fails: a figure for work that was not done would be worth nothing. */
export function run(program: string, ...args: readonly string[]): Run {
  const start = performance.now();
  const { status, stderr, error } = spawnSync(program, args, {
    env: { ...process.env, EVERLAN_TIMINGS: 'json' },
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    maxBuffer: 1 << 26,
  });
  const seconds = (performance.now() - start) / 1000;
  if (error !== undefined || status !== 0) {
    throw new Error(`${program} ${args.join(' ')} ended with ${error ?? status}: ${stderr.slice(0, 2000)}`);
  }
  const line = stderr.split('\n').find((text) => text.startsWith('{'));
  return { seconds, timings: line === undefined ? {} : JSON.parse(line) };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

export const sleep = (seconds: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, seconds * 1000);
};
