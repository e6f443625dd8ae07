/** A status for people: a line for each overlay, then what does not match. */
import type { OverlayCondition, OverlayStatus, Status } from '../model/status.ts';
import type { Paints } from './colour.ts';
import { foreignLines } from './plan-text.ts';
import { type Cell, columns, counted, fewOf, thousands } from './text.ts';

/** What is shown without -v. */
const MOST_PEERS = 3;
const MOST_ADDRESSES = 2;
const MOST_DRIFT = 5;
const MOST_OVERLAYS = 50;

interface Style {
  readonly paints: Paints;
  /** Leave nothing out. */
  readonly all: boolean;
}

const COLOURS = {
  up: 'green',
  down: 'yellow',
  missing: 'red',
  drifted: 'yellow',
  foreign: 'red',
} as const satisfies Record<OverlayCondition, keyof Paints>;

const HEADINGS = ['OVERLAY', 'STATE', 'VNI', 'MTU', 'ADDRESSES', 'PEERS'];

function row(overlay: OverlayStatus, { paints, all }: Style): Cell[] {
  const peers = overlay.peers.map(({ host, underlay }) => (host === underlay ? host : `${host} ${underlay}`));
  const cut = (items: readonly string[], most: number): string =>
    items.length === 0 ? '-' : fewOf(items, all ? items.length : most);
  return [
    { text: overlay.name },
    { text: overlay.state, paint: paints[COLOURS[overlay.state]] },
    { text: String(overlay.vni) },
    { text: String(overlay.mtu) },
    { text: cut(overlay.addresses, MOST_ADDRESSES) },
    { text: cut(peers, MOST_PEERS) },
  ];
}

function driftLines({ name, drift }: OverlayStatus, { paints, all }: Style): string[] {
  if (drift.length === 0) return [];
  const most = all || drift.length <= MOST_DRIFT + 1 ? drift.length : MOST_DRIFT;
  const lines = drift.slice(0, most).map((sentence) => `  ${sentence}`);
  if (most < drift.length) lines.push(paints.dim(`  … and ${thousands(drift.length - most)} more`));
  return ['', `${paints.bold(name)} needs:`, ...lines];
}

function headline({ converged, overlays }: Status, paints: Paints): string {
  if (converged) return paints.green('matches the file');
  const wrong = overlays.filter(({ state }) => state !== 'up').length;
  // What is left over, or a port, may be what differs while every overlay is up.
  const which = `${thousands(wrong)} of ${counted(overlays.length, 'overlay')} ${wrong === 1 ? 'is' : 'are'} not as in the file`;
  return paints.yellow(wrong === 0 ? 'does not match the file' : which);
}

/** Those that are not as they should be come first when not all of them are shown. */
function chosen(overlays: readonly OverlayStatus[], all: boolean): readonly OverlayStatus[] {
  if (all || overlays.length <= MOST_OVERLAYS + 1) return overlays;
  const wrong = overlays.filter(({ state }) => state !== 'up');
  const right = overlays.filter(({ state }) => state === 'up');
  return [...wrong, ...right].slice(0, MOST_OVERLAYS);
}

/** A status as `everlan status` prints it. */
export function statusText(status: Status, style: Style): string {
  const { overlays, fabric, host } = status;
  const { paints } = style;
  const lines = [`${paints.bold(`${fabric} on ${host}`)}: ${headline(status, paints)}`];
  if (overlays.length === 0) lines.push('This host is in no overlay.');
  else {
    const shown = chosen(overlays, style.all);
    const heading = HEADINGS.map((text): Cell => ({ text, paint: paints.dim }));
    lines.push('', ...columns([heading, ...shown.map((overlay) => row(overlay, style))]));
    const left = overlays.length - shown.length;
    if (left > 0) lines.push(paints.dim(`… and ${counted(left, 'more overlay')} (-v shows all)`));
    lines.push(...shown.flatMap((overlay) => driftLines(overlay, style)));
  }
  const foreign = foreignLines(status, style);
  return [...lines, ...(foreign.length === 0 ? [] : ['', ...foreign])].join('\n');
}
