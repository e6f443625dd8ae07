/** Whether systemd is the one that starts this host's services and configures its network. */
import { existsSync, readFileSync } from 'node:fs';

/** Where PID 1 hears from its services; bound from the beginning to the end of its life. */
const NOTIFY = '/run/systemd/notify';

/**
 * PID 1 is systemd, and the units that it starts are in our network namespace. The kernel lists the unix sockets of the
 * own namespace alone: comparing it with that of PID 1 would need CAP_SYS_PTRACE.
 */
export function systemdServesUs(): boolean {
  if (!existsSync('/run/systemd/system')) return false;
  try {
    // The thread's: its namespace may be another than the process's.
    return readFileSync('/proc/thread-self/net/unix', 'utf8').includes(` ${NOTIFY}\n`);
  } catch {
    return false;
  }
}
