/** `[Match]`: which links a .network file is for (systemd.network(5), src/shared/net-condition.c of systemd 252). */
import type { Mac } from '../model/mac.ts';
import type { Unit } from './networkd-units.ts';
import { readMac, readWords } from './networkd-values.ts';

/** A link as far as its .netdev file tells of it. */
export interface Link {
  readonly name: string;
  /** Its `Kind=`; '' for a device that is there already. */
  readonly kind: string;
  readonly mac: Mac | null;
}

/** Patterns of all assignments; an empty one takes the earlier back, `!` before the first turns the whole list round. */
function patterns(unit: Unit, key: string): readonly string[] {
  let list: string[] = [];
  for (const { value } of unit.entries('Match', key)) {
    const invert = value.startsWith('!');
    const text = invert ? value.slice(1) : value;
    // Quotes are part of a link's name.
    const words = (key === 'Name' ? text.split(/\s+/).filter(Boolean) : readWords(text)).map((word) =>
      invert ? `!${word}` : word,
    );
    list = value === '' ? [] : [...list, ...words];
  }
  return list;
}

/** fnmatch(3) without flags. */
export function glob(pattern: string): RegExp {
  const parts = pattern.replace(/\[(!?)((?:\]?[^\]]*))\]|[\\^$.*+?()[\]{}|]/g, (found, not?: string, set?: string) => {
    if (set !== undefined && set !== '') return `[${not === '!' ? '^' : ''}${set.replace(/[\\\]^]/g, '\\$&')}]`;
    if (found === '*') return '.*';
    return found === '?' ? '.' : `\\${found}`;
  });
  return new RegExp(`^${parts}$`, 's');
}

function fits(list: readonly string[], text: string): boolean {
  const inverted = list.filter((word) => word.startsWith('!')).map((word) => word.slice(1));
  if (inverted.some((word) => glob(word).test(text))) return false;
  const positive = list.filter((word) => !word.startsWith('!'));
  return positive.length === 0 || positive.some((word) => glob(word).test(text));
}

type Test = (list: readonly string[], link: Link) => boolean;

const never: Test = () => false;
/** Conditions of the machine: they are taken to hold. */
const assumed: Test = () => true;

const TESTS: Readonly<Record<string, Test>> = {
  Name: (list, { name }) => fits(list, name),
  Kind: (list, { kind }) => fits(list, kind),
  Driver: (list, { kind }) => fits(list, kind),
  // udev's DEVTYPE where udev runs, `ether` elsewhere.
  Type: (list, { kind }) => fits(list, kind) || fits(list, 'ether'),
  MACAddress: (list, { mac }) => mac !== null && list.some((word) => readMac(word) === mac),
  PermanentMACAddress: never,
  Path: never,
  Property: never,
  WLANInterfaceType: never,
  SSID: never,
  BSSID: never,
  Host: assumed,
  Virtualization: assumed,
  KernelCommandLine: assumed,
  KernelVersion: assumed,
  Credential: assumed,
  Architecture: assumed,
  Firmware: assumed,
};

/** Whether networkd reads the file at all: one without anything to match is for no link. */
export const matchesAnything = (unit: Unit): boolean =>
  Object.keys(TESTS).some((key) => patterns(unit, key).length > 0);

/** A link that networkd makes. */
export function matches(unit: Unit, link: Link): boolean {
  if (!matchesAnything(unit)) return false;
  return Object.entries(TESTS).every(([key, test]) => {
    const list = patterns(unit, key);
    return list.length === 0 || test(list, link);
  });
}

/** The first file in order that is for the link: networkd takes no other. */
export const networkOf = (networks: readonly Unit[], link: Link): Unit | undefined =>
  networks.find((unit) => matches(unit, link));

/** Links that the file names in full. */
export const namesOf = (unit: Unit): readonly string[] =>
  patterns(unit, 'Name').filter((word) => !/[!*?[\]]/.test(word));

/** Whether it is for links that it does not name in full. */
export const isOpen = (unit: Unit): boolean =>
  namesOf(unit).length === 0 || patterns(unit, 'Name').some((word) => /[*?[\]]/.test(word));
