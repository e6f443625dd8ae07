/** What makes a file a script that may run, for all folders of scripts. */
import { lstatSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Identity, recheck, trust } from './trust.ts';

/** What a script must be. */
export interface Rule {
  /** What the script and its folder must be to the letter. null: a script must be executable. */
  readonly exactly: { readonly mode: number; readonly uid: number; readonly gid: number } | null;
  /** The user ids that may own the script and what leads to it. */
  readonly owners: readonly number[];
}

/** A script that may run. */
export interface Script {
  readonly runs: true;
  readonly name: string;
  /** As the base folder was given, so that the script sees it as `$0`. */
  readonly path: string;
  readonly rule: Rule;
  /** What was looked at. */
  readonly identity: Identity;
}

export type SkipReason =
  | 'backup' // left by an editor or a package manager
  | 'mask' // an empty file or a link to /dev/null, which says that its namesakes shall not run
  | 'masked' // a namesake of one
  | 'overridden' // an earlier folder has a script of this name
  | 'name' // a name that the rules do not take
  | 'not-executable'
  | 'not-a-file'
  | 'permissions' // not exactly as the rule says
  | 'unsafe' // somebody else could change it
  | 'unreadable';

/** Why a script does not run. */
export interface Reason {
  readonly reason: SkipReason;
  /** For people: `masked by /etc/networkd-dispatcher/off.d/10-x`. */
  readonly why: string;
  /** What the log says at level ERROR; null for what is skipped in silence. */
  readonly error: string | null;
}

export interface Skipped extends Reason {
  readonly runs: false;
  readonly name: string;
  readonly path: string;
}

export type Finding = Script | Skipped;

/** A reason that the log does not mention. */
export const silent = (reason: SkipReason, why: string): Reason => ({ reason, why, error: null });

export const skipped = (name: string, path: string, reason: Reason): Skipped => ({
  runs: false,
  name,
  path,
  ...reason,
});

/** As Python prints it: `0o755`. */
const pythonOctal = (mode: number): string => `0o${mode.toString(8)}`;

/** networkd-dispatcher's own words, or null when the permissions are right. */
function permissionError(
  path: string,
  { mode, uid, gid }: Stats,
  exactly: NonNullable<Rule['exactly']>,
): string | null {
  const permissions = mode & 0o7777;
  if (permissions === exactly.mode && uid === exactly.uid && gid === exactly.gid) return null;
  const show = (m: number, u: number, g: number) => `mode=${pythonOctal(m)}, uid=${u}, gid=${g}`;
  const expected = show(exactly.mode, exactly.uid, exactly.gid);
  return `invalid permissions on ${path}. expected ${expected}; got ${show(permissions, uid, gid)}`;
}

/** The file and its folder against the rule; the folder as it is named, the file after links, as the original does. */
function checkExactly(path: string, real: string, stats: Stats, exactly: NonNullable<Rule['exactly']>): Reason | null {
  const folder = dirname(path);
  const folderStats = lstatSync(folder, { throwIfNoEntry: false });
  if (folderStats === undefined) return silent('not-a-file', 'removed meanwhile');
  const error = permissionError(folder, folderStats, exactly) ?? permissionError(real, stats, exactly);
  return error === null ? null : { reason: 'permissions', why: error, error };
}

/** What is behind the links; null when there is nothing, or they go round in a circle. */
export function statOf(path: string): Stats | null {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? null;
  } catch {
    return null;
  }
}

/** Whether an existing file may run by its kind, its permissions and what leads to it. */
export function verify(name: string, path: string, rule: Rule): Finding {
  const stats = statOf(path);
  if (stats === null) return skipped(name, path, silent('not-a-file', 'a symbolic link to nothing'));
  if (!stats.isFile()) return skipped(name, path, silent('not-a-file', 'not a file'));
  if (rule.exactly === null && (stats.mode & 0o111) === 0) {
    return skipped(name, path, silent('not-executable', 'not executable'));
  }
  const trusted = trust(path, rule.owners);
  const real = trusted.trusted ? trusted.identity.real.path : path;
  const wrong = rule.exactly === null ? null : checkExactly(path, real, stats, rule.exactly);
  if (wrong !== null) return skipped(name, path, wrong);
  if (trusted.trusted) return { runs: true, name, path, rule, identity: trusted.identity };
  const error = `unsafe script ${path}: ${trusted.why}`;
  return skipped(name, path, { reason: 'unsafe', why: trusted.why, error });
}

/**
 * Right before the exec: null when the script may run, else why not. One that is another file by now, as after the
 * update of a package, runs when all of the rules hold for that one too.
 */
export function whyNotNow(script: Script): string | null {
  const changed = recheck(script.identity, script.rule.owners);
  if (changed === null) return null;
  const now = verify(script.name, script.path, script.rule);
  return now.runs ? null : `${changed}; now: ${now.why}`;
}
