/** Runs the scripts of one event, one after the other, and says in the log how each of them went. */
import { findScripts } from '../hooks/find.ts';
import { findIfupdown, ifupdownEnvironment, type PhaseFindings } from '../hooks/ifupdown.ts';
import { type Outcome, type RunOptions, runHook } from '../hooks/run.ts';
import type { Finding, Script } from '../hooks/script.ts';
import { HOOK_STATES, type HookState } from '../hooks/states.ts';
import { hookVariables, type LinkFacts, type States } from './environment.ts';
import { factsOf, type Sources } from './facts.ts';
import type { Life } from './lives.ts';
import type { Log } from './log.ts';
import type { DispatcherOptions } from './options.ts';
import { repr } from './python.ts';
import type { Queued } from './queue.ts';

/** An interface has come into a state. */
export interface HookEvent extends Queued, States {
  readonly life: Life;
}

type Environment = Readonly<Record<string, string>>;

/** One thing to run: a script and what it gets beside the variables of the event. */
interface Job {
  readonly script: Script;
  readonly extra: Environment;
}

/** Errors that were told already; more than that, and they may be told again. */
const MOST_TOLD = 1000;
/** How long scripts have to end by themselves when we are asked to stop. */
const GRACE_MS = 5000;

const isHookState = (state: string): state is HookState => HOOK_STATES.some((known) => known === state);
const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;

/** systemd-networkd sets up both families at once; IPv6 is told where there is nothing else. */
function familyOf(variables: Environment): 'inet' | 'inet6' {
  return variables.IP_ADDRS === '' && variables.IP6_ADDRS !== '' ? 'inet6' : 'inet';
}

export class Runner {
  readonly #options: DispatcherOptions;
  readonly #log: Log;
  readonly #inherited: Environment;
  readonly #told = new Set<string>();
  readonly #ends = new Set<(graceMs: number) => void>();
  #stopping = false;

  constructor(options: DispatcherOptions, log: Log, inherited: Environment) {
    this.#options = options;
    this.#log = log;
    this.#inherited = inherited;
  }

  /** Ends what runs, politely first; nothing starts any more. */
  stop(): void {
    this.#stopping = true;
    for (const end of this.#ends) end(GRACE_MS);
  }

  /** Never rejects for a reason that is the scripts'. */
  async run(event: HookEvent, sources: Sources): Promise<void> {
    const { state, life } = event;
    if (!isHookState(state)) {
      this.#log.error(`Unknown state for interface ${life.name}: ${repr(state)}`);
      return;
    }
    const findings = findScripts(this.#options.scriptDirs, state);
    const phases = this.#options.ifupdown ? findIfupdown(state) : [];
    this.#tellErrors([...findings, ...phases.flatMap((phase) => phase.findings)]);
    if (!findings.some(({ runs }) => runs) && !phases.some((phase) => phase.findings.some(({ runs }) => runs))) return;
    const facts = await factsOf(sources, life, event);
    if (this.#options.ignore.some((pattern) => pattern.test(facts.name))) return;
    await this.#runAll(event, facts, findings, phases);
  }

  async #runAll(
    event: HookEvent,
    facts: LinkFacts,
    findings: readonly Finding[],
    phases: readonly PhaseFindings[],
  ): Promise<void> {
    const variables = hookVariables(facts, event);
    const env = { ...this.#inherited, ...variables };
    const jobs: Job[] = findings.flatMap((finding) => (finding.runs ? [{ script: finding, extra: {} }] : []));
    for (const { phase, findings: found } of phases) {
      const extra = ifupdownEnvironment(phase, { iface: facts.name, family: familyOf(variables) });
      jobs.push(...found.flatMap((finding) => (finding.runs ? [{ script: finding, extra }] : [])));
    }
    this.#log.debug(
      `Running triggers for interface ${facts.name} (index ${event.life.index}) entering state ${repr(event.state)} with ${variables.json}`,
    );
    for (const { script, extra } of jobs) {
      if (this.#stopping) return;
      await this.#runOne(script, facts.name, event.state, { ...env, ...extra });
    }
  }

  async #runOne(script: Script, iface: string, state: string, env: Environment): Promise<void> {
    const path = repr(script.path);
    if (this.#options.mode === 'dry-run') {
      this.#log.info(`Would invoke ${path} for interface ${iface} in state ${state}`);
      return;
    }
    this.#log.info(`Invoking ${path} for interface ${iface}`);
    let end: ((graceMs: number) => void) | undefined;
    const options: RunOptions = {
      env,
      timeoutMs: this.#options.timeoutMs,
      onLine: (line, stream) => this.#log.output(script.name, line, stream),
      onStart: (started) => {
        end = started;
        this.#ends.add(started);
      },
    };
    const outcome = await runHook(script, options);
    if (end !== undefined) this.#ends.delete(end);
    this.#tell(outcome, path, `for interface ${iface} in state ${state}`);
  }

  #tell(outcome: Outcome, path: string, what: string): void {
    if (outcome.kind === 'not started') {
      const verb = outcome.cause === 'changed' ? 'Refused' : 'Failed';
      this.#log.error(`${verb} to execute script ${path} ${what}: ${outcome.why}`);
      return;
    }
    const after = `after ${seconds(outcome.ms)}`;
    if (outcome.timedOut) {
      this.#log.warning(`Ended script ${path} ${what} ${after}: it ran longer than --timeout allows`);
      return;
    }
    // As Python counts: a signal is a negative status.
    const status = outcome.kind === 'killed' ? -outcome.signal : outcome.code;
    if (status !== 0) this.#log.warning(`Exit status ${status} from script ${path} ${what} ${after}`);
    else this.#log.debug(`Script ${path} ${what} was over ${after}`);
  }

  #tellErrors(findings: readonly Finding[]): void {
    for (const finding of findings) {
      if (finding.runs || finding.error === null || this.#told.has(finding.error)) continue;
      if (this.#told.size >= MOST_TOLD) this.#told.clear();
      this.#told.add(finding.error);
      this.#log.error(finding.error);
    }
  }
}
