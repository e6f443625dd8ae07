/** What to remember of an apply: that which the kernel cannot mark as ours. */
import type { Keys, Remembered, RememberedLink } from '../kernel/port.ts';
import type { HostState, LinkState } from '../model/state.ts';

/** @param index of the link now; 0 before it is made. */
function ofLink(link: LinkState, index: number): RememberedLink {
  const port = link.kind === 'port';
  return {
    index,
    alias: link.alias,
    fdb: link.fdb,
    addresses: link.addresses,
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

function bothKeys(a: Keys, b: Keys): Keys {
  return a.size === 0 || holds(b, a) ? b : new Set([...a.keys(), ...b.keys()]);
}

/** Whether `all` has every key of `some`. */
function holds(all: Keys, some: Keys): boolean {
  if (some.size > all.size) return false;
  for (const key of some.keys()) if (!all.has(key)) return false;
  return true;
}

function union(a: RememberedLink, b: RememberedLink): RememberedLink {
  const fdb = bothKeys(a.fdb, b.fdb);
  return { ...b, fdb, addresses: bothKeys(a.addresses, b.addresses), master: b.master ?? a.master };
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

/** Whether both say the same. */
export function sameMemory(a: Remembered, b: Remembered): boolean {
  if (a.links.size !== b.links.size) return false;
  for (const [name, link] of a.links) {
    const other = b.links.get(name);
    if (other === undefined || other.index !== link.index || other.alias !== link.alias) return false;
    if (other.master !== link.master) return false;
    for (const key of ['fdb', 'addresses'] as const) {
      if (link[key].size !== other[key].size || !holds(link[key], other[key])) return false;
    }
  }
  return true;
}
