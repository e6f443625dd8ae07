/** The work that is measured: fabric files for everlan, and the same as batches for `ip` and `bridge`. */
export const NAMESPACE = `evbench-${process.pid}`;
export const FABRIC = 'bench';
export const UNDERLAY = '10.99.0.1';
const PEER = '10.99.0.2';

const HEAD = `fabric: ${FABRIC}\nhosts:\n  alpha: ${UNDERLAY}\n  beta: ${PEER}\noverlays:\n`;

/** A /30 for each overlay, out of 100.64.0.0/10 (RFC 6598). */
function member(i: number, host: 1 | 2): string {
  return `100.${64 + (i >> 14)}.${(i >> 6) & 255}.${(i & 63) * 4 + host}/30`;
}

function mac(i: number): string {
  const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
  return `02:00:00:${hex(i >> 16)}:${hex((i >> 8) & 255)}:${hex(i & 255)}`;
}

const range = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

export function overlaysFile(count: number): string {
  const overlay = (i: number): string =>
    `  vx${i}:\n    vni: ${i + 1}\n    hosts:\n      alpha: ${member(i, 1)}\n      beta: ${member(i, 2)}\n`;
  return HEAD + range(count, overlay).join('');
}

export function macsFile(count: number): string {
  const row = (i: number): string => `      ${mac(i)}: beta\n`;
  return `${HEAD}  vx0:\n    vni: 1\n    hosts:\n      alpha: ${member(0, 1)}\n      beta: ${member(0, 2)}\n    macs:\n${range(count, row).join('')}`;
}

const link = (i: number): string =>
  `link add vx${i} type vxlan id ${i + 1} local ${UNDERLAY} remote ${PEER} dstport 4789 dev eth0`;

/**
 * Link, address, up: each kind for all links before the next, which is the fastest order for `ip` (one link after the
 * other takes half as long again).
 */
export function overlaysBatch(count: number): string {
  return [
    ...range(count, link),
    ...range(count, (i) => `addr add ${member(i, 1)} dev vx${i}`),
    ...range(count, (i) => `link set vx${i} up`),
  ].join('\n');
}

/** The link of the FDB batch, made beforehand. */
export const FDB_LINK = [link(0), `addr add ${member(0, 1)} dev vx0`, 'link set vx0 up'].join('\n');

export function macsBatch(count: number): string {
  return range(count, (i) => `fdb add ${mac(i)} dev vx0 dst ${PEER} self permanent`).join('\n');
}

export function deleteBatch(count: number): string {
  return range(count, (i) => `link del vx${i}`).join('\n');
}

/** Not measured: marks the links of a batch as everlan's own, so that `everlan down` clears them away quickly. */
export function markBatch(count: number): string {
  return range(count, (i) => `link set vx${i} alias everlan:${FABRIC}/vx${i}`).join('\n');
}

/** The underlay: eth0 with the host's address; the far end is in the same namespace and answers nothing. */
export const UNDERLAY_BATCH = [
  'link set lo up',
  'link add eth0 type veth peer name far0',
  `addr add ${UNDERLAY}/24 dev eth0`,
  'addr add 10.0.0.4/24 dev eth0',
  'link set eth0 up',
  'link set far0 up',
].join('\n');
