/** A host where a real systemd-networkd makes the overlays from rendered files, and one where `everlan apply` does. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { TestContext } from 'node:test';
import { converge } from '../src/apply/converge.ts';
import { memoryStore } from '../src/apply/store.ts';
import { renderHost } from '../src/cli/render-host.ts';
import { parseFabricOrThrow } from '../src/fabric/parse.ts';
import { resolve } from '../src/fabric/resolve.ts';
import { openKernel } from '../src/kernel/live.ts';
import type { Kernel } from '../src/kernel/port.ts';
import type { Desired } from '../src/model/desired.ts';
import type { Fabric, Host } from '../src/model/fabric.ts';
import { watchNetworkd } from '../src/networkd/links.ts';
import type { RenderContext, RenderedFile, RenderHost } from '../src/render/target.ts';
import { openNamespace } from '../src/sys/netns.ts';
import { testHost } from './support/host.ts';
import { linkFacts } from './support/links.ts';
import { Log } from './support/log.ts';
import { type NetworkdHost, needsNetworkd, networkdHost } from './support/networkd.ts';
import { runs } from './support/process.ts';

/** A host of a fabric, and what is there before the overlays. */
export interface Setting {
  readonly fabric: Fabric;
  readonly host: string;
  /** The underlay device. */
  readonly device: string;
  /** Links that become ports of bridges. */
  readonly ports: readonly string[];
  /** The underlay address with its length. */
  readonly underlay: string;
}

function hostOf({ fabric, host }: Pick<Setting, 'fabric' | 'host'>): Host {
  const found = fabric.hosts.get(host);
  if (found === undefined) throw new Error(`no host ${host}`);
  return found;
}

export function settingOf(text: string, host: string): Setting {
  const { fabric } = parseFabricOrThrow(Buffer.from(text), 'test.yaml');
  const found = hostOf({ fabric, host });
  const ports = [...fabric.overlays.values()]
    .filter(({ members }) => members.has(host))
    .flatMap(({ options }) => options.ports);
  const length = found.underlay.includes(':') ? 64 : 24;
  const underlay = `${found.underlay}/${length}`;
  return { fabric, host, device: found.device ?? 'eth0', ports: [...new Set(ports)], underlay };
}

/** Runs `ip` on a host. */
type Ip = (line: string) => string;

/** The links beside eth0, which every test host has. */
function addLinks(ip: Ip, { device, ports }: Setting): void {
  for (const [index, name] of [...(device === 'eth0' ? [] : [device]), ...ports].entries()) {
    ip(`link add ${name} type veth peer name far${index + 1}`);
    ip(`link set far${index + 1} up`);
  }
}

/** What `everlan apply` makes. */
export function applied(t: TestContext, setting: Setting): Readonly<Record<string, unknown>> {
  const host = testHost(t);
  addLinks(host.ip, setting);
  for (const link of [setting.device, ...setting.ports]) host.ip(`link set ${link} up`);
  host.ip(`addr add ${setting.underlay} dev ${setting.device}${setting.underlay.includes(':') ? ' nodad' : ''}`);
  const desired = resolve(setting.fabric, setting.host, host.kernel.look().facts);
  converge(host.kernel, desired, memoryStore(setting.fabric.name));
  return linkFacts(host.kernel, desired);
}

export interface Made {
  readonly host: NetworkdHost;
  readonly kernel: Kernel;
  readonly desired: Desired;
  readonly rendered: RenderHost;
  /** What is there now. */
  facts(): Readonly<Record<string, unknown>>;
  /** Settles when networkd says that it is done with every link of the overlays. */
  configured(): Promise<void>;
  /** Settles when networkd says this of the link. */
  settled(link: string, administrative: string): Promise<void>;
  /** What udev does when it sees a link: there is no udev here. */
  seenByUdev(): void;
  /** Writes files as if the tree was copied below /. */
  copy(files: readonly RenderedFile[]): void;
}

/** Why such hosts cannot be had here; false: they can. */
export const needsTools: string | false = needsNetworkd || (runs('udevadm') ? false : 'needs udevadm: package udev');

/** A host with a bus, whose links are there and whose networkd does not run yet. */
export async function bareHost(t: TestContext, setting: Setting): Promise<Made> {
  const host = await networkdHost(t, { start: 'bus', files: {} });
  const ip: Ip = (line) => host.ip(line);
  addLinks(ip, setting);
  const namespace = openNamespace(`/proc/${host.pid}/ns/net`);
  const kernel = openKernel(namespace.fd);
  t.after(() => {
    kernel.close();
    namespace.close();
  });
  ip(`addr add ${setting.underlay} dev ${setting.device}`);
  const rendered = renderHost(setting.fabric, hostOf(setting), kernel.look().facts);
  const { desired } = rendered;
  ip(`addr flush dev ${setting.device}`);
  return {
    ...{ host, kernel, desired, rendered },
    facts: () => linkFacts(kernel, desired),
    configured: () => settled(host, [...desired.state.links.keys()], 'configured'),
    settled: (link, administrative) => settled(host, [link], administrative),
    seenByUdev: () => {
      for (const { name, kind } of desired.state.links.values()) {
        if (kind !== 'port') host.run('udevadm', 'test-builtin', 'net_setup_link', `/sys/class/net/${name}`);
      }
    },
    copy: (files) => {
      for (const { path, text, mode } of files) {
        const full = `/proc/${host.pid}/root/${path}`;
        mkdirSync(dirname(full), { recursive: true });
        writeFileSync(full, text, { mode });
      }
    },
  };
}

export const context = (underlayId: string | null): RenderContext => ({
  file: 'test.yaml',
  text: '',
  version: '0',
  underlayId,
  packageUrl: null,
});

async function settled(host: NetworkdHost, names: readonly string[], state: string): Promise<void> {
  const log = new Log();
  const watch = watchNetworkd(host.env, {
    change: ({ index, administrative }) => log.add(`${index} ${administrative}`),
    gone: (index) => log.add(`${index} gone`),
    status: ({ state }) => log.add(state),
  });
  const indexes = (): readonly number[] => {
    const links: readonly { ifname: string; ifindex: number }[] = JSON.parse(host.ip('-j link'));
    return names.flatMap((name) => links.find(({ ifname }) => ifname === name)?.ifindex ?? []);
  };
  const done = (): boolean => {
    const states = indexes().map((index) => watch.states(index)?.administrative);
    if (state !== 'failed' && states.includes('failed')) throw new Error(host.networkctl('list'));
    return states.length === names.length && states.every((each) => each === state);
  };
  try {
    await log.until('following');
    while (!done()) await log.more();
  } finally {
    watch.close();
  }
}
