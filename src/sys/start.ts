/** How this process was started, byte for byte: Node's own view turns what is not UTF-8 into question marks. */
import { readFileSync } from 'node:fs';

/** `a\0b\0` → a and b. */
function split(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0, at);
    const stop = end === -1 ? bytes.length : end;
    parts.push(bytes.subarray(at, stop));
    at = stop + 1;
  }
  return parts;
}

/** The last `count` arguments of the command line. */
export function lastArguments(count: number): Buffer[] {
  return count === 0 ? [] : split(readFileSync('/proc/self/cmdline')).slice(-count);
}

/** `KEY=value` as at the start; what was set since is not in it. */
export function startEnvironment(): Buffer[] {
  return split(readFileSync('/proc/self/environ'));
}
