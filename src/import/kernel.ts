/** Import of what runs now: an observed state → links. */
import { addressOf, familyOf, type IpAddress, type Prefix } from '../model/address.ts';
import { type Mac, ZERO_MAC } from '../model/mac.ts';
import { readAlias } from '../model/ownership.ts';
import type { Place, Problem } from '../model/problem.ts';
import type { AddressState, HostFacts, HostState, LinkState } from '../model/state.ts';
import type { VxlanState } from '../model/vxlan.ts';
import { importProblem } from './errors.ts';
import type { Imported, ImportedLink, ImportedRoute } from './found.ts';

/** One moment of the host: `state` holds every VXLAN link, every bridge, and the bridges' other ports. */
export interface KernelView {
  readonly facts: HostFacts;
  readonly state: HostState;
}

/** @param source what to call it in messages. */
export function importKernel(source: string, view: KernelView): Imported {
  const problems: Problem[] = [];
  const reader = new Reader(source, view, problems);
  const links: ImportedLink[] = [];
  const bridges = new Set<string>();
  const fabrics = new Set<string | undefined>();
  for (const link of view.state.links.values()) {
    if (link.kind !== 'vxlan' || link.vxlan === null) continue;
    const imported = reader.link(link, link.vxlan);
    links.push(imported);
    if (imported.bridge !== null) bridges.add(imported.bridge.name);
    fabrics.add(readAlias(link.alias)?.fabric);
  }
  const [fabric] = fabrics;
  const { hostname } = view.facts;
  return {
    links,
    underlays: underlaysOf(view.facts, bridges),
    hostname: hostname === '' ? null : hostname,
    ...(fabrics.size === 1 && fabric !== undefined ? { fabric } : {}),
    problems,
  };
}

const LOOPBACK = 'lo';

function underlaysOf({ links }: HostFacts, bridges: ReadonlySet<string>): ReadonlyMap<string, readonly Prefix[]> {
  const underlays = new Map<string, readonly Prefix[]>();
  for (const { name, kind, addresses } of links.values()) {
    if (kind !== 'vxlan' && !bridges.has(name) && name !== LOOPBACK && addresses.length > 0)
      underlays.set(name, addresses);
  }
  return underlays;
}

const NOWHERE: ReadonlyMap<string, Place> = new Map();
const FOREVER = 0xffffffff;

class Reader {
  readonly #source: string;
  readonly #facts: HostFacts;
  readonly #state: HostState;
  readonly #problems: Problem[];
  /** Bridge → its ports. */
  readonly #ports: ReadonlyMap<string | null, readonly LinkState[]>;
  readonly #holders = new Map<IpAddress, string>();

  constructor(source: string, { facts, state }: KernelView, problems: Problem[]) {
    this.#source = source;
    this.#facts = facts;
    this.#state = state;
    this.#problems = problems;
    this.#ports = Map.groupBy(state.links.values(), ({ master }) => master);
    for (const { name, kind, addresses } of facts.links.values()) {
      if (kind === 'vxlan') continue;
      for (const prefix of addresses) this.#holders.set(addressOf(prefix), name);
    }
  }

  link(link: LinkState, vxlan: VxlanState): ImportedLink {
    const place = this.#place(link);
    const bridge = this.#bridge(link, place);
    const master = bridge === null ? undefined : this.#state.links.get(bridge.name);
    const bearer = master ?? link;
    if (master !== undefined && link.addresses.size > 0) {
      this.#unsaid(`the addresses of ${link.name} itself are left out: in a fabric they are on its bridge`, place);
    }
    const { flood, macs } = this.#rows(link, vxlan.remote, place);
    return {
      name: link.name,
      place,
      vni: vxlan.vni,
      attributes: vxlan,
      mtu: this.#mtu(link, vxlan, flood, place),
      mac: link.mac,
      addresses: this.#addresses(bearer, place),
      flood,
      macs,
      neighbours: new Map([...link.neighbours.values()].map(({ address, mac }) => [address, mac])),
      routes: this.#routes(bearer, place),
      bridge,
      txChecksum: link.txChecksum,
      up: link.up,
      places: NOWHERE,
    };
  }

  /** As a line of `ip -d link`; made when it is shown. */
  #place({ name, index, vxlan }: LinkState): Place {
    const file = this.#source;
    return {
      file,
      line: index,
      column: 1,
      length: name.length,
      get text() {
        const { vni, port, remote, local, device } = vxlan ?? {};
        const words = { remote, local, dev: device };
        const said = Object.entries(words).flatMap(([word, value]) => (value == null ? [] : [`${word} ${value}`]));
        return [`${name}: vxlan id ${vni}`, ...said, `dstport ${port}`].join(' ');
      },
    };
  }

  #unsaid(message: string, place: Place): void {
    this.#problems.push(importProblem('import-unsaid', message, { place }));
  }

  #bridge({ name, master }: LinkState, place: Place): ImportedLink['bridge'] {
    if (master === null) return null;
    if (this.#facts.links.get(master)?.kind !== 'bridge') {
      this.#unsaid(`${name} is in ${master}, which is no bridge: that is left out`, place);
      return null;
    }
    const ports = (this.#ports.get(master) ?? []).flatMap((port) => (port.kind === 'vxlan' ? [] : [port.name]));
    return { name: master, ports };
  }

  /** null: what everlan gives it by itself. */
  #mtu(link: LinkState, vxlan: VxlanState, flood: readonly IpAddress[], place: Place): number | null {
    const outer = vxlan.local ?? vxlan.remote ?? flood[0];
    const overhead = outer !== undefined && familyOf(outer) === 6 ? 70 : 50;
    const carrier = vxlan.device ?? (vxlan.local === null ? undefined : this.#holders.get(vxlan.local));
    const device = carrier === undefined ? undefined : this.#facts.links.get(carrier);
    // Without a device and an address the kernel's own 1500 tells nothing.
    if (device === undefined) return link.mtu === 1500 ? null : link.mtu;
    if (link.mtu === device.mtu - overhead) return null;
    if (link.mtu < device.mtu - overhead) return link.mtu;
    const message = `the MTU of ${link.name} is ${link.mtu}, but ${device.name} carries ${device.mtu - overhead}: that is what everlan gives it`;
    this.#unsaid(message, place);
    return null;
  }

  #rows(link: LinkState, remote: IpAddress | null, place: Place): Pick<ImportedLink, 'flood' | 'macs'> {
    const flood: IpAddress[] = [];
    const macs = new Map<Mac, IpAddress>();
    for (const { mac, vtep, special } of link.fdb.values()) {
      if (special !== undefined) {
        this.#unsaid(
          `the row ${mac} → ${vtep} of ${link.name} is left out: it has a port, VNI or device of its own`,
          place,
        );
      } else if (mac !== ZERO_MAC) macs.set(mac, vtep);
      else if (vtep !== remote) flood.push(vtep);
    }
    return { flood, macs };
  }

  #addresses(link: LinkState, place: Place): readonly Prefix[] {
    return [...link.addresses.values()].flatMap((address) => {
      const why = oddAddress(address);
      if (why === null) return [address.prefix];
      this.#unsaid(`${address.prefix} of ${link.name} is left out: ${why}`, place);
      return [];
    });
  }

  #routes(link: LinkState, place: Place): readonly ImportedRoute[] {
    return [...link.routes.values()].flatMap(({ to, via, metric }) => {
      if (via !== null && metric === 0) return [{ to, via }];
      const why = via === null ? 'it has no gateway' : `it has the metric ${metric}`;
      this.#unsaid(`the route to ${to} over ${link.name} is left out: ${why}`, place);
      return [];
    });
  }
}

/** What the file cannot say of an address. */
function oddAddress({ validLifetime, peer }: AddressState): string | null {
  if (validLifetime !== FOREVER) return 'it has a lifetime, so something else looks after it';
  return peer === undefined ? null : 'it is point-to-point';
}
