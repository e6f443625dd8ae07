/** What the agent answers to those who ask it: its socket hands requests to this, and commands get its answers. */
import type { Problem } from '../model/problem.ts';
import type { Status } from '../model/status.ts';
import type { Plan } from '../model/step.ts';

/** `running`; `suspended` by `everlan down`; `trial`: an unconfirmed change; `paused`: one that was made without the agent. */
export type AgentMode = 'running' | 'suspended' | 'trial' | 'paused';

/** An overlay that cannot be there yet. */
export interface Waiting {
  readonly overlay: string;
  /** A sentence without a full stop: `no link has 10.0.0.4, the underlay address of alpha`. */
  readonly reason: string;
  readonly hint?: string;
}

export interface AgentInfo {
  readonly pid: number;
  /** ISO 8601. */
  readonly since: string;
  readonly version: string;
  readonly mode: AgentMode;
  /** null: no good file was ever seen. */
  readonly fabric: string | null;
  /** null: not known yet. */
  readonly host: string | null;
  /** The file that it watches. */
  readonly file: string;
  /** Where what is in force came from: the file, the last good one, or another that was applied. */
  readonly source: string;
  readonly waiting: readonly Waiting[];
  /** Why the newest file is not in force; what the kernel refused; who fights. */
  readonly problems: readonly Problem[];
}

export type EventKind =
  | 'started'
  | 'stopped'
  /** The host matches for the first time. */
  | 'ready'
  /** Somebody else changed something, and it was put right. */
  | 'healed'
  /** The file changed, and so did the host. */
  | 'applied'
  | 'removed'
  | 'waiting'
  | 'file'
  | 'refused'
  | 'fight'
  | 'trial'
  | 'neighbour'
  | 'trouble';

export interface AgentEvent {
  /** Counts from 1 in each life of the agent. */
  readonly number: number;
  /** ISO 8601. */
  readonly at: string;
  readonly kind: EventKind;
  readonly level: 'info' | 'warning' | 'error';
  /** One sentence, no full stop: `vxlan0 was deleted by ip (process 4123): made again in 2.1 ms`. */
  readonly message: string;
  readonly hint?: string;
  readonly overlays: readonly string[];
  /** What was done, in words. */
  readonly steps: readonly string[];
}

export interface ApplyRequest {
  /** The file's bytes as text, and its name. */
  readonly text: string;
  readonly file: string;
  readonly host: string | undefined;
  readonly adopt: boolean;
  readonly prune: boolean;
  /** Token of a guard that has been armed for this change. */
  readonly trial: string | null;
}

export interface ApplyReply {
  readonly fabric: string;
  readonly host: string;
  readonly plan: Plan;
  readonly warnings: readonly Problem[];
  readonly waiting: readonly Waiting[];
}

export interface Door {
  info(): AgentInfo;
  /** As of the agent's last look, after a new one when something happened since. @throws EverlanError while there is no fabric. */
  status(): Status;
  /** The latest, oldest first. */
  events(): readonly AgentEvent[];
  /** Called for each event from now on, until the function returned is called. */
  onEvent(listener: (event: AgentEvent) => void): () => void;
  /** Called whenever `status` or `info` may say something else. */
  onStatus(listener: () => void): () => void;
  /** @throws EverlanError as `apply` does; then the fabric in force is the one of before. */
  apply(request: ApplyRequest): Promise<ApplyReply>;
  /** Keeps the change on trial. @throws EverlanError when nothing is pending. */
  confirm(): Promise<void>;
  /** The guard's: goes back to what was before. @returns what could not be put back. */
  revert(token: string): Promise<readonly Problem[]>;
  /** Removes the fabric and lets it rest until the next apply or boot. */
  down(): Promise<Plan>;
}
