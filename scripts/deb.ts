/**
 * The Debian packages: `node scripts/deb.ts [--output DIR] [--level 0–9] [amd64|arm64]…` makes them from dist/, for this
 * machine's architecture if none is named. The same sources give the same bytes: the time in them is that of the newest entry
 * of packaging/changelog.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { ARCHES, type Arch, hostArch, isArch } from './deb/arch.ts';
import { readChangelog } from './deb/changelog.ts';
import { type Package, packages } from './deb/contents.ts';
import { conffilesFile, controlFile, md5sumsFile } from './deb/control.ts';
import { findParts, MissingPartError } from './deb/parts.ts';
import { run } from './deb/run.ts';

const ROOT = join(import.meta.dirname, '..');
/** dpkg-deb's own default; lower ones are for tests. */
const LEVEL = '6';

export interface BuildOptions {
  readonly output: string;
  readonly arch: Arch;
  readonly level: string;
}

function put(path: string, content: Uint8Array | string, mode: number): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  chmodSync(path, mode);
}

/** Modes and times that do not depend on who builds, and when. */
function settle(folder: string, seconds: number): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) settle(path, seconds);
    else utimesSync(path, seconds, seconds);
  }
  chmodSync(folder, 0o755);
  utimesSync(folder, seconds, seconds);
}

/** @returns the path of the .deb */
function pack(tree: string, { name, control, scripts, files, folders }: Package, options: BuildOptions): string {
  const { version, seconds } = readChangelog();
  for (const { to, content, mode } of files) put(join(tree, to), content, mode);
  for (const folder of folders) mkdirSync(join(tree, folder), { recursive: true });
  const meta = (file: string): string => join(tree, 'DEBIAN', file);
  put(meta('control'), controlFile({ name, version, arch: options.arch, control, files, folders }), 0o644);
  put(meta('md5sums'), md5sumsFile(files), 0o644);
  put(meta('conffiles'), conffilesFile(files), 0o644);
  for (const [script, text] of Object.entries(scripts)) put(meta(script), text, script === 'triggers' ? 0o644 : 0o755);
  settle(tree, seconds);
  const deb = join(options.output, `${name}_${version}_${options.arch}.deb`);
  run('dpkg-deb', ['--root-owner-group', '-Zxz', `-z${options.level}`, '--build', tree, deb], {
    ...process.env,
    SOURCE_DATE_EPOCH: String(seconds),
  });
  return deb;
}

/** @returns the paths of the packages. @throws MissingPartError when what they are made of cannot be had here. */
export function buildPackages(options: BuildOptions): string[] {
  const work = mkdtempSync(join(tmpdir(), 'everlan-deb-'));
  try {
    mkdirSync(options.output, { recursive: true });
    const parts = findParts(options.arch, join(work, 'parts'));
    return packages(parts).map((each) => pack(join(work, each.name), each, options));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function main(): void {
  const { values, positionals } = parseArgs({
    options: { output: { type: 'string', default: join(ROOT, 'dist-deb') }, level: { type: 'string', default: LEVEL } },
    allowPositionals: true,
  });
  const strange = positionals.find((word) => !isArch(word));
  if (strange !== undefined || !/^[0-9]$/.test(values.level)) {
    console.error(`usage: node scripts/deb.ts [--output DIR] [--level 0-9] [${ARCHES.join('|')}]...`);
    process.exitCode = 2;
    return;
  }
  if (spawnSync('dpkg-deb', ['--version']).status !== 0) {
    console.error('deb: dpkg-deb is missing; packages are made on Debian or Ubuntu, or anywhere with the package dpkg');
    process.exitCode = 1;
    return;
  }
  const wanted = positionals.filter(isArch);
  for (const arch of wanted.length > 0 ? wanted : [hostArch()]) {
    try {
      for (const deb of buildPackages({ output: values.output, level: values.level, arch })) {
        console.log(`${relative('.', deb)}: ${(statSync(deb).size / 2 ** 20).toFixed(2)} MiB`);
      }
    } catch (error) {
      if (!(error instanceof MissingPartError)) throw error;
      console.error(`deb: ${arch}: not made: ${error.message}`);
      process.exitCode = 1;
    }
  }
}

if (import.meta.main) main();
