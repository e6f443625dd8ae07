/** What netplan asks of a whole definition (src/validation.c of netplan 0.106). */
import { familyOf, parseIp } from '../model/address.ts';
import { quote } from '../text/words.ts';
import type { Cell } from './netplan-cell.ts';
import type { Definition } from './netplan-definition.ts';
import type { DefinitionType } from './netplan-keys.ts';
import { readUint } from './netplan-shapes.ts';
import type { Report } from './report.ts';

/** Reports what is missing or does not fit, and takes it out. Values have the forms of their keys. */
export function checkRules(definition: Definition, report: Report): void {
  if (definition.values.has('set-name') && !definition.values.has('match')) {
    report.add('source-missing', at(definition, 'set-name'), `${definition.id}: set-name needs match`);
  }
  RULES[definition.type]?.(definition, report);
}

type Rule = (definition: Definition, report: Report) => void;

const must =
  (key: string, what: string): Rule =>
  (definition, report) =>
    needs(definition, report, key, what);

const RULES: { readonly [K in DefinitionType]: Rule | null } = {
  tunnels: checkTunnel,
  vlans: checkVlan,
  vrfs: must('table', 'the number of its routing table'),
  wifis: must('access-points', 'its access points'),
  'nm-devices': must('networkmanager', 'a connection.type by passthrough'),
  ethernets: null,
  modems: null,
  bridges: null,
  bonds: null,
};

const at = (definition: Definition, key: string) => definition.values.get(key)?.place() ?? definition.cell.place('key');

function needs(definition: Definition, report: Report, key: string, what: string): void {
  if (definition.values.has(key)) return;
  report.add('source-missing', definition.cell.place('key'), `${definition.id}: missing ${quote(key)}: ${what}`);
}

/** The value is a number in the range; 0 or nothing is told by `needs`. */
function inRange(definition: Definition, report: Report, key: string, min: number, max: number): void {
  const cell = definition.values.get(key);
  const value = readUint(cell?.text ?? '');
  if (cell === undefined || value === undefined || (value >= min && value <= max)) return;
  definition.values.delete(key);
  report.add(
    'source-value',
    cell.place(),
    `${definition.id}: ${key} must be in the range ${min} to ${max}, not ${value}`,
  );
}

function checkVlan(definition: Definition, report: Report): void {
  needs(definition, report, 'link', 'the definition that carries it');
  needs(definition, report, 'id', 'the VLAN ID');
  inRange(definition, report, 'id', 0, 4094);
}

function checkTunnel(definition: Definition, report: Report): void {
  needs(definition, report, 'mode', 'the kind of tunnel');
  const mode = definition.text('mode');
  if (mode === undefined) return;
  if (mode === 'vxlan') checkVxlan(definition, report);
  else if (mode === 'wireguard') checkWireguard(definition, report);
  else checkOther(definition, mode, report);
}

function checkOther(definition: Definition, mode: string, report: Report): void {
  needs(definition, report, 'local', 'the outer address of this host');
  needs(definition, report, 'remote', 'the outer address of the peer');
  inRange(definition, report, 'ttl', 0, 255);
  const family = IPV6_MODES.has(mode) ? 6 : 4;
  for (const key of ['local', 'remote']) {
    const cell = definition.values.get(key);
    if (cell === undefined || familyOfCell(cell) === family) continue;
    report.add('source-value', cell.place(), `${definition.id}: ${key} must be an IPv${family} address for ${mode}`);
  }
  checkKeyed(definition, mode, report);
}

const IPV6_MODES = new Set(['ipip6', 'ip6ip6', 'ip6gre', 'ip6gretap', 'vti6']);
const KEYED_MODES = new Set(['vti', 'vti6', 'gre', 'ip6gre', 'gretap', 'ip6gretap']);

function familyOfCell(cell: Cell): number | undefined {
  const address = parseIp(cell.text ?? '');
  return address === null ? undefined : familyOf(address);
}

/** Keys of a tunnel that takes none; and isatap, which networkd lacks. */
function checkKeyed(definition: Definition, mode: string, report: Report): void {
  if (mode === 'isatap') {
    report.add('source-value', at(definition, 'mode'), `${definition.id}: networkd does not support isatap tunnels`);
  }
  for (const key of ['key', 'keys']) {
    const cell = definition.values.get(key);
    if (cell === undefined || KEYED_MODES.has(mode)) continue;
    definition.values.delete(key);
    report.add('source-conflict', cell.place(), `${definition.id}: a tunnel of mode ${mode} takes no ${key}`);
  }
}

function checkWireguard(definition: Definition, report: Report): void {
  if (!definition.values.has('key')) needs(definition, report, 'keys', 'the private key');
  needs(definition, report, 'peers', 'at least one peer');
}

const VNI = { min: 1, max: 16777215 } as const;

function checkVxlan(definition: Definition, report: Report): void {
  const { id } = definition;
  if (readUint(definition.text('id') ?? '') === 0) {
    report.add('source-value', at(definition, 'id'), `${id}: id (the VNI) must be in the range 1 to ${VNI.max}, not 0`);
  } else {
    needs(definition, report, 'id', 'the VNI');
    inRange(definition, report, 'id', VNI.min, VNI.max);
  }
  inRange(definition, report, 'flow-label', 0, 1048575);
  inRange(definition, report, 'ttl', 0, 255);
  checkKeyed(definition, 'vxlan', report);
  const range = definition.values.get('port-range');
  const ends = range?.items().length;
  if (ends !== undefined && ends !== 2) {
    report.add('source-value', range?.place(), `${id}: exactly two values are expected for port-range, not ${ends}`);
  }
  const [local, remote] = ['local', 'remote'].map((key) => definition.values.get(key));
  if (local === undefined || remote === undefined || familyOfCell(local) === familyOfCell(remote)) return;
  report.add('source-conflict', remote.place(), `${id}: local and remote must be of one IP family`);
}
