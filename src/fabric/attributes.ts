/** From overlay options to the attributes of a VXLAN link. */
import { OPTION_DEFAULTS, OPTION_NAMES, type Option, type OverlayOptions } from '../model/options.ts';
import type { VxlanState } from '../model/vxlan.ts';

type Attributes = Partial<VxlanState>;
type Row<K extends Option> = (value: NonNullable<OverlayOptions[K]>) => Attributes;

const DF = { unset: 0, set: 1, inherit: 2 } as const; // enum ifla_vxlan_df

/** null: the option sets no attribute, or `resolve` sets it from what it knows of the host. */
const ROWS: { readonly [K in Option]: Row<K> | null } = {
  port: (port) => ({ port }),
  ageing: (ageing) => ({ ageing }),
  limit: (limit) => ({ limit }),
  ttl: (ttl) => (ttl === 'inherit' ? { ttlInherit: true } : { ttl }),
  'type-of-service': (tos) => ({ tos }),
  'flow-label': (label) => ({ label }),
  'do-not-fragment': (df) => ({ df: df === 'inherit' ? DF.inherit : df ? DF.set : DF.unset }),
  'mac-learning': (learning) => ({ learning }),
  'arp-proxy': (proxy) => ({ proxy }),
  'short-circuit': (rsc) => ({ rsc }),
  'port-range': ([portLow, portHigh]) => ({ portLow, portHigh }),
  notifications: (list) => ({ l2miss: list.includes('l2-miss'), l3miss: list.includes('l3-miss') }),
  checksums: (list) => ({
    udpCsum: list.includes('udp'),
    udpZeroCsum6Tx: list.includes('zero-udp6-tx'),
    udpZeroCsum6Rx: list.includes('zero-udp6-rx'),
    remcsumTx: list.includes('remote-tx'),
    remcsumRx: list.includes('remote-rx'),
  }),
  extensions: (list) => ({ gbp: list.includes('group-policy') }),
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

const NAMES = OPTION_NAMES.filter((name) => ROWS[name] !== null);

/** What the options say differently from the kernel's defaults, and the port, which is always said. */
export function attributesOf(options: OverlayOptions): Attributes {
  let attributes: Attributes = { port: options.port };
  for (const name of NAMES) {
    const value = options[name];
    if (value === null || value === OPTION_DEFAULTS[name]) continue;
    // Name and value come from one row: the compiler cannot follow that through a loop.
    const row = ROWS[name] as ((value: unknown) => Attributes) | null;
    if (row !== null) attributes = { ...attributes, ...row(value) };
  }
  return attributes;
}
