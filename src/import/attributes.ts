/** From the attributes of a VXLAN link to overlay options: what differs from the kernel's defaults. */
import { OPTION_NAMES, OPTIONS, type Option, type OverlayOptions, type ValueType } from '../model/options.ts';
import { VXLAN_DEFAULTS, type VxlanAttribute, type VxlanState } from '../model/vxlan.ts';
import type { YamlValue } from '../text/value.ts';

/** Lists of maps and maps come from elsewhere than the attributes. */
type Row<K extends Option> = (vxlan: VxlanState) => Extract<OverlayOptions[K], YamlValue> | undefined;

/** The words whose attribute is on, when one of them is not as the kernel has it. */
function list(
  words: readonly (readonly [string, VxlanAttribute])[],
): (vxlan: VxlanState) => readonly string[] | undefined {
  return (vxlan) => {
    if (words.every(([, attribute]) => vxlan[attribute] === VXLAN_DEFAULTS[attribute])) return undefined;
    return words.filter(([, attribute]) => vxlan[attribute] === true).map(([word]) => word);
  };
}

const unlessZero = (value: number): number | undefined => (value === 0 ? undefined : value);
const ifTrue = (value: boolean): true | undefined => (value ? true : undefined);
const DONT_FRAGMENT = [undefined, true, 'inherit'] as const; // enum ifla_vxlan_df

/** null: the option comes from elsewhere than the attributes, or from more than one link. */
const ROWS: { readonly [K in Option]: Row<K> | null } = {
  // In the file, what is not said is 4789.
  port: ({ port }) => (port === OPTIONS.port.default ? undefined : port),
  ageing: ({ ageing }) => (ageing === VXLAN_DEFAULTS.ageing ? undefined : ageing),
  limit: ({ limit }) => unlessZero(limit),
  ttl: ({ ttl, ttlInherit }) => (ttlInherit ? 'inherit' : unlessZero(ttl)),
  'type-of-service': ({ tos }) => unlessZero(tos),
  'flow-label': ({ label }) => unlessZero(label),
  'do-not-fragment': ({ df }) => DONT_FRAGMENT[df],
  'mac-learning': ({ learning }) => (learning ? undefined : false),
  'arp-proxy': ({ proxy }) => ifTrue(proxy),
  'short-circuit': ({ rsc }) => ifTrue(rsc),
  'port-range': ({ portLow, portHigh }) => (portLow === 0 && portHigh === 0 ? undefined : [portLow, portHigh]),
  notifications: list([
    ['l2-miss', 'l2miss'],
    ['l3-miss', 'l3miss'],
  ]),
  checksums: list([
    ['udp', 'udpCsum'],
    ['zero-udp6-tx', 'udpZeroCsum6Tx'],
    ['zero-udp6-rx', 'udpZeroCsum6Rx'],
    ['remote-tx', 'remcsumTx'],
    ['remote-rx', 'remcsumRx'],
  ]),
  extensions: list([['group-policy', 'gbp']]),
  local: null,
  mtu: null,
  mac: null,
  flood: null,
  remotes: null,
  macs: null,
  bridge: null,
  ports: null,
  routes: null,
  neighbours: null,
  'tx-checksum-offload': null,
};

/** The options that attributes of the link tell. */
export const TOLD: readonly Option[] = OPTION_NAMES.filter((name) => ROWS[name] !== null);

/** The option's value; undefined: as the kernel does without a word (or 4789, for `port`). */
export function optionOf(name: Option, vxlan: VxlanState): YamlValue | undefined {
  return ROWS[name]?.(vxlan);
}

/** Whether the file takes the value: the kernel's own limits are wider here and there. */
export function isSayable(name: Option, value: unknown): boolean {
  return fits(OPTIONS[name].type, value);
}

function fits(type: ValueType, value: unknown): boolean {
  switch (type.kind) {
    case 'integer':
      return typeof value === 'number' && value >= type.min && value <= type.max;
    case 'range':
      return Array.isArray(value) && value.every((end) => end >= type.min && end <= type.max) && value[0] <= value[1];
    case 'any-of':
      return type.types.some((one) => fits(one, value));
    case 'word':
      return type.words.some((word) => word === value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'words':
    case 'multicast':
    case 'host-macs':
    case 'static-macs':
    case 'routes':
    case 'link-name':
    case 'link-names':
    case 'unicast-list':
      return true;
    default:
      return type satisfies never;
  }
}

interface Unsayable {
  readonly attribute: VxlanAttribute;
  readonly why: string;
  /** Without it the link would be another one altogether. */
  readonly whole: boolean;
}

/** Attributes that no option says. */
export const UNSAYABLE: readonly Unsayable[] = [
  { attribute: 'external', why: 'its VNI and peers come with each packet (`external`)', whole: true },
  { attribute: 'vnifilter', why: 'it carries many VNIs (`vnifilter`)', whole: true },
  { attribute: 'gpe', why: 'it uses the generic protocol extension (`gpe`)', whole: true },
  { attribute: 'remcsumNoPartial', why: 'remote checksums without partial ones (`remcsum-nopartial`)', whole: false },
  { attribute: 'localbypass', why: 'packets to this host’s own VTEPs on the wire (`nolocalbypass`)', whole: false },
];
