/** Which links have no scripts run for them: --ignore and --unmanaged. Pure. */

/** `run`: as for all others, as networkd-dispatcher does; `skip`: not while networkd leaves a link alone. */
export const UNMANAGED_POLICIES = ['run', 'skip'] as const;
export type UnmanagedPolicy = (typeof UNMANAGED_POLICIES)[number];

const SPECIAL = /[\\^$.*+?()[\]{}|/]/g;
const quoted = (text: string): string => text.replace(SPECIAL, '\\$&');

/** `[!a-c]` after its bracket; null: it does not end, and so is a bracket like any other character. */
function setAt(glob: string, start: number): { readonly source: string; readonly end: number } | null {
  const negated = glob[start] === '!' || glob[start] === '^';
  const first = negated ? start + 1 : start;
  // A bracket that comes first stands for itself.
  const end = glob.indexOf(']', first + 1);
  if (end < 0) return null;
  const body = glob.slice(first, end).replace(/[\\\]^[]/g, '\\$&');
  return { source: `[${negated ? '^' : ''}${body}]`, end: end + 1 };
}

/**
 * A pattern of glob(7) as a regular expression: `*`, `?` and `[a-z]`.
 * @returns null for one that can match nothing, such as `[z-a]`.
 */
export function globPattern(glob: string): RegExp | null {
  let source = '';
  for (let at = 0; at < glob.length; ) {
    const char = glob[at] ?? '';
    const set = char === '[' ? setAt(glob, at + 1) : null;
    if (set !== null) source += set.source;
    else source += char === '*' ? '.*' : char === '?' ? '.' : quoted(char);
    at = set === null ? at + 1 : set.end;
  }
  try {
    return new RegExp(`^${source}$`, 'su');
  } catch {
    return null;
  }
}

/** networkd has not yet said, or says, that the link is none of its business. */
export function isUnmanaged(administrative: string, before: boolean): boolean {
  // A link that goes lingers: what it was before counts.
  return administrative === 'linger' ? before : administrative === 'unmanaged';
}
