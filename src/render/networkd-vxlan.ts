/** The attributes of a VXLAN link as `[VXLAN]` of a .netdev file says them (systemd.netdev(5)). */
import { isMulticast } from '../model/address.ts';
import { VXLAN_ATTRIBUTE_NAMES, VXLAN_ATTRIBUTES, type VxlanAttribute, type VxlanState } from '../model/vxlan.ts';
import type { Entry } from './unit-file.ts';

type Say<K extends VxlanAttribute> = (value: VxlanState[K], all: VxlanState) => Entry;

interface Row<K extends VxlanAttribute> {
  readonly say: Say<K>;
  /** What networkd sends of itself, where that is not the kernel's default. */
  readonly unsaid?: VxlanState[K];
}

const number =
  (key: string) =>
  (value: number): Entry => [key, String(value)];

const text =
  (key: string) =>
  (value: string | null): Entry => [key, value ?? ''];

const yes =
  (key: string) =>
  (value: boolean): Entry => [key, value ? 'yes' : 'no'];

/** By enum ifla_vxlan_df. */
const DF = ['no', 'yes', 'inherit'] as const;

/** null: no option sets it, or another row says it. */
const ROWS: { readonly [K in VxlanAttribute]: Row<K> | null } = {
  vni: { say: number('VNI') },
  // The kernel's own default is another port than IANA's, so it is always said.
  port: { say: number('DestinationPort'), unsaid: 0 },
  remote: { say: (remote) => [remote !== null && isMulticast(remote) ? 'Group' : 'Remote', remote ?? ''] },
  local: { say: text('Local') },
  device: null,
  ttl: { say: number('TTL') },
  ttlInherit: { say: () => ['TTL', 'inherit'] },
  tos: { say: number('TOS') },
  df: { say: (df) => ['IPDoNotFragment', DF[df] ?? 'no'] },
  label: { say: number('FlowLabel') },
  learning: { say: yes('MacLearning') },
  ageing: { say: number('FDBAgeingSec') },
  limit: { say: number('MaximumFDBEntries') },
  portLow: { say: (low, { portHigh }) => ['PortRange', `${low}-${portHigh}`] },
  portHigh: null,
  proxy: { say: yes('ReduceARPProxy') },
  rsc: { say: yes('RouteShortCircuit') },
  l2miss: { say: yes('L2MissNotification') },
  l3miss: { say: yes('L3MissNotification') },
  // networkd sends the attribute in any case, and `no` of itself.
  udpCsum: { say: yes('UDPChecksum'), unsaid: false },
  udpZeroCsum6Tx: { say: yes('UDP6ZeroChecksumTx') },
  udpZeroCsum6Rx: { say: yes('UDP6ZeroChecksumRx') },
  remcsumTx: { say: yes('RemoteChecksumTx') },
  remcsumRx: { say: yes('RemoteChecksumRx') },
  remcsumNoPartial: null,
  gbp: { say: yes('GroupPolicyExtension') },
  gpe: null,
  external: null,
  vnifilter: null,
  localbypass: null,
};

function entryOf<K extends VxlanAttribute>(name: K, all: VxlanState): Entry | null {
  const row: Row<K> | null = ROWS[name];
  const value = all[name];
  if (row === null) return null;
  const unsaid: unknown = row.unsaid ?? VXLAN_ATTRIBUTES[name].default;
  return value === unsaid ? null : row.say(value, all);
}

/** The entries of `[VXLAN]`; what networkd and the kernel take without a word is left out. */
export function vxlanEntries(vxlan: VxlanState): readonly Entry[] {
  const said = VXLAN_ATTRIBUTE_NAMES.flatMap((name) => {
    const entry = entryOf(name, vxlan);
    return entry === null ? [] : [entry];
  });
  // Without a device no .network file has to ask for the link.
  return vxlan.device === null ? [...said, ['Independent', 'yes']] : said;
}
