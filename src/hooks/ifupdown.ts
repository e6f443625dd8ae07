/**
 * The bridge to ifupdown's folders of scripts (interfaces(5)): which of them a state runs, by run-parts' rules, and the
 * environment that they expect. Only scripts that nobody but root can change run.
 */
import { lstatSync, readdirSync } from 'node:fs';
import { isClassicalName } from './run-parts/names.ts';
import { type Finding, type Rule, silent, skipped, verify } from './script.ts';
import type { HookState } from './states.ts';

interface Phase {
  readonly state: HookState;
  readonly folder: string;
  readonly PHASE: 'post-up' | 'pre-down' | 'post-down';
  readonly MODE: 'start' | 'stop';
}

/** In the order in which they run. ifupdown itself has no if-post-up.d; many recipes do. */
export const IFUPDOWN_PHASES: readonly Phase[] = [
  { state: 'routable', folder: 'if-up.d', PHASE: 'post-up', MODE: 'start' },
  { state: 'routable', folder: 'if-post-up.d', PHASE: 'post-up', MODE: 'start' },
  { state: 'off', folder: 'if-down.d', PHASE: 'pre-down', MODE: 'stop' },
  { state: 'off', folder: 'if-post-down.d', PHASE: 'post-down', MODE: 'stop' },
];

export const IFUPDOWN_BASE = '/etc/network';
/** run-parts runs what is executable; what leads to it must be root's alone. */
export const IFUPDOWN_RULE: Rule = { exactly: null, owners: [0] };

/** ifupdown 0.8's own. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What ifupdown would know of an interface. */
export interface Stanza {
  readonly iface: string;
  /** The family that its scripts are told; systemd-networkd sets up both at once. */
  readonly family: 'inet' | 'inet6';
  /** Default: `loopback` for lo, else `manual`: configured by somebody else. */
  readonly method?: string;
}

/** The variables that ifupdown gives to its scripts, to be put over those of the dispatcher. */
export function ifupdownEnvironment({ PHASE, MODE }: Phase, stanza: Stanza): Record<string, string> {
  return {
    IFACE: stanza.iface,
    LOGICAL: stanza.iface,
    ADDRFAM: stanza.family,
    METHOD: stanza.method ?? (stanza.iface === 'lo' ? 'loopback' : 'manual'),
    MODE,
    PHASE,
    VERBOSITY: '0',
    PATH,
  };
}

/** Why run-parts would pass over a name. The dot is what costs people hours. */
function whyNotTaken(name: string): string {
  const dot = 'skipped, run-parts takes no dot in a name';
  return name.includes('.') ? dot : 'skipped, run-parts takes only letters, digits, _ and - in a name';
}

function judge(name: string, path: string, rule: Rule): Finding {
  if (!isClassicalName(name)) return skipped(name, path, silent('name', whyNotTaken(name)));
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
    return skipped(name, path, silent('not-a-file', 'a folder'));
  }
  return verify(name, path, rule);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    // As without the folder: ifupdown may not be installed, or only parts of it.
    return [];
  }
}

export interface PhaseFindings {
  readonly phase: Phase;
  readonly folder: string;
  readonly findings: readonly Finding[];
}

/** What the folders of a state hold, each file with whether it runs; empty for a state that ifupdown does not know. */
export function findIfupdown(state: HookState, base = IFUPDOWN_BASE, rule: Rule = IFUPDOWN_RULE): PhaseFindings[] {
  return IFUPDOWN_PHASES.filter((phase) => phase.state === state).map((phase) => {
    const folder = `${base}/${phase.folder}`;
    return { phase, folder, findings: namesIn(folder).map((name) => judge(name, `${folder}/${name}`, rule)) };
  });
}
