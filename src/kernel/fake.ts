/**
 * A kernel of its own for tests: keeps links and what stands on them, and does what the real one was seen to do beside
 * what it is asked to (measured on Linux 6.18), so that logic is tested in microseconds.
 */
import { type Family, familyOf } from '../model/address.ts';
import { ZERO_MAC } from '../model/mac.ts';
import { type FdbRow, fdbKey, type HostFacts, type HostState, type LinkState } from '../model/state.ts';
import type { AttributeChange, ChangeLink, LinkStep, Step } from '../model/step.ts';
import { VXLAN_ATTRIBUTES, type VxlanAttribute, type VxlanState } from '../model/vxlan.ts';
import {
  addAddress,
  addNeighbour,
  addRoute,
  addRow,
  type Device,
  EADDRNOTAVAIL,
  EEXIST,
  EINVAL,
  ENODEV,
  ENOENT,
  EOPNOTSUPP,
  ESRCH,
  familyOfLink,
  IPV6_MTU,
  loseIpv6,
  type Mutable,
  Refusal,
  removeAddress,
  removeNeighbour,
  removeRoute,
  removeRow,
  rowKey,
} from './fake-device.ts';
import { fakeView } from './fake-view.ts';
import type { Kernel, RunOptions, RunReport, StepFailure, View } from './port.ts';

export interface FakeOptions {
  /** What is there at first. Strangers' links are told by alias and group, as in the real kernel. */
  readonly state?: HostState;
  /** Links beside those of `state`, such as the underlay device, and the hostname. */
  readonly facts?: HostFacts;
  /** The n-th act of all runs (from 1) is refused. Each step is one act, a recreate two: removed, made. */
  readonly fail?: { readonly act: number; readonly errno: number; readonly message?: string };
  /** Before the n-th act of all runs (from 1) the program dies: `run` throws `Killed`, what was done stays. */
  readonly kill?: number;
  /** Steps sent together: those after a refused one are done. Default 1. */
  readonly batch?: number;
  /** As with sysctl promote_secondaries: a secondary address stays when its primary goes. */
  readonly promote?: boolean;
  /** Remember the origin of everything, as no kernel does; for tests of logic that needs no `remembered`. */
  readonly omniscient?: boolean;
}

/** The program was killed between two steps. */
export class Killed extends Error {
  override readonly name = 'Killed';
}

/** Answers to a removal that mean: it is gone already. */
const GONE: ReadonlySet<number> = new Set([ENOENT, ESRCH, ENODEV, EADDRNOTAVAIL]);

/** The kernel's words for what it does not change on a live link. */
const REFUSALS: Partial<Record<VxlanAttribute, string>> = {
  vni: 'Cannot change VNI.',
  port: 'Cannot change port.',
  portLow: 'Cannot change port range.',
  portHigh: 'Cannot change port range.',
  limit: 'Cannot change limit.',
  udpCsum: 'Cannot change UDP_CSUM flag.',
  proxy: 'vxlan: cannot change PROXY flag.',
};

const OVERHEAD: Record<Family, number> = { 4: 50, 6: 70 };

function isVxlanAttribute(name: AttributeChange['attribute']): name is VxlanAttribute {
  return name in VXLAN_ATTRIBUTES;
}

export class FakeKernel implements Kernel {
  readonly portId = 0;
  readonly #devices = new Map<string, Device>();
  readonly #options: FakeOptions;
  #nextIndex = 1;
  #started = 0;

  constructor(options: FakeOptions = {}) {
    this.#options = options;
    for (const link of options.facts?.links.values() ?? []) this.#nextIndex = Math.max(this.#nextIndex, link.index + 1);
    for (const link of options.state?.links.values() ?? []) this.#load(link);
  }

  look(): View {
    return fakeView([...this.#devices.values()], this.#options.facts, this.#options.omniscient === true);
  }

  run(steps: readonly Step[], options: RunOptions = {}): RunReport {
    const failures: StepFailure[] = [];
    const jobs = inTurns(steps);
    const size = this.#options.batch ?? 1;
    for (let at = 0; at < jobs.length && failures.length === 0; at += size) {
      for (const { step, act } of jobs.slice(at, at + size)) {
        const failure = this.#attempt(step, act);
        if (failure !== null) failures.push(failure);
      }
      options.progress?.(Math.min(steps.length, at + size), steps.length);
    }
    return { failures };
  }

  close(): void {}

  #attempt(step: Step, act: Act): StepFailure | null {
    const { fail, kill } = this.#options;
    this.#started++;
    if (this.#started === kill) throw new Killed(`killed before act ${kill}`);
    if (this.#started === fail?.act) {
      return { step, errno: fail.errno, message: fail.message ?? `errno ${fail.errno}` };
    }
    try {
      this.#do(step, act);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (step.action === 'remove' && GONE.has(error.errno)) return null;
      return { step, errno: error.errno, message: error.message };
    }
    return null;
  }

  #do(step: Step, act: Act): void {
    if (step.kind === 'link') {
      if (act === 'clear') this.#remove(step.link);
      else if (step.action === 'change') this.#change(step);
      else if (step.action !== 'remove') this.#create(step.to);
      return;
    }
    const device = this.#device(step.link);
    const remove = step.action === 'remove';
    switch (step.kind) {
      case 'bridge-port':
        if (!remove && this.#device(step.bridge).kind !== 'bridge') {
          throw new Refusal(EOPNOTSUPP, 'Device does not allow enslaving.');
        }
        this.#enslave(device, remove ? null : step.bridge);
        return;
      case 'address':
        if (remove) removeAddress(device, step.address, this.#options.promote === true);
        else addAddress(device, step.address);
        return;
      case 'fdb':
        (remove ? removeRow : addRow)(device, step.row);
        return;
      case 'neighbour':
        (remove ? removeNeighbour : addNeighbour)(device, step.neighbour);
        return;
      case 'route':
        if (remove) removeRoute(device, step.route);
        else addRoute(device, step.route, this.#devices.values());
        return;
      default:
        step satisfies never;
    }
  }

  #device(name: string): Device {
    const device = this.#devices.get(name);
    if (device === undefined) throw new Refusal(ENODEV, 'No such device');
    return device;
  }

  /** The MTU that the underlay device leaves, or null: there is none, or nothing is known of it. */
  #room(device: Device): number | null {
    const name = device.vxlan?.device ?? null;
    if (name === null) return null;
    const mtu = this.#devices.get(name)?.mtu ?? this.#options.facts?.links.get(name)?.mtu;
    return mtu === undefined ? null : mtu - OVERHEAD[device.family];
  }

  #checkUnderlay(device: string | null): void {
    const known = device === null || this.#devices.has(device) || this.#options.facts?.links.has(device) !== false;
    if (!known) throw new Refusal(ENODEV, 'Invalid local interface, device not found.');
  }

  /** Puts a link in place as it is described. */
  #load(link: LinkState): Device {
    const device: Device = {
      ...link,
      kind: link.kind === 'joined' ? 'bridge' : link.kind,
      index:
        link.index > 0 && ![...this.#devices.values()].some(({ index }) => index === link.index)
          ? link.index
          : this.#nextIndex,
      vxlan: link.vxlan === null ? null : { ...link.vxlan },
      family: familyOfLink(link),
      followsPorts: link.kind === 'bridge' || link.kind === 'joined',
      remoteRow: link.vxlan !== null && link.vxlan.remote !== null,
      addresses: new Map(link.addresses),
      fdb: new Map([...link.fdb.values()].map((row) => [rowKey(row), row])),
      neighbours: new Map(link.neighbours),
      routes: new Map(link.routes),
    };
    this.#nextIndex = Math.max(this.#nextIndex, device.index + 1);
    this.#devices.set(link.name, device);
    return device;
  }

  #create(link: LinkState): void {
    if (this.#devices.has(link.name) || this.#options.facts?.links.has(link.name) === true) {
      throw new Refusal(EEXIST, 'File exists');
    }
    if (link.vxlan !== null) {
      this.#checkUnderlay(link.vxlan.device);
      for (const other of this.#devices.values()) {
        const same = other.vxlan?.vni === link.vxlan.vni && other.vxlan.port === link.vxlan.port;
        if (same && other.family === familyOfLink(link)) {
          throw new Refusal(EEXIST, 'A VXLAN device with the specified VNI already exists.');
        }
      }
    }
    const bare = { addresses: new Map(), fdb: new Map(), neighbours: new Map(), routes: new Map() };
    const device = this.#load({ ...link, ...bare, index: 0, master: null });
    device.family = familyOfLink(link);
    // Cut in silence at creation, refused afterwards.
    device.mtu = Math.min(device.mtu, this.#room(device) ?? device.mtu);
  }

  #remove(name: string): void {
    const gone = this.#device(name);
    this.#devices.delete(name);
    if (gone.master !== null) this.#followPorts(gone.master);
    for (const other of [...this.#devices.values()]) {
      if (other.master === name) other.master = null;
      if (other.vxlan?.device === name && this.#devices.has(other.name)) this.#remove(other.name);
    }
  }

  #enslave(device: Device, master: string | null): void {
    const before = device.master;
    device.master = master;
    for (const bridge of [before, master]) if (bridge !== null) this.#followPorts(bridge);
  }

  #followPorts(name: string): void {
    const bridge = this.#devices.get(name);
    if (bridge === undefined || !bridge.followsPorts) return;
    const ports = [...this.#devices.values()].filter(({ master }) => master === name);
    bridge.mtu = ports.length === 0 ? 1500 : Math.min(...ports.map(({ mtu }) => mtu));
    if (bridge.mtu < IPV6_MTU) loseIpv6(bridge);
  }

  #change(step: ChangeLink): void {
    const device = this.#device(step.link);
    const changed = new Set(step.changes.map(({ attribute }) => attribute));
    if (device.vxlan !== null && step.to.vxlan !== null) {
      this.#changeVxlan(device, device.vxlan, step.to.vxlan, [...changed].filter(isVxlanAttribute));
    }
    const { to } = step;
    if (changed.has('mtu')) {
      if (to.mtu > (this.#room(device) ?? 65535)) throw new Refusal(EINVAL, 'mtu greater than device maximum');
      device.mtu = to.mtu;
      device.followsPorts = false;
      if (to.mtu < IPV6_MTU) loseIpv6(device);
      if (device.master !== null) this.#followPorts(device.master);
    }
    if (changed.has('mac')) {
      device.mac = to.mac;
      device.neighbours.clear();
    }
    if (changed.has('alias')) device.alias = to.alias;
    if (changed.has('group')) device.group = to.group;
    if (changed.has('txChecksum')) device.txChecksum = to.txChecksum;
    if (changed.has('up')) {
      device.up = to.up;
      if (!to.up) {
        loseIpv6(device);
        device.neighbours.clear();
        device.routes.clear();
      }
    }
  }

  #changeVxlan(device: Device, have: Mutable<VxlanState>, to: VxlanState, changed: readonly VxlanAttribute[]): void {
    for (const name of changed) {
      if (VXLAN_ATTRIBUTES[name].change === 'recreate') {
        throw new Refusal(EOPNOTSUPP, REFUSALS[name] ?? `vxlan: cannot change ${name}.`);
      }
    }
    const says = new Set(changed);
    for (const name of ['remote', 'local'] as const) {
      const address = to[name];
      if (says.has(name) && address !== null && familyOf(address) !== device.family) {
        const words =
          name === 'remote'
            ? 'group address family does not match old group'
            : 'local address family does not match old';
        throw new Refusal(EOPNOTSUPP, `New ${words}.`);
      }
    }
    if (says.has('device')) this.#checkUnderlay(to.device);
    const moves = says.has('device') && to.device !== null;
    if (says.has('remote')) {
      device.remoteRow = to.remote !== null;
      const key = to.remote === null ? '' : fdbKey(ZERO_MAC, to.remote);
      // Without a device the kernel finds its own row equal to the one that is there.
      if ((moves ? to.device : have.device) === null) device.fdb.delete(key);
    } else if (moves && have.remote !== null && device.remoteRow) {
      // The row of `remote` keeps the device of its time; later changes of `remote` do not find it.
      const stale: FdbRow = { mac: ZERO_MAC, vtep: have.remote, origin: 'foreign', special: { via: 1 } };
      device.fdb.set(rowKey(stale), stale);
      device.remoteRow = false;
    }
    const next: Record<string, unknown> = have;
    for (const name of changed) {
      const ignored = (name === 'ttl' && have.ttlInherit) || (name === 'device' && to.device === null);
      if (!ignored) next[name] = to[name];
    }
    device.mtu = Math.min(device.mtu, moves ? (this.#room(device) ?? device.mtu) : device.mtu);
  }
}

type Act = 'clear' | 'do';

/** Consecutive link steps take turns: what goes is removed, then links are made, then changed. */
function inTurns(steps: readonly Step[]): { step: Step; act: Act }[] {
  const jobs: { step: Step; act: Act }[] = [];
  for (let at = 0; at < steps.length; ) {
    const links: LinkStep[] = [];
    for (let step = steps[at]; step?.kind === 'link'; step = steps[++at]) links.push(step);
    for (const step of links) {
      if (step.action === 'recreate') jobs.push({ step, act: 'clear' });
      if (step.action === 'remove') jobs.push({ step, act: 'clear' });
    }
    for (const step of links) if (step.action === 'add' || step.action === 'recreate') jobs.push({ step, act: 'do' });
    for (const step of links) if (step.action === 'change') jobs.push({ step, act: 'do' });
    for (let step = steps[at]; step !== undefined && step.kind !== 'link'; step = steps[++at]) {
      jobs.push({ step, act: 'do' });
    }
  }
  return jobs;
}
