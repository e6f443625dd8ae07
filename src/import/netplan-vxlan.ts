/** The VXLAN attributes that a tunnel of netplan has: its keys → what networkd or NetworkManager tells the kernel. */
import { familyOf, type IpAddress, isMulticast, isUnicast, parseIp } from '../model/address.ts';
import type { VxlanState } from '../model/vxlan.ts';
import { quote } from '../text/words.ts';
import type { Cell } from './netplan-cell.ts';
import type { Definition } from './netplan-definition.ts';
import { readBoolean, readUint } from './netplan-shapes.ts';
import type { Report } from './report.ts';

type Attributes = Partial<VxlanState>;

interface NumberRow {
  readonly min: number;
  readonly max: number;
  /** What becomes of a number outside of the range, which netplan takes. */
  readonly otherwise: string;
  set(value: number): Attributes;
}

const NOT_TAKEN = 'networkd reads past it';

/** 0 is nothing said where it is the kernel's own default, and refused where the kernel makes something else of it. */
const NUMBERS: Readonly<Record<string, NumberRow>> = {
  port: { min: 1, max: 65535, otherwise: `${NOT_TAKEN}, and the kernel takes 8472`, set: (port) => ({ port }) },
  ttl: { min: 1, max: 255, otherwise: 'netplan leaves it out, and the kernel chooses', set: (ttl) => ({ ttl }) },
  'type-of-service': { min: 0, max: 255, otherwise: 'networkd cuts it to its low 8 bits', set: (tos) => ({ tos }) },
  'flow-label': { min: 0, max: 1048575, otherwise: NOT_TAKEN, set: (label) => ({ label }) },
  // The kernel keeps seconds × HZ in 32 bits, and turns 0 into 300.
  ageing: { min: 1, max: 4294967, otherwise: 'the kernel makes 300 of 0', set: (ageing) => ({ ageing }) },
  aging: { min: 1, max: 4294967, otherwise: 'the kernel makes 300 of 0', set: (ageing) => ({ ageing }) },
  // netplan 0.106 prints it with %d.
  limit: { min: 0, max: 2147483647, otherwise: 'netplan makes a negative number of it', set: (limit) => ({ limit }) },
};

const BOOLEANS: Readonly<Record<string, (on: boolean) => Attributes>> = {
  'mac-learning': (learning) => ({ learning }),
  'arp-proxy': (proxy) => ({ proxy }),
  'short-circuit': (rsc) => ({ rsc }),
  'do-not-fragment': (on) => ({ df: on ? 1 : 0 }), // enum ifla_vxlan_df
};

type Words = (has: (word: string) => boolean) => Attributes;

const WORDS: Readonly<Record<string, Words>> = {
  notifications: (has) => ({ l2miss: has('l2-miss'), l3miss: has('l3-miss') }),
  checksums: (has) => ({
    udpCsum: has('udp'),
    udpZeroCsum6Tx: has('zero-udp6-tx'),
    udpZeroCsum6Rx: has('zero-udp6-rx'),
    remcsumTx: has('remote-tx'),
    remcsumRx: has('remote-rx'),
  }),
  extensions: (has) => ({ gbp: has('group-policy') }),
};

/** What netplan cannot tell NetworkManager (src/nm.c: a warning, and they are left out). */
const NOT_FOR_NETWORKMANAGER = ['checksums', 'extensions', 'flow-label', 'do-not-fragment'];

/** `vni` and `device` are not among them. */
export function vxlanAttributes(definition: Definition, renderer: string, report: Report): Attributes {
  // networkd switches UDP checksums off unless it is told otherwise, and the kernel's own port is 8472.
  const attributes: Attributes = renderer === 'networkd' ? { port: 8472, udpCsum: false } : { port: 8472 };
  for (const [key, cell] of definition.values) {
    Object.assign(attributes, attributeOf(key, cell, report));
  }
  if (renderer !== 'networkd') {
    for (const key of NOT_FOR_NETWORKMANAGER) {
      const place = definition.values.get(key)?.place('key');
      if (place === undefined) continue;
      report.add('source-accepted', place, `netplan does not hand ${key} to NetworkManager`, 'use renderer: networkd');
    }
  }
  return Object.assign(attributes, ends(definition, attributes, report));
}

function attributeOf(key: string, cell: Cell, report: Report): Attributes | undefined {
  const number = NUMBERS[key];
  if (number !== undefined) return readNumber(key, cell, number, report);
  const boolean = BOOLEANS[key];
  if (boolean !== undefined) {
    const on = readBoolean(cell.text ?? '');
    return on === undefined ? undefined : boolean(on);
  }
  const words = WORDS[key];
  if (words !== undefined) {
    const said = new Set(cell.items().map(({ text }) => text?.toLowerCase()));
    const gpe = cell.items().find(({ text }) => text?.toLowerCase() === 'generic-protocol');
    if (gpe !== undefined) {
      const message =
        'generic-protocol cannot be had: the kernel takes it only on external links, so this one is not made';
      report.add('source-accepted', gpe.place(), message);
    }
    return words((word) => said.has(word));
  }
  return key === 'port-range' ? readRange(cell, report) : undefined;
}

function readNumber(key: string, cell: Cell, row: NumberRow, report: Report): Attributes | undefined {
  const value = readUint(cell.text ?? '');
  if (value === undefined) return undefined;
  if (value >= row.min && value <= row.max) return row.set(value);
  const message = `${key} must be a whole number from ${row.min} to ${row.max}, not ${value}: ${row.otherwise}`;
  return report.add('source-accepted', cell.place(), message);
}

function readRange(cell: Cell, report: Report): Attributes | undefined {
  const [first, second] = cell.items().map(({ text }) => readUint(text ?? ''));
  if (first === undefined || second === undefined) return undefined;
  const [low, high] = first <= second ? [first, second] : [second, first];
  if (low < 1 || high > 65535) {
    const why = low < 1 ? 'netplan leaves a range from 0 out' : NOT_TAKEN;
    const message = `port-range must be [low, high] with whole numbers from 1 to 65535, not [${first}, ${second}]: ${why}`;
    return report.add('source-accepted', cell.place(), message);
  }
  if (first <= second) return { portLow: low, portHigh: high };
  const message = `port-range begins at ${first} and ends below, at ${second}: netplan swaps them`;
  return report.add('source-accepted', cell.place(), message, `write [${low}, ${high}]`);
}

/** `local` and `remote`, and what goes by their family. */
function ends(definition: Definition, { label }: Attributes, report: Report): Attributes {
  const remote = readEnd(definition, 'remote', report);
  const local = readEnd(definition, 'local', report);
  if (remote !== null && isMulticast(remote) && !definition.values.has('link')) {
    const place = definition.values.get('remote')?.place();
    const message = `the multicast group ${remote} needs a link: the kernel must know where to join, and refuses the tunnel`;
    report.add('source-accepted', place, message, 'name the link');
  }
  const outer = remote ?? local;
  if (label !== undefined && label > 0 && (outer === null || familyOf(outer) === 4)) {
    const place = definition.values.get('flow-label')?.place();
    report.add('source-accepted', place, 'flow-label is part of the IPv6 header, and the kernel refuses it over IPv4');
  }
  return { ...(remote === null ? {} : { remote }), ...(local === null ? {} : { local }) };
}

/** null: not there, or all zeros, which networkd leaves out. */
function readEnd(definition: Definition, key: 'local' | 'remote', report: Report): IpAddress | null {
  const cell = definition.values.get(key);
  const address = parseIp(cell?.text ?? '');
  if (cell === undefined || address === null || address === '0.0.0.0' || address === '::') return null;
  if (address.startsWith('::ffff:') && address.includes('.')) {
    const hint = `write ${address.slice(7)}`;
    report.add('source-accepted', cell.place(), `${key} is an IPv4 address dressed as IPv6: ${quote(address)}`, hint);
    return null;
  }
  if (isUnicast(address) || (key === 'remote' && isMulticast(address))) return address;
  const what = isMulticast(address) ? 'a multicast group: networkd reads past it' : 'not the address of one host';
  report.add('source-accepted', cell.place(), `${key} must be the address of one host, and ${address} is ${what}`);
  return null;
}
