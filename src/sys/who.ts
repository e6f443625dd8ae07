/** Which program a process id belongs to (proc_pid_comm(5), proc_pid_cmdline(5)). */
import { closeSync, openSync, readSync } from 'node:fs';

export interface Who {
  readonly pid: number;
  /** Its own name for itself, at most 15 bytes: `ip`. */
  readonly name: string;
  /** With its arguments, shortened: `ip link del vxlan0`; the name in brackets for a thread of the kernel. */
  readonly command: string;
}

/** PID_MAX_LIMIT of <linux/threads.h>. Port ids above it belong to second sockets and name no process. */
const HIGHEST_PID = 4_194_304;
const READ_BYTES = 1024;
const SHOWN = 200;

function readStart(path: string): string {
  const fd = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(READ_BYTES);
    return bytes.toString('utf8', 0, readSync(fd, bytes));
  } finally {
    closeSync(fd);
  }
}

/** The process chose the text, and it goes to terminals and logs: no line feed of its own, nothing that drives a terminal. */
const plain = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\ufffd]/gu, '?');

function shorten(text: string): string {
  return text.length > SHOWN ? `${text.slice(0, SHOWN).replace(/[\ud800-\udbff]$/, '')}…` : text;
}

/**
 * @param pid any number, such as a netlink port id
 * @returns null for a process that is gone (`ip` lives a millisecond), one that we may not see, and what is no process id.
 */
export function whoIs(pid: number): Who | null {
  if (!Number.isInteger(pid) || pid < 1 || pid > HIGHEST_PID) return null;
  try {
    const name = plain(readStart(`/proc/${pid}/comm`).replace(/\n$/, ''));
    const words = readStart(`/proc/${pid}/cmdline`).replace(/\0+$/, '').replaceAll('\0', ' ');
    return { pid, name, command: words === '' ? `[${name}]` : shorten(plain(words)) };
  } catch {
    // Whatever it was that failed: nothing can be told of it.
    return null;
  }
}
