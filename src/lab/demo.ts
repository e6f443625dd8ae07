/** `everlan demo`: the article's overlay on two hosts of this process's own, shown working, broken, healed and taken down. */
import { runIsolated, settleInside } from './isolate.ts';
import type { LabSource } from './lab.ts';

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

export interface DemoOptions {
  /** Whether we are the program that was started again in namespaces of its own. */
  readonly inside: boolean;
  /** Prints one line. */
  readonly out: (line: string) => void;
  readonly color: boolean;
  /** Another file than the article's; it needs an overlay with two members that have addresses. */
  readonly source?: LabSource;
  /** Arguments of this program that lead to `runDemo` with `inside`; without: `demo --inside`. */
  readonly again?: readonly string[];
}

/**
 * @returns the exit code.
 * @throws EverlanError, exit 1: the kernel does not let us, or something was not as the demo says it is.
 */
export async function runDemo(options: DemoOptions): Promise<number> {
  const { inside, out, color, source, again } = options;
  if (!inside) return runIsolated(again ?? ['demo', '--inside', ...(color ? [] : ['--no-color'])]);
  settleInside();
  const { tell } = await import('./story.ts');
  return tell(source ?? { file: 'fabric.yaml', text: new TextEncoder().encode(ARTICLE) }, out, color);
}
