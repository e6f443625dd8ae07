/** Names, addresses and MACs: one value of the file, checked, or undefined when it was reported. */
import { type IpAddress, isUnicast, type Prefix, parseIp, parsePrefix } from '../model/address.ts';
import { isGroupMac, type Mac, parseMac, ZERO_MAC } from '../model/mac.ts';
import type { YamlMap, YamlScalar, YamlValue } from '../text/value.ts';
import type { Code } from './errors.ts';
import { type At, below, type Findings } from './findings.ts';
import { FABRIC_NAME, HOST_NAME, HOSTNAME, LINK_NAME } from './patterns.ts';
import { didYouMean, found, quote } from './words.ts';

/** One value and how to speak of it. */
export interface Field {
  /** Its name in a sentence, such as `underlay`. */
  readonly what: string;
  readonly at: At;
  readonly findings: Findings;
  /** The key at `at` is meant, not its value. */
  readonly key?: boolean;
}

export function report({ at, findings, key }: Field, code: Code, message: string, hint?: string): undefined {
  if (key === true) findings.addKey(code, at, message, hint);
  else findings.add(code, at, message, hint);
  return undefined;
}

/** The value is of another type than `wanted` says. */
export function mismatch(value: YamlValue, wanted: string, field: Field, hint?: string): undefined {
  if (value === null) return report(field, 'no-value', `${field.what} has no value: it must be ${wanted}`, hint);
  return report(field, 'wrong-type', `${field.what} must be ${wanted}, not ${found(value)}`, hint);
}

export function readText(value: YamlValue, wanted: string, field: Field): string | undefined {
  if (typeof value === 'string') return value;
  const scalar = typeof value === 'number' || typeof value === 'boolean';
  return mismatch(value, wanted, field, scalar ? 'put it in quotes if it is meant as text' : undefined);
}

export function readList(value: YamlValue, wanted: string, field: Field): readonly YamlValue[] | undefined {
  if (Array.isArray(value)) return value as readonly YamlValue[];
  const one = typeof value === 'string' || typeof value === 'number';
  return mismatch(value, wanted, field, one ? `write [${String(value)}]` : undefined);
}

export function readMap(value: YamlValue, wanted: string, field: Field): YamlMap | undefined {
  return value instanceof Map ? (value as YamlMap) : mismatch(value, wanted, field);
}

/** Whether a key is text. YAML reads an unquoted 0x10, yes: true or ~ as something else. */
export function isTextKey(key: YamlScalar, at: At, findings: Findings): key is string {
  if (typeof key === 'string') return true;
  const message = `a name is expected, but YAML reads this key as ${key === null ? 'nothing' : String(key)}`;
  findings.addKey('key-not-text', below(at, key), message);
  return false;
}

/** Reports a key that is not among `known`. */
export function unknownKey(key: string, at: At, known: readonly string[], findings: Findings): void {
  if (key === '<<') {
    findings.addKey('merge-key', below(at, key), 'merge keys (<<) are not part of YAML 1.2');
    return;
  }
  const hint = didYouMean(key, known) ?? `allowed here: ${known.join(', ')}`;
  findings.addKey('unknown-key', below(at, key), `the key ${quote(key)} is unknown here`, hint);
}

function readForm(value: YamlValue, form: Form, field: Field): string | undefined {
  const text = readText(value, form.wanted, field);
  if (text === undefined) return undefined;
  if (form.pattern.test(text)) return text;
  return report(field, form.code, `${field.what} must be ${form.wanted}, not ${quote(text)}`, form.hint(text));
}

interface Form {
  readonly code: Code;
  readonly pattern: RegExp;
  readonly wanted: string;
  hint(text: string): string | undefined;
}

const lowerCase =
  (pattern: RegExp) =>
  (text: string): string | undefined =>
    pattern.test(text.toLowerCase()) ? `write ${text.toLowerCase()}` : undefined;

const FABRIC_FORM: Form = {
  code: 'fabric-name',
  pattern: FABRIC_NAME,
  wanted: 'a name of at most 32 small letters, digits and hyphens that begins with a letter',
  hint: lowerCase(FABRIC_NAME),
};

const HOST_FORM: Form = {
  code: 'host-name',
  pattern: HOST_NAME,
  wanted: 'at most 63 small letters, digits and hyphens',
  hint: (text) =>
    text.includes('.') && HOSTNAME.test(text)
      ? `name the host ${text.split('.')[0]?.toLowerCase()} and give it “hostname: ${text}”`
      : lowerCase(HOST_NAME)(text),
};

const HOSTNAME_FORM: Form = {
  code: 'hostname',
  pattern: HOSTNAME,
  wanted: 'a hostname: labels of letters, digits and hyphens with dots between',
  hint: () => undefined,
};

const LINK_FORM: Form = {
  code: 'link-name',
  pattern: LINK_NAME,
  wanted: 'a link’s name: 1 to 15 bytes of printable ASCII without blanks, “/”, “:” or “%”',
  hint: linkHint,
};

function linkHint(text: string): string | undefined {
  if (text === 'none' || text === 'auto') return 'leave the key out if there is none';
  if (LINK_NAME.test(text.slice(0, 15)) && text.length > 15) return `it has ${Buffer.byteLength(text)} bytes`;
  if (text.startsWith('-')) return 'a hyphen first reads as an option of a command';
  if (/^(?:lo|all|default|\.|\.\.)$/.test(text)) return 'the kernel uses this name itself';
  return undefined;
}

export const readFabricName = (value: YamlValue, field: Field) => readForm(value, FABRIC_FORM, field);
export const readHostName = (value: YamlValue, field: Field) => readForm(value, HOST_FORM, field);
export const readHostname = (value: YamlValue, field: Field) => readForm(value, HOSTNAME_FORM, field);
export const readLinkName = (value: YamlValue, field: Field) => readForm(value, LINK_FORM, field);

const ADDRESS = 'an IPv4 or IPv6 address';

export function readAddress(value: YamlValue, field: Field): IpAddress | undefined {
  const text = readText(value, ADDRESS, field);
  if (text === undefined) return undefined;
  const address = parseIp(text);
  if (address === null) {
    const message = `${field.what} must be ${ADDRESS}, not ${quote(text)}`;
    return report(field, 'address-form', message, addressHint(text));
  }
  return checkMapped(address, field) ? address : undefined;
}

/** An address that one host can have on a network. */
export function readUnicast(value: YamlValue, field: Field): IpAddress | undefined {
  const address = readAddress(value, field);
  if (address === undefined || isUnicast(address)) return address;
  return report(field, 'not-unicast', `${field.what} must be the address of one host, not ${address}`);
}

/** 169.254.0.1/24; host bits may be set. */
export function readPrefix(value: YamlValue, field: Field): Prefix | undefined {
  const wanted = 'an address with its prefix length, such as 169.254.0.1/24';
  const text = readText(value, wanted, field);
  if (text === undefined) return undefined;
  const prefix = parsePrefix(text);
  if (prefix === null) {
    const message = `${field.what} must be ${wanted}, not ${quote(text)}`;
    return report(field, 'prefix-form', message, prefixHint(text));
  }
  return checkMapped(prefix, field) ? prefix : undefined;
}

function checkMapped(address: string, field: Field): boolean {
  if (!address.startsWith('::ffff:') || !address.includes('.')) return true;
  report(field, 'mapped-address', `${field.what} is an IPv4 address dressed as IPv6`, `write ${address.slice(7)}`);
  return false;
}

function addressHint(text: string): string | undefined {
  if (text.includes('%')) return 'leave the zone (%…) out and name the `device`';
  if (text.includes('/')) return `leave ${quote(text.slice(text.indexOf('/')))} out`;
  if (/^[\d.]+$/.test(text)) return ipv4Hint(text);
  if (/^[a-z][a-z0-9.-]*$/i.test(text)) return 'names are not looked up: write the address';
  return undefined;
}

function prefixHint(text: string): string | undefined {
  const [address = '', length] = text.split('/');
  const ip = parseIp(address);
  if (ip === null) return length === undefined ? addressHint(text) : addressHint(address);
  const longest = ip.includes(':') ? 128 : 32;
  if (length === undefined) return `add the prefix length, such as ${ip}/${longest === 32 ? 24 : 64}`;
  return `the prefix length is a number from 0 to ${longest}`;
}

function ipv4Hint(text: string): string | undefined {
  if (/(?:^|\.)0\d/.test(text)) return 'write the numbers without leading zeros: some programs read them as octal';
  return text.split('.').length === 4 ? 'each of the four numbers is at most 255' : 'an IPv4 address has four numbers';
}

const MAC_WANTED = 'a MAC address such as 02:00:5e:00:53:01';

/** The MAC of one host: not all zeros, not a group's. */
export function readMac(value: YamlValue, field: Field): Mac | undefined {
  const text = readText(value, MAC_WANTED, field);
  if (text === undefined) return undefined;
  const mac = parseMac(text);
  if (mac === null) {
    const digits = text.replace(/[-.:]/g, '').toLowerCase();
    const pairs = /^[0-9a-f]{12}$/.test(digits) ? digits.match(/../g) : null;
    const hint = pairs === null ? undefined : `write ${pairs.join(':')}`;
    return report(field, 'mac-form', `${field.what} must be ${MAC_WANTED}, not ${quote(text)}`, hint);
  }
  if (mac === ZERO_MAC) {
    return report(field, 'mac-zero', `${field.what} must be the MAC address of a host, not all zeros`);
  }
  if (isGroupMac(mac)) {
    const first = (Number.parseInt(mac.slice(0, 2), 16) & 0xfe).toString(16).padStart(2, '0');
    const message = `${field.what} must be the MAC address of one host, and ${mac} is a group’s`;
    return report(field, 'mac-group', message, `with the lowest bit clear it is ${first}${mac.slice(2)}`);
  }
  return mac;
}
