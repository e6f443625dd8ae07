/** Makes and removes the namespaces of a lab and what joins them. */
import { rmSync } from 'node:fs';
import { openStore } from '../apply/store.ts';
import { build, type Part } from '../kernel/plumbing.ts';
import { Rtnetlink } from '../kernel/rtnetlink.ts';
import { readMarks } from '../kernel/tables.ts';
import { addressOf, familyOf, type Prefix } from '../model/address.ts';
import { EverlanError, type Problem, problem } from '../model/problem.ts';
import { hasCode } from '../sys/errno.ts';
import {
  cookieOf,
  createNamespace,
  deleteNamespace,
  inNamespace,
  type Namespace,
  namespaceExists,
  openNamespace,
  writeSysctl,
} from '../sys/netns.ts';
import { type LabHost, neighboursOf, type Segment, type Topology } from './topology.ts';

const LOOPBACK = 1;
/** Of the loopback link: tells the lab's namespaces from one that somebody else put in their place. */
const markOf = (fabric: string): string => `everlan-lab:${fabric}`;

const ROUTER_SETTINGS = [
  ['/proc/sys/net/ipv4/ip_forward', 1],
  ['/proc/sys/net/ipv6/conf/all/forwarding', 1],
  // Without: the router's link-local addresses would be of no use for a second or two.
  ['/proc/sys/net/ipv6/conf/default/accept_dad', 0],
] as const;

function writeSettings(namespace: Namespace): void {
  inNamespace(namespace.fd, () => {
    for (const [path, value] of ROUTER_SETTINGS) {
      try {
        writeSysctl(path, value);
      } catch (error) {
        // A kernel without IPv6 has no settings for it.
        if (!hasCode(error, 'ENOENT')) throw error;
      }
    }
  });
}

function make(name: string, fabric: string): Namespace {
  try {
    createNamespace(name);
  } catch (error) {
    if (hasCode(error, 'EEXIST')) throw new EverlanError(strange(name));
    throw error;
  }
  const namespace = openNamespace(name);
  build(namespace.fd, [
    { kind: 'up', index: LOOPBACK },
    { kind: 'alias', index: LOOPBACK, alias: markOf(fabric) },
  ]);
  return namespace;
}

function strange(name: string): Problem {
  return problem('lab-name-taken', `there is a network namespace ${name} that no lab of everlan made`, {
    hint: `\`ip netns delete ${name}\` removes it, if nobody needs it`,
  });
}

/** Those of the names that are taken. */
export function namespacesLeft(names: readonly string[]): readonly string[] {
  return names.filter(namespaceExists);
}

/** @throws EverlanError that lists namespaces of these names, which are strangers'. */
export function refuseStrangers(names: readonly string[]): void {
  const taken = namespacesLeft(names);
  if (taken.length > 0) throw new EverlanError(taken.map(strange));
}

/** The network on the link itself, where addresses do not bring it along. */
function networkPart(index: number, { alone, network }: Segment): readonly Part[] {
  return alone ? [{ kind: 'route', index, to: network, via: null }] : [];
}

function segmentParts(segment: Segment, mtu: number): readonly Part[] {
  const { index, name, mac, gateway } = segment;
  const bridge: Part = { kind: 'bridge', name, index, mac, mtu };
  if (gateway === null) return [bridge];
  return [bridge, { kind: 'address', index, prefix: gateway }, ...networkPart(index, segment)];
}

function defaultRoute({ segment: { gateway }, device }: LabHost): readonly Part[] {
  if (gateway === null) return [];
  const to = (familyOf(gateway) === 4 ? '0.0.0.0/0' : '::/0') as Prefix;
  return [{ kind: 'route', index: device.index, to, via: addressOf(gateway) }];
}

/** Permanent neighbours; `host` null: of the router. */
function known(topology: Topology, host: LabHost | null): readonly Part[] {
  if (!topology.crowded) return [];
  return neighboursOf(topology, host).map(({ address, mac, segment }): Part => {
    return { kind: 'neighbour', index: host?.device.index ?? segment, address, mac };
  });
}

/** Descriptors of the namespaces that hosts are plugged into. */
interface Around {
  readonly router: number;
  readonly outside: number | null;
}

/** Makes the hosts' namespaces and joins them to the router's. */
function makeHosts(hosts: readonly LabHost[], topology: Topology, { router, outside }: Around): void {
  const { fabric, mtu } = topology;
  const made: { readonly host: LabHost; readonly namespace: Namespace }[] = [];
  try {
    for (const host of hosts) made.push({ host, namespace: make(host.namespace, fabric) });
    const cables = made.map(({ host: { plug, device, segment }, namespace }): Part => {
      const peer = { ...device, namespace: namespace.fd };
      return { kind: 'veth', ...plug, mtu, bridge: segment.index, peer };
    });
    const names = hosts.map(({ name, plug }): Part => ({ kind: 'alias', index: plug.index, alias: name }));
    build(router, [...cables, ...names]);
    for (const { host, namespace } of made) {
      const { index } = host.device;
      build(namespace.fd, [
        { kind: 'up', index },
        { kind: 'address', index, prefix: host.address },
        ...networkPart(index, host.segment),
        ...defaultRoute(host),
        ...known(topology, host),
      ]);
      if (outside !== null) makePorts(host, mtu, outside, namespace.fd);
    }
  } finally {
    for (const { namespace } of made) namespace.close();
  }
}

/** Links without a cable have no carrier, so each port has a far end, which is up and waits outside. */
function makePorts({ name, ports }: LabHost, mtu: number, outside: number, host: number): void {
  build(
    outside,
    ports.flatMap(({ near, far }): readonly Part[] => [
      { kind: 'veth', ...far, mtu, peer: { ...near, namespace: host } },
      { kind: 'alias', index: far.index, alias: `${name} ${near.name}` },
    ]),
  );
  build(
    host,
    ports.map(({ near }): Part => ({ kind: 'up', index: near.index })),
  );
}

/**
 * Makes all of it. What was made before a failure stays: `removeLab` takes it away.
 * @throws EverlanError
 */
export function makeLab(topology: Topology): void {
  const router = make(topology.router, topology.fabric);
  let outside: Namespace | null = null;
  try {
    writeSettings(router);
    const segments = topology.segments.flatMap((segment) => segmentParts(segment, topology.mtu));
    build(router.fd, [...segments, ...known(topology, null)]);
    if (topology.outside !== null) outside = make(topology.outside, topology.fabric);
    makeHosts(topology.hosts, topology, { router: router.fd, outside: outside?.fd ?? null });
  } finally {
    router.close();
    outside?.close();
  }
}

/** Runs `work` with the lab's common namespaces open. */
function around(topology: Topology, work: (around: Around) => void): void {
  const router = openNamespace(topology.router);
  const outside = topology.outside === null ? null : openNamespace(topology.outside);
  try {
    work({ router: router.fd, outside: outside?.fd ?? null });
  } finally {
    router.close();
    outside?.close();
  }
}

/** @throws EverlanError when somebody else's namespace has the place of a host. */
export function refuseStranger(name: string, fabric: string): void {
  if (!namespaceExists(name)) return;
  const namespace = openNamespace(name);
  try {
    if (!isLabs(namespace.fd, fabric, false)) throw new EverlanError(strange(name));
  } finally {
    namespace.close();
  }
}

/** Takes one host away, which must be the lab's own (`refuseStranger`), and makes it anew as it was at first. */
export function remakeHost(host: LabHost, topology: Topology): void {
  around(topology, ({ router, outside }) => {
    // A process may keep the old namespace alive: its cables are pulled at our ends.
    pull(router, [host.plug.name]);
    if (outside !== null)
      pull(
        outside,
        host.ports.map(({ far }) => far.name),
      );
    removeNamespace(host.namespace, topology.fabric, true);
    makeHosts([host], topology, { router, outside });
  });
}

function pull(netns: number, names: readonly string[]): void {
  const socket = new Rtnetlink(netns);
  try {
    const present = readMarks(socket).filter(({ name }) => names.includes(name));
    build(
      netns,
      present.map(({ index }): Part => ({ kind: 'remove', index })),
    );
  } finally {
    socket.close();
  }
}

/** Whether the lab made it; `bare`: also when it has not been marked yet, as after a crash. */
function isLabs(netns: number, fabric: string, bare: boolean): boolean {
  let socket: Rtnetlink;
  try {
    socket = new Rtnetlink(netns);
  } catch (error) {
    // A name without a namespace: a crash came between the two.
    if (hasCode(error, 'EINVAL')) return bare;
    throw error;
  }
  try {
    const loopback = readMarks(socket).find(({ index }) => index === LOOPBACK);
    return loopback?.alias === markOf(fabric) || (bare && loopback?.alias === '');
  } finally {
    socket.close();
  }
}

/** Takes a namespace away with what everlan remembers of it; false: it is a stranger's by now, and stays. */
function removeNamespace(name: string, fabric: string, bare: boolean): boolean {
  let namespace: Namespace;
  try {
    namespace = openNamespace(name);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return true;
    throw error;
  }
  try {
    if (!isLabs(namespace.fd, fabric, bare)) return false;
    forget(namespace.fd, fabric);
    deleteNamespace(name);
    return true;
  } finally {
    namespace.close();
  }
}

function forget(netns: number, fabric: string): void {
  let cookie: string;
  try {
    cookie = cookieOf(netns);
  } catch (error) {
    if (hasCode(error, 'EINVAL')) return;
    throw error;
  }
  rmSync(openStore(fabric, cookie).folder, { recursive: true, force: true });
}

/**
 * Takes away what is there of the namespaces.
 * @param bare whether those that were not marked yet are the lab's too.
 * @returns the names of those that are a stranger's by now, and stay.
 */
export function removeLab(names: readonly string[], fabric: string, bare: boolean): readonly string[] {
  return names.filter((name) => !removeNamespace(name, fabric, bare));
}
