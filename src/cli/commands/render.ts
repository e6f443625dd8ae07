/** `everlan render` */
import pkg from '../../../package.json' with { type: 'json' };
import { EverlanError, EXIT, problem } from '../../model/problem.ts';
import type { RenderContext, RenderedFile, RenderHost, Target } from '../../render/target.ts';
import { isTargetName, TARGETS, type TargetName } from '../../render/targets.ts';
import { UnsafePathError } from '../../sys/safe-dir.ts';
import { writeTree } from '../../sys/write-tree.ts';
import type { Context, Run } from '../command.ts';
import { wrongUse } from '../options.ts';
import { renderHosts } from '../render-hosts.ts';
import { filesJson, filesText, octal, placedFiles, type Tree } from '../render-text.ts';
import { refuseUnsaid, unsaidProblems } from '../render-unsaid.ts';
import { checkHost, readFabricFile, warn } from '../session.ts';

function treesOf(target: Target, hosts: readonly RenderHost[], context: RenderContext, all: boolean): readonly Tree[] {
  if (all && target.renderAll !== undefined) return [{ host: null, rendered: target.renderAll(hosts, context) }];
  return hosts.map((host) => ({ host: host.desired.host, rendered: target.render(host, context) }));
}

function write(folder: string, files: readonly RenderedFile[]): void {
  try {
    writeTree(folder, files);
  } catch (error) {
    if (error instanceof UnsafePathError || (error instanceof Error && 'syscall' in error)) {
      throw new EverlanError(problem('output', `cannot write: ${error.message}`));
    }
    throw error;
  }
}

function tellNotes({ io, options }: Context, trees: readonly Tree[]): void {
  if (options.quiet) return;
  const notes = new Set(trees.flatMap(({ rendered }) => rendered.notes));
  for (const note of notes) io.err(`note: ${note}`);
}

function show(context: Context, fabric: string, target: Target, trees: readonly Tree[]): void {
  const { io, options, timings } = context;
  const files = placedFiles(trees, options.flag('allHosts'));
  const output = options.text('output');
  if (output !== undefined) {
    timings.measure('write', () => write(output, files));
    if (!options.quiet && !options.json) {
      io.err(files.map(({ path, mode }) => `${octal(mode)} ${output.replace(/\/+$/, '')}/${path}`).join('\n'));
    }
  }
  if (options.json) io.out(filesJson(fabric, target.name, trees, output !== undefined));
  else if (output === undefined) io.out(filesText(files));
}

/** An option that the target has no use for was meant for another one. */
const ONLY_FOR: readonly { readonly option: string; readonly flag: string; readonly targets: readonly TargetName[] }[] =
  [
    { option: 'underlayId', flag: '--underlay-id', targets: ['networkd', 'netplan'] },
    { option: 'packageUrl', flag: '--package-url', targets: ['cloud-init'] },
  ];

function checkOptions({ options }: Context, name: TargetName): void {
  for (const { option, flag, targets } of ONLY_FOR) {
    if (options.text(option) !== undefined && !targets.includes(name)) {
      throw wrongUse(`${flag} is for ${targets.join(' and ')}, not for ${name}`);
    }
  }
}

export const run: Run = async (context) => {
  const { options, args, timings } = context;
  const [name = ''] = args;
  if (!isTargetName(name)) throw wrongUse(`there is no target “${name}”`);
  checkOptions(context, name);
  if (options.text('output') === '') throw wrongUse('--output takes the name of a folder, not nothing');
  const target = await TARGETS[name]();
  const { fabric, input } = readFabricFile(context);
  checkHost(context, fabric);
  const hosts = renderHosts(
    context,
    fabric,
    name === 'netplan' ? (await import('../netplan-id.ts')).netplanIdHere : undefined,
  );
  const problems = unsaidProblems(target, hosts, input, options.flag('lenient') ? 'warning' : 'error');
  refuseUnsaid(problems);
  if (!options.quiet) warn(context, problems);
  const renderContext: RenderContext = {
    file: input.name,
    text: Buffer.from(input.bytes).toString('utf8'),
    version: pkg.version,
    underlayId: options.text('underlayId') ?? null,
    packageUrl: options.text('packageUrl') ?? null,
  };
  const trees = timings.measure('render', () => treesOf(target, hosts, renderContext, options.flag('allHosts')));
  show(context, fabric.name, target, trees);
  tellNotes(context, trees);
  return EXIT.done;
};
