/** Names and words of error numbers, from Node's own tables; they are Linux's, the same on x86_64 and arm64. */
import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';

let names: Map<number, string> | undefined;

/** `17` → `EEXIST`; `E512` for a number that nobody named. */
export function errnoName(errno: number): string {
  if (names === undefined) {
    names = new Map();
    // Two names may share a number (EAGAIN, EWOULDBLOCK); the first is the usual one.
    for (const [name, value] of Object.entries(constants.errno)) if (!names.has(value)) names.set(value, name);
  }
  return names.get(errno) ?? getSystemErrorMap().get(-errno)?.[0] ?? `E${errno}`;
}

/** `17` → `file already exists`; `error 512` for a number without words. */
export function errnoText(errno: number): string {
  return getSystemErrorMap().get(-errno)?.[1] ?? `error ${errno}`;
}

/** A call that the kernel refused. `code` is the errno's name, as in Node's own errors. */
export class SysError extends Error {
  override readonly name = 'SysError';
  /** Positive. */
  readonly errno: number;
  readonly code: string;
  /** The function, such as `setns`. */
  readonly call: string;

  /** `detail` says what the call was about: a path, a link's name. */
  constructor(call: string, errno: number, detail?: string) {
    super(`${call}${detail === undefined ? '' : ` ${detail}`}: ${errnoText(errno)} (${errnoName(errno)})`);
    this.errno = errno;
    this.code = errnoName(errno);
    this.call = call;
  }
}

/** Whether `error` is of this kind (`ENOENT`), thrown by us or by Node. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}
