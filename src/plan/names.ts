/** Attributes in the words of the file: several attributes of the kernel may be one option. */
import type { LinkAttributes, LinkState } from '../model/state.ts';
import type { AttributeChange } from '../model/step.ts';
import { VXLAN_DEFAULTS, type VxlanAttribute, type VxlanState } from '../model/vxlan.ts';

type Attribute = VxlanAttribute | keyof LinkAttributes;

interface Word {
  readonly name: string;
  /** The value as the file would say it. */
  read(link: LinkState): unknown;
}

const own = (name: string, attribute: keyof LinkAttributes): Word => ({ name, read: (link) => link[attribute] });

function vxlan(name: string, read: (v: VxlanState) => unknown): Word {
  return { name, read: (link) => read(link.vxlan ?? VXLAN_DEFAULTS) };
}

const plain = (name: string, attribute: VxlanAttribute): Word => vxlan(name, (v) => v[attribute]);

/** A list option: the words whose attribute is on. */
function list(name: string, words: readonly (readonly [string, VxlanAttribute])[]): Word {
  return vxlan(name, (v) => words.filter(([, attribute]) => v[attribute] === true).map(([word]) => word));
}

const TTL = vxlan('ttl', (v) => (v.ttlInherit ? 'inherit' : v.ttl === 0 ? 'auto' : v.ttl));
const PORT_RANGE = vxlan('port-range', (v) => (v.portLow === 0 && v.portHigh === 0 ? null : [v.portLow, v.portHigh]));
const NOTIFICATIONS = list('notifications', [
  ['l2-miss', 'l2miss'],
  ['l3-miss', 'l3miss'],
]);
const CHECKSUMS = list('checksums', [
  ['udp', 'udpCsum'],
  ['zero-udp6-tx', 'udpZeroCsum6Tx'],
  ['zero-udp6-rx', 'udpZeroCsum6Rx'],
  ['remote-tx', 'remcsumTx'],
  ['remote-rx', 'remcsumRx'],
]);
const EXTENSIONS = list('extensions', [
  ['group-policy', 'gbp'],
  ['generic-protocol', 'gpe'],
]);

const WORDS = {
  alias: own('alias', 'alias'),
  group: own('group', 'group'),
  up: own('up', 'up'),
  mtu: own('mtu', 'mtu'),
  mac: own('mac', 'mac'),
  txChecksum: own('tx-checksum-offload', 'txChecksum'),
  vni: plain('vni', 'vni'),
  port: plain('port', 'port'),
  remote: plain('remote', 'remote'),
  local: plain('local', 'local'),
  device: plain('device', 'device'),
  ttl: TTL,
  ttlInherit: TTL,
  tos: plain('type-of-service', 'tos'),
  df: vxlan('do-not-fragment', (v) => (v.df === 2 ? 'inherit' : v.df === 1)),
  label: plain('flow-label', 'label'),
  learning: plain('mac-learning', 'learning'),
  ageing: plain('ageing', 'ageing'),
  limit: vxlan('limit', (v) => (v.limit === 0 ? null : v.limit)),
  portLow: PORT_RANGE,
  portHigh: PORT_RANGE,
  proxy: plain('arp-proxy', 'proxy'),
  rsc: plain('short-circuit', 'rsc'),
  l2miss: NOTIFICATIONS,
  l3miss: NOTIFICATIONS,
  udpCsum: CHECKSUMS,
  udpZeroCsum6Tx: CHECKSUMS,
  udpZeroCsum6Rx: CHECKSUMS,
  remcsumTx: CHECKSUMS,
  remcsumRx: CHECKSUMS,
  remcsumNoPartial: plain('remcsum-nopartial', 'remcsumNoPartial'),
  gbp: EXTENSIONS,
  gpe: EXTENSIONS,
  external: plain('external', 'external'),
  vnifilter: plain('vnifilter', 'vnifilter'),
  localbypass: plain('localbypass', 'localbypass'),
} satisfies Record<Attribute, Word>;

export interface NamedChange {
  /** The option's name where there is one. */
  readonly attribute: string;
  readonly from: unknown;
  readonly to: unknown;
}

/** The changes under their names in the file, each once. */
export function namedChanges(changes: readonly AttributeChange[], from: LinkState, to: LinkState): NamedChange[] {
  const words = new Set<Word>(changes.map(({ attribute }) => WORDS[attribute]));
  return [...words].map((word) => ({ attribute: word.name, from: word.read(from), to: word.read(to) }));
}

/** A value for people: `none` for null, lists with commas. */
export function showValue(value: unknown): string {
  if (value === null) return 'none';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(', ');
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return value === '' ? 'none' : String(value);
}

/** `ttl auto → 64, remote 10.0.0.5 → none` */
export function showChanges(changes: readonly AttributeChange[], from: LinkState, to: LinkState): string {
  return namedChanges(changes, from, to)
    .map((change) => `${change.attribute} ${showValue(change.from)} → ${showValue(change.to)}`)
    .join(', ');
}
