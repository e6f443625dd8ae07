/** From the command line to the host: the file, the namespace, the kernel, and what this host should be. */
import type { ConvergeOptions } from '../apply/converge.ts';
import { openStore, type Store } from '../apply/store.ts';
import { identify } from '../fabric/identify.ts';
import { parseFabric } from '../fabric/parse.ts';
import { resolve } from '../fabric/resolve.ts';
import { openKernel } from '../kernel/live.ts';
import type { Kernel, View } from '../kernel/port.ts';
import type { Desired } from '../model/desired.ts';
import type { Fabric } from '../model/fabric.ts';
import { EverlanError, EXIT, type Problem } from '../model/problem.ts';
import { hasCode } from '../sys/errno.ts';
import { cookieOf, type Namespace } from '../sys/netns.ts';
import { renderAll } from '../text/render.ts';
import type { Context } from './command.ts';
import { styleOf } from './errors.ts';
import { namespaceOf } from './namespace.ts';
import { wrongUse } from './options.ts';
import { type Input, readInput } from './read-input.ts';

/** A network namespace with its kernel, and what everlan keeps for a fabric there. */
export interface Place {
  readonly netns: number | undefined;
  readonly kernel: Kernel;
  readonly store: Store;
  close(): void;
}

/** What this host should be, and what it was when that was found out. */
export interface Found {
  readonly desired: Desired;
  readonly view: View;
}

/** @throws EverlanError, exit 2, with everything that is wrong with the file. Warnings go to standard error. */
export function readFabricFile({ io, options, timings }: Context): { readonly fabric: Fabric; readonly input: Input } {
  return timings.measure('parse', () => {
    const input = readInput(options.file);
    const result = parseFabric(input.bytes, input.name);
    if (!result.ok) throw new EverlanError(result.problems, EXIT.usage);
    if (!options.quiet) warn({ io }, result.warnings);
    return { fabric: result.fabric, input };
  });
}

/** As `readFabricFile`. */
export function readFabric(context: Context): Fabric {
  return readFabricFile(context).fabric;
}

export function warn({ io }: Pick<Context, 'io'>, warnings: readonly Problem[]): void {
  if (warnings.length > 0) io.err(renderAll(warnings, styleOf(io.errPaints)));
}

function cookie(netns: Namespace | undefined, name: string | undefined): string {
  try {
    return cookieOf(netns?.fd);
  } catch (error) {
    if (hasCode(error, 'EINVAL')) throw wrongUse(`“${name}” is no network namespace`);
    throw error;
  }
}

/** @throws EverlanError or SysError when the namespace cannot be entered. */
export function openPlace(context: Context, fabric: string): Place {
  const netns = namespaceOf(context.options.netns);
  try {
    const store = openStore(fabric, cookie(netns, context.options.netns));
    const kernel = openKernel(netns?.fd);
    return {
      netns: netns?.fd,
      kernel,
      store,
      close: () => {
        kernel.close();
        netns?.close();
      },
    };
  } catch (error) {
    netns?.close();
    throw error;
  }
}

/**
 * Looks at the host and finds it in the fabric.
 * @param known which host it is; without: as the command line says, or as it looks.
 * @throws EverlanError when it is not there or lacks something.
 */
export function find({ options, timings }: Context, fabric: Fabric, kernel: Kernel, known?: string): Found {
  const view = timings.measure('observe', () => kernel.look());
  const desired = timings.measure('resolve', () =>
    resolve(fabric, known ?? identify(fabric, view.facts, options.host), view.facts),
  );
  return { view, desired };
}

/** A host that the file does not have is wrong use, whatever this machine is like. */
export function checkHost({ options }: Context, fabric: Fabric): void {
  if (options.host !== undefined) identify(fabric, { hostname: '', links: new Map() }, options.host);
}

/** How the command line wants it converged. */
export function convergeOptions({ options, timings }: Context, view: View): ConvergeOptions {
  return {
    adopt: options.flag('adopt'),
    prune: options.flag('prune'),
    view,
    timing: (phase, ms) => timings.add(phase, ms),
  };
}

/** Everything up to a look at the host, for commands that change nothing; the exit code. */
export async function withHost(
  context: Context,
  work: (place: Place, found: Found, fabric: Fabric) => number | Promise<number>,
): Promise<number> {
  const fabric = readFabric(context);
  checkHost(context, fabric);
  const place = openPlace(context, fabric.name);
  try {
    const found = find(context, fabric, place.kernel);
    if (!context.options.quiet) warn(context, found.desired.warnings);
    return await work(place, found, fabric);
  } finally {
    place.close();
  }
}
