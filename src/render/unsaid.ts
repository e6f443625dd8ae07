/** What a target cannot say of a host's overlays. */
import { OPTION_DEFAULTS, OPTION_NAMES, type Option } from '../model/options.ts';
import type { RenderHost, Target, Unsaid } from './target.ts';

function isDefault(value: unknown, name: Option): boolean {
  if (Array.isArray(value)) return value.length === 0 && Array.isArray(OPTION_DEFAULTS[name]);
  if (value instanceof Map) return value.size === 0;
  return value === OPTION_DEFAULTS[name];
}

/** Options that the file gives a value of its own, and the target has no words for; then what depends on the value. */
export function unsaidOf(target: Target, host: RenderHost): readonly Unsaid[] {
  const refused: { option: Option; why: string }[] = [];
  for (const option of OPTION_NAMES) {
    const support = target.support[option];
    if (typeof support === 'object' && 'no' in support) refused.push({ option, why: support.no });
  }
  const unsaid: Unsaid[] = [];
  for (const [overlay, options] of host.options) {
    for (const { option, why } of refused) {
      if (!isDefault(options[option], option)) unsaid.push({ overlay, option, why });
    }
  }
  return [...unsaid, ...(target.unsaid?.(host) ?? [])];
}
