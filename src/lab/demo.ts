/** `everlan demo`: the article's overlay on two hosts of this process's own, shown working, broken, healed and taken down. */
import { isInside, runIsolated, settleInside } from './isolate.ts';
import type { LabSource } from './lab.ts';
import type { Paper } from './page.ts';

/** What the article makes by hand on each of its two hosts. */
const ARTICLE = `fabric: article

hosts:
  alpha: {underlay: 10.0.0.4, device: eth0}
  beta: {underlay: 10.10.0.4, device: eth0}

overlays:
  vxlan0:
    vni: 77
    hosts:
      alpha: 169.254.0.1/24
      beta: 169.254.0.2/24
`;

export interface DemoOptions extends Paper {
  /** Another file than the article's; it needs an overlay with two members that have addresses. */
  readonly source?: LabSource;
}

/**
 * Starts this program again with the same arguments, isolated; that one comes back here and tells the story.
 * @returns the exit code.
 * @throws EverlanError, exit 1: the kernel does not let us, or something was not as the demo says it is.
 */
export async function runDemo({ source, ...paper }: DemoOptions): Promise<number> {
  if (!isInside()) return runIsolated();
  settleInside();
  const { tell } = await import('./story.ts');
  return tell(source ?? { file: 'fabric.yaml', text: new TextEncoder().encode(ARTICLE) }, paper);
}
