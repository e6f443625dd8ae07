/** `ip address`, `ip route`, `ip neighbour` (ip-address(8), ip-route(8), ip-neighbour(8)). */
import { familyOf, networkOf, type Prefix } from '../model/address.ts';
import type { Scene } from './ip-link.ts';
import type { Span } from './shell-tree.ts';
import { abbreviates, CommandProblem, type Words } from './words.ts';

export type Family = 4 | 6 | null;

const ADDS = ['add', 'change', 'replace', 'append'] as const;

/** Whether the verb makes something, takes it away, or neither. */
function verbOf(words: Words, adds: readonly string[] = ADDS): 'add' | 'delete' | null {
  const verb = words.next();
  if (verb === undefined) return null;
  if (adds.some((name) => abbreviates(verb, name)) || verb === 'chg' || verb === 'repl') return 'add';
  return abbreviates(verb, 'delete') ? 'delete' : null;
}

/** Words of `ip address` with a value that changes nothing here, and those without a value. */
const ADDRESS_VALUES = ['broadcast', 'brd', 'scope', 'label', 'metric', 'priority', 'preference', 'proto'];
const ADDRESS_FLAGS = ['nodad', 'noprefixroute', 'home', 'mngtmpaddr', 'autojoin', 'optimistic'];

export function ipAddress(words: Words, scene: Scene): boolean {
  const verb = verbOf(words);
  if (verb === null) return false;
  let device: string | undefined;
  let address: { readonly prefix: Prefix; readonly span: Span } | undefined;
  let odd: { readonly span: Span; readonly why: string } | undefined;
  for (let word = words.next(); word !== undefined; word = words.next()) {
    const { span } = words;
    if (word === 'dev') device = words.after('dev');
    else if (word === 'peer' || word === 'remote') {
      words.after(word);
      odd = { span, why: 'it is point-to-point' };
    } else if (word === 'valid_lft' || word === 'preferred_lft') {
      if (words.after(word) !== 'forever') odd = { span, why: 'it has a lifetime' };
    } else if (ADDRESS_VALUES.includes(word)) words.after(word);
    else if (!ADDRESS_FLAGS.includes(word)) {
      const text = word === 'local' ? words.after('local') : word;
      address = { prefix: words.prefix(text), span: words.span };
    }
  }
  if (device === undefined || address === undefined) return false;
  const { machine, report, place, command } = scene;
  const link = machine.link(device, place(command));
  const { prefix, span } = address;
  if (verb === 'delete') {
    if (!scene.conditional) link.addresses.delete(prefix);
    return false;
  }
  if (odd !== undefined) {
    if (machine.concerns(device)) {
      report.add('source-left-out', place(odd.span), `${prefix} of ${device} is left out: ${odd.why}`);
    }
    return true;
  }
  link.addresses.add(prefix);
  link.places.set(`address ${prefix}`, place(span));
  return true;
}

/** Words of `ip route` without which the route is the same as far as a file can say it. */
const ROUTE_PASSED = ['proto', 'protocol', 'scope'];
const ROUTE_VALUES = [
  'src',
  'metric',
  'priority',
  'preference',
  'mtu',
  'advmss',
  'table',
  'tos',
  'dsfield',
  'window',
  'rtt',
];

export function ipRoute(words: Words, family: Family, scene: Scene): boolean {
  const verb = verbOf(words, ['add', 'change', 'replace', 'append', 'prepend']);
  if (verb === null) return false;
  let to: { readonly text: string; readonly span: Span } | undefined;
  let via: string | undefined;
  let device: string | undefined;
  let odd: string | undefined;
  for (let word = words.next(); word !== undefined; word = words.next()) {
    if (word === 'dev' || word === 'oif') device = words.after('dev');
    else if (word === 'via') {
      via = words.after('via');
      if (via === 'inet' || via === 'inet6') via = words.after('via');
    } else if (ROUTE_PASSED.includes(word)) words.after(word);
    else if (ROUTE_VALUES.includes(word)) {
      const value = words.after(word);
      if (word !== 'table' || value !== 'main') odd ??= `it has \`${word} ${value}\``;
    } else if (word === 'onlink' || word === 'nexthop' || word === 'encap') odd ??= `it has \`${word}\``;
    else if (word === 'unicast') to = undefined;
    else if (to === undefined && !/^[a-z]+$/.test(word)) to = { text: word, span: words.span };
    else if (word === 'to') to = { text: words.after('to'), span: words.span };
    else if (word === 'default' || word === 'any' || word === 'all') to = { text: 'default', span: words.span };
    else odd ??= `it has \`${word}\``;
  }
  const { machine, report, place, command } = scene;
  if (to === undefined) return false;
  const six = family === 6 || (via ?? '').includes(':');
  const prefix = to.text === 'default' ? words.prefix(six ? '::/0' : '0.0.0.0/0') : words.prefix(to.text);
  if (verb === 'delete') {
    const index = machine.routes.findIndex((route) => route.to === prefix && (via === undefined || route.via === via));
    if (index >= 0 && !scene.conditional) machine.routes.splice(index, 1);
    return false;
  }
  if (device !== undefined && !machine.concerns(device)) return true;
  if (via === undefined) {
    if (device === undefined) return true;
    odd ??= 'it has no gateway';
  }
  if (odd !== undefined || via === undefined) {
    if (device !== undefined) {
      report.add('source-left-out', place(command), `the route to ${prefix} over ${device} is left out: ${odd}`);
    }
    return true;
  }
  if (networkOf(prefix) !== prefix) {
    throw new CommandProblem(
      'source-value',
      to.span,
      `${prefix} has bits behind its length`,
      `write ${networkOf(prefix)}`,
    );
  }
  const gateway = words.prefix(via);
  if (familyOf(gateway) !== familyOf(prefix)) {
    report.add(
      'source-left-out',
      place(command),
      `the route to ${prefix} is left out: its gateway is of the other family`,
    );
    return true;
  }
  const route = { to: prefix, via: words.plain(via), link: device ?? null, place: place(command) };
  machine.routes.push(route);
  return true;
}

export function ipNeighbour(words: Words, scene: Scene): boolean {
  const verb = verbOf(words, ['add', 'replace', 'change']);
  if (verb === null) return false;
  let device: string | undefined;
  let mac: string | undefined;
  let address: string | undefined;
  let odd: string | undefined;
  for (let word = words.next(); word !== undefined; word = words.next()) {
    if (word === 'dev') device = words.after('dev');
    else if (abbreviates(word, 'lladdr')) mac = words.after('lladdr');
    else if (word === 'nud') {
      const state = words.after('nud');
      if (!abbreviates(state, 'permanent')) odd = `it is not permanent, but ${state}`;
    } else if (word === 'proxy') {
      address = words.after('proxy');
      odd = 'the file has no words for proxies';
    } else if (word === 'to') address = words.after('to');
    else if (word === 'protocol' || word === 'proto') words.after(word);
    else if (/[.:]/.test(word)) address = word;
  }
  const { machine, report, place, command } = scene;
  if (device === undefined || address === undefined || !machine.concerns(device)) return verb === 'add';
  const link = machine.link(device, place(command));
  const ip = words.plain(address);
  if (verb === 'delete') {
    if (!scene.conditional) link.neighbours.delete(ip);
    return false;
  }
  if (odd !== undefined || mac === undefined) {
    report.add(
      'source-left-out',
      place(command),
      `the neighbour ${ip} of ${device} is left out: ${odd ?? 'it has no lladdr'}`,
    );
    return true;
  }
  link.neighbours.set(ip, words.mac(mac));
  link.places.set(`neighbour ${ip}`, place(command));
  return true;
}
