/** `hosts:` of an overlay: its members and their addresses on it. */
import {
  addressOf,
  bytesOf,
  familyOf,
  formatIp,
  type IpAddress,
  isLinkLocal6,
  isUnicast,
  lengthOf,
  type Prefix,
} from '../model/address.ts';
import type { YamlValue } from '../text/value.ts';
import { type Field, isTextKey, mismatch, readMap, readPrefix, report } from './atoms.ts';
import { type At, below, type Findings } from './findings.ts';
import type { Hosts } from './hosts.ts';
import { didYouMean, quote } from './words.ts';

export type Members = ReadonlyMap<string, readonly Prefix[]>;

/** null: no map. Hosts that the fabric does not know are reported and left out. */
export function readMembers(value: YamlValue, at: At, findings: Findings, { names, hosts }: Hosts): Members | null {
  const map = readMap(value, 'a map from members to their addresses', { what: 'hosts', at, findings });
  if (map === undefined) return null;
  if (map.size === 0) findings.addKey('nothing-in-it', at, 'an overlay needs at least one member');
  const members = new Map<string, readonly Prefix[]>();
  const owners = new Map<IpAddress, string>();
  for (const [key, item] of map) {
    if (!isTextKey(key, at, findings)) continue;
    const here = below(at, key);
    if (names !== null && !names.has(key)) {
      findings.addKey(
        'unknown-host',
        here,
        `there is no host ${quote(key)} under \`hosts\` of the fabric`,
        didYouMean(key, names),
      );
      continue;
    }
    members.set(key, readAddresses(item, { what: `the address of ${key}`, at: here, findings }, key, owners));
  }
  checkFamilies(members, at, findings, hosts);
  return members;
}

function readAddresses(
  value: YamlValue,
  field: Field,
  host: string,
  owners: Map<IpAddress, string>,
): readonly Prefix[] {
  if (value === null) return [];
  if (typeof value === 'string') {
    const prefix = readMemberAddress(value, field, host, owners);
    return prefix === undefined ? [] : [prefix];
  }
  if (!Array.isArray(value)) {
    mismatch(value, 'an address with its prefix length, a list of them, or nothing', field);
    return [];
  }
  const prefixes: Prefix[] = [];
  for (const [i, item] of (value as readonly YamlValue[]).entries()) {
    const prefix = readMemberAddress(item, { ...field, at: below(field.at, i) }, host, owners);
    if (prefix !== undefined) prefixes.push(prefix);
  }
  return prefixes;
}

function readMemberAddress(
  value: YamlValue,
  field: Field,
  host: string,
  owners: Map<IpAddress, string>,
): Prefix | undefined {
  const prefix = readPrefix(value, field);
  if (prefix === undefined) return undefined;
  const address = addressOf(prefix);
  const bytes = bytesOf(address);
  if (isLinkLocal6(address))
    return report(field, 'link-local-address', `${address} is link-local: the kernel makes those itself`);
  const bits = hostBits(bytes, lengthOf(prefix));
  if (bits === 'zeros') {
    return report(
      field,
      'network-address',
      `${prefix} is the network itself, not an address in it`,
      `write ${nextAddress(bytes)}/${lengthOf(prefix)}`,
    );
  }
  if (bits === 'ones') return report(field, 'broadcast-address', `${prefix} is the broadcast address of its network`);
  if (!isOrdinary(bytes) && !isUnicast(address)) {
    return report(field, 'not-unicast', `${field.what} must be the address of one host, not ${address}`);
  }
  const owner = owners.get(address);
  if (owner !== undefined) {
    const whose = owner === host ? 'stands twice' : `is the address of ${owner} already`;
    return report(field, 'address-twice', `${address} ${whose}`);
  }
  owners.set(address, host);
  return prefix;
}

/** IPv4 from 1.0.0.0 to 223.255.255.255 less 127.0.0.0/8: unicast without a second look. */
function isOrdinary(bytes: Uint8Array): boolean {
  const first = bytes[0] ?? 0;
  return bytes.length === 4 && first > 0 && first < 224 && first !== 127;
}

/** Whether the bits behind the prefix are all zeros or, in IPv4, all ones; networks of one or two addresses have neither. */
function hostBits(bytes: Uint8Array, length: number): 'zeros' | 'ones' | null {
  const size = bytes.length * 8;
  if (size - length < 2) return null;
  let zeros = true;
  let ones = bytes.length === 4;
  for (let i = length >> 3; i < bytes.length; i++) {
    const mask = i === length >> 3 ? 0xff >> (length & 7) : 0xff;
    const part = (bytes[i] ?? 0) & mask;
    if (part !== 0) zeros = false;
    if (part !== mask) ones = false;
  }
  if (zeros) return 'zeros';
  return ones ? 'ones' : null;
}

/** 10.0.0.0 → 10.0.0.1, to suggest it. */
function nextAddress(bytes: Uint8Array): IpAddress {
  const next = Uint8Array.from(bytes);
  next[next.length - 1] = (next.at(-1) ?? 0) | 1;
  return formatIp(next);
}

function checkFamilies(members: Members, at: At, findings: Findings, hosts: Hosts['hosts']): void {
  let first: { name: string; family: number } | null = null;
  for (const name of members.keys()) {
    const host = hosts.get(name);
    if (host === undefined) continue;
    const family = familyOf(host.underlay);
    first ??= { name, family };
    if (family === first.family) continue;
    const message = `the underlay of ${name} is IPv${family}, and that of ${first.name} is IPv${first.family}`;
    findings.addKey('underlay-families', below(at, name), message);
  }
}
