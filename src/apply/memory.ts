/** What to remember of an apply: that which the kernel cannot mark as ours. */
import type { Remembered, RememberedLink } from '../kernel/port.ts';
import type { HostState, LinkState } from '../model/state.ts';

/** @param index of the link now; 0 before it is made. */
function ofLink(link: LinkState, index: number): RememberedLink {
  const port = link.kind === 'port';
  return {
    index,
    alias: link.alias,
    fdb: new Set(link.fdb.keys()),
    addresses: new Set(link.addresses.keys()),
    master: port ? link.master : null,
  };
}

/** What `desired` puts onto the links that `found` shows. A stranger's link keeps the alias that it has. */
export function memoryOf(desired: HostState, found: HostState): Remembered {
  const links = new Map<string, RememberedLink>();
  for (const [name, link] of desired.links) {
    const now = found.links.get(name);
    const stranger = link.kind === 'port' || now?.kind === 'joined';
    links.set(name, ofLink(stranger && now !== undefined ? { ...link, alias: now.alias } : link, now?.index ?? 0));
  }
  return { links };
}

function union(a: RememberedLink, b: RememberedLink): RememberedLink {
  return {
    ...b,
    fdb: a.fdb.size === 0 ? b.fdb : new Set([...a.fdb, ...b.fdb]),
    addresses: new Set([...a.addresses, ...b.addresses]),
    master: b.master ?? a.master,
  };
}

/** Both together: written before an apply, so that one that is killed half-way leaves nothing unaccounted for. */
export function bothOf(before: Remembered, after: Remembered): Remembered {
  const links = new Map(before.links);
  for (const [name, link] of after.links) {
    const old = before.links.get(name);
    const same = old !== undefined && old.alias === link.alias && old.index === link.index;
    links.set(name, same ? union(old, link) : link);
  }
  return { links };
}
