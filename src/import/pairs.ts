/** Which links of several hosts are one overlay, and which should be and are not. */
import type { Problem } from '../model/problem.ts';
import { type HostDraft, peerPlace, placeOf, type Side } from './draft.ts';
import { importProblem } from './errors.ts';
import { sameKey } from './underlay.ts';

/** The sides of one overlay, at most one for each host. */
export type Group = readonly Side[];

/** Links with the same VNI and port that point at each other, have the same group or the same name. */
export function groupSides(hosts: readonly HostDraft[], problems: Problem[]): readonly Group[] {
  const byKey = new Map<string, Side[][]>();
  const ordered: Side[][] = [];
  for (const side of hosts.flatMap(({ sides }) => sides)) {
    const key = `${side.link.vni} ${side.vxlan.port}`;
    const groups = byKey.get(key) ?? [];
    byKey.set(key, groups);
    const group = groups.find((members) => fitsInto(side, members));
    if (group === undefined) {
      const made = [side];
      groups.push(made);
      ordered.push(made);
    } else group.push(side);
  }
  const groups = ordered.map((group) => group);
  if (hosts.length > 1) checkPointers(hosts, groups, problems);
  return groups;
}

function fitsInto(side: Side, group: readonly Side[]): boolean {
  return group.every(({ host }) => host !== side.host) && group.some((other) => belong(side, other));
}

function belong(a: Side, b: Side): boolean {
  if (a.link.name === b.link.name || (a.group !== null && a.group === b.group)) return true;
  return points(a, b.host) || points(b, a.host);
}

export const points = ({ peers }: Side, { underlay }: HostDraft): boolean => underlay !== null && peers.has(underlay);

function checkPointers(hosts: readonly HostDraft[], groups: readonly Group[], problems: Problem[]): void {
  const groupOf = new Map<Side, Group>(groups.flatMap((group) => group.map((side) => [side, group] as const)));
  const isIn = (side: Side, host: HostDraft): boolean =>
    groupOf.get(side)?.some((member) => member.host === host) === true;
  const told = new Set<Side>();
  for (const host of hosts) {
    for (const side of host.sides) {
      for (const other of hosts) {
        const { underlay } = other;
        if (other === host || underlay === null || !side.peers.has(underlay) || isIn(side, other)) continue;
        const lost = other.sides.filter((candidate) => !isIn(candidate, host));
        const meant = counterpart(side, lost);
        if (meant === undefined) {
          const { name, vni } = side.link;
          const message = `${name} of ${host.name} points at ${other.name} (${underlay}), which has no link with VNI ${vni} on port ${side.vxlan.port}`;
          problems.push(importProblem('import-peer', message, { place: peerPlace(side, underlay) }));
        } else if (!told.has(meant)) {
          told.add(side);
          problems.push(mismatch(side, meant));
        }
      }
    }
  }
}

/** What is most likely the other end of a link. */
function counterpart(side: Side, candidates: readonly Side[]): Side | undefined {
  const back = candidates.filter((other) => points(other, side.host));
  const sameName = (other: Side): boolean => other.link.name === side.link.name;
  const sameVni = (other: Side): boolean => other.link.vni === side.link.vni;
  return back.find(sameVni) ?? back.find(sameName) ?? back[0] ?? candidates.find(sameName);
}

function mismatch(a: Side, b: Side): Problem {
  const here = `${a.link.name} of ${a.host.name} and ${b.link.name} of ${b.host.name}`;
  if (sameKey(a, b)) throw new TypeError(`${here} are one overlay`);
  if (a.link.vni !== b.link.vni) {
    return importProblem('import-vni', `${here} point at each other with VNI ${a.link.vni} and ${b.link.vni}`, {
      place: placeOf(a, 'vni'),
      also: [{ message: `VNI ${b.link.vni} on ${b.host.name}`, place: placeOf(b, 'vni') }],
    });
  }
  const said = ({ link, host, vxlan }: Side): string =>
    `port ${vxlan.port} on ${host.name}${link.places.has('port') ? '' : ', since none is given'}`;
  return importProblem('import-port', `${here} use different ports: ${said(a)}`, {
    place: placeOf(a, 'port'),
    also: [{ message: said(b), place: placeOf(b, 'port') }],
  });
}
