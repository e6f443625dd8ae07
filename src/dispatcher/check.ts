/** `--check`: every script, whether it would run and for which state, and why not. */
import { readdirSync } from 'node:fs';
import { findScripts } from '../hooks/find.ts';
import { findIfupdown, IFUPDOWN_BASE } from '../hooks/ifupdown.ts';
import type { Finding } from '../hooks/script.ts';
import { HOOK_STATES } from '../hooks/states.ts';
import type { DispatcherOptions } from './options.ts';

export interface Checked {
  readonly text: string;
  /** Scripts that are there and do not run because of a fault. */
  readonly faults: number;
}

function lineOf(finding: Finding): string {
  return finding.runs ? `  runs     ${finding.path}` : `  skipped  ${finding.path}: ${finding.why}`;
}

const faultsIn = (findings: readonly Finding[]): number =>
  findings.filter((finding) => !finding.runs && finding.error !== null).length;

/** Folders beside those of the states, such as `routeable.d`, which nothing ever runs. */
function strangeFolders(base: string): string[] {
  const known = new Set(HOOK_STATES.map((state) => `${state}.d`));
  try {
    return readdirSync(base, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !known.has(entry.name))
      .map(({ name }) => `${base.replace(/\/+$/, '')}/${name}`)
      .sort();
  } catch {
    return [];
  }
}

/** @param base where ifupdown's folders are */
export function check({ scriptDirs, ifupdown }: DispatcherOptions, base = IFUPDOWN_BASE): Checked {
  const sections: string[] = [];
  let faults = 0;
  const add = (heading: string, findings: readonly Finding[]): void => {
    if (findings.length === 0) return;
    faults += faultsIn(findings);
    sections.push([heading, ...findings.map(lineOf)].join('\n'));
  };
  for (const state of HOOK_STATES) add(state, findScripts(scriptDirs, state));
  if (sections.length === 0) sections.push(`no scripts in ${scriptDirs.join(', ')}`);
  const strange = scriptDirs.filter((dir) => dir !== '').flatMap(strangeFolders);
  if (strange.length > 0) {
    sections.push(['no state of systemd-networkd', ...strange.map((path) => `  skipped  ${path}`)].join('\n'));
  }
  const how = ifupdown ? 'with --ifupdown' : 'not run without --ifupdown, or a script of yours that calls run-parts';
  for (const state of HOOK_STATES) {
    for (const { folder, findings } of findIfupdown(state, base)) add(`${folder}, on ${state}; ${how}`, findings);
  }
  return { text: sections.join('\n\n'), faults };
}
