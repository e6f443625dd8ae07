/** Several hosts' imports, or one alone, → one fabric file. Pure. */
import type { IpAddress } from '../model/address.ts';
import type { Problem } from '../model/problem.ts';
import { UNSAYABLE } from './attributes.ts';
import { type HostDraft, type HostImport, placeOf, type Side, sideOf } from './draft.ts';
import { at, importProblem } from './errors.ts';
import type { Context } from './members.ts';
import { buildOverlay } from './overlay.ts';
import { groupSides } from './pairs.ts';
import { settleUnderlays } from './underlay.ts';
import type { FabricFile, FileHost } from './write.ts';

export interface Joined {
  readonly file: FabricFile;
  /** With an error among them, the file is not worth anything. */
  readonly problems: readonly Problem[];
}

const DEFAULT_NAME = 'imported';

/**
 * Overlays of several hosts belong together by VNI, port and the peers that they point at. A peer that is not imported becomes a host named after
 * its address: the link is then what it was, and somebody who knows the host gives it its name.
 * @param name of the fabric; null: that of the imported links where they are everlan's own, else `imported`.
 * @param title first line of the comment.
 */
export function join(name: string | null, title: string, imports: readonly HostImport[]): Joined {
  const problems: Problem[] = imports.flatMap(({ imported }) => imported.problems);
  const hosts = imports.map((each) => draftOf(each, problems));
  settleUnderlays(hosts, problems);
  const groups = groupSides(hosts, problems);
  const failed = problems.some(({ severity }) => severity === 'error');
  if (!failed && hosts.every(({ imported }) => imported.links.length === 0)) {
    problems.push(importProblem('import-nothing', 'there is no VXLAN link in what was read'));
  }
  const fabric = name ?? ownFabric(imports) ?? DEFAULT_NAME;
  const people = new People(hosts);
  const context: Context = { fabric, problems, hostAt: (underlay) => people.at(underlay) };
  const built = groups.map((group) => buildOverlay(group, context));
  const shared = repeated(built.flatMap(({ notes }) => notes));
  const overlays = built.map((overlay) =>
    shared.size === 0 ? overlay : { ...overlay, notes: overlay.notes.filter((note) => !shared.has(note)) },
  );
  const strangers = imports.some(({ imported }) => imported.links.length > 0 && imported.fabric !== fabric);
  const notes = [
    title,
    ...(strangers ? ['These links are there already: `everlan apply --adopt` takes them over, in place.'] : []),
    ...(people.unknown
      ? ['Of hosts called peer-… only the underlay address is known: name them, and give them addresses.']
      : []),
    ...shared,
    ...headNotes(problems),
  ];
  const file = { name: fabric, notes, hosts: people.all(), overlays };
  return { file, problems };
}

/** What is said of several overlays is said once, at the top. */
function repeated(notes: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>();
  return new Set(notes.filter((note) => seen.size === seen.add(note).size));
}

function ownFabric(imports: readonly HostImport[]): string | undefined {
  const names = new Set(imports.map(({ imported }) => imported.fabric));
  return names.size === 1 ? [...names][0] : undefined;
}

function draftOf({ name, imported, underlay }: HostImport, problems: Problem[]): HostDraft {
  const label = labelOf(name);
  const draft: HostDraft = {
    name: label,
    hostname: label === name ? undefined : name,
    imported,
    given: underlay,
    sides: [],
    underlay: null,
    device: null,
  };
  draft.sides = imported.links.map((link) => sideOf(draft, link)).filter((side) => isWhole(side, problems));
  return draft;
}

/** The first label of a hostname, as the file takes it for a host's name. */
function labelOf(hostname: string): string {
  const [first = ''] = hostname.toLowerCase().split('.');
  const label = first.replaceAll(/[^a-z0-9-]/g, '-').replaceAll(/^-+|-+$/g, '');
  return label === '' ? 'host1' : label;
}

function isWhole(side: Side, problems: Problem[]): boolean {
  const reason = UNSAYABLE.find(({ attribute, whole }) => whole && side.vxlan[attribute] === true);
  if (reason === undefined) return true;
  const message = `${side.link.name} is left out: ${reason.why}, and a fabric has no such links`;
  problems.push(importProblem('import-left-out', message, { place: placeOf(side, reason.attribute) }));
  return false;
}

/** The hosts of the file: those that are imported, then their peers. */
class People {
  readonly #hosts: FileHost[];
  readonly #byUnderlay = new Map<IpAddress, string>();
  readonly #imported: number;

  constructor(drafts: readonly HostDraft[]) {
    this.#hosts = drafts.flatMap((draft) => {
      if (draft.underlay === null) return [];
      this.#byUnderlay.set(draft.underlay, draft.name);
      const { name, hostname, underlay } = draft;
      return [{ name, underlay, device: deviceOf(draft, underlay), hostname, notes: [] }];
    });
    this.#imported = this.#hosts.length;
  }

  at(underlay: IpAddress): string {
    const known = this.#byUnderlay.get(underlay);
    if (known !== undefined) return known;
    const name = `peer-${underlay.replaceAll(/[.:]/g, '-')}`.replace(/-$/, '-0');
    this.#byUnderlay.set(underlay, name);
    this.#hosts.push({ name, underlay, device: undefined, hostname: undefined, notes: [] });
    return name;
  }

  /** Whether some were made up. */
  get unknown(): boolean {
    return this.#hosts.length > this.#imported;
  }

  all(): readonly FileHost[] {
    return this.#hosts;
  }
}

/** undefined where the source itself tells that the device is the one that holds the address. */
function deviceOf({ device, imported }: HostDraft, underlay: IpAddress): string | null | undefined {
  const holders = [...imported.underlays].filter(([, prefixes]) => prefixes.some((p) => p.startsWith(`${underlay}/`)));
  return holders.length === 1 && holders[0]?.[0] === device ? undefined : device;
}

/** What was left out or is new, in the file itself, since messages scroll away. */
function headNotes(problems: readonly Problem[]): string[] {
  return problems.flatMap(({ severity, message, place }) =>
    severity === 'warning' ? [place === undefined ? message : `${at(place)}: ${message}`] : [],
  );
}
