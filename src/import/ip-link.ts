/** `ip link add | set | delete` (ip-link(8)). */
import type { Mac } from '../model/mac.ts';
import type { Place } from '../model/problem.ts';
import { readVxlanOptions, type VxlanOptions } from './ip-vxlan.ts';
import type { Machine, MadeLink } from './machine.ts';
import type { Report } from './report.ts';
import type { Span } from './shell-tree.ts';
import { abbreviates, CommandProblem, remembering, type Words } from './words.ts';

/** What a command needs to know of its surroundings. */
export interface Scene {
  readonly machine: Machine;
  readonly report: Report;
  readonly command: Span;
  /** Inside of `if` or `case`. */
  readonly conditional: boolean;
  place(span: Span): Place;
}

/** What the words before `type` say. */
interface Settings {
  readonly name?: string;
  readonly device?: string;
  readonly type?: string;
  readonly mtu?: number;
  readonly mac?: Mac;
  /** null: nomaster. */
  readonly master?: string | null;
  readonly up?: boolean;
}

interface Said {
  readonly settings: Settings;
  readonly spans: ReadonlyMap<string, Span>;
  /** Settings that a fabric has no words for. */
  readonly unsaid: readonly Span[];
}

/** null: it was read, and a fabric has no words for it. */
type Take = (words: Words, word: string) => Settings | null;

interface Row {
  readonly name: string;
  readonly exact: boolean;
  readonly take: Take;
}

const exact = (name: string, take: Take): Row => ({ name, exact: true, take });
const short = (name: string, take: Take): Row => ({ name, exact: false, take });
/** What matters to nobody's packets. */
const passed: Take = (words, word) => {
  words.after(word);
  return {};
};
const unsaid: Take = (words, word) => {
  words.after(word);
  return null;
};

const MOST_MTU = 0xffffffff;

/** In the order of iproute2's own tests (iplink_parse in ip/iplink.c). */
const ROWS: readonly Row[] = [
  exact('up', () => ({ up: true })),
  exact('down', () => ({ up: false })),
  exact('name', (words) => ({ name: words.after('name') })),
  exact('index', passed),
  short('link', unsaid),
  short('address', (words) => ({ mac: words.mac(words.after('address')) })),
  short('broadcast', unsaid),
  exact('brd', unsaid),
  short('txqueuelen', passed),
  exact('qlen', passed),
  short('txqlen', passed),
  exact('mtu', (words) => ({ mtu: words.number('mtu', MOST_MTU) })),
  exact('netns', (words) => {
    throw new CommandProblem('source-left-out', words.span, 'left out: the link goes to another network namespace');
  }),
  exact('multicast', unsaid),
  exact('allmulticast', unsaid),
  exact('promisc', passed),
  exact('trailers', passed),
  exact('arp', unsaid),
  exact('carrier', passed),
  short('master', (words) => ({ master: words.after('master') })),
  exact('vrf', unsaid),
  short('nomaster', () => ({ master: null })),
  short('dynamic', passed),
  short('type', (words) => ({ type: words.after('type') })),
  short('alias', passed),
  exact('group', passed),
  exact('mode', passed),
  exact('state', passed),
  short('numtxqueues', passed),
  short('numrxqueues', passed),
  short('addrgenmode', unsaid),
  exact('protodown', unsaid),
  exact('gso_max_size', passed),
  exact('gso_max_segs', passed),
  exact('gro_max_size', passed),
  exact('dev', (words) => ({ device: words.after('dev') })),
];

const find = remembering((word) =>
  ROWS.find(({ name, exact: whole }) => (whole ? name === word : abbreviates(word, name))),
);

function readLink(words: Words): Said {
  let settings: Settings = {};
  const spans = new Map<string, Span>();
  const left: Span[] = [];
  for (let word = words.next(); word !== undefined; word = words.next()) {
    const { start } = words.span;
    const row = find(word);
    if (row === undefined && settings.device !== undefined) {
      throw new CommandProblem('source-conflict', words.span, `“${word}” is a second link beside ${settings.device}`);
    }
    const taken = row === undefined ? { device: word } : row.take(words, word);
    const span = { start, end: words.span.end };
    if (taken === null) left.push(span);
    settings = { ...settings, ...taken };
    spans.set(row?.name ?? 'dev', span);
    if (row?.name === 'type') break;
  }
  return { settings, spans, unsaid: left };
}

/** @param words behind `ip link`. @returns whether it made or changed something. */
export function ipLink(words: Words, scene: Scene): boolean {
  const verb = words.next();
  if (verb === undefined) return false;
  if (abbreviates(verb, 'add')) return add(words, scene, false);
  if (abbreviates(verb, 'set') || abbreviates(verb, 'change')) return set(words, scene);
  if (abbreviates(verb, 'replace')) return add(words, scene, true);
  if (abbreviates(verb, 'delete')) return remove(words, scene);
  return false;
}

const LONGEST = 15;

function add(words: Words, scene: Scene, replace: boolean): boolean {
  const { machine, command } = scene;
  const said = readLink(words);
  const { type, device } = said.settings;
  const name = said.settings.name ?? device;
  if (type === undefined) throw new CommandProblem('source-missing', command, '`ip link add` needs a `type`');
  if (type !== 'vxlan') {
    if (name === undefined) return false;
    const link = machine.make(name, type === 'bridge' ? 'bridge' : 'other', scene.place(command));
    apply(link, said, scene);
    if (type === 'bridge' && !words.done) leftOut(scene, words, `options of the bridge ${name}`);
    return true;
  }
  if (name === undefined) {
    throw new CommandProblem('source-left-out', command, 'left out: the link has no name, so the kernel gives it one');
  }
  if (Buffer.byteLength(name) > LONGEST) {
    throw new CommandProblem(
      'source-value',
      said.spans.get('name') ?? said.spans.get('dev') ?? command,
      `“${name}” has more than ${LONGEST} bytes`,
    );
  }
  const options = readVxlanOptions(words, command, true);
  const before = machine.find(name);
  if (before !== undefined && before.kind !== 'other' && !replace) {
    const { file, line } = before.place;
    throw new CommandProblem('source-conflict', command, `${name} is made already`, `on line ${line} of ${file}`);
  }
  const link = machine.make(name, 'vxlan', scene.place(command));
  applyOptions(link, options, scene);
  apply(link, said, scene);
  return true;
}

function leftOut({ report, place }: Scene, words: Words, what: string): void {
  const [first, ...more] = words.rest();
  if (first === undefined) return;
  const span = { start: first.start, end: (more.at(-1) ?? first).end };
  report.add('source-left-out', place(span), `left out: the file has no words for ${what}`);
}

function set(words: Words, scene: Scene): boolean {
  const { machine, command } = scene;
  const said = readLink(words);
  const { device, type, name } = said.settings;
  if (device === undefined) {
    if (said.spans.has('group')) return false;
    throw new CommandProblem('source-missing', command, '`ip link set` needs a link');
  }
  const link = machine.link(device, scene.place(command));
  if (link.kind === 'vxlan' && type === 'vxlan') applyOptions(link, readVxlanOptions(words, command, false), scene);
  else if (type !== undefined && link.kind !== 'other' && !words.done) {
    leftOut(scene, words, `these settings of ${link.name}`);
  }
  apply(link, said, scene);
  if (name !== undefined) machine.rename(link, name);
  return true;
}

function remove(words: Words, { machine, conditional }: Scene): boolean {
  const { device, name } = readLink(words).settings;
  const gone = device ?? name;
  // In a branch it is how the script takes its links down, or away before it makes them.
  if (gone === undefined || conditional) return false;
  machine.remove(gone);
  return false;
}

function applyOptions(link: MadeLink, { values, spans }: VxlanOptions, { place }: Scene): void {
  link.vxlan = { ...link.vxlan, ...values };
  for (const [attribute, span] of spans) link.places.set(attribute, place(span));
}

function apply(link: MadeLink, { settings, spans, unsaid: left }: Said, { machine, report, place }: Scene): void {
  const keep = (key: string, as = key): void => {
    const span = spans.get(key);
    if (span !== undefined) link.places.set(as, place(span));
  };
  const { mtu, mac, up, master } = settings;
  if (mtu !== undefined) link.mtu = mtu;
  if (mac !== undefined) link.mac = mac;
  if (up !== undefined) link.up = up;
  if (master !== undefined) link.master = master;
  keep('mtu');
  keep('address', 'mac');
  keep('master', 'bridge');
  if (master != null) machine.link(master, place(spans.get('master') ?? { start: 0, end: 0 }));
  if (link.kind === 'other') return;
  for (const span of left)
    report.add('source-left-out', place(span), `left out: the file cannot say this of ${link.name}`);
}
