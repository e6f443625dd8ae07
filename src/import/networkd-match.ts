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

const fitsOne = (word: string, text: string): boolean => (isPattern(word) ? glob(word).test(text) : word === text);

function fits(list: readonly string[], text: string): boolean {
  let none = true;
  let found = false;
  for (const word of list) {
    if (word.startsWith('!')) {
      if (fitsOne(word.slice(1), text)) return false;
    } else {
      none = false;
      found ||= fitsOne(word, text);
    }
  }
  return none || found;
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

type Lists = ReadonlyMap<string, readonly string[]>;

const LISTS = new WeakMap<Unit, Lists>();

/** What a file says in `[Match]`, read once. */
function listsOf(unit: Unit): Lists {
  let lists = LISTS.get(unit);
  if (lists === undefined) {
    const keys = new Set(unit.named('Match').flatMap(({ entries }) => entries.map(({ key }) => key)));
    const said = [...keys].flatMap((key) => (Object.hasOwn(TESTS, key) ? [[key, patterns(unit, key)] as const] : []));
    lists = new Map(said.filter(([, list]) => list.length > 0));
    LISTS.set(unit, lists);
  }
  return lists;
}

/** Whether networkd reads the file at all: one without anything to match is for no link. */
export const matchesAnything = (unit: Unit): boolean => listsOf(unit).size > 0;

/** A link that networkd makes. */
function matches(unit: Unit, link: Link): boolean {
  if (!matchesAnything(unit)) return false;
  for (const [key, list] of listsOf(unit)) if (TESTS[key]?.(list, link) !== true) return false;
  return true;
}

const isPattern = (word: string): boolean => /[!*?[\]]/.test(word);
const namesIn = (unit: Unit): readonly string[] => listsOf(unit).get('Name') ?? [];

/** Links that the file names in full. */
export const namesOf = (unit: Unit): readonly string[] => namesIn(unit).filter((word) => !isPattern(word));

/** Whether it is for links that it does not name in full. */
export const isOpen = (unit: Unit): boolean =>
  namesOf(unit).length === 0 || namesIn(unit).some((word) => /[*?[\]]/.test(word));

/** The .network files of a host, in networkd's order. */
export class Networks {
  readonly units: readonly Unit[];
  /** Name → the files that may be for it, in order: those that name it, and those that name none in full. */
  readonly #named: ReadonlyMap<string, readonly Unit[]>;
  readonly #open: readonly Unit[];
  readonly #order: ReadonlyMap<Unit, number>;
  readonly #found = new Map<Link, Unit | undefined>();

  constructor(units: readonly Unit[]) {
    this.units = units;
    this.#order = new Map(units.map((unit, i) => [unit, i]));
    const named = new Map<string, Unit[]>();
    for (const unit of units) {
      if (isOpen(unit)) continue;
      for (const name of namesOf(unit)) {
        const list = named.get(name);
        if (list === undefined) named.set(name, [unit]);
        else list.push(unit);
      }
    }
    this.#named = named;
    this.#open = units.filter(isOpen);
  }

  /** The first file that is for the link: networkd takes no other. */
  of(link: Link): Unit | undefined {
    if (!this.#found.has(link)) this.#found.set(link, this.#find(link));
    return this.#found.get(link);
  }

  #find(link: Link): Unit | undefined {
    const order = (unit: Unit): number => this.#order.get(unit) ?? 0;
    const fitting = [...(this.#named.get(link.name) ?? []), ...this.#open].filter((unit) => matches(unit, link));
    return fitting.toSorted((a, b) => order(a) - order(b))[0];
  }
}
