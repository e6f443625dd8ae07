/**
 * The scripts of a state: `BASE/STATE.d/NAME` over several base folders, in networkd-dispatcher's order and precedence,
 * each with the reason why it runs or not.
 */
import { lstatSync, readdirSync } from 'node:fs';
import { errnoText, hasCode } from '../sys/errno.ts';
import { type Finding, type Reason, type Rule, type Skipped, silent, skipped, statOf, verify } from './script.ts';
import { HOOK_STATES } from './states.ts';
import { trust } from './trust.ts';

/** networkd-dispatcher's rule, and every folder on the way root's. */
export const ROOT_RULE: Rule = { exactly: { mode: 0o755, uid: 0, gid: 0 }, owners: [0] };

const BACKUP = /^\.|^#.*#$|~$|\.swp$|\.dpkg-[a-z0-9-]+$|\.ucf-[a-z]+$|\.rpm[a-z]+$/;

/** What editors, dpkg, ucf and rpm leave behind: `a~`, `.a.swp`, `a.dpkg-old`, `a.rpmnew`, `.placeholder`, `#a#`. */
export const isBackupName = (name: string): boolean => BACKUP.test(name);

const DEV_NULL = 0x103; // makedev(1, 3): devices.txt of the kernel

/**
 * Says that nothing of this name shall run: an empty file or a link to /dev/null. It counts only where nobody else can
 * have put it.
 */
function maskOf(folder: string, path: string, owners: readonly number[]): Reason | null {
  const stats = statOf(path);
  if (stats === null) return null;
  const empty = stats.isFile() && stats.size === 0;
  if (!empty && !(stats.isCharacterDevice() && stats.rdev === DEV_NULL)) return null;
  const owner = lstatSync(path, { throwIfNoEntry: false })?.uid ?? -1;
  if (!owners.includes(owner) || !trust(folder, owners).trusted) return null;
  return silent('mask', `${empty ? 'an empty file' : 'a link to /dev/null'}: nothing of this name runs`);
}

/** What one file is by itself. */
function judge(folder: string, name: string, path: string, rule: Rule): Finding {
  if (isBackupName(name)) return skipped(name, path, silent('backup', 'a backup file by its name'));
  const mask = maskOf(folder, path, rule.owners);
  return mask === null ? verify(name, path, rule) : skipped(name, path, mask);
}

const join = (folder: string, name: string): string => (folder.endsWith('/') ? folder + name : `${folder}/${name}`);

/** What a file means for its namesakes in later folders. */
function settles(finding: Finding): Reason | null {
  if (finding.runs) return silent('overridden', `${finding.path} runs instead`);
  return finding.reason === 'mask' ? silent('masked', `masked by ${finding.path}`) : null;
}

/** All files of one name, in the order of the folders. */
function judgeName(name: string, folders: readonly string[], rule: Rule): Finding[] {
  let settled: Reason | null = null;
  return folders.flatMap((folder): Finding[] => {
    const path = join(folder, name);
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return [];
    if (settled !== null) return [skipped(name, path, settled)];
    const finding = judge(folder, name, path, rule);
    settled = settles(finding);
    return [finding];
  });
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(bytes: Uint8Array): string | null {
  try {
    return UTF8.decode(bytes);
  } catch {
    return null;
  }
}

/** What is known of a folder before its files are looked at. */
interface Listing {
  readonly folder: string;
  readonly names: readonly string[];
  readonly problems: readonly Skipped[];
}

function list(folder: string): Listing {
  try {
    const names: string[] = [];
    const problems: Skipped[] = [];
    for (const bytes of readdirSync(folder, { encoding: 'buffer' })) {
      const name = textOf(bytes);
      if (name !== null) names.push(name);
      else {
        const shown = bytes.toString();
        problems.push(skipped(shown, join(folder, shown), silent('name', 'a name that is no UTF-8')));
      }
    }
    return { folder, names, problems };
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return { folder, names: [], problems: [] };
    if (!(error instanceof Error && 'errno' in error)) throw error;
    const why = errnoText(-Number(error.errno));
    const problem = skipped('', folder, { reason: 'unreadable', why, error: `cannot read ${folder}: ${why}` });
    return { folder, names: [], problems: [problem] };
  }
}

/** By code point, as Python and `LC_ALL=C ls` sort; JavaScript's own order is that of UTF-16. */
export const byCodePoint = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/**
 * The scripts of a state, in the order in which they run. Of one name the first that may run does, unless an earlier
 * one masks it. Nothing is kept between calls: what an administrator changes counts from the next event on.
 * @throws TypeError for what is no state.
 */
export function findScripts(bases: readonly string[], state: string, rule: Rule = ROOT_RULE): Finding[] {
  // The word comes from a bus and becomes a path.
  if (!HOOK_STATES.some((known) => known === state)) {
    throw new TypeError(`no state that has scripts: ${JSON.stringify(state)}`);
  }
  const listings = bases.filter((base) => base !== '').map((base) => list(join(base, `${state}.d`)));
  const folders = listings.map(({ folder }) => folder);
  const names = [...new Set(listings.flatMap((listing) => listing.names))].sort(byCodePoint);
  return [...listings.flatMap(({ problems }) => problems), ...names.flatMap((name) => judgeName(name, folders, rule))];
}
