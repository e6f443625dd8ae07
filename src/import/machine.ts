/** The links of a host as a script makes them, command by command. */
import { contains, type IpAddress, type Prefix } from '../model/address.ts';
import type { Mac } from '../model/mac.ts';
import type { Place } from '../model/problem.ts';
import type { VxlanState } from '../model/vxlan.ts';
import type { ImportedLink, ImportedRoute } from './found.ts';
import type { Report } from './report.ts';

export interface MadeRoute extends ImportedRoute {
  /** null: the kernel finds it by the gateway. */
  readonly link: string | null;
  readonly place: Place;
}

/** A link as far as the script speaks of it. */
export interface MadeLink {
  name: string;
  /** `other`: it is there already, or of another kind. */
  kind: 'vxlan' | 'bridge' | 'other';
  place: Place;
  vxlan: Partial<VxlanState>;
  mtu: number | null;
  mac: Mac | null;
  master: string | null;
  up: boolean;
  txChecksum: boolean;
  readonly addresses: Set<Prefix>;
  readonly flood: Set<IpAddress>;
  readonly macs: Map<Mac, IpAddress>;
  readonly neighbours: Map<IpAddress, Mac>;
  readonly places: Map<string, Place>;
}

/** What is looked for by name, found once for all links. */
interface Standing {
  readonly ports: ReadonlyMap<string, readonly string[]>;
  /** null: those of which only the gateway tells it. */
  readonly routes: ReadonlyMap<string | null, readonly MadeRoute[]>;
}

export class Machine {
  readonly #links = new Map<string, MadeLink>();
  readonly routes: MadeRoute[] = [];

  find(name: string): MadeLink | undefined {
    return this.#links.get(name);
  }

  /** A link that something is done to: made by the script before, or there already. */
  link(name: string, place: Place): MadeLink {
    return this.#links.get(name) ?? this.make(name, 'other', place);
  }

  /** What was said of it before it was made, such as the bridge that it is in, stays. */
  make(name: string, kind: MadeLink['kind'], place: Place): MadeLink {
    const before = this.#links.get(name);
    if (before?.kind === 'other') {
      before.kind = kind;
      before.place = place;
      return before;
    }
    const link: MadeLink = {
      name,
      kind,
      place,
      vxlan: {},
      mtu: null,
      mac: null,
      master: null,
      up: false,
      txChecksum: true,
      addresses: new Set(),
      flood: new Set(),
      macs: new Map(),
      neighbours: new Map(),
      places: new Map(),
    };
    this.#links.set(name, link);
    return link;
  }

  rename(link: MadeLink, name: string): void {
    this.#links.delete(link.name);
    for (const other of this.#links.values()) if (other.master === link.name) other.master = name;
    link.name = name;
    this.#links.set(name, link);
  }

  remove(name: string): void {
    this.#links.delete(name);
    for (const other of this.#links.values()) if (other.master === name) other.master = null;
  }

  /** Whether a fabric may have to do with it: an overlay's link, or a bridge that one is in. */
  concerns(name: string): boolean {
    const link = this.#links.get(name);
    if (link === undefined || link.kind !== 'other') return link !== undefined;
    for (const { kind, master } of this.#links.values()) if (kind === 'vxlan' && master === name) return true;
    return false;
  }

  /** The same for many names, while nothing changes. */
  concerned(): (name: string) => boolean {
    const masters = new Set(this.#overlays().map(({ master }) => master));
    return (name) => {
      const link = this.#links.get(name);
      return link !== undefined && (link.kind !== 'other' || masters.has(name));
    };
  }

  #overlays(): readonly MadeLink[] {
    return [...this.#links.values()].filter(({ kind }) => kind === 'vxlan');
  }

  links(report: Report): readonly ImportedLink[] {
    const all = { ports: this.#portsByBridge(), routes: Map.groupBy(this.routes, ({ link }) => link) };
    return this.#overlays().map((link) => this.#imported(link, all, report));
  }

  #imported(link: MadeLink, { ports, routes }: Standing, report: Report): ImportedLink {
    const { name, place, mtu, places, up, txChecksum } = link;
    const bridge = link.master === null ? undefined : this.#links.get(link.master);
    if (bridge !== undefined && link.addresses.size > 0) {
      const message = `the addresses of ${name} itself are left out: in a fabric they are on its bridge ${bridge.name}`;
      report.add('source-left-out', places.get(`address ${[...link.addresses][0]}`) ?? place, message);
    }
    const bearer = bridge ?? link;
    const over = this.#over(bearer, routes);
    const { vni = 0, ...attributes } = link.vxlan;
    return {
      name,
      place,
      vni,
      attributes,
      mtu,
      mac: link.mac ?? bridge?.mac ?? null,
      addresses: [...bearer.addresses],
      flood: [...link.flood].filter((vtep) => vtep !== attributes.remote),
      macs: link.macs,
      neighbours: link.neighbours,
      routes: over.map(({ to, via }) => ({ to, via })),
      bridge: bridge === undefined ? null : { name: bridge.name, ports: ports.get(bridge.name) ?? [] },
      txChecksum,
      up,
      places:
        bearer === link && over.length === 0
          ? places
          : new Map([...bearer.places, ...places, ...over.map(({ to, place: at }) => [`route ${to}`, at] as const)]),
    };
  }

  #portsByBridge(): ReadonlyMap<string, readonly string[]> {
    const ports = new Map<string, string[]>();
    for (const { name, kind, master } of this.#links.values()) {
      if (kind === 'vxlan' || master === null) continue;
      const others = ports.get(master);
      if (others === undefined) ports.set(master, [name]);
      else others.push(name);
    }
    return ports;
  }

  /** In the order of the script. */
  #over(link: MadeLink, routes: ReadonlyMap<string | null, readonly MadeRoute[]>): readonly MadeRoute[] {
    const own = routes.get(link.name) ?? [];
    const found = (routes.get(null) ?? []).filter(({ via }) =>
      [...link.addresses].some((prefix) => contains(prefix, via)),
    );
    if (found.length === 0) return own;
    const all = new Set([...own, ...found]);
    return this.routes.filter((route) => all.has(route));
  }

  /** Addresses of links that are no overlays. */
  underlays(): ReadonlyMap<string, readonly Prefix[]> {
    const underlays = new Map<string, readonly Prefix[]>();
    const concerns = this.concerned();
    for (const { name, addresses } of this.#links.values()) {
      if (addresses.size > 0 && !concerns(name)) underlays.set(name, [...addresses]);
    }
    return underlays;
  }
}
