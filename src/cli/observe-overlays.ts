/** What the kernel has of overlays now, for `everlan import kernel`. */
import type { KernelView } from '../import/kernel.ts';
import { openKernel } from '../kernel/live.ts';
import type { LinkKind } from '../model/state.ts';

/** Every VXLAN link and every bridge with what stands on it; of other links whom they are in. Strangers' and everlan's own alike. */
export function observeOverlays(netns: number | undefined): KernelView {
  const kernel = openKernel(netns);
  try {
    const view = kernel.look();
    const { links } = view.facts;
    const bridged = [...links.values()].some(({ kind }) => kind === 'bridge');
    const wanted = new Map<string, LinkKind>();
    for (const { name, kind } of links.values()) {
      if (kind === 'vxlan' || kind === 'bridge') wanted.set(name, kind);
      else if (bridged) wanted.set(name, 'port');
    }
    return { facts: view.facts, state: view.state({ fabric: '', wanted }) };
  } finally {
    kernel.close();
  }
}
