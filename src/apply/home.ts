/**
 * Our links are left alone by systemd-networkd and NetworkManager: files under /run tell them so, one for each fabric,
 * which are there before the links and go after them. Whoever runs is told to read them (src/networkd/reload.ts).
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Neighbour } from '../model/neighbour.ts';
import { readAlias } from '../model/ownership.ts';
import { type Problem, warning } from '../model/problem.ts';
import type { HostFacts, HostState } from '../model/state.ts';
import { hasCode } from '../sys/errno.ts';
import { ensureDir, removeFile, writeAtomic } from '../sys/safe-dir.ts';
import { systemdServesUs } from '../sys/systemd.ts';
import type { Store } from './store.ts';

export interface ClaimResult {
  /** Whose file is another now: they are to be told. */
  readonly changed: readonly Neighbour[];
  /** Warnings `neighbour`: what could not be written. */
  readonly problems: readonly Problem[];
}

interface Rule {
  /** Any of them: it is installed. */
  readonly programs: readonly string[];
  path(fabric: string): string;
  text(fabric: string, names: readonly string[]): string;
  readonly tell: string;
}

const head = (fabric: string, neighbour: Neighbour): string[] => [
  `# Written by everlan for the fabric ${fabric}, and removed by \`everlan down\`.`,
  `# ${neighbour} leaves the links of the fabric as they are, whatever its other files say.`,
];

/** Names in one line: a few hundred characters. */
const NAMES_IN_LINE = 24;

/**
 * A name for Name= (systemd.network(5)) that matches nothing else. It is a pattern of fnmatch(3) in a list, and a
 * backslash stands before a literal character in both, so two in the file make one in the pattern. A name of digits
 * alone is none to networkd (ifname_valid_full in its basic/socket-util.c); with a backslash before it, it is one.
 */
function exactPattern(name: string): string {
  const pattern = /^[0-9]+$/.test(name) ? `\\${name}` : name.replace(/[\\*?[\]!]/g, '\\$&');
  return pattern.replaceAll('\\', '\\\\');
}

function networkdText(fabric: string, names: readonly string[]): string {
  const lines: string[] = [];
  for (let i = 0; i < names.length; i += NAMES_IN_LINE) {
    const some = names.slice(i, i + NAMES_IN_LINE).map(exactPattern);
    lines.push(`Name=${some.join(' ')}`);
  }
  return [...head(fabric, 'systemd-networkd'), '[Match]', ...lines, '', '[Link]', 'Unmanaged=yes', ''].join('\n');
}

/** Exactly this link, in a device list of NetworkManager.conf(5). */
const exactly = (name: string): string => `interface-name:=${name.replace(/[\\;,]/g, '\\$&')}`;

/**
 * Said twice, as each way has its gap: `unmanaged-devices` holds against everything at run time, but any file in /etc
 * that sets it without `+` takes our list away; the section of our own stays, but counts for new links only.
 */
function networkManagerText(fabric: string, names: readonly string[]): string {
  const list = names.map(exactly).join(';');
  return [
    ...head(fabric, 'NetworkManager'),
    '[keyfile]',
    `unmanaged-devices+=${list}`,
    '',
    `[device-everlan-${fabric}]`,
    `match-device=${list}`,
    'managed=0',
    '',
  ].join('\n');
}

const RULES: Readonly<Record<Neighbour, Rule>> = {
  'systemd-networkd': {
    programs: ['/usr/lib/systemd/systemd-networkd', '/lib/systemd/systemd-networkd'],
    path: (fabric) => `/run/systemd/network/00-everlan-${fabric}.network`,
    text: networkdText,
    tell: '`networkctl reload`',
  },
  NetworkManager: {
    programs: ['/usr/sbin/NetworkManager', '/usr/bin/NetworkManager', '/sbin/NetworkManager'],
    path: (fabric) => `/run/NetworkManager/conf.d/90-everlan-${fabric}.conf`,
    text: networkManagerText,
    tell: '`nmcli general reload conf`',
  },
};

export const NEIGHBOURS = Object.keys(RULES) as readonly Neighbour[];

/** The file that tells this neighbour of the fabric's links. */
export function fileOf(neighbour: Neighbour, fabric: string): string {
  return RULES[neighbour].path(fabric);
}

/** Whether its program is on the host whose files are below `root`. */
export function isInstalled(neighbour: Neighbour, root = ''): boolean {
  return RULES[neighbour].programs.some((path) => existsSync(root + path));
}

/** Nobody could tell it: what a person can do instead. */
export function untold(neighbour: Neighbour, why: string): Problem {
  const message = `${neighbour} could not be told which links are everlan's: ${why}`;
  return warning('neighbour', message, { hint: `${RULES[neighbour].tell}, or restart it` });
}

/** @returns null when there is no such file. */
function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}

/** Where it is kept whom we told: for those who come after us, so that nobody is told twice. */
const stampOf = (root: string, fabric: string, neighbour: Neighbour): string =>
  `${root}/run/everlan/told-${fabric}-${neighbour}`;

/** Whether the neighbour has files to read that this life of it (`who`) was not told of. Throws nothing. */
export function isDue(fabric: string, neighbour: Neighbour, who: string, root = ''): boolean {
  try {
    return existsSync(root + fileOf(neighbour, fabric)) && read(stampOf(root, fabric, neighbour)) !== who;
  } catch {
    return true;
  }
}

/** Remembers that this life of the neighbour has read what the fabric's file says now. Throws nothing. */
export function setTold(fabric: string, neighbour: Neighbour, who: string, root = ''): void {
  try {
    const is = existsSync(root + fileOf(neighbour, fabric)) ? who : null;
    put(stampOf(root, fabric, neighbour), is, join(root, '/run'));
  } catch {
    // Full or read-only: it is told again.
  }
}

/** @returns whether the file is another now; `change` is called before that. @throws what prevents it */
function put(path: string, text: string | null, below: string, change = (): void => undefined): boolean {
  if (read(path) === text) return false;
  change();
  if (text === null) removeFile(path);
  else {
    ensureDir(dirname(path), below);
    writeAtomic(path, text);
  }
  return true;
}

/** Where claims are written: below '', or in a test below another folder. null: nobody would read them. */
export type Root = string | null;

/** Neighbours that concern us configure our network namespace, so systemd has started them there. */
export const ourRoot = (): Root => (systemdServesUs() ? '' : null);

/**
 * Writes which links are the fabric's; nothing where that is written already, and where no systemd configures this
 * network namespace. Without names: removes it. To be called before a link is made, and after one is removed:
 * NetworkManager strips a link of its addresses the moment that it is no longer named. Throws nothing.
 * @param names all links and bridges that the fabric has here or will have; not a stranger's bridge, nor ports.
 */
export function claim(fabric: string, names: Iterable<string>, root: Root = ourRoot()): ClaimResult {
  if (root === null) return { changed: [], problems: [] };
  const sorted = [...new Set(names)].sort();
  const changed: Neighbour[] = [];
  const problems: Problem[] = [];
  for (const neighbour of NEIGHBOURS) {
    const rule = RULES[neighbour];
    const path = root + rule.path(fabric);
    const wanted = sorted.length > 0 && isInstalled(neighbour, root);
    const forget = (): void => removeFile(stampOf(root, fabric, neighbour));
    try {
      if (put(path, wanted ? rule.text(fabric, sorted) : null, join(root, '/run'), forget)) changed.push(neighbour);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const hint = `the fabric works without it, but ${neighbour} may change its links`;
      problems.push(warning('neighbour', `${path} cannot be ${wanted ? 'written' : 'removed'}: ${why}`, { hint }));
    }
  }
  return { changed, problems };
}

/** Removes what `claim` wrote. To be called when the links are gone. Throws nothing. */
export function release(fabric: string, root: Root = ourRoot()): ClaimResult {
  return claim(fabric, [], root);
}

/** The names to claim once the host matches: links and bridges that are made by us. */
export function ownNames({ links }: HostState): string[] {
  return [...links.values()].filter(({ kind }) => kind === 'vxlan' || kind === 'bridge').map(({ name }) => name);
}

/**
 * The names to claim before the host is changed: what was last applied, and what is not there yet. A stranger's link in
 * the place of one of ours is not ours to claim: NetworkManager would take its addresses away.
 */
export function namesBefore(store: Store, wanted: HostState, { links }: HostFacts): string[] {
  const applied = [...store.remembered().links].filter(([, { alias }]) => readAlias(alias) !== null);
  return [...applied.map(([name]) => name), ...ownNames(wanted).filter((name) => !links.has(name))];
}
