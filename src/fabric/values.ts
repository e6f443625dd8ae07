/** One reader for each kind of value in the option table: YAML value → checked value, or undefined when reported. */
import { type IpAddress, isMulticast, parseIp } from '../model/address.ts';
import type { Mac } from '../model/mac.ts';
import type { ValueType } from '../model/options.ts';
import type { YamlValue } from '../text/value.ts';
import { type Around, checkMember, otherFamily } from './around.ts';
import {
  type Field,
  isTextKey,
  mismatch,
  readAddress,
  readLinkName,
  readList,
  readMac,
  readMap,
  readText,
  readUnicast,
  report,
} from './atoms.ts';
import { type At, below } from './findings.ts';
import { readRoutes } from './routes.ts';
import { didYouMean, expected, found, quote } from './words.ts';

type Kind = ValueType['kind'];
type Of<K extends Kind> = Extract<ValueType, { kind: K }>;
type Reader<K extends Kind> = (value: YamlValue, type: Of<K>, field: Field, around: Around) => unknown;

/** Reads `value` as `type`; undefined: it is wrong, and that is reported. */
export function readValue(value: YamlValue, type: ValueType, field: Field, around: Around): unknown {
  const reader = READERS[type.kind] as Reader<Kind>;
  return reader(value, type as Of<Kind>, field, around);
}

const READERS: { readonly [K in Kind]: Reader<K> } = {
  integer: (value, type, field) => readInteger(value, type, field),
  boolean: (value, type, field) => readBoolean(value) ?? mismatch(value, expected(type), field),
  word: (value, type, field) => readWord(value, type, field),
  words: (value, type, field) => readWords(value, type, field),
  range: (value, type, field) => readRange(value, type, field),
  'link-name': (value, _type, field) => readLinkName(value, field),
  'link-names': (value, type, field) => readUnique(value, expected(type), field, readLinkName),
  'unicast-list': (value, type, field, around) =>
    readUnique(value, expected(type), field, (item, at) => readRemote(item, at, around)),
  multicast: (value, _type, field) => readGroup(value, field),
  'host-macs': (value, type, field, around) => readHostMacs(value, type, field, around),
  'static-macs': (value, type, field, around) => readStaticMacs(value, type, field, around),
  routes: (value, type, field, around) => readRoutes(value, expected(type), field, around),
  'any-of': (value, type, field, around) => {
    const fits = type.types.find((t) => claims(t, value));
    if (fits !== undefined) return readValue(value, fits, field, around);
    return notAny(value, type, field);
  },
};

const NUMBER = /^[-+]?\d+$/;

export function readInteger(value: YamlValue, type: Of<'integer'>, field: Field): number | undefined {
  if (isQuotedNumber(value)) return quotedNumber(value, expected(type), field);
  if (typeof value !== 'number' || !Number.isInteger(value)) return mismatch(value, expected(type), field);
  if (value >= type.min && value <= type.max) return value;
  return report(field, 'out-of-range', `${field.what} must be ${expected(type)}, not ${value}`);
}

function isQuotedNumber(value: YamlValue): value is string {
  return typeof value === 'string' && NUMBER.test(value);
}

function quotedNumber(value: string, wanted: string, field: Field): undefined {
  const message = `${field.what} must be ${wanted}, not the text ${quote(value)}`;
  return report(field, 'quoted-number', message, `write ${Number(value)} without quotes`);
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['true', 'yes', 'on', 'y'].map((word) => [word, true] as const),
  ...['false', 'no', 'off', 'n'].map((word) => [word, false] as const),
]);

/** As netplan reads them: in any case, quoted or not. */
function readBoolean(value: YamlValue): boolean | undefined {
  if (typeof value === 'boolean') return value;
  return typeof value === 'string' ? BOOLEANS.get(value.toLowerCase()) : undefined;
}

function readWord(value: YamlValue, type: Of<'word'>, field: Field): string | undefined {
  if (typeof value !== 'string') return mismatch(value, expected(type), field);
  if (type.words.includes(value)) return value;
  const message = `${field.what} must be ${expected(type)}, not ${quote(value)}`;
  return report(field, 'unknown-word', message, didYouMean(value, type.words));
}

function readWords(value: YamlValue, type: Of<'words'>, field: Field): readonly string[] | undefined {
  return readUnique(value, expected(type), field, (item, at) => {
    const why = typeof item === 'string' ? type.refused?.[item] : undefined;
    if (why === undefined) return readWord(item, { kind: 'word', words: type.words }, at);
    return report(at, 'refused-word', `${String(item)} cannot be had: ${why}`);
  });
}

/** A list whose items are read one by one and stand once each; those that are wrong are left out. */
function readUnique<T>(
  value: YamlValue,
  wanted: string,
  field: Field,
  read: (item: YamlValue, field: Field) => T | undefined,
): T[] | undefined {
  const list = readList(value, wanted, field);
  if (list === undefined) return undefined;
  const good = new Set<T>();
  for (const [i, item] of list.entries()) {
    const at: Field = { what: `each of ${field.what}`, at: below(field.at, i), findings: field.findings };
    const one = read(item, at);
    if (one === undefined) continue;
    if (good.has(one)) report(at, 'repeated-item', `${String(one)} stands twice in ${field.what}`);
    else good.add(one);
  }
  return [...good];
}

/** A VTEP outside of the fabric. */
function readRemote(item: YamlValue, field: Field, around: Around): IpAddress | undefined {
  const address = readUnicast(item, field);
  if (address === undefined) return undefined;
  const mixed = otherFamily(address, around);
  if (mixed !== null) report(field, 'underlay-families', mixed);
  for (const host of around.hosts.values()) {
    if (host.underlay !== address) continue;
    report(field, 'remote-is-host', `${address} is the underlay of the host ${host.name}`);
  }
  return address;
}

const LOOSE_RANGE = /^(\d+)\s*[-:, ]\s*(\d+)$/;

function readRange(value: YamlValue, type: Of<'range'>, field: Field): readonly [number, number] | undefined {
  const wanted = expected(type);
  const loose = typeof value === 'string' ? LOOSE_RANGE.exec(value) : null;
  if (loose !== null) return mismatch(value, wanted, field, `write [${loose[1]}, ${loose[2]}]`);
  const list = readList(value, wanted, field);
  if (list === undefined) return undefined;
  if (list.length !== 2) {
    return report(field, 'wrong-type', `${field.what} must be ${wanted}, not a list of ${list.length}`);
  }
  const [low, high] = list.map((item, i) =>
    readInteger(
      item,
      { kind: 'integer', min: type.min, max: type.max },
      { ...field, what: `each end of ${field.what}`, at: below(field.at, i) },
    ),
  );
  if (low === undefined || high === undefined) return undefined;
  if (low <= high) return [low, high];
  return report(
    field,
    'range-order',
    `${field.what} begins at ${low} and ends below, at ${high}`,
    `write [${high}, ${low}]`,
  );
}

function readGroup(value: YamlValue, field: Field): IpAddress | undefined {
  const address = readAddress(value, field);
  if (address === undefined || isMulticast(address)) return address;
  return report(
    field,
    'not-multicast',
    `${field.what} must be a multicast group (224.0.0.0/4 or ff00::/8), not ${address}`,
  );
}

function readHostMacs(
  value: YamlValue,
  type: Of<'host-macs'>,
  field: Field,
  around: Around,
): ReadonlyMap<string, Mac> | undefined {
  const map = readMap(value, expected(type), field);
  if (map === undefined) return undefined;
  const macs = new Map<string, Mac>();
  const owners = new Map<Mac, string>();
  for (const [host, item] of map) {
    if (!isTextKey(host, field.at, field.findings)) continue;
    const at = below(field.at, host);
    checkMember(host, { what: 'the host', at, findings: field.findings, key: true }, around);
    const mac = readMac(item, { what: `the MAC of ${quote(host)}`, at, findings: field.findings });
    if (mac === undefined) continue;
    const owner = owners.get(mac);
    if (owner !== undefined) field.findings.add('mac-twice', at, `${mac} is the MAC of ${owner} already`);
    owners.set(mac, host);
    macs.set(host, mac);
  }
  return macs;
}

function readStaticMacs(
  value: YamlValue,
  type: Of<'static-macs'>,
  field: Field,
  around: Around,
): ReadonlyMap<Mac, string | IpAddress> | undefined {
  const map = readMap(value, expected(type), field);
  if (map === undefined) return undefined;
  const macs = new Map<Mac, string | IpAddress>();
  // Rows share few destinations, and there may be 100,000 of them: each destination is judged once while it is good.
  const known = new Map<string, string | IpAddress>();
  for (const [key, item] of map) {
    const mac = (typeof key === 'string' ? plainMac(key) : null) ?? staticMac(key, field);
    const to =
      (typeof item === 'string' ? known.get(item) : undefined) ??
      destination(item, below(field.at, key), field, around);
    if (to !== undefined && typeof item === 'string') known.set(item, to);
    if (mac === undefined || to === undefined) continue;
    if (macs.has(mac)) field.findings.addKey('mac-twice', below(field.at, key), `${mac} stands twice in ${field.what}`);
    else macs.set(mac, to);
  }
  return macs;
}

const PLAIN_MAC = /^(?!00:00:00:00:00:00)[0-9a-f][02468ace](?::[0-9a-f]{2}){5}$/;

/** The usual case of readMac, in one step: canonical as it stands. */
function plainMac(text: string): Mac | null {
  return PLAIN_MAC.test(text) ? (text as Mac) : null;
}

function staticMac(key: string | number | boolean | null, field: Field): Mac | undefined {
  if (!isTextKey(key, field.at, field.findings)) return undefined;
  return readMac(key, {
    what: `each key of ${field.what}`,
    at: below(field.at, key),
    findings: field.findings,
    key: true,
  });
}

function destination(item: YamlValue, at: At, field: Field, around: Around): string | IpAddress | undefined {
  const one: Field = { what: `each value of ${field.what}`, at, findings: field.findings };
  const text = readText(item, 'a member of the overlay or the address of a VTEP', one);
  if (text === undefined) return undefined;
  if (/[.:]/.test(text)) {
    const vtep = readUnicast(text, one);
    if (vtep === undefined) return undefined;
    const mixed = otherFamily(vtep, around);
    return mixed === null ? vtep : report(one, 'underlay-families', mixed);
  }
  return checkMember(text, one, around) ? text : undefined;
}

/** Whether a value has the looks of a type, so that its faults are told in that type's words. */
function claims(type: ValueType, value: YamlValue): boolean {
  switch (type.kind) {
    case 'integer':
      return typeof value === 'number';
    case 'boolean':
      return readBoolean(value) !== undefined;
    case 'word':
      return typeof value === 'string' && type.words.includes(value);
    case 'multicast':
      return typeof value === 'string' && parseIp(value) !== null;
    case 'host-macs':
    case 'static-macs':
      return value instanceof Map;
    case 'range':
    case 'words':
    case 'link-names':
    case 'unicast-list':
    case 'routes':
      return Array.isArray(value);
    case 'link-name':
      return typeof value === 'string';
    case 'any-of':
      return type.types.some((t) => claims(t, value));
    default:
      return type satisfies never;
  }
}

function notAny(value: YamlValue, type: Of<'any-of'>, field: Field): undefined {
  const wanted = expected(type);
  if (isQuotedNumber(value) && type.types.some((t) => t.kind === 'integer')) return quotedNumber(value, wanted, field);
  if (typeof value !== 'string') return mismatch(value, wanted, field);
  const words = type.types.flatMap((t) =>
    t.kind === 'word' ? t.words : t.kind === 'boolean' ? ['true', 'false'] : [],
  );
  return report(
    field,
    'unknown-word',
    `${field.what} must be ${wanted}, not ${found(value)}`,
    didYouMean(value, words),
  );
}
