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

type Reader = (words: Words, key: string) => Partial<VxlanState>;

interface Row {
  readonly names: readonly string[];
  /** Not abbreviated. */
  readonly exact?: true;
  /** Options with the same one exclude each other. */
  readonly slot: VxlanAttribute;
  readonly read: Reader;
}

/** Seconds that the kernel takes; it makes 300 of 0. */
const AGEING = 300;
const GPE_PORT = 4790;

const row = (names: string, slot: VxlanAttribute, read: Reader): Row => ({ names: names.split(' '), slot, read });
const exactly = (names: string, slot: VxlanAttribute, read: Reader): Row => ({
  ...row(names, slot, read),
  exact: true,
});
const number = (names: string, slot: 'vni' | 'label' | 'port', most: number): Row =>
  row(names, slot, (words, key) => ({ [slot]: words.number(key, most) }));

/** `noNAME` and `NAME`, in the order of iproute2's own tests. */
function flag(name: string, slot: VxlanAttribute): readonly Row[] {
  return [row(`no${name}`, slot, () => ({ [slot]: false })), row(name, slot, () => ({ [slot]: true }))];
}

const only = (name: string, slot: VxlanAttribute): Row => row(name, slot, () => ({ [slot]: true }));

const U8 = 255;
const U16 = 65535;
const U32 = 4294967295;

const ROWS: readonly Row[] = [
  number('id vni', 'vni', 16777215),
  row('group', 'remote', (words, key) => ({ remote: destination(words, key, true) })),
  row('remote', 'remote', (words, key) => ({ remote: destination(words, key, false) })),
  row('local', 'local', (words, key) => {
    const local = words.address(key);
    if (local !== null && isMulticast(local)) words.refuse(`local takes the address of one host, not ${local}`);
    return { local };
  }),
  row('dev', 'device', (words, key) => ({ device: words.after(key) })),
  row('ttl hoplimit', 'ttl', (words, key) => {
    if (words.ahead !== 'inherit' && words.ahead !== 'auto') return { ttl: words.number(key, U8), ttlInherit: false };
    return { ttl: 0, ttlInherit: words.next() === 'inherit' };
  }),
  row('tos dsfield', 'tos', (words, key) => ({ tos: tos(words, key) })),
  row('df', 'df', (words, key) => {
    const df = ['unset', 'set', 'inherit'].indexOf(words.after(key));
    return df < 0 ? words.refuse('df takes unset, set or inherit') : { df };
  }),
  number('label flowlabel', 'label', 0xfffff),
  row('ageing', 'ageing', (words, key) => ({ ageing: (takes(words, 'none') ? 0 : words.number(key, U32)) || AGEING })),
  row('maxaddress', 'limit', (words, key) => ({ limit: takes(words, 'unlimited') ? 0 : words.number(key, U32) })),
  row('port srcport', 'portLow', (words, key) => {
    const portLow = words.number(key, U16);
    return { portLow, portHigh: words.number(key, U16) };
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
  exactly('vnifilter', 'vnifilter', () => ({ vnifilter: true })),
  exactly('novnifilter', 'vnifilter', () => ({ vnifilter: false })),
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
  const values: Partial<VxlanState> = {};
  const spans = new Map<VxlanAttribute, Span>();
  for (let word = words.next(); word !== undefined; word = words.next()) {
    const start = words.span;
    const found = find(word);
    if (found === undefined) throw new CommandProblem('source-key', start, `“${word}” is no option of a VXLAN link`);
    const { slot } = found;
    if (spans.has(slot)) throw new CommandProblem('source-conflict', start, `${word} says again what is said already`);
    const read = found.read(words, word);
    Object.assign(values, read);
    const span = { start: start.start, end: words.span.end };
    for (const name of Object.keys(read) as VxlanAttribute[]) spans.set(name, span);
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
