/** What the agent is made of: everything around it that tests replace. */
import type { Store } from '../apply/store.ts';
import type { Kernel } from '../kernel/port.ts';
import type { Problem } from '../model/problem.ts';
import type { EventDraft } from './account.ts';
import type { AgentEvent } from './door.ts';
import type { LookForHazards } from './hazards.ts';

/** What the file says now. */
export type FileRead = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly problem: Problem };

export interface AgentParts {
  /** The file's name, as it was given. */
  readonly file: string;
  /** --host. */
  readonly host: string | undefined;
  readonly version: string;
  openKernel(): Kernel;
  /** Drops the kernel's events of so far: our own steps made them, and a look follows. */
  forgetHints(): void;
  openStore(fabric: string): Store;
  readFile(): FileRead;
  readonly lastGood: {
    /** @returns why it could not be kept. */
    keep(text: string): Problem | null;
    load(): { readonly text: string; readonly name: string } | null;
    isUnconfirmed(text: string): boolean;
    markUnconfirmed(text: string): Problem | null;
    clearUnconfirmed(text: string): Problem | null;
  };
  readonly events: {
    add(draft: EventDraft): void;
    list(): readonly AgentEvent[];
    listen(listener: (event: AgentEvent) => void): () => void;
  };
  /** systemd, when it started us. */
  readonly service: { ready(): void; reloading(): void; status(text: string): void };
  /** Other network programs on this host: told before links are made, and after they are gone. Never rejects. */
  readonly home: {
    /** @returns what may go wrong with them. */
    claim(fabric: string, names: readonly string[]): Promise<readonly Problem[]>;
    release(fabric: string): Promise<readonly Problem[]>;
  };
  /** What endangers the overlays of this host: warnings. */
  readonly hazards: LookForHazards;
  /** Calls back when a file may be another one, until the function returned is called. */
  watchFile(path: string, onChange: () => void): () => void;
  /** Ports of all NETLINK_ROUTE sockets: who could change links. */
  netlinkUsers(): readonly number[];
  /** Name of a process; null: there is none such. */
  who(pid: number): string | null;
}
