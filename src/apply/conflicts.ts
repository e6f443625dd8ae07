/**
 * Files of other programs that make or change links of our names. Modest: only what surely concerns one of our links is
 * told, by the files alone; what those programs run with is known to them.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Problem, warning } from '../model/problem.ts';
import { fileOf, isInstalled, ourRoot, type Root } from './home.ts';

/** A section of an ini file: each value of each key, in order. */
interface Section {
  readonly name: string;
  readonly keys: ReadonlyMap<string, readonly string[]>;
}

/** Sections as systemd.syntax(7) and GLib's key files have them, as far as both agree. */
export function readSections(text: string): readonly Section[] {
  const sections: { name: string; keys: Map<string, string[]> }[] = [];
  for (const raw of text.replaceAll(/\\\n/g, ' ').split('\n')) {
    const line = raw.trim();
    if (/^(?:[#;]|$)/.test(line)) continue;
    const header = /^\[(.*)\]$/.exec(line)?.[1];
    if (header !== undefined) {
      sections.push({ name: header, keys: new Map() });
      continue;
    }
    const [, key = '', value = ''] = /^([^=]+?)\s*=\s*(.*)$/.exec(line) ?? [];
    const keys = sections.at(-1)?.keys;
    if (key === '' || keys === undefined) continue;
    const before = keys.get(key) ?? [];
    // An empty value empties the list.
    keys.set(key, value === '' ? [] : [...before, value]);
  }
  return sections;
}

function valuesOf(sections: readonly Section[], section: string, key: string): readonly string[] {
  return sections.filter(({ name }) => name === section).flatMap(({ keys }) => keys.get(key) ?? []);
}

const lastOf = (sections: readonly Section[], section: string, key: string): string | undefined =>
  valuesOf(sections, section, key).at(-1);

/** The text, or '' for what cannot be read: it is then the business of whoever may. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Names in a folder; none when there is no such folder. */
function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

interface File {
  /** As the host sees it. */
  readonly path: string;
  readonly text: string;
}

/** The files of these folders that end in `suffix`, by name; one in an earlier folder masks those of the same name. */
function layered(root: string, folders: readonly string[], suffix: string): readonly File[] {
  const paths = new Map<string, string>();
  for (const folder of folders) {
    for (const name of list(root + folder)) {
      if (name.endsWith(suffix) && !paths.has(name)) paths.set(name, join(folder, name));
    }
  }
  return [...paths].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => ({ path, text: read(root + path) }));
}

const YES = /^(?:1|y|yes|t|true|on)$/i;

/** A pattern of fnmatch(3), as Name= takes them: `*`, `?`, `[…]`, `\` before a literal character. */
export function globToRegExp(glob: string): RegExp {
  const body = glob.replaceAll(
    /\\(.)|\[(!?)((?:\]|)[^\]]*)\]|(\*)|(\?)|([\s\S])/g,
    (all, literal, not, set, star, one) => {
      if (star !== undefined) return '.*';
      if (one !== undefined) return '.';
      if (set !== undefined) return `[${not === '!' ? '^' : ''}${set.replaceAll(/[\\\]^]/g, '\\$&')}]`;
      return (literal ?? all).replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
    },
  );
  try {
    return new RegExp(`^${body}$`, 's');
  } catch {
    // A range that is none, such as [z-a], matches nothing.
    return /(?!)/;
  }
}

/** Name= of a [Match]: lists of patterns, each list turned round by a `!` before it. */
function matcherOf(lists: readonly string[]): (name: string) => boolean {
  const wanted: RegExp[] = [];
  const unwanted: RegExp[] = [];
  for (const list of lists) {
    const into = list.startsWith('!') ? unwanted : wanted;
    for (const word of list.replace(/^!/, '').split(/\s+/)) {
      if (word !== '') into.push(globToRegExp(word.replaceAll(/\\(.)/g, '$1')));
    }
  }
  const some = (patterns: readonly RegExp[], name: string): boolean => patterns.some((each) => each.test(name));
  return (name) => !some(unwanted, name) && (wanted.length === 0 || some(wanted, name));
}

const NETWORKD = ['/etc', '/run', '/usr/local/lib', '/usr/lib', '/lib'].map((top) => `${top}/systemd/network`);
const IFUP = ['/usr/sbin/ifup', '/sbin/ifup'];
const KEYFILES = ['/etc', '/run', '/usr/lib'].map((top) => `${top}/NetworkManager/system-connections`);

/** netplan's generated files are named after its own definitions. */
const isNetplans = (path: string): boolean => /^\d+-netplan-/.test(basename(path));

const NETPLAN_CURE = 'take the link out of /etc/netplan and run `netplan apply`';

const some = (names: readonly string[]): string =>
  names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');

const neighbour = (message: string, hint: string): Problem => warning('neighbour', message, { hint });

/** .network files that sort before ours and match a link of ours, so that Unmanaged= is not read. */
function networks(root: string, fabric: string, names: readonly string[]): Problem[] {
  const ours = fileOf('systemd-networkd', fabric);
  const problems: Problem[] = [];
  for (const { path, text } of layered(root, NETWORKD, '.network')) {
    if (path === ours) continue;
    if (basename(path) === basename(ours)) {
      const message = `${path} hides ${ours}, so systemd-networkd may change the links of ${fabric}`;
      problems.push(neighbour(message, `remove ${path}, then \`networkctl reload\``));
      continue;
    }
    const sections = readSections(text);
    const keys = sections.filter(({ name }) => name === 'Match').flatMap((section) => [...section.keys.keys()]);
    const lists = valuesOf(sections, 'Match', 'Name');
    if (lists.length === 0 || YES.test(lastOf(sections, 'Link', 'Unmanaged') ?? '')) continue;
    if (isNetplans(path)) {
      const declared = names.filter((name) => lists.includes(name));
      if (declared.length > 0)
        problems.push(neighbour(`netplan declares ${some(declared)} too (${path})`, NETPLAN_CURE));
      continue;
    }
    // Another key of [Match] may well exclude our links.
    if (basename(path) > basename(ours) || keys.some((key) => key !== 'Name')) continue;
    const matched = names.filter(matcherOf(lists));
    if (matched.length === 0) continue;
    const message = `${path} comes before everlan's file and matches ${some(matched)}, so systemd-networkd changes them`;
    problems.push(neighbour(message, `give it a name that sorts after ${basename(ours)}, then \`networkctl reload\``));
  }
  return problems;
}

/** Keys of [Match] that no link of ours can answer: it has a MAC of its own, and neither hardware nor a radio. */
const HARDWARE = new Set(['MACAddress', 'PermanentMACAddress', 'Path', 'Driver', 'WLANInterfaceType', 'SSID', 'BSSID']);

/** Whether systemd-networkd would configure one of the links if it were not told that they are ours. In doubt, yes. */
function reachedByNetworkd(root: string, fabric: string, names: readonly string[]): boolean {
  const ours = fileOf('systemd-networkd', fabric);
  return layered(root, NETWORKD, '.network').some(({ path, text }) => {
    const sections = readSections(text);
    const keys = sections.filter(({ name }) => name === 'Match').flatMap((section) => [...section.keys.keys()]);
    if (path === ours || keys.some((key) => HARDWARE.has(key))) return false;
    const lists = valuesOf(sections, 'Match', 'Name');
    return lists.length === 0 || names.some(matcherOf(lists));
  });
}

/**
 * Whether other programs have files by which they would take the links, as long as they have not read ours: then it is worth
 * waiting for them. Throws nothing.
 */
export function areReached(fabric: string, names: readonly string[], root: Root = ourRoot()): boolean {
  if (root === null || names.length === 0) return false;
  const set = new Set(names);
  return (
    (isInstalled('systemd-networkd', root) &&
      (reachedByNetworkd(root, fabric, names) || netdevs(root, set).length > 0)) ||
    (isInstalled('NetworkManager', root) && connections(root, set).length > 0)
  );
}

/** .netdev files that make a link of our name. */
function netdevs(root: string, names: ReadonlySet<string>): Problem[] {
  return layered(root, NETWORKD, '.netdev').flatMap(({ path, text }) => {
    const name = lastOf(readSections(text), 'NetDev', 'Name');
    if (name === undefined || !names.has(name)) return [];
    if (isNetplans(path)) return [neighbour(`netplan makes a link ${name} too (${path})`, NETPLAN_CURE)];
    return [neighbour(`${path} makes a link ${name} too`, `remove ${path}, then \`networkctl reload\``)];
  });
}

/** interfaces(5): what is sourced from elsewhere than interfaces.d is not followed. */
function ifupdown(root: string, names: ReadonlySet<string>): Problem[] {
  if (!IFUP.some((path) => existsSync(root + path))) return [];
  const folder = '/etc/network/interfaces.d';
  const paths = ['/etc/network/interfaces', ...list(root + folder).map((name) => join(folder, name))];
  return paths.flatMap((path) => {
    const found = new Set<string>();
    for (const line of read(root + path)
      .replaceAll(/\\\n/g, ' ')
      .split('\n')) {
      const [word, name = ''] = line.trim().split(/\s+/);
      if (word === 'iface' && names.has(name)) found.add(name);
    }
    return [...found].map((name) =>
      neighbour(`${path} has \`iface ${name}\`, so ifupdown changes ${name} too`, `take the stanza out of ${path}`),
    );
  });
}

/** Connections that NetworkManager would make or activate on a link of our name, were it not told to leave it. */
function connections(root: string, names: ReadonlySet<string>): Problem[] {
  return layered(root, KEYFILES, '').flatMap(({ path, text }) => {
    const sections = readSections(text);
    const name = lastOf(sections, 'connection', 'interface-name');
    if (name === undefined || !names.has(name)) return [];
    const id = lastOf(sections, 'connection', 'id') ?? basename(path);
    const message = `NetworkManager has a connection “${id}” for ${name} (${path})`;
    return [neighbour(message, `\`nmcli connection delete ${JSON.stringify(id)}\``)];
  });
}

/**
 * Who else has files about our links: a warning `neighbour` for each, that names file and link and the cure. For a look
 * at start; reads folders. Throws nothing.
 * @param names the fabric's links and bridges here (`ownNames`).
 */
export function conflicts(fabric: string, names: readonly string[], root: Root = ourRoot()): readonly Problem[] {
  if (root === null || names.length === 0) return [];
  const set = new Set(names);
  return [
    ...(isInstalled('systemd-networkd', root) ? [...networks(root, fabric, names), ...netdevs(root, set)] : []),
    ...ifupdown(root, set),
    ...(isInstalled('NetworkManager', root) ? connections(root, set) : []),
  ];
}
