/** How systemd sees the agent (sd_notify(3), sd_watchdog_enabled(3)); silent where no systemd listens. */
import { notify } from '../sys/notify.ts';

export interface Service {
  /** How often `tick` is wanted, in milliseconds; null: not at all. */
  readonly watchdogMs: number | null;
  /** The start is over, or reading everything anew. */
  ready(): void;
  /** Cut to one line; what it says already is not said again. */
  status(text: string): void;
  /** Everything is read anew, until `ready`. */
  reloading(): void;
  stopping(): void;
  /** Alive: from the loop itself, so that one that hangs is seen. */
  tick(): void;
}

/** Messages of 4096 bytes and more are refused. */
const STATUS_LENGTH = 1000;
const LONGEST_TIMER_MS = 0x7fffffff;

function oneLine(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return line.length > STATUS_LENGTH ? `${line.slice(0, STATUS_LENGTH)}…` : line;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Half of the time after which systemd takes us for dead. */
function watchdogMs({ WATCHDOG_USEC: usec, WATCHDOG_PID: pid }: Environment): number | null {
  if (usec === undefined || !/^[1-9][0-9]*$/.test(usec)) return null;
  // It is meant for the process that was started, not for its children.
  if (pid !== undefined && pid !== String(process.pid)) return null;
  return Math.min(LONGEST_TIMER_MS, Math.max(1, Math.floor(Number(usec) / 2000)));
}

/**
 * @param environment NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, as systemd sets them
 * @param failed told why systemd cannot be told, once until it can again. Nothing is thrown.
 */
export function openService(environment: Environment, failed: (message: string) => void): Service {
  const socket = environment.NOTIFY_SOCKET;
  let isFailing = false;
  let said: string | null = null;

  /** Whether it was taken. */
  const send = (state: string): boolean => {
    if (socket === undefined || socket === '') return false;
    try {
      notify(socket, state);
      isFailing = false;
      return true;
    } catch (error) {
      const isNew = !isFailing;
      isFailing = true;
      if (isNew) failed(error instanceof Error ? error.message : String(error));
      return false;
    }
  };

  return {
    watchdogMs: socket === undefined || socket === '' ? null : watchdogMs(environment),
    ready: () => {
      send('READY=1');
    },
    status: (text) => {
      const line = oneLine(text);
      if (line !== said && send(`STATUS=${line}`)) said = line;
    },
    reloading: () => {
      // CLOCK_MONOTONIC: systemd tells by it whether it asked before or after.
      send(`RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
    },
    stopping: () => {
      send('STOPPING=1');
    },
    tick: () => {
      send('WATCHDOG=1');
    },
  };
}
