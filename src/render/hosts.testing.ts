/** Hosts to render for, with names and values that a shell, systemd or YAML would take for something. */
import fc from 'fast-check';
import type { IpAddress, Prefix } from '../model/address.ts';
import type { Desired } from '../model/desired.ts';
import { type Mac, stableMac } from '../model/mac.ts';
import { OPTION_DEFAULTS } from '../model/options.ts';
import { aliasOf, groupOf, PROTOCOL } from '../model/ownership.ts';
import type { LinkState } from '../model/state.ts';
import { VXLAN_DEFAULTS } from '../model/vxlan.ts';
import type { RenderContext, RenderHost } from './target.ts';

const NONE: ReadonlyMap<never, never> = new Map<never, never>();

/** What the names are put together from, beside words of the shell. */
const SIGNS = [...'\'"$`\\;&|<>(){}[]*?!~#=^%\n\t -ab', '$(touch hit)', '`touch hit`', ';touch hit;', 'esac', '\u2028'];

const name = fc.string({ unit: fc.constantFrom(...SIGNS), minLength: 1, maxLength: 6 });

function vxlanLink(fabric: string, overlay: string, bridge: string | null, device: string): LinkState {
  return {
    name: overlay,
    index: 0,
    kind: 'vxlan',
    overlay,
    master: bridge,
    alias: aliasOf(fabric, overlay),
    group: groupOf(fabric),
    up: true,
    mtu: 1450,
    mac: stableMac(fabric, overlay, 'alpha'),
    txChecksum: true,
    vxlan: { ...VXLAN_DEFAULTS, vni: 77, port: 4789, remote: '10.0.0.2' as IpAddress, device },
    addresses: new Map(
      bridge === null
        ? [
            [
              '192.0.2.1/24' as Prefix,
              {
                prefix: '192.0.2.1/24' as Prefix,
                origin: 'ours' as const,
                protocol: PROTOCOL,
                flags: 0,
                validLifetime: 0xffffffff,
                preferredLifetime: 0xffffffff,
                scope: 0,
                broadcast: null,
              },
            ],
          ]
        : [],
    ),
    fdb: NONE,
    neighbours: NONE,
    routes: NONE,
  };
}

function bridgeLink(link: LinkState, bridge: string): LinkState {
  return { ...link, name: bridge, kind: 'bridge', master: null, vxlan: null, mac: '02:00:00:00:00:01' as Mac };
}

/** No check of the file would let most of them pass: what is written must be safe without the checks. */
export const hostileHosts: fc.Arbitrary<RenderHost> = fc
  .record({
    fabric: name,
    host: name,
    overlay: name,
    bridge: fc.option(name.map((text) => `br${text}`)),
    port: name,
    device: name,
    peer: name,
  })
  .map(({ fabric, host, overlay, bridge, port, device, peer }) => {
    const link = vxlanLink(fabric, overlay, bridge, device);
    const links = new Map([[overlay, link]]);
    if (bridge !== null) links.set(bridge, bridgeLink(link, bridge));
    const peers = [{ host: peer, underlay: '10.0.0.2' as IpAddress, addresses: [] }];
    const desired: Desired = {
      fabric,
      host,
      state: { links },
      overlays: [{ name: overlay, vni: 77, addressed: bridge ?? overlay, peers }],
      warnings: [],
    };
    return {
      desired,
      options: new Map([[overlay, { ...OPTION_DEFAULTS, bridge, ports: bridge === null ? [] : [port] }]]),
      device,
      named: true,
      networkFile: null,
      netplanId: null,
      hostname: host,
      underlay: '10.0.0.1',
    };
  });

export const hostileContexts: fc.Arbitrary<RenderContext> = fc.record({
  file: name,
  text: name,
  version: fc.constant('0.0.0'),
  underlayId: fc.constant(null),
  packageUrl: fc.constant(null),
});
