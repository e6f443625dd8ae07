/**
 * Import of the scripts that `everlan render script` writes: the words of their overlays say all, so what the words do is not
 * followed.
 */
import { type IpAddress, type Prefix, parseIp } from '../model/address.ts';
import { ZERO_MAC } from '../model/mac.ts';
import type { Place } from '../model/problem.ts';
import { bridgeFdb } from './bridge-fdb.ts';
import type { Scene } from './ip-link.ts';
import { ipNeighbour } from './ip-standing.ts';
import { readVxlanOptions } from './ip-vxlan.ts';
import type { Machine, MadeLink } from './machine.ts';
import type { Report } from './report.ts';
import type { Value } from './shell-run.ts';
import type { Script, Simple, Span, Word } from './shell-tree.ts';
import { CommandProblem, Words } from './words.ts';

/** What such a script says of its host, beside its links. */
export interface RenderedHost {
  readonly fabric: string;
  readonly underlay: IpAddress | null;
  readonly underlays: ReadonlyMap<string, readonly Prefix[]>;
}

const OVERLAYS = 'the_overlay';
/** Stands for the link that holds the underlay address, which the script finds when it runs. */
const HOLDER = '(underlay)';

/** Whether it is one: by the function that all of them have, and by the settings before it. */
export function isRendered(script: Script): boolean {
  return (
    script.some((command) => command.kind === 'function' && command.name === OVERLAYS) &&
    settingsOf(script).has('fabric')
  );
}

/** Makes the links. @throws CommandProblem where somebody has changed it so that it says nothing. */
export function readRendered(
  script: Script,
  machine: Machine,
  report: Report,
  place: (span: Span) => Place,
): RenderedHost {
  const settings = settingsOf(script);
  const uses = settings.get('uses');
  const device = uses === 'device' ? (settings.get('named') ?? null) : uses === 'address' ? HOLDER : null;
  const underlay = parseIp(settings.get('underlay') ?? '');
  const reader = new Reader(machine, report, place, device);
  for (const command of simple(script.filter((each) => each.kind === 'function' && each.name === OVERLAYS))) {
    reader.word(command);
  }
  const held = uses === 'address' && underlay !== null;
  return {
    fabric: settings.get('fabric') ?? '',
    underlay,
    underlays: new Map(held ? [[HOLDER, [`${underlay}/${underlay.includes(':') ? 128 : 32}` as Prefix]]] : []),
  };
}

function settingsOf(script: Script): ReadonlyMap<string, string> {
  return new Map(
    script.flatMap((command) =>
      command.kind === 'simple' && command.words.length === 0
        ? command.assignments.map(({ name, value }) => [name, textOf(value) ?? ''] as const)
        : [],
    ),
  );
}

function textOf({ parts }: Word): string | null {
  let text = '';
  for (const part of parts) {
    if (part.kind !== 'text') return null;
    text += part.text;
  }
  return text;
}

function* simple(script: Script): Generator<Simple> {
  for (const command of script) {
    if (command.kind === 'simple') yield command;
    else if (command.kind === 'case') for (const { body } of command.branches) yield* simple(body);
    else if (command.kind === 'function' || command.kind === 'group') yield* simple(command.body);
  }
}

class Reader {
  readonly #machine: Machine;
  readonly #report: Report;
  readonly #place: (span: Span) => Place;
  readonly #device: string | null;
  /** The overlay's own link, and the one that its addresses are on. */
  #link: MadeLink | null = null;
  #bearer: string | null = null;

  constructor(machine: Machine, report: Report, place: (span: Span) => Place, device: string | null) {
    this.#machine = machine;
    this.#report = report;
    this.#place = place;
    this.#device = device;
  }

  word(command: Simple): void {
    const [name, ...rest] = command.words.map(
      (word): Value => ({ start: word.start, end: word.end, text: textOf(word) }),
    );
    const words = new Words(rest, command);
    switch (name?.text) {
      case 'bridge_link':
        this.#machine.make(words.after('bridge_link'), 'bridge', this.#place(command));
        break;
      case 'vxlan_link':
        this.#vxlan(words, command);
        break;
      case 'row':
        this.#row(words, rest, command);
        break;
      case 'offload':
        if (this.#link !== null) this.#link.txChecksum = words.next() !== 'off';
        break;
      case 'port': {
        const port = this.#machine.link(words.after('port'), this.#place(command));
        port.master = words.after('port');
        break;
      }
      case 'on':
        this.#bearer = words.after('on');
        break;
      case 'address': {
        const prefix = words.prefix(words.after('address'));
        const bearer = this.#machine.link(this.#bearer ?? '', this.#place(command));
        bearer.addresses.add(prefix);
        bearer.places.set(`address ${prefix}`, this.#place(command));
        break;
      }
      case 'neighbour': {
        const [address, mac] = rest;
        ipNeighbour(
          this.#words(['add', address, 'lladdr', mac, 'dev', this.#bearer ?? ''], command),
          this.#scene(command),
        );
        break;
      }
      case 'route': {
        const shown = words.after('route');
        const via = words.plain(words.after('route'));
        const to = words.prefix(shown === 'default' ? (via.includes(':') ? '::/0' : '0.0.0.0/0') : shown);
        this.#machine.routes.push({ to, via, link: this.#bearer, place: this.#place(command) });
        break;
      }
      default:
      // Words that check, or are no words of these.
    }
  }

  #scene(command: Span): Scene {
    return { machine: this.#machine, report: this.#report, command, conditional: false, place: this.#place };
  }

  #words(list: readonly (string | Value | undefined)[], command: Span): Words {
    const values = list.flatMap((word) =>
      word === undefined
        ? []
        : [typeof word === 'string' ? { start: command.start, end: command.end, text: word } : word],
    );
    return new Words(values, command);
  }

  /** NAME MAC MTU BRIDGE REMOTE FIXED LIVE */
  #vxlan(words: Words, command: Span): void {
    const place = this.#place(command);
    const name = words.after('vxlan_link');
    const mac = words.mac(words.after('vxlan_link'));
    const automatic = words.ahead === 'auto';
    const mtu = automatic ? null : words.number('vxlan_link', 65535);
    if (automatic) words.next();
    const bridge = words.after('vxlan_link');
    words.after('vxlan_link');
    const options = [words.after('vxlan_link'), words.after('vxlan_link')]
      .join(' ')
      .split(' ')
      .filter((word) => word !== '');
    const { values } = readVxlanOptions(this.#words(options, command), command, false);
    const { vni } = values;
    if (vni === undefined) throw new CommandProblem('source-missing', command, `the words for ${name} have no id`);
    const link = this.#machine.make(name, 'vxlan', place);
    link.vxlan = { ...values, device: this.#device };
    link.mac = mac;
    link.mtu = mtu;
    link.master = bridge === '' ? null : bridge;
    link.up = true;
    this.#link = link;
    this.#bearer = name;
  }

  #row(words: Words, [mac, vtep]: readonly Value[], command: Span): void {
    if (this.#link === null) return;
    // The flooding list has many rows for one MAC.
    const verb = words.mac(words.after('row')) === ZERO_MAC ? 'append' : 'replace';
    bridgeFdb(this.#words([verb, mac, 'dev', this.#link.name, 'dst', vtep], command), this.#scene(command));
  }
}
