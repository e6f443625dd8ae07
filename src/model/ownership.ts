/** How the kernel tells which things are ours. */
import { sha256 } from './sha256.ts';

/**
 * Protocol number on our routes, neighbours and (from Linux 5.18) addresses. Not taken in
 * /etc/iproute2/rt_protos.
 */
export const PROTOCOL = 119;

const ALIAS = /^everlan:([a-z][a-z0-9-]{0,31})\/([^/]+)$/;

/** IFLA_IFALIAS of a link that we own: the overlay's link, or the bridge made for it. */
export function aliasOf(fabric: string, overlay: string): string {
  return `everlan:${fabric}/${overlay}`;
}

/** The fabric and overlay that an alias names, or null when the alias is not of our making. */
export function readAlias(alias: string): { fabric: string; overlay: string } | null {
  const match = ALIAS.exec(alias);
  return match ? { fabric: match[1] as string, overlay: match[2] as string } : null;
}

/**
 * The link group (IFLA_GROUP, u32) of a fabric: derived from its name, with a fixed high half so that it
 * meets no group that a person would choose. Two fabrics may share one; the alias then tells them apart.
 */
export function groupOf(fabric: string): number {
  if (last?.fabric !== fabric) {
    last = { fabric, group: 0x65760000 + Number.parseInt(sha256(fabric).slice(0, 4), 16) };
  }
  return last.group;
}

/** Thousands of links are asked about one fabric. */
let last: { readonly fabric: string; readonly group: number } | undefined;

/** Whether a link with this alias and group belongs to `fabric`: by its alias, or by its group while it has none yet. */
export function isOurs(link: { alias: string; group: number }, fabric: string): boolean {
  if (link.alias === '') return link.group === groupOf(fabric);
  return readAlias(link.alias)?.fabric === fabric;
}
