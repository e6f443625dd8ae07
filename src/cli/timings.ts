/** Where the time goes, for -v and for the bench. */
import { columns } from './text.ts';

/** In the order in which they are shown. */
const PHASES = ['start', 'parse', 'resolve', 'observe', 'diff', 'apply', 'verify', 'render', 'write'] as const;

export type TimedPhase = (typeof PHASES)[number];

export class Timings {
  readonly #spent = new Map<TimedPhase, number>();

  add(phase: TimedPhase, ms: number): void {
    this.#spent.set(phase, (this.#spent.get(phase) ?? 0) + ms);
  }

  measure<T>(phase: TimedPhase, work: () => T): T {
    const start = performance.now();
    try {
      return work();
    } finally {
      this.add(phase, performance.now() - start);
    }
  }

  /** Milliseconds of each phase that there was, and of the whole process until now. */
  #all(): readonly (readonly [string, number])[] {
    const spent = PHASES.flatMap((phase) => {
      const ms = this.#spent.get(phase);
      return ms === undefined ? [] : [[phase, ms] as const];
    });
    return [...spent, ['total', performance.now()]];
  }

  table(): string {
    const rows = this.#all().map(([phase, ms]) => [phase, ms.toFixed(1)] as const);
    const widest = Math.max(...rows.map(([, ms]) => ms.length));
    return columns(rows.map(([phase, ms]) => [phase, `${ms.padStart(widest)} ms`])).join('\n');
  }

  /** One line: milliseconds by phase, and the most memory that the process ever held, in KiB. */
  json(): string {
    const phases = Object.fromEntries(this.#all().map(([phase, ms]) => [phase, Math.round(ms * 1000) / 1000]));
    return JSON.stringify({ ...phases, maxRss: process.resourceUsage().maxRSS });
  }
}
