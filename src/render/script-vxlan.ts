/** The attributes of a VXLAN link in the words of `ip link … type vxlan` (ip-link(8)). */
import { familyOf, type IpAddress, isMulticast } from '../model/address.ts';
import { VXLAN_ATTRIBUTE_NAMES, VXLAN_ATTRIBUTES, type VxlanAttribute, type VxlanState } from '../model/vxlan.ts';

type Say<K extends VxlanAttribute> = (value: VxlanState[K], all: VxlanState, underlay: IpAddress) => readonly string[];

const valued =
  (word: string) =>
  (value: number): readonly string[] => [word, String(value)];

/** In hexadecimal, as `ip` reads the one and shows both. */
const hexadecimal =
  (word: string) =>
  (value: number): readonly string[] => [word, value === 0 ? '0' : `0x${value.toString(16)}`];

const flag =
  (word: string) =>
  (value: boolean): readonly string[] => [value ? word : `no${word}`];

/** Said only where it is so: `ip` has no word for the opposite. */
const only =
  (word: string) =>
  (value: boolean): readonly string[] =>
    value ? [word] : [];

/** The family is said with it, also where there is no address. */
function endpoint(word: string, address: IpAddress | null, underlay: IpAddress): readonly string[] {
  return [word, address ?? (familyOf(underlay) === 4 ? '0.0.0.0' : '::')];
}

/** By enum ifla_vxlan_df. */
const DF = ['unset', 'set', 'inherit'] as const;

/** null: another row says it, the script adds it when it runs (`device`), or no option sets it. */
const ROWS: { readonly [K in VxlanAttribute]: Say<K> | null } = {
  vni: valued('id'),
  port: valued('dstport'),
  remote: (remote, _, underlay) =>
    endpoint(remote !== null && isMulticast(remote) ? 'group' : 'remote', remote, underlay),
  local: (local, _, underlay) => endpoint('local', local, underlay),
  device: null,
  ttl: (ttl, { ttlInherit }) => (ttlInherit ? [] : ['ttl', ttl === 0 ? 'auto' : String(ttl)]),
  ttlInherit: (inherit) => (inherit ? ['ttl', 'inherit'] : []),
  tos: (tos) => (tos === 1 ? ['tos', 'inherit'] : hexadecimal('tos')(tos)),
  df: (df) => ['df', DF[df] ?? 'unset'],
  label: hexadecimal('flowlabel'),
  learning: flag('learning'),
  ageing: valued('ageing'),
  limit: valued('maxaddress'),
  portLow: (low, { portHigh }) => ['srcport', String(low), String(portHigh)],
  portHigh: null,
  proxy: flag('proxy'),
  rsc: flag('rsc'),
  l2miss: flag('l2miss'),
  l3miss: flag('l3miss'),
  udpCsum: flag('udpcsum'),
  udpZeroCsum6Tx: flag('udp6zerocsumtx'),
  udpZeroCsum6Rx: flag('udp6zerocsumrx'),
  remcsumTx: flag('remcsumtx'),
  remcsumRx: flag('remcsumrx'),
  remcsumNoPartial: null,
  gbp: only('gbp'),
  gpe: null,
  external: null,
  vnifilter: null,
  localbypass: null,
};

function say<K extends VxlanAttribute>(name: K, all: VxlanState, underlay: IpAddress): readonly string[] {
  const row: Say<K> | null = ROWS[name];
  return row === null ? [] : row(all[name], all, underlay);
}

export interface VxlanWords {
  /** What only a new link can have otherwise. */
  readonly fixed: readonly string[];
  /** What `ip link set … type vxlan` changes. */
  readonly live: readonly string[];
}

/** All of them, also what is the kernel's default, so that a link can be checked against them. No word has a blank. */
export function vxlanWords(vxlan: VxlanState, underlay: IpAddress): VxlanWords {
  const of = (change: 'live' | 'recreate'): readonly string[] =>
    VXLAN_ATTRIBUTE_NAMES.filter((name) => VXLAN_ATTRIBUTES[name].change === change).flatMap((name) =>
      say(name, vxlan, underlay),
    );
  return { fixed: of('recreate'), live: of('live') };
}
