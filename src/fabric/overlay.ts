/** One overlay: its keys, its members, its options, and what they say about each other. */
import { addressOf, familyOf, type IpAddress } from '../model/address.ts';
import type { Overlay } from '../model/fabric.ts';
import { OPTION_DEFAULTS, OPTIONS, type OverlayOptions } from '../model/options.ts';
import type { YamlMap, YamlValue } from '../text/value.ts';
import { type Around, otherFamily } from './around.ts';
import { isTextKey, readLinkName, readMap, unknownKey } from './atoms.ts';
import { type At, below, type Findings } from './findings.ts';
import type { Hosts } from './hosts.ts';
import { OPTION_BY_KEY, OTHER_SPELLINGS, OVERLAY_KEY_NAMES, VNI } from './keys.ts';
import { readMembers } from './members.ts';
import { readInteger, readValue } from './values.ts';

/** An overlay as far as it could be read; checks pass over what is missing. */
export interface Draft {
  readonly overlay: Overlay;
  readonly at: At;
  /** 0: not given, or wrong. */
  readonly vni: number;
  /** As it stands in the file. */
  readonly given: YamlMap;
}

/** Where `item` stands in the list under `key`. What is wrong was left out when it was read, so indexes do not count. */
export function itemAt(at: At, given: YamlMap, key: string, item: string): At {
  const list = given.get(key);
  return below(below(at, key), Array.isArray(list) ? list.indexOf(item) : 0);
}

export function readOverlay(
  name: string,
  value: YamlValue,
  at: At,
  findings: Findings,
  hosts: Hosts,
): Draft | undefined {
  readLinkName(name, { what: 'an overlay’s name', at, findings, key: true });
  const map = readMap(value, 'a map with `vni` and `hosts`', { what: `the overlay ${name}`, at, findings });
  if (map === undefined) return undefined;
  for (const key of ['vni', 'hosts']) {
    if (!map.has(key)) findings.addKey('missing-key', at, `the overlay ${name} needs \`${key}\``);
  }
  const vni = map.has('vni')
    ? readInteger(map.get('vni') ?? null, VNI, { what: 'vni', at: below(at, 'vni'), findings })
    : undefined;
  const before = findings.count;
  const members = map.has('hosts') ? readMembers(map.get('hosts') ?? null, below(at, 'hosts'), findings, hosts) : null;
  const around: Around = { ...hosts, members, complete: findings.count === before };
  const options = readOptions(map, at, findings, around);
  const overlay: Overlay = { name, vni: vni ?? 0, members: members ?? new Map(), options };
  if (options !== OPTION_DEFAULTS) checkOptions(overlay, map, at, findings, around);
  return { overlay, at, vni: vni ?? 0, given: map };
}

function readOptions(map: YamlMap, at: At, findings: Findings, around: Around): OverlayOptions {
  let options: Record<string, unknown> | null = null;
  for (const [key, value] of map) {
    if (key === 'vni' || key === 'hosts' || !isTextKey(key, at, findings)) continue;
    const option = OPTION_BY_KEY.get(key);
    if (option === undefined) {
      unknownKey(key, at, OVERLAY_KEY_NAMES, findings);
      continue;
    }
    const read = readValue(value, OPTIONS[option].type, { what: key, at: below(at, key), findings }, around);
    if (read === undefined) continue;
    options ??= { ...OPTION_DEFAULTS };
    options[option] = read;
  }
  for (const [key, other] of OTHER_SPELLINGS) {
    if (!map.has(key) || !map.has(other)) continue;
    findings.addKey('given-twice', below(at, key), `${key} says the same as ${other}, which is there too`);
  }
  // Every row of the table has a reader for its type, so the record is what the table says.
  return options === null ? OPTION_DEFAULTS : (options as unknown as OverlayOptions);
}

type Check = (overlay: Overlay, at: At, findings: Findings, around: Around, given: YamlMap) => void;

function checkOptions(overlay: Overlay, given: YamlMap, at: At, findings: Findings, around: Around): void {
  for (const check of CHECKS) check(overlay, at, findings, around, given);
}

const CHECKS: readonly Check[] = [
  checkGroup,
  checkFlowLabel,
  checkDontFragment,
  checkMtu,
  checkBridge,
  checkStaticBridged,
  checkSilence,
];

/** The multicast group of an overlay that has one. */
export function groupOfFlood({ flood }: OverlayOptions): IpAddress | null {
  return flood === 'peers' || flood === 'none' ? null : flood;
}

function checkGroup({ options, members }: Overlay, at: At, findings: Findings, around: Around): void {
  const group = groupOfFlood(options);
  if (group === null) return;
  const mixed = otherFamily(group, around);
  if (mixed !== null) findings.add('underlay-families', below(at, 'flood'), mixed);
  for (const name of members.keys()) {
    if (around.hosts.get(name)?.device !== null) continue;
    const message = `flooding to ${group} needs a device, and ${name} has \`device: none\``;
    findings.add('multicast-without-device', below(at, 'flood'), message);
  }
}

function underlayFamily({ members }: Overlay, { hosts }: Around): 4 | 6 | null {
  for (const name of members.keys()) {
    const host = hosts.get(name);
    if (host !== undefined) return familyOf(host.underlay);
  }
  return null;
}

function checkFlowLabel(overlay: Overlay, at: At, findings: Findings, around: Around): void {
  if (overlay.options['flow-label'] === null || underlayFamily(overlay, around) !== 4) return;
  findings.addKey(
    'flow-label-ipv4',
    below(at, 'flow-label'),
    'flow-label needs an IPv6 underlay, and this one is IPv4',
  );
}

function checkDontFragment(overlay: Overlay, at: At, findings: Findings, around: Around): void {
  const df = overlay.options['do-not-fragment'];
  if (df === null || df === false || underlayFamily(overlay, around) !== 6) return;
  findings.addKey('df-ipv6', below(at, 'do-not-fragment'), 'do-not-fragment does nothing on an IPv6 underlay');
}

function checkMtu({ options: { mtu }, members }: Overlay, at: At, findings: Findings): void {
  if (mtu === 'auto' || mtu >= 1280) return;
  const six = [...members.values()].flat().find((prefix) => familyOf(prefix) === 6);
  if (six === undefined) return;
  const message = `mtu must be at least 1280 for IPv6 addresses such as ${addressOf(six)}, not ${mtu}`;
  findings.add('ipv6-mtu', below(at, 'mtu'), message);
}

function checkBridge(
  { name, options: { bridge, ports } }: Overlay,
  at: At,
  findings: Findings,
  _: Around,
  given: YamlMap,
): void {
  if (ports.length > 0 && !given.has('bridge')) {
    findings.addKey('ports-without-bridge', below(at, 'ports'), 'ports need a `bridge` to be put into');
  }
  if (bridge === name) findings.add('name-clash', below(at, 'bridge'), `${name} is the name of the overlay itself`);
  for (const port of ports) {
    const here = itemAt(at, given, 'ports', port);
    if (port === bridge) findings.add('name-clash', here, `${port} is the bridge itself`);
    if (port === name) findings.add('name-clash', here, `${port} is the overlay itself, which is in its bridge anyway`);
  }
}

function checkStaticBridged({ options }: Overlay, at: At, findings: Findings): void {
  if (options.neighbours !== 'static' || options.bridge === null) return;
  findings.add(
    'static-bridged',
    below(at, 'neighbours'),
    '`neighbours: static` does nothing on an overlay with a bridge',
  );
}

/** Options that leave a member without a way to find the others. */
function checkSilence({ options, members }: Overlay, at: At, findings: Findings, _: Around, given: YamlMap): void {
  const told = options.neighbours === 'static' && options.bridge === null;
  if (told || options.macs.size > 0 || given.has('macs') || members.size + options.remotes.length < 2) return;
  if (options.flood === 'none') {
    findings.add(
      'nothing-floods',
      below(at, 'flood'),
      'with `flood: none` and nothing static, the members never find each other',
    );
  }
  if (options['arp-proxy'] === true) {
    findings.addKey(
      'proxy-knows-nobody',
      below(at, 'arp-proxy'),
      '`arp-proxy` answers only for neighbours that somebody puts there',
    );
  }
  if (options['mac-learning'] === false) {
    findings.addKey(
      'nothing-learned',
      below(at, 'mac-learning'),
      'without learning and static rows, every frame goes to all peers',
    );
  }
}
