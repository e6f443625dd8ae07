/** Whether a value of a netplan file is what its key takes, by netplan's rules. What is not is reported. */
import { familyOf, networkOf, type Prefix, parseIp, parsePrefix } from '../model/address.ts';
import { didYouMean, found, oneOf, quote } from '../text/words.ts';
import type { Cell } from './netplan-cell.ts';
import { ADDRESS_OPTIONS, type Keys, ROUTE_KEYS, type Shape } from './netplan-keys.ts';
import type { Report } from './report.ts';

/** For the values that name a definition: they are looked up when the whole file has been read. */
export type OnReference = (cell: Cell) => void;

export interface Checking {
  readonly report: Report;
  readonly reference: OnReference;
}

type Kind = Shape['kind'];
type Of<K extends Kind> = Extract<Shape, { kind: K }>;
type Check<K extends Kind> = (cell: Cell, what: string, shape: Of<K>, checking: Checking) => boolean;

/** Checks `cell`, called `what` in messages. */
export function checkShape(cell: Cell, what: string, shape: Shape, checking: Checking): boolean {
  const check = CHECKS[shape.kind] as Check<Kind>;
  return check(cell, what, shape as Of<Kind>, checking);
}

/** Every key of a map, each by its shape; `good` is handed those that are. */
export function checkKeys(
  cell: Cell,
  what: string,
  keys: Keys,
  checking: Checking,
  good: (key: string, value: Cell) => void = () => {},
): boolean {
  if (!isMap(cell, what, checking)) return false;
  let all = true;
  for (const [key, value] of cell.entries()) {
    const shape = Object.hasOwn(keys, key) ? keys[key] : undefined;
    if (shape === undefined) {
      const hint = didYouMean(key, Object.keys(keys));
      checking.report.add('source-key', value.place('key'), `unknown key ${quote(key)} in ${what}`, hint);
      all = false;
    } else if (checkShape(value, key, shape, checking)) {
      good(key, value);
    } else {
      all = false;
    }
  }
  return all;
}

export function isMap(cell: Cell, what: string, checking: Checking): boolean {
  return cell.isMap || wrong(cell, what, 'a mapping', checking, 'check the indentation');
}

function wrong(cell: Cell, what: string, wanted: string, { report }: Checking, hint?: string): false {
  const value = cell.text === '' ? 'nothing' : found(cell.value);
  report.add('source-value', cell.place(), `${what} must be ${wanted}, not ${value}`, hint);
  return false;
}

/** A check of scalars by a predicate. */
function scalar<K extends Kind>(wanted: string, good: (text: string) => boolean): Check<K> {
  return (cell, what, _shape, checking) => {
    const { text } = cell;
    return (text !== undefined && good(text)) || wrong(cell, what, wanted, checking);
  };
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['true', 'on', 'yes', 'y'].map((word) => [word, true] as const),
  ...['false', 'off', 'no', 'n'].map((word) => [word, false] as const),
]);

export const readBoolean = (text: string): boolean | undefined => BOOLEANS.get(text.toLowerCase());

/** A number as strtoull reads it, of at most 32 bits. */
export function readUint(text: string): number | undefined {
  if (!/^[ \t]*\+?\d+$/.test(text)) return undefined;
  const value = Number(text);
  return value <= 0xffffffff ? value : undefined;
}

const MAC_OR_INFINIBAND = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}(?:(?::[0-9a-f]{2}){14})?$/i;

export const isName = (text: string): boolean => /^[!-~]+$/.test(text);

const isFamily = (text: string, family: 4 | 6): boolean => {
  const address = parseIp(text);
  return address !== null && familyOf(address) === family;
};

const CHECKS: { readonly [K in Kind]: Check<K> } = {
  text: scalar('text', () => true),
  boolean: scalar('true or false', (text) => readBoolean(text) !== undefined),
  uint: scalar('a whole number from 0 to 4294967295', (text) => readUint(text) !== undefined),
  mac: scalar('a MAC address such as 02:00:5e:00:53:01', (text) => MAC_OR_INFINIBAND.test(text)),
  ip: scalar('an IPv4 or IPv6 address without a prefix length', (text) => parseIp(text) !== null),
  ip4: scalar('an IPv4 address', (text) => isFamily(text, 4)),
  ip6: scalar('an IPv6 address', (text) => isFamily(text, 6)),
  name: scalar('a name of printable characters without blanks', isName),
  anything: () => true,
  reference: (cell, what, _shape, checking) => {
    if (cell.text === undefined) return wrong(cell, what, 'the ID of a definition', checking);
    checking.reference(cell);
    return true;
  },
  words: (cell, what, { words, anyCase }, checking) => {
    const { text } = cell;
    const word = anyCase ? text?.toLowerCase() : text;
    if (word !== undefined && words.includes(word)) return true;
    return wrong(cell, what, oneOf(words), checking, text === undefined ? undefined : didYouMean(text, words));
  },
  list: (cell, what, { of }, checking) => {
    if (!cell.isList) return wrong(cell, what, 'a list', checking, cell.text ? `write [${cell.text}]` : undefined);
    return cell
      .items()
      .map((item) => checkShape(item, `each of ${what}`, of, checking))
      .every(Boolean);
  },
  map: (cell, what, { keys }, checking) => checkKeys(cell, what, keys, checking),
  named: (cell, what, { of }, checking) =>
    isMap(cell, what, checking) &&
    cell
      .entries()
      .map(([key, value]) => checkShape(value, key, of, checking))
      .every(Boolean),
  either: (cell, what, shape, checking) =>
    checkShape(cell, what, cell.text === undefined ? shape.other : shape.scalar, checking),
  address: checkAddress,
  route: checkRoute,
};

/** The address of one item of `addresses`, and its options; undefined: the item is neither of the two forms. */
export function addressItem(cell: Cell): { text: string; options: Cell | null; at: Cell } | undefined {
  if (cell.text !== undefined) return { text: cell.text, options: null, at: cell };
  const entries = cell.entries();
  const [first] = entries;
  return first === undefined || entries.length !== 1 ? undefined : { text: first[0], options: first[1], at: first[1] };
}

function checkAddress(cell: Cell, what: string, _shape: Shape, checking: Checking): boolean {
  const item = addressItem(cell);
  if (item === undefined) return wrong(cell, what, 'an address, or one address with its options', checking);
  const place = item.at.place(item.options === null ? 'value' : 'key');
  const [address = '', length] = item.text.split('/');
  if (length === undefined) {
    const message = `address ${quote(item.text)} is missing /prefixlength`;
    checking.report.add('source-value', place, message, `write ${address}/${address.includes(':') ? 64 : 24}`);
    return false;
  }
  const prefix = parsePrefix(item.text);
  if (prefix === null || length === '0') {
    const bad = parseIp(address) === null ? 'malformed address' : 'invalid prefix length in address';
    checking.report.add('source-value', place, `${bad} ${quote(item.text)}`);
    return false;
  }
  return item.options === null || checkKeys(item.options, `the options of ${prefix}`, ADDRESS_OPTIONS, checking);
}

/** `default`, or an address with or without its length; host bits are cut off as networkd does. */
export function readDestination(text: string): Prefix | 'default' | null {
  if (text === 'default') return 'default';
  const address = parseIp(text);
  const prefix = parsePrefix(address === null ? text : `${text}/${familyOf(address) === 4 ? 32 : 128}`);
  return prefix === null ? null : networkOf(prefix);
}

function checkRoute(cell: Cell, what: string, _shape: Shape, checking: Checking): boolean {
  if (!checkKeys(cell, what, ROUTE_KEYS, checking)) return false;
  const { report } = checking;
  const families = new Set<number>();
  for (const key of ['from', 'to', 'via']) {
    const value = cell.child(key);
    if (value?.text === undefined || (key === 'to' && value.text === 'default')) continue;
    const prefix = readDestination(value.text);
    if (prefix === null || prefix === 'default') return wrong(value, key, 'an IPv4 or IPv6 address', checking);
    families.add(familyOf(prefix));
    if (families.size > 1) {
      report.add('source-conflict', value.place(), `IP family mismatch in route: ${value.text} is of the other family`);
      return false;
    }
  }
  const type = cell.child('type')?.text?.toLowerCase() ?? 'unicast';
  const scope = cell.child('scope')?.text?.toLowerCase() ?? (cell.child('via') === undefined ? 'link' : 'global');
  const lacks = ['to', 'via'].filter((key) => cell.child(key) === undefined);
  const wanted = type === 'unicast' && scope === 'global' ? lacks : lacks.filter((key) => key === 'to');
  if (wanted.length === 0) return true;
  report.add('source-missing', cell.place(), `a ${scope} ${type} route must have ${wanted.join(' and ')}`);
  return false;
}
