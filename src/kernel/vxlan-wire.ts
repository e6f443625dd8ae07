/** Between the VXLAN attributes of the model and those on the wire: addresses have one attribute for each family, ports share one. */
import { familyOf, type IpAddress } from '../model/address.ts';
import { VXLAN_ATTRIBUTE_NAMES, VXLAN_DEFAULTS, type VxlanAttribute, type VxlanState } from '../model/vxlan.ts';
import type { VxlanValues } from '../netlink/link.ts';

/** Link names and indexes of the namespace. */
export interface LinkNames {
  indexOf(name: string): number | undefined;
  nameOf(index: number): string | undefined;
}

type Put = (values: VxlanValues, state: VxlanState, names: LinkNames) => void;
type Get = (values: VxlanValues, names: LinkNames) => unknown;
interface WireRow {
  readonly put: Put;
  /** undefined: the kernel did not say, so the default holds. */
  readonly get: Get;
}

/** Attributes with the same name and type on both sides. */
type Plain = {
  [K in VxlanAttribute & keyof VxlanValues]: VxlanState[K] extends Exclude<VxlanValues[K], undefined> ? K : never;
}[VxlanAttribute & keyof VxlanValues];

function plain<K extends Plain>(name: K): WireRow {
  return {
    put: (values, state) => {
      (values as Record<K, VxlanState[K]>)[name] = state[name];
    },
    get: (values) => values[name],
  };
}

/** A netlink flag: present or not, so only `true` can be said. */
function presence(name: 'gbp' | 'gpe' | 'remcsumNoPartial' | 'ttlInherit'): WireRow {
  return {
    put: (values, state) => {
      if (state[name]) values[name] = true;
    },
    get: (values) => values[name],
  };
}

const ANY = { 4: '0.0.0.0' as IpAddress, 6: '::' as IpAddress };

/** The family of the outer packets, as far as the link tells. */
function outerFamily(state: VxlanState): 4 | 6 {
  return familyOf(state.remote ?? state.local ?? ANY[4]);
}

function endpoint(name: 'remote' | 'local', four: 'group' | 'local', six: 'group6' | 'local6'): WireRow {
  return {
    put: (values, state) => {
      const family = outerFamily(state);
      values[family === 4 ? four : six] = state[name] ?? ANY[family];
    },
    get: (values) => {
      const address = values[four] ?? values[six];
      return address === ANY[4] || address === ANY[6] ? undefined : address;
    },
  };
}

const PORTS: Put = (values, state) => {
  values.portRange = [state.portLow, state.portHigh];
};

const WIRE = {
  vni: plain('vni'),
  port: plain('port'),
  remote: endpoint('remote', 'group', 'group6'),
  local: endpoint('local', 'local', 'local6'),
  device: {
    put: (values, state, names) => {
      values.link = state.device === null ? 0 : (names.indexOf(state.device) ?? 0);
    },
    get: (values, names) =>
      values.link === undefined || values.link === 0 ? undefined : (names.nameOf(values.link) ?? `if${values.link}`),
  },
  ttl: plain('ttl'),
  ttlInherit: presence('ttlInherit'),
  tos: plain('tos'),
  df: plain('df'),
  label: plain('label'),
  learning: plain('learning'),
  ageing: plain('ageing'),
  limit: plain('limit'),
  portLow: { put: PORTS, get: (values) => values.portRange?.[0] },
  portHigh: { put: PORTS, get: (values) => values.portRange?.[1] },
  proxy: plain('proxy'),
  rsc: plain('rsc'),
  l2miss: plain('l2miss'),
  l3miss: plain('l3miss'),
  udpCsum: plain('udpCsum'),
  udpZeroCsum6Tx: plain('udpZeroCsum6Tx'),
  udpZeroCsum6Rx: plain('udpZeroCsum6Rx'),
  remcsumTx: plain('remcsumTx'),
  remcsumRx: plain('remcsumRx'),
  remcsumNoPartial: presence('remcsumNoPartial'),
  gbp: presence('gbp'),
  gpe: presence('gpe'),
  external: plain('external'),
  vnifilter: plain('vnifilter'),
  localbypass: plain('localbypass'),
} satisfies Record<VxlanAttribute, WireRow>;

/** What the kernel told of a link; what it left out (older kernels know fewer attributes) has its default. */
export function vxlanState(values: VxlanValues, names: LinkNames): VxlanState {
  const state: Record<string, unknown> = {};
  for (const name of VXLAN_ATTRIBUTE_NAMES) state[name] = WIRE[name].get(values, names) ?? VXLAN_DEFAULTS[name];
  return state as unknown as VxlanState;
}

/** The attributes to say when a link is made: VNI, port, and all that is not the kernel's default. */
export function vxlanCreation(state: VxlanState, names: LinkNames, family: 4 | 6): VxlanValues {
  const values: VxlanValues = {};
  for (const name of VXLAN_ATTRIBUTE_NAMES) {
    if (name === 'vni' || name === 'port' || state[name] !== VXLAN_DEFAULTS[name]) WIRE[name].put(values, state, names);
  }
  // Without a remote or local address the kernel would take the link for IPv4.
  if (family === 6 && state.remote === null && state.local === null) values.group6 = ANY[6];
  return values;
}

/** The named attributes alone, for a change in place. `from` tells the family when an address goes to null. */
export function vxlanChange(
  attributes: readonly VxlanAttribute[],
  from: VxlanState,
  to: VxlanState,
  names: LinkNames,
): VxlanValues {
  const values: VxlanValues = {};
  const state = to.remote === null && to.local === null && outerFamily(from) === 6 ? { ...to, local: ANY[6] } : to;
  for (const name of attributes) WIRE[name].put(values, state, names);
  return values;
}
