/** `everlan import` */
import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { isSound, MAX_BYTES, parseFabric } from '../../fabric/parse.ts';
import type { HostImport } from '../../import/draft.ts';
import type { Imported } from '../../import/found.ts';
import { isSource, SOURCES, type SourceRow } from '../../import/importers.ts';
import { join } from '../../import/join.ts';
import { type FabricFile, isPlain, valuesOf, writeFabric } from '../../import/write.ts';
import { EverlanError, EXIT, type Problem, problem } from '../../model/problem.ts';
import { hasCode } from '../../sys/errno.ts';
import { renderAll } from '../../text/render.ts';
import type { Context, Run } from '../command.ts';
import { styleOf } from '../errors.ts';
import { readImport, type SourceRequest } from '../import-arguments.ts';
import { namespaceOf } from '../namespace.ts';
import { wrongUse } from '../options.ts';
import { findFiles, readPlaces, readSources } from '../read-sources.ts';

async function imported({ source, files, netns }: SourceRequest): Promise<Imported> {
  if (source === 'kernel') return fromKernel(netns);
  if (!isSource(source)) {
    throw wrongUse(`there is no source “${source}”`, `sources are ${[...Object.keys(SOURCES), 'kernel'].join(', ')}`);
  }
  const row: SourceRow = SOURCES[source];
  const { importer } = await row.load();
  const { pattern } = importer;
  const texts = files.length > 0 ? readSources(files, pattern) : readPlaces(row.places, pattern);
  return importer.read(texts, findFiles);
}

async function fromKernel(netns: string | undefined): Promise<Imported> {
  const [{ observeOverlays }, { importKernel }] = await Promise.all([
    import('../observe-overlays.ts'),
    import('../../import/kernel.ts'),
  ]);
  const namespace = namespaceOf(netns);
  try {
    return importKernel(netns === undefined ? 'kernel' : `kernel of ${netns}`, observeOverlays(namespace?.fd));
  } finally {
    namespace?.close();
  }
}

/** Without --host: this machine's name when its own files or kernel are read, else one that says nothing. */
function nameOf({ host, source, files, netns }: SourceRequest, { hostname: told }: Imported, i: number): string {
  if (host !== undefined) return host;
  if (told !== null) return told;
  if (netns !== undefined) return netns.split('/').at(-1) ?? netns;
  return source === 'kernel' || files.length === 0 ? hostname() : `host${i + 1}`;
}

function titleOf(requests: readonly SourceRequest[], hosts: readonly HostImport[]): string {
  const from = requests.map(({ source, files, netns }, i) => {
    const words = [source, ...(netns === undefined ? [] : ['--netns', netns]), ...files];
    return `${words.join(' ')} (${hosts[i]?.name})`;
  });
  return `Made by \`everlan import\` from ${from.join(' and ')}.`;
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: 'wx' });
  } catch (error) {
    if (hasCode(error, 'EEXIST')) {
      const hint = { hint: 'remove it, or choose another name' };
      throw new EverlanError(problem('output', `${path} exists already, and import overwrites nothing`, hint));
    }
    if (error instanceof Error && 'syscall' in error) {
      throw new EverlanError(problem('output', `cannot write: ${error.message}`));
    }
    throw error;
  }
}

/** A name of the command line, checked by the rules of the file. */
function checkNames(hosts: readonly HostImport[]): void {
  const names = new Set<string>();
  for (const { name } of hosts) {
    if (names.has(name)) throw wrongUse(`two hosts are called ${name}`, 'begin each with --host and another name');
    names.add(name);
  }
}

export const run: Run = async (context: Context) => {
  const { io, timings } = context;
  const request = readImport(context);
  const hosts: HostImport[] = [];
  for (const [i, source] of request.sources.entries()) {
    const found = await imported(source);
    hosts.push({ name: nameOf(source, found, i), imported: found, underlay: source.underlay });
  }
  checkNames(hosts);
  const { file, problems } = timings.measure('resolve', () =>
    join(request.name, titleOf(request.sources, hosts), hosts),
  );
  refuse(problems);
  const text = timings.measure('render', () => writeFabric(file));
  const more = timings.measure('parse', () => check(file, text, request.output ?? 'the imported fabric'));
  const warnings = [...problems, ...more];
  refuse(warnings);
  if (!request.quiet && warnings.length > 0) io.err(renderAll(warnings, styleOf(io.errPaints)));
  if (request.output === null) io.out(text);
  else write(request.output, text);
  return EXIT.done;
};

/** What is wrong with the file that was made. Its text is read only where the values alone do not tell. */
function check(file: FabricFile, text: string, name: string): readonly Problem[] {
  const value = text.length <= MAX_BYTES && isPlain(text) ? valuesOf(file) : null;
  if (value !== null && isSound(value)) return [];
  const result = parseFabric(Buffer.from(text), name);
  return result.ok ? result.warnings : result.problems;
}

function refuse(problems: readonly Problem[]): void {
  if (problems.some(({ severity }) => severity === 'error')) throw new EverlanError(problems, EXIT.usage);
}
