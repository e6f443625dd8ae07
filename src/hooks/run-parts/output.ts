/** Writing as C programs do: all of it, in order, and ended by SIGPIPE when nobody reads. */
import { fstatSync, writeSync } from 'node:fs';
import { hasCode } from '../../sys/errno.ts';
import { libc } from '../../sys/libc.ts';

const STDOUT = 1;
const STDERR = 2;
const SIGPIPE = 13; // <asm-generic/signal.h>
const SIG_DFL = 0;
const POLLOUT = 4; // <asm-generic/poll.h>

/** Node ignores SIGPIPE; a program in a shell's pipeline is expected to end by it. */
function dieOfBrokenPipe(): never {
  libc.signal(SIGPIPE, SIG_DFL);
  process.kill(process.pid, 'SIGPIPE');
  process.exit(128 + SIGPIPE);
}

function waitUntilWritable(fd: number): void {
  const pollfd = new Int32Array([fd, POLLOUT]);
  libc.poll(pollfd, 1, -1);
}

/** Other errors than a broken pipe are not told, as the C library would not either. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if (hasCode(error, 'EPIPE')) dieOfBrokenPipe();
      if (!hasCode(error, 'EAGAIN')) return;
      waitUntilWritable(fd);
    }
  }
}

export const writeErr = (text: string): void => writeAll(STDERR, Buffer.from(text, 'latin1'));

/** `run-parts: MESSAGE`, to standard error. */
export const complain = (message: string): void => writeErr(`run-parts: ${message}\n`);

/** Standard output, kept back until the end unless a person is looking, as stdio does. */
export class Lines {
  readonly #direct = fstatSync(STDOUT).isCharacterDevice();
  #kept = '';

  add(line: string): void {
    this.#kept += `${line}\n`;
    if (this.#direct) this.flush();
  }

  flush(): void {
    writeAll(STDOUT, Buffer.from(this.#kept, 'latin1'));
    this.#kept = '';
  }
}
