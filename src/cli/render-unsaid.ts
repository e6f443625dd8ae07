/** What a target cannot say, with the place in the file. */

import { ERRORS } from '../fabric/errors.ts';
import { OPTIONS, type OptionRow } from '../model/options.ts';
import { EverlanError, type Problem } from '../model/problem.ts';
import type { RenderHost, Target, Unsaid } from '../render/target.ts';
import { unsaidOf } from '../render/unsaid.ts';
import { readDocument } from '../text/document.ts';
import { type Path, Positions } from '../text/positions.ts';
import type { YamlValue } from '../text/value.ts';
import type { Input } from './read-input.ts';

function valueAt(value: YamlValue | undefined, path: Path): YamlValue | undefined {
  let found = value;
  for (const step of path) found = found instanceof Map ? found.get(step) : undefined;
  return found;
}

/** Where the option stands, under whichever of its names; else the overlay's own key. */
function pathOf({ overlay, option }: Unsaid, value: YamlValue): Path {
  const { aliases = [] }: OptionRow = OPTIONS[option];
  const name = [option, ...aliases].find((each) => valueAt(value, ['overlays', overlay, each]) !== undefined);
  return name === undefined ? ['overlays', overlay] : ['overlays', overlay, name];
}

/** @param severity `warning`: with --lenient. */
export function unsaidProblems(
  target: Target,
  hosts: readonly RenderHost[],
  { bytes, name }: Input,
  severity: Problem['severity'],
): readonly Problem[] {
  const unsaid = new Map<string, Unsaid>();
  for (const host of hosts) {
    for (const each of unsaidOf(target, host)) unsaid.set(`${each.overlay} ${each.option} ${each.why}`, each);
  }
  if (unsaid.size === 0) return [];
  const { document } = readDocument(bytes, name);
  if (document === null) throw new TypeError(`${name} was read before and is not YAML`);
  const positions = new Positions(document);
  const { hint } = ERRORS['target-cannot-say'];
  return [...unsaid.values()].map((each) => ({
    code: 'target-cannot-say',
    severity,
    message: `${target.name} cannot say \`${each.option}\` of ${each.overlay}: ${each.why}`,
    place: positions.locate(pathOf(each, document.value), 'key'),
    ...(severity === 'error' ? { hint } : {}),
  }));
}

/** @throws EverlanError, exit 1: the file is good, the target is not the right one for it. */
export function refuseUnsaid(problems: readonly Problem[]): void {
  if (problems.some(({ severity }) => severity === 'error')) throw new EverlanError(problems);
}
