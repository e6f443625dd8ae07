/** Files for another tool, rendered as `everlan render --host` does it on a machine that is not the host. */
import { renderHost } from '../../src/cli/render-host.ts';
import { parseFabricOrThrow } from '../../src/fabric/parse.ts';
import type { RenderContext, Rendered, RenderHost, Target } from '../../src/render/target.ts';

export const CONTEXT: RenderContext = {
  file: 'fabric.yaml',
  text: '',
  version: '0.0.0',
  underlayId: null,
  packageUrl: null,
};

export function hostOf(text: string, as: string): RenderHost {
  const { fabric } = parseFabricOrThrow(Buffer.from(text), CONTEXT.file);
  const host = fabric.hosts.get(as);
  if (host === undefined) throw new TypeError(`no host ${as}`);
  return renderHost(fabric, host);
}

export function renderedFor(target: Target, text: string, as: string, context: Partial<RenderContext> = {}): Rendered {
  return target.render(hostOf(text, as), { ...CONTEXT, text, ...context });
}
