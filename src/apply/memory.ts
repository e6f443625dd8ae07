/** What to remember of an apply: that which the kernel cannot mark as ours. */
import type { Keys, Remembered, RememberedLink } from '../kernel/port.ts';
import type { HostState, LinkState, Origin } from '../model/state.ts';

function asStrangers(link: LinkState, now: LinkState): LinkState {
  const put = [...link.addresses].filter(([prefix]) => now.addresses.get(prefix)?.origin !== 'foreign');
  return { ...link, alias: now.alias, addresses: new Map(put) };
}

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

/**
 * What `desired` puts onto the links that `found` shows. A stranger's link keeps the alias that it has, and the addresses
 * that its owner gave it stay its owner's.
 */
export function memoryOf(desired: HostState, found: HostState): Remembered {
  const links = new Map<string, RememberedLink>();
  for (const [name, link] of desired.links) {
    const now = found.links.get(name);
    const stranger = link.kind === 'port' || now?.kind === 'joined';
    links.set(name, ofLink(stranger && now !== undefined ? asStrangers(link, now) : link, now?.index ?? 0));
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

/**
 * Both together: written before an apply, so that one that is killed half-way leaves nothing unaccounted for.
 * @param anew links that it makes anew, under an index that is not known yet.
 */
export function bothOf(before: Remembered, after: Remembered, anew: ReadonlySet<string> = new Set()): Remembered {
  const links = new Map(before.links);
  for (const [name, link] of after.links) {
    const old = before.links.get(name);
    const same = old !== undefined && old.alias === link.alias && (old.index === link.index || old.index === 0);
    const both = same ? union(old, link) : link;
    links.set(name, anew.has(name) ? { ...both, index: 0 } : both);
  }
  return { links };
}

/** What was remembered of `before`, for the links that stand in their place `now`: an undo makes some anew. */
export function carriedOver(remembered: Remembered, before: HostState, now: HostState): Remembered {
  const links = new Map(remembered.links);
  for (const [name, link] of remembered.links) {
    const index = now.links.get(name)?.index;
    if (index !== undefined && before.links.get(name)?.index === link.index) links.set(name, { ...link, index });
  }
  return { links };
}

/** `before` without what strangers still have `after`: theirs to take away, and not to be put back. */
export function withoutStrangers(before: HostState, after: HostState): HostState {
  const links = new Map<string, LinkState>();
  for (const [name, link] of before.links) {
    const now = after.links.get(name);
    if (now === undefined) {
      links.set(name, link);
      continue;
    }
    const lost = <K, T extends { readonly origin: Origin }>(had: ReadonlyMap<K, T>, has: ReadonlyMap<K, T>) =>
      new Map([...had].filter(([key, { origin }]) => origin === 'ours' || has.get(key)?.origin !== 'foreign'));
    links.set(name, {
      ...link,
      addresses: lost(link.addresses, now.addresses),
      fdb: lost(link.fdb, now.fdb),
      neighbours: lost(link.neighbours, now.neighbours),
      routes: lost(link.routes, now.routes),
    });
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
