/** What overlays say about each other and about hosts: seen only over the whole file. */
import { addressOf, familyOf, type IpAddress } from '../model/address.ts';
import type { Host } from '../model/fabric.ts';
import type { OverlayOptions } from '../model/options.ts';
import { type At, below, type Findings } from './findings.ts';
import type { Hosts } from './hosts.ts';
import { type Draft, itemAt } from './overlay.ts';

export function checkWhole(drafts: readonly Draft[], { hosts }: Hosts, findings: Findings): void {
  checkVnis(drafts, findings);
  checkSockets(drafts, hosts, findings);
  checkAddresses(drafts, hosts, findings);
  checkNames(drafts, hosts, findings);
  checkBridges(drafts, findings);
  checkRoutes(drafts, findings);
}

/** A host that is in both. */
function shared(a: Draft, b: Draft): string | null {
  for (const name of a.overlay.members.keys()) if (b.overlay.members.has(name)) return name;
  return null;
}

/** For each draft, the first earlier one with the same key and a host in common. */
function clashes(drafts: readonly Draft[], keyOf: (draft: Draft) => string | null): [Draft, Draft, string][] {
  const groups = new Map<string, Draft[]>();
  const found: [Draft, Draft, string][] = [];
  for (const draft of drafts) {
    const key = keyOf(draft);
    if (key === null) continue;
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, [draft]);
      continue;
    }
    for (const earlier of group) {
      const host = shared(draft, earlier);
      if (host === null) continue;
      found.push([draft, earlier, host]);
      break;
    }
    group.push(draft);
  }
  return found;
}

function checkVnis(drafts: readonly Draft[], findings: Findings): void {
  const keyOf = ({ vni, overlay }: Draft): string | null => (vni === 0 ? null : `${vni} ${overlay.options.port}`);
  for (const [draft, earlier, host] of clashes(drafts, keyOf)) {
    const { port } = draft.overlay.options;
    const message = `VNI ${draft.vni} on port ${port} is the overlay ${earlier.overlay.name} already, and ${host} is in both`;
    findings.add('vni-twice', below(draft.at, 'vni'), message, 'take another VNI, or another `port`');
  }
}

/** VXLAN_F_RCV_FLAGS of <net/vxlan.h>, as the file says them. */
const RECEIVE_WORDS = ['group-policy', 'zero-udp6-rx', 'remote-rx'] as const;

function receiveWords({ extensions, checksums }: OverlayOptions): string {
  const said = [...(extensions ?? []), ...(checksums ?? [])];
  const words = RECEIVE_WORDS.filter((word) => said.includes(word));
  return words.length === 0 ? 'none of them' : words.join(', ');
}

/** On one host and family the kernel has one socket for each port, and its links must receive alike. */
function checkSockets(drafts: readonly Draft[], hosts: ReadonlyMap<string, Host>, findings: Findings): void {
  const plain = ({ extensions, checksums }: OverlayOptions): boolean => extensions === null && checksums === null;
  if (drafts.every(({ overlay }) => plain(overlay.options))) return;
  const seen = new Map<string, Draft>();
  for (const draft of drafts) {
    const words = receiveWords(draft.overlay.options);
    for (const name of draft.overlay.members.keys()) {
      const host = hosts.get(name);
      if (host === undefined) continue;
      const { port } = draft.overlay.options;
      const key = `${name} ${familyOf(host.underlay)} ${port}`;
      const earlier = seen.get(key);
      if (earlier === undefined) seen.set(key, draft);
      else if (receiveWords(earlier.overlay.options) !== words) {
        const message = `on port ${port} ${earlier.overlay.name} receives with ${receiveWords(earlier.overlay.options)} of ${RECEIVE_WORDS.join(', ')}, this one with ${words}, and ${name} is in both`;
        findings.addKey('receive-flags', draft.at, message);
        break;
      }
    }
  }
}

function checkBridges(drafts: readonly Draft[], findings: Findings): void {
  for (const [draft, earlier, host] of clashes(drafts, ({ overlay }) => overlay.options.bridge)) {
    const message = `${draft.overlay.options.bridge} is the bridge of ${earlier.overlay.name} already, and ${host} is in both`;
    findings.add('bridge-twice', below(draft.at, 'bridge'), message);
  }
}

/** Where the address stands: in a list, or alone, where the place of the list's item is that of the value. */
function addressAt({ at }: Draft, host: string, index: number): At {
  return below(below(below(at, 'hosts'), host), index);
}

function checkAddresses(drafts: readonly Draft[], hosts: ReadonlyMap<string, Host>, findings: Findings): void {
  const underlays = new Map<IpAddress, string>();
  for (const host of hosts.values()) underlays.set(host.underlay, host.name);
  const taken = new Map<string, Set<IpAddress>>();
  for (const draft of drafts) {
    for (const [host, prefixes] of draft.overlay.members) {
      let own = taken.get(host);
      if (own === undefined) {
        own = new Set();
        taken.set(host, own);
      }
      for (let i = 0; i < prefixes.length; i++) {
        const prefix = prefixes[i];
        if (prefix === undefined) continue;
        const address = addressOf(prefix);
        const owner = underlays.get(address);
        if (owner !== undefined) {
          findings.add(
            'address-is-underlay',
            addressAt(draft, host, i),
            `${address} is the underlay address of ${owner}`,
          );
        }
        const before = own.size;
        if (own.add(address).size > before) continue;
        const other = drafts.find(({ overlay }) => overlay.members.get(host)?.some((p) => addressOf(p) === address));
        const message = `${host} has ${address} on ${other?.overlay.name} already`;
        findings.add('address-twice', addressAt(draft, host, i), message);
      }
    }
  }
}

function checkNames(drafts: readonly Draft[], hosts: ReadonlyMap<string, Host>, findings: Findings): void {
  const overlays = new Set(drafts.map(({ overlay }) => overlay.name));
  for (const { overlay, at, given } of drafts) {
    const { bridge, ports } = overlay.options;
    const uses: [string, At][] = ports.map((port) => [port, itemAt(at, given, 'ports', port)]);
    if (bridge !== null) uses.push([bridge, below(at, 'bridge')]);
    for (const [name, here] of uses) {
      if (name !== overlay.name && overlays.has(name))
        findings.add('name-clash', here, `${name} is the name of an overlay`);
    }
    for (const host of overlay.members.keys()) {
      const device = hosts.get(host)?.device;
      if (typeof device !== 'string') continue;
      const message = `${device} is the underlay device of ${host}`;
      if (device === overlay.name) findings.addKey('name-clash', at, message);
      for (const [name, here] of uses) if (name === device) findings.add('name-clash', here, message);
    }
  }
  checkPorts(drafts, findings);
}

/** On one host a link is the port of one bridge, and a bridge is no port. */
function checkPorts(drafts: readonly Draft[], findings: Findings): void {
  const bridges = new Map<string, Draft[]>();
  for (const draft of drafts) append(bridges, draft.overlay.options.bridge, draft);
  const users = new Map<string, Draft[]>();
  for (const draft of drafts) {
    for (const port of draft.overlay.options.ports) {
      const here = itemAt(draft.at, draft.given, 'ports', port);
      const bridged = bridges.get(port)?.find((other) => other !== draft && shared(draft, other) !== null);
      if (bridged !== undefined) findings.add('name-clash', here, `${port} is the bridge of ${bridged.overlay.name}`);
      const user = users.get(port)?.find((other) => shared(draft, other) !== null);
      if (user !== undefined) findings.add('port-twice', here, `${port} is a port of ${user.overlay.name} already`);
      append(users, port, draft);
    }
  }
}

function append<K, V>(map: Map<K, V[]>, key: K | null, value: V): void {
  if (key === null) return;
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** The kernel takes one route to a destination (of one metric), whichever link it leads over. */
function checkRoutes(drafts: readonly Draft[], findings: Findings): void {
  const routed = drafts.filter(({ overlay }) => overlay.options.routes.length > 0);
  const taken = new Map<string, string>();
  for (const { overlay, at } of routed) {
    for (const { to, via } of overlay.options.routes) {
      for (const host of overlay.members.keys()) {
        if (host === via) continue;
        const key = `${host} ${to}`;
        const other = taken.get(key);
        taken.set(key, overlay.name);
        if (other === undefined || other === overlay.name) continue;
        findings.addKey('route-twice', below(at, 'routes'), `${host} has a route to ${to} over ${other} already`);
        break;
      }
    }
  }
}
