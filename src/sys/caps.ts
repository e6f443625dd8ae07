/** What this process may do (capabilities(7)), so that an error can say which right is missing. */
import { readFileSync } from 'node:fs';

/** Bit numbers from <linux/capability.h>. */
const CAPABILITIES = {
  CAP_NET_ADMIN: 12,
  CAP_NET_RAW: 13,
  CAP_SYS_ADMIN: 21,
} as const;

export type Capability = keyof typeof CAPABILITIES;

/** Whether the text of /proc/PID/status has the capability in its effective set. */
export function statusHasCapability(status: string, name: Capability): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  if (effective === undefined) return false;
  return ((BigInt(`0x${effective}`) >> BigInt(CAPABILITIES[name])) & 1n) === 1n;
}

/** Whether we have the capability now. In a user namespace: over what belongs to that namespace. */
export function hasCapability(name: Capability): boolean {
  return statusHasCapability(readFileSync('/proc/self/status', 'utf8'), name);
}
