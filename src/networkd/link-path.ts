/** The object paths of networkd's links: the index as sd_bus_path_encode(3) escapes it. */

/** Every link's path begins so. */
export const LINK_PATHS = '/org/freedesktop/network1/link/';

/** A label may not begin with a digit, so the first one is escaped: `_3` and itself. */
const LABEL = /^_3([1-9]\d{0,9})$/;
const LARGEST_INDEX = 0x7fffffff;

/** 12 → `/org/freedesktop/network1/link/_312`. */
export function linkPath(index: number): string {
  return `${LINK_PATHS}_3${index}`;
}

/** The index of a link's path; null for any other path. */
export function linkIndex(path: string): number | null {
  if (!path.startsWith(LINK_PATHS)) return null;
  const index = Number(LABEL.exec(path.slice(LINK_PATHS.length))?.[1] ?? 0);
  return index > 0 && index <= LARGEST_INDEX ? index : null;
}
