/** The options of an overlay that its links tell: what one says and the others leave open holds for all. */
import { OPTIONS, type Option, type OptionRow } from '../model/options.ts';
import type { Problem } from '../model/problem.ts';
import type { YamlValue } from '../text/value.ts';
import { isSayable, optionOf, TOLD, UNSAYABLE } from './attributes.ts';
import { placeOf, type Side } from './draft.ts';
import { importProblem } from './errors.ts';
import type { Context } from './members.ts';
import type { Group } from './pairs.ts';

/** Options in the form of the file; what has the default is not among them. */
export function mergeOptions(group: Group, { problems }: Context): readonly (readonly [Option, YamlValue])[] {
  const found: (readonly [Option, YamlValue])[] = [];
  for (const name of TOLD) {
    const value = merge(name, group, (side) => sayable(name, side, problems), problems);
    if (value !== undefined) found.push([name, value]);
  }
  const local = merge('local', group, ({ vxlan }) => (vxlan.local === null ? undefined : 'underlay'), problems);
  if (local === undefined) found.push(['local', 'none']);
  const mtu = merge('mtu', group, ({ link }) => link.mtu ?? undefined, problems);
  if (mtu !== undefined) found.push(['mtu', mtu]);
  const offload = merge('tx-checksum-offload', group, ({ link }) => (link.txChecksum ? undefined : false), problems);
  if (offload !== undefined) found.push(['tx-checksum-offload', offload]);
  for (const side of group) reportUnsayable(side, problems);
  return found;
}

const keysOf = (name: Option): readonly string[] => [name, ...(OPTIONS[name] as OptionRow).attributes];

function sayable(name: Option, side: Side, problems: Problem[]): YamlValue | undefined {
  const value = optionOf(name, side.vxlan);
  if (value === undefined || isSayable(name, value)) return value;
  const message = `${name} ${show(value)} of ${side.link.name} is left out: the file does not take it`;
  problems.push(importProblem('import-unsaid', message, { place: placeOf(side, ...keysOf(name)) }));
  return undefined;
}

export const show = (value: unknown): string => (Array.isArray(value) ? `[${value.join(', ')}]` : String(value));

/** @param read undefined: the host leaves it open. */
function merge(
  name: Option,
  group: Group,
  read: (side: Side) => YamlValue | undefined,
  problems: Problem[],
): YamlValue | undefined {
  let from: { readonly side: Side; readonly value: YamlValue } | undefined;
  let open: Side | undefined;
  for (const side of group) {
    const value = read(side);
    if (value === undefined) open ??= side;
    else if (from === undefined) from = { side, value };
    else if (show(value) !== show(from.value)) problems.push(conflict(name, from, { side, value }));
  }
  if (from !== undefined && open !== undefined) {
    const { side, value } = from;
    const message = `${name} ${show(value)} of ${side.link.name} is said on ${side.host.name} and not on ${open.host.name}: the file says it for both`;
    const also = [{ message: `on ${open.host.name}`, place: placeOf(open, ...keysOf(name)) }];
    problems.push(importProblem('import-one-sided', message, { place: placeOf(side, ...keysOf(name)), also }));
  }
  return from?.value;
}

interface Said {
  readonly side: Side;
  readonly value: YamlValue;
}

function conflict(name: Option, a: Said, b: Said): Problem {
  const message = `${name} of ${a.side.link.name} is ${show(a.value)} on ${a.side.host.name} and ${show(b.value)} on ${b.side.host.name}`;
  return importProblem('import-differs', message, {
    place: placeOf(a.side, ...keysOf(name)),
    also: [{ message: `${name} ${show(b.value)} on ${b.side.host.name}`, place: placeOf(b.side, ...keysOf(name)) }],
  });
}

function reportUnsayable(side: Side, problems: Problem[]): void {
  for (const { attribute, why, whole } of UNSAYABLE) {
    if (whole || side.link.attributes[attribute] === undefined) continue;
    if (side.vxlan[attribute] === (attribute === 'localbypass')) continue;
    const message = `the file cannot say of ${side.link.name}: ${why}`;
    problems.push(importProblem('import-unsaid', message, { place: placeOf(side, attribute) }));
  }
}
