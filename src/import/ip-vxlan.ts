/** `ip link … type vxlan OPTIONS` (ip-link(8)): in the order in which iproute2 tries the words, since it takes abbreviations. */
import { type IpAddress, isMulticast } from '../model/address.ts';
import type { VxlanAttribute, VxlanState } from '../model/vxlan.ts';
import type { Span } from './shell-tree.ts';
import { abbreviates, CommandProblem, leaveOut, remembering, type Words } from './words.ts';

/** What the options say; only what is said. */
export interface VxlanOptions {
  readonly values: Partial<VxlanState>;
  /** Attribute → where it is said. */
  readonly spans: ReadonlyMap<VxlanAttribute, Span>;
}

type Values = { -readonly [K in VxlanAttribute]?: VxlanState[K] };

/** Reads what stands behind the word `key`. */
type Reader = (values: Values, words: Words, key: string) => void;

interface Row {
  readonly names: readonly string[];
  /** Not abbreviated. */
  readonly exact?: true;
  /** What it says; options with the same first one exclude each other. */
  readonly slots: readonly [VxlanAttribute, ...VxlanAttribute[]];
  readonly read: Reader;
}

/** Seconds that the kernel takes; it makes 300 of 0. */
const AGEING = 300;
const GPE_PORT = 4790;

type Slots = Row['slots'];
type Flag = { [K in VxlanAttribute]: VxlanState[K] extends boolean ? K : never }[VxlanAttribute];

const row = (names: string, slots: Slots, read: Reader): Row => ({ names: names.split(' '), slots, read });
const exactly = (names: string, slots: Slots, read: Reader): Row => ({ ...row(names, slots, read), exact: true });
const number = (names: string, slot: 'vni' | 'label' | 'port', most: number): Row =>
  row(names, [slot], (values, words, key) => {
    values[slot] = words.number(key, most);
  });

const says =
  (slot: Flag, value: boolean): Reader =>
  (values) => {
    values[slot] = value;
  };

/** `noNAME` and `NAME`, in the order of iproute2's own tests. */
function flag(name: string, slot: Flag): readonly Row[] {
  return [row(`no${name}`, [slot], says(slot, false)), row(name, [slot], says(slot, true))];
}

const only = (name: string, slot: Flag): Row => row(name, [slot], says(slot, true));

const U8 = 255;
const U16 = 65535;
const U32 = 4294967295;

const ROWS: readonly Row[] = [
  number('id vni', 'vni', 16777215),
  row('group', ['remote'], (values, words, key) => {
    values.remote = destination(words, key, true);
  }),
  row('remote', ['remote'], (values, words, key) => {
    values.remote = destination(words, key, false);
  }),
  row('local', ['local'], (values, words, key) => {
    const local = words.address(key);
    if (local !== null && isMulticast(local)) words.refuse(`local takes the address of one host, not ${local}`);
    values.local = local;
  }),
  row('dev', ['device'], (values, words, key) => {
    values.device = words.after(key);
  }),
  row('ttl hoplimit', ['ttl', 'ttlInherit'], (values, words, key) => {
    const word = words.ahead === 'inherit' || words.ahead === 'auto' ? words.next() : null;
    values.ttl = word === null ? words.number(key, U8) : 0;
    values.ttlInherit = word === 'inherit';
  }),
  row('tos dsfield', ['tos'], (values, words, key) => {
    values.tos = tos(words, key);
  }),
  row('df', ['df'], (values, words, key) => {
    const df = ['unset', 'set', 'inherit'].indexOf(words.after(key));
    values.df = df < 0 ? words.refuse('df takes unset, set or inherit') : df;
  }),
  number('label flowlabel', 'label', 0xfffff),
  row('ageing', ['ageing'], (values, words, key) => {
    values.ageing = (takes(words, 'none') ? 0 : words.number(key, U32)) || AGEING;
  }),
  row('maxaddress', ['limit'], (values, words, key) => {
    values.limit = takes(words, 'unlimited') ? 0 : words.number(key, U32);
  }),
  row('port srcport', ['portLow', 'portHigh'], (values, words, key) => {
    values.portLow = words.number(key, U16);
    values.portHigh = words.number(key, U16);
  }),
  number('dstport', 'port', U16),
  ...flag('learning', 'learning'),
  ...flag('proxy', 'proxy'),
  ...flag('rsc', 'rsc'),
  ...flag('l2miss', 'l2miss'),
  ...flag('l3miss', 'l3miss'),
  ...flag('udpcsum', 'udpCsum'),
  ...flag('udp6zerocsumtx', 'udpZeroCsum6Tx'),
  ...flag('udp6zerocsumrx', 'udpZeroCsum6Rx'),
  ...flag('remcsumtx', 'remcsumTx'),
  ...flag('remcsumrx', 'remcsumRx'),
  ...flag('external', 'external'),
  exactly('vnifilter', ['vnifilter'], says('vnifilter', true)),
  exactly('novnifilter', ['vnifilter'], says('vnifilter', false)),
  ...flag('localbypass', 'localbypass'),
  only('gbp', 'gbp'),
  only('gpe', 'gpe'),
];

function takes(words: Words, word: string): boolean {
  if (words.ahead !== word) return false;
  words.next();
  return true;
}

function destination(words: Words, key: string, group: boolean): IpAddress | null {
  const address = words.address(key);
  if (group && (address === null || !isMulticast(address))) {
    return words.refuse(`group takes a multicast address, not ${address ?? 'any'}`, 'say `remote` for one peer');
  }
  if (!group && address !== null && isMulticast(address)) {
    return words.refuse(`remote takes the address of one host, not ${address}`, 'say `group` for a multicast group');
  }
  return address;
}

/** A name of /etc/iproute2/rt_dsfield (RFC 2474, 2597, 3246), or else a hexadecimal number, with or without 0x. */
function tos(words: Words, key: string): number {
  const text = words.after(key);
  if (text === 'inherit') return 1;
  const [, assured, selector] = /^(?:AF([1-4][1-3])|CS([0-7]))$/.exec(text) ?? [];
  if (assured !== undefined) return (8 * Number(assured[0]) + 2 * Number(assured[1])) << 2;
  if (selector !== undefined) return Number(selector) << 5;
  if (text === 'EF') return 0xb8;
  if (text === 'default') return 0;
  if (/^(?:0x)?[0-9a-f]{1,2}$/i.test(text)) return Number.parseInt(text, 16);
  return /^[0-9a-fx]+$/i.test(text)
    ? words.refuse(`${key} takes a hexadecimal number up to ff, not “${text}”`)
    : leaveOut(words.span, `left out: what ${key} ${text} means stands in /etc/iproute2/rt_dsfield`);
}

const find = remembering((word) =>
  ROWS.find(({ names, exact }) => names.some((name) => (exact === true ? name === word : abbreviates(word, name)))),
);

/** All words to the end. @param made the link is new, so something must be said of it. */
export function readVxlanOptions(words: Words, command: Span, made: boolean): VxlanOptions {
  const values: Values = {};
  const spans = new Map<VxlanAttribute, Span>();
  for (let word = words.next(); word !== undefined; word = words.next()) {
    const start = words.span;
    const found = find(word);
    if (found === undefined) throw new CommandProblem('source-key', start, `“${word}” is no option of a VXLAN link`);
    const { slots } = found;
    if (spans.has(slots[0]))
      throw new CommandProblem('source-conflict', start, `${word} says again what is said already`);
    found.read(values, words, word);
    const span = { start: start.start, end: words.span.end };
    for (const slot of slots) spans.set(slot, span);
  }
  if (made) checkNew(values, spans, command);
  // 0 is a word for none: the kernel then takes its own port.
  if (values.port === 0) {
    const { port: _, ...rest } = values;
    return { values: rest, spans };
  }
  return { values: made && values.gpe === true ? { port: GPE_PORT, ...values } : values, spans };
}

function checkNew(values: Partial<VxlanState>, spans: ReadonlyMap<VxlanAttribute, Span>, command: Span): void {
  const { external, vni, remote, device, portLow = 0, portHigh = 0 } = values;
  const at = (name: VxlanAttribute): Span => spans.get(name) ?? command;
  if (external === true && vni !== undefined) {
    throw new CommandProblem('source-conflict', at('external'), 'a link is external or has a VNI, not both');
  }
  if (external !== true && vni === undefined) {
    throw new CommandProblem('source-missing', command, 'a VXLAN link needs its VNI: `id NUMBER`');
  }
  if (remote !== undefined && remote !== null && isMulticast(remote) && device === undefined) {
    throw new CommandProblem('source-missing', at('remote'), `the group ${remote} needs a device: \`dev NAME\``);
  }
  if (portHigh < portLow) {
    throw new CommandProblem(
      'source-value',
      at('portLow'),
      `srcport begins at ${portLow} and ends below, at ${portHigh}`,
    );
  }
}
