/** Import of interfaces(5) files: ifupdown with `ip` lines, and ifupdown2's `vxlan-` keys. */
import { type IpAddress, isMulticast, parseIp, parsePrefix } from '../model/address.ts';
import { parseMac } from '../model/mac.ts';
import type { Place } from '../model/problem.ts';
import { type Lines, linesOf } from '../text/lines.ts';
import type { FindFiles, Imported, Importer, SourceFile } from './found.ts';
import { type Entry, readStanzas, type Stanza } from './ifupdown-file.ts';
import type { MadeLink } from './machine.ts';
import { Report } from './report.ts';
import { ScriptReader } from './script-reader.ts';
import { checkTwice } from './twice.ts';

export const importer: Importer = {
  name: 'ifupdown',
  summary: 'interfaces files with ip lines, or with the vxlan- keys of ifupdown2',
  pattern: /^[A-Za-z0-9_-]+$/,
  read,
};

function read(files: readonly SourceFile[], find: FindFiles): Imported {
  const report = new Report();
  const reader = new ScriptReader(report, find);
  const stanzas = readStanzas(files, find, report);
  const byName = Map.groupBy(stanzas, ({ name }) => name);
  const later: Later[] = [];
  for (const stanza of stanzas) new Interface(stanza, byName, reader, report, later).read();
  // Whether a link concerns a fabric is known when all are read.
  const concerns = reader.machine.concerned();
  for (const each of later) each(concerns);
  const links = reader.finish();
  checkTwice(links, report);
  return {
    links,
    ...reader.host(),
    problems: report.problems([...new Set(stanzas.map(({ source }) => source.file))].map((path) => ({ path }))),
  };
}

type Keys = ReadonlyMap<string, (of: Interface, entry: Entry) => void>;

/** Commands that run when the link goes down, and keys that change nothing that a fabric says. */
const PASSED =
  /^(?:down|pre-down|post-down|broadcast|network|metric|scope|description|alias|dns-.*|vxlan-purge-remotes|hostname|accept_ra|autoconf|privext|dad-.*|preferred-lifetime|request_prefix|address-virtual)$/;

/** ifupdown2's defaults where they differ from the kernel's. */
const IFUPDOWN2 = { port: 4789 } as const;

/** @param concerns whether a fabric may have to do with a link */
type Later = (concerns: (link: string) => boolean) => void;

class Interface {
  readonly stanza: Stanza;
  readonly #all: ReadonlyMap<string, readonly Stanza[]>;
  readonly #reader: ScriptReader;
  readonly #report: Report;
  readonly #later: Later[];
  readonly #lines: Lines;

  constructor(
    stanza: Stanza,
    all: ReadonlyMap<string, readonly Stanza[]>,
    reader: ScriptReader,
    report: Report,
    later: Later[],
  ) {
    this.stanza = stanza;
    this.#all = all;
    this.#reader = reader;
    this.#report = report;
    this.#later = later;
    this.#lines = linesOf(stanza.source);
  }

  get link(): MadeLink {
    return this.#reader.machine.link(this.stanza.name, this.place(this.stanza.head));
  }

  place({ span, keySpan }: Entry): Place {
    return this.#lines.place(keySpan.start, Math.max(keySpan.end, span.end));
  }

  read(): void {
    const entries = this.#inherited(this.stanza, new Set());
    const of = (...keys: readonly string[]): readonly Entry[] => entries.filter(({ key }) => keys.includes(key));
    for (const entry of of('pre-up')) this.#run(entry, entries);
    const id = of('vxlan-id')[0];
    if (id !== undefined) this.#vxlan(id);
    for (const entry of entries) if (!entry.key.endsWith('up')) this.#entry(entry, entries, id !== undefined);
    const { method } = this.stanza;
    if (/^(?:static|manual|)$/.test(method)) this.link.up = true;
    else if (method !== 'loopback') this.#left(this.stanza.head, `the method ${method} of ${this.stanza.name}`);
    for (const entry of of('up', 'post-up')) this.#run(entry, entries);
  }

  #inherited(stanza: Stanza, seen: Set<string>): readonly Entry[] {
    const { inherits, entries } = stanza;
    if (inherits === null || seen.has(inherits)) return entries;
    seen.add(inherits);
    const parents = this.#all.get(inherits);
    if (parents === undefined) {
      this.fail('source-reference', stanza.head, `there is no stanza ${inherits} to inherit from`);
      return entries;
    }
    return [...parents.flatMap((parent) => this.#inherited(parent, seen)), ...entries];
  }

  /** Each command has a shell of its own, and these variables (interfaces(5)). */
  #run({ span }: Entry, entries: readonly Entry[]): void {
    const { name, family, method, source } = this.stanza;
    const variables = new Map([
      ...entries.map(({ key, value }) => [`IF_${key.toUpperCase().replaceAll('-', '_')}`, value] as const),
      ['IFACE', name],
      ['LOGICAL', name],
      ['ADDRFAM', family],
      ['METHOD', method],
      ['MODE', 'start'],
    ]);
    this.#reader.read(source, span, variables);
  }

  /** Told where it has to do with an overlay. */
  #left(entry: Entry, what: string): void {
    const { name } = this.stanza;
    this.#later.push((concerns) => {
      if (!concerns(name)) return;
      this.#report.add('source-left-out', this.place(entry), `left out: the file has no words for ${what}`);
    });
  }

  fail(code: Parameters<Report['add']>[0], entry: Entry, message: string): undefined {
    return this.#report.add(code, this.place(entry), message);
  }

  #entry(entry: Entry, entries: readonly Entry[], vxlan: boolean): void {
    const { key, value } = entry;
    const known = KEYS.get(key);
    if (known !== undefined) known(this, entry);
    else if (key === 'address') this.#address(entry, entries);
    else if (key === 'gateway') this.#gateway(entry);
    else if (/^bridge[-_]ports$/.test(key)) this.#ports(entry);
    else if (key.startsWith('vxlan-') && vxlan && VXLAN_KEYS.has(key)) VXLAN_KEYS.get(key)?.(this, entry);
    else if (key !== 'netmask' && !PASSED.test(key)) this.#left(entry, `${key} ${value} of ${this.stanza.name}`);
  }

  #address(entry: Entry, entries: readonly Entry[]): void {
    const { value } = entry;
    const mask = entries.find(({ key }) => key === 'netmask')?.value;
    const prefix = parsePrefix(value.includes('/') ? value : `${value}/${lengthOf(mask, value)}`);
    if (prefix === null) {
      this.fail('source-value', entry, `an address with its prefix length is expected, not “${value}”`);
      return;
    }
    this.link.addresses.add(prefix);
    this.link.places.set(`address ${prefix}`, this.place(entry));
  }

  #gateway(entry: Entry): void {
    const via = this.address(entry);
    if (via === null) return;
    const to = parsePrefix(via.includes(':') ? '::/0' : '0.0.0.0/0');
    if (to !== null) this.#reader.machine.routes.push({ to, via, link: this.stanza.name, place: this.place(entry) });
  }

  #ports(entry: Entry): void {
    const { machine } = this.#reader;
    if (machine.find(this.stanza.name)?.kind !== 'bridge') machine.make(this.stanza.name, 'bridge', this.place(entry));
    for (const name of entry.value.split(/\s+/)) {
      if (name === 'none' || name === '') continue;
      if (name === 'all' || name === 'regex' || name === 'glob') {
        this.#left(entry, `ports of a bridge that are not named`);
        return;
      }
      const port = machine.link(name, this.place(entry));
      port.master = this.stanza.name;
      port.places.set('bridge', this.place(entry));
    }
  }

  #vxlan(entry: Entry): void {
    const vni = this.number(entry, 1, 16777215);
    const link = this.#reader.machine.make(this.stanza.name, 'vxlan', this.place(this.stanza.head));
    link.vxlan = { ...IFUPDOWN2, ...(vni === undefined ? {} : { vni }) };
    link.places.set('vni', this.place(entry));
  }

  address(entry: Entry): IpAddress | null {
    // ifupdown2 passes over a length.
    const address = parseIp(entry.value.replace(/\/\d+$/, ''));
    if (address === null) this.fail('source-value', entry, `${entry.key} takes an address, not “${entry.value}”`);
    return address;
  }

  number(entry: Entry, least: number, most: number): number | undefined {
    const value = /^\d+$/.test(entry.value) ? Number(entry.value) : Number.NaN;
    if (value >= least && value <= most) return value;
    return this.fail(
      'source-value',
      entry,
      `${entry.key} takes a whole number from ${least} to ${most}, not “${entry.value}”`,
    );
  }

  /** Sets an attribute of the link, and where it stands. */
  set(entry: Entry, attributes: MadeLink['vxlan']): void {
    const { link } = this;
    link.vxlan = { ...link.vxlan, ...attributes };
    for (const name of Object.keys(attributes)) link.places.set(name, this.place(entry));
  }
}

/** 255.255.255.0 → 24; a length as it is; without: all of the address. */
function lengthOf(mask: string | undefined, address: string): string {
  if (mask === undefined) return address.includes(':') ? '128' : '32';
  if (!mask.includes('.')) return mask;
  const bits = mask
    .split('.')
    .map((part) => Number(part).toString(2).padStart(8, '0'))
    .join('');
  return /^1*0*$/.test(bits) ? String(bits.indexOf('0') < 0 ? 32 : bits.indexOf('0')) : mask;
}

const KEYS: Keys = new Map<string, (of: Interface, entry: Entry) => void>([
  [
    'mtu',
    (of, entry) => {
      const mtu = of.number(entry, 68, 65535);
      if (mtu === undefined) return;
      of.link.mtu = mtu;
      of.link.places.set('mtu', of.place(entry));
    },
  ],
  [
    'hwaddress',
    (of, entry) => {
      const mac = parseMac(entry.value.replace(/^ether\s+/, ''));
      if (mac === null) {
        if (entry.value !== 'random') of.fail('source-value', entry, `a MAC address is expected, not “${entry.value}”`);
        return;
      }
      of.link.mac = mac;
      of.link.places.set('mac', of.place(entry));
    },
  ],
]);

const YES = /^(?:yes|on|1|true)$/i;

function remote(of: Interface, entry: Entry): void {
  const address = of.address(entry);
  if (address !== null) of.set(entry, { remote: address });
}

/** ifupdown2's keys of a VXLAN link (its addon vxlan.py). */
const VXLAN_KEYS: Keys = new Map<string, (of: Interface, entry: Entry) => void>([
  ['vxlan-id', () => undefined],
  [
    'vxlan-local-tunnelip',
    (of, entry) => {
      const local = of.address(entry);
      if (local !== null && isMulticast(local))
        of.fail('source-value', entry, `${entry.key} takes the address of one host`);
      else if (local !== null) of.set(entry, { local });
    },
  ],
  ['vxlan-svcnodeip', remote],
  ['vxlan-svcnodeip6', remote],
  ['vxlan-mcastgrp', remote],
  ['vxlan-mcastgrp6', remote],
  [
    'vxlan-remoteip',
    (of, entry) => {
      for (const text of entry.value.split(/\s+/)) {
        const vtep = of.address({ ...entry, value: text });
        if (vtep === null) continue;
        of.link.flood.add(vtep);
        of.link.places.set(`flood ${vtep}`, of.place(entry));
      }
    },
  ],
  ['vxlan-physdev', (of, entry) => of.set(entry, { device: entry.value })],
  [
    'vxlan-port',
    (of, entry) => {
      const port = of.number(entry, 1, 65535);
      if (port !== undefined) of.set(entry, { port });
    },
  ],
  [
    'vxlan-ageing',
    (of, entry) => {
      const ageing = of.number(entry, 0, 4096);
      if (ageing !== undefined && ageing !== 0) of.set(entry, { ageing });
    },
  ],
  [
    'vxlan-ttl',
    (of, entry) => {
      const ttl = entry.value === 'auto' ? 0 : of.number(entry, 0, 255);
      if (ttl !== undefined) of.set(entry, { ttl });
    },
  ],
  ['vxlan-learning', (of, entry) => of.set(entry, { learning: YES.test(entry.value) })],
]);
