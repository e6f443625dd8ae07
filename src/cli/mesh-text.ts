/** What echoes proved: the table, the JSON, and what to do about silence. Shared by check and lab. */
import type { EchoResult } from '../kernel/echo.ts';
import type { PeerProof, Unasked } from '../lab/mesh.ts';
import { type Family, familyOf } from '../model/address.ts';
import type { Desired } from '../model/desired.ts';
import { type Problem, problem } from '../model/problem.ts';
import type { Paints } from './colour.ts';
import { type Cell, columns, thousands } from './text.ts';

/** Shown without -v. */
const MOST_ROWS = 40;
const MOST_PROBLEMS = 10;
/** Bytes that the outer headers take: Ethernet, VXLAN and UDP with IPv4 or IPv6 (RFC 7348). */
const OVERHEAD = { 4: 50, 6: 70 } as const;

/** What one host found out. */
export interface Proof {
  readonly host: string;
  readonly peers: readonly PeerProof[];
  readonly unasked: readonly Unasked[];
  /** The family of an overlay's underlay. */
  underlayOf(overlay: string): Family;
}

/** Underlays of one overlay are of one family. */
export function underlayFamilies(desired: Pick<Desired, 'overlays'>): (overlay: string) => Family {
  const families = new Map<string, Family>();
  for (const { name, peers } of desired.overlays) {
    const [first] = peers;
    if (first !== undefined) families.set(name, familyOf(first.underlay));
  }
  return (overlay) => families.get(overlay) ?? 4;
}

interface Style {
  readonly paints: Paints;
  /** Leave nothing out. */
  readonly all: boolean;
}

/** For whom a row is: a host asked, and one of its peers. */
interface Row {
  readonly host: string;
  readonly peer: PeerProof | Unasked;
}

const isProof = (peer: PeerProof | Unasked): peer is PeerProof => 'small' in peer;

function resultCell(result: EchoResult, paints: Paints, size?: number): Cell {
  if (!result.ok) return { text: result.reason === 'timeout' ? 'no answer' : result.reason, paint: paints.red };
  const ms = `${result.rttMs.toFixed(2)} ms`;
  return { text: size === undefined ? ms : `${ms} (${size} bytes)` };
}

function cells({ host, peer }: Row, hosts: boolean, { paints }: Style): Cell[] {
  const address = { text: peer.address ?? '-' };
  const first = [...(hosts ? [{ text: host }] : []), { text: peer.overlay }, { text: peer.peer }, address];
  if (isProof(peer)) return [...first, resultCell(peer.small, paints), resultCell(peer.full, paints, peer.fullSize)];
  return [...first, { text: '-' }, { text: `not asked: ${peer.reason}`, paint: paints.dim }];
}

function rowsOf(proofs: readonly Proof[]): Row[] {
  return proofs.flatMap(({ host, peers, unasked }) => [...peers, ...unasked].map((peer) => ({ host, peer })));
}

export function meshHeadline(who: string, ok: boolean, { paints }: Style): string {
  return `${paints.bold(who)}: ${ok ? paints.green('every peer answers') : paints.red('not every peer answers')}`;
}

/** A line for each address of each peer; `hosts`: beginning with the host that asked. Failures come first when not all are shown. */
export function meshTable(proofs: readonly Proof[], hosts: boolean, style: Style): string[] {
  const rows = rowsOf(proofs);
  if (rows.length === 0) return ['There is no peer to ask.'];
  const all = style.all || rows.length <= MOST_ROWS + 1;
  const failed = ({ peer }: Row): boolean => isProof(peer) && !peer.ok;
  const shown = all ? rows : [...rows.filter(failed), ...rows.filter((row) => !failed(row))].slice(0, MOST_ROWS);
  const names = [...(hosts ? ['HOST'] : []), 'OVERLAY', 'PEER', 'ADDRESS', 'SMALL', 'FULL SIZE'];
  const heading = names.map((text): Cell => ({ text, paint: style.paints.dim }));
  const lines = columns([heading, ...shown.map((row) => cells(row, hosts, style))]);
  const left = rows.length - shown.length;
  return left === 0 ? lines : [...lines, style.paints.dim(`… and ${thousands(left)} more (-v shows all)`)];
}

function silence({ host, underlayOf }: Proof, peer: PeerProof, hosts: boolean): Problem {
  const { small, full, overlay, address, fullSize } = peer;
  const who = `${hosts ? `${host} → ` : ''}${peer.peer} ${address} on ${overlay}`;
  if (!small.ok) {
    const hint = small.reason === 'no such link' ? '`everlan apply` makes it' : undefined;
    return problem('no-answer', `${who}: ${small.detail}`, hint === undefined ? {} : { hint });
  }
  const family = underlayOf(overlay);
  const outer = fullSize + OVERHEAD[family];
  const why = full.ok ? '' : full.detail;
  const message = `${who}: small packets pass, ${fullSize} bytes do not (${why})`;
  const hint = `a hop of the underlay carries less than ${outer} bytes (${fullSize} + ${OVERHEAD[family]}): raise its MTU, or give the overlay a smaller \`mtu\` on every host`;
  return problem('full-size-lost', message, { hint });
}

/** Every peer that did not answer, and what to do. */
export function silences(proofs: readonly Proof[], hosts: boolean): Problem[] {
  const found = proofs.flatMap((proof) =>
    proof.peers.flatMap((peer) => (peer.ok ? [] : [silence(proof, peer, hosts)])),
  );
  const more = found.length - MOST_PROBLEMS;
  if (more <= 1) return found;
  const rest = problem('no-answer', `${thousands(more)} more do not answer either (see the table)`);
  return [...found.slice(0, MOST_PROBLEMS), rest];
}

function echoJson(peer: PeerProof, size: number, result: EchoResult): Record<string, unknown> {
  const { overlay, address } = peer;
  const common = { overlay, peer: peer.peer, address, size, ok: result.ok };
  return result.ok
    ? { ...common, ms: Math.round(result.rttMs * 1000) / 1000, reason: null }
    : { ...common, ms: null, reason: result.detail };
}

/** One object for each echo; beside them the peers that could not be asked. */
export function meshJson({ peers, unasked }: Proof): { peers: unknown[]; unasked: readonly Unasked[] } {
  const small = (peer: PeerProof): number => Math.min(peer.fullSize, familyOf(peer.address) === 4 ? 84 : 104);
  return {
    peers: peers.flatMap((peer) => [echoJson(peer, small(peer), peer.small), echoJson(peer, peer.fullSize, peer.full)]),
    unasked,
  };
}
