/** `--report`: a script's output with its name above, on the stream where it first says something. */
import { SysError } from '../../sys/errno.ts';
import { libc, strerror } from '../../sys/libc.ts';
import { openPipe, readPipe } from '../../sys/pipe.ts';
import { close } from '../../sys/socket.ts';
import { type Exit, poll, wait } from '../../sys/spawn.ts';
import { complain, writeAll } from './output.ts';

const POLLIN = 1; // <asm-generic/poll.h>
const SYS_PIDFD_OPEN = 434; // <asm-generic/unistd.h>, Linux 5.3
/** How often to look for the end of a script where the kernel cannot tell. */
const LOOK_MS = 20;
const CHUNK = 4096;

interface Source {
  /** Our end of the pipe; -1 when it is closed. */
  fd: number;
  readonly to: number;
  readonly name: string;
}

/** struct pollfd of poll(2); a negative descriptor is passed over. Whether each has something to say. */
function waitForAny(fds: readonly number[], timeoutMs: number): boolean[] {
  const table = new Int16Array(fds.length * 4);
  const numbers = new Int32Array(table.buffer);
  for (const [i, fd] of fds.entries()) {
    numbers[i * 2] = fd;
    table[i * 4 + 2] = POLLIN;
  }
  libc.poll(table, fds.length, timeoutMs);
  return fds.map((_, i) => table[i * 4 + 3] !== 0);
}

/** Passes one piece on. */
function pass(source: Source, buffer: Uint8Array, announce: (to: number) => void): void {
  let length: number;
  try {
    length = readPipe(source.fd, buffer);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    complain(`failed to read from ${source.name} pipe: ${strerror(error.errno)}`);
    length = 0;
  }
  if (length === 0) {
    close(source.fd);
    source.fd = -1;
  } else if (length > 0) {
    announce(source.to);
    writeAll(source.to, buffer.subarray(0, length));
  }
}

/** What a script prints goes through this. */
export class Report {
  readonly #path: string;
  readonly #sources: readonly [Source, Source];
  /** The script's own ends. */
  readonly stdout: number;
  readonly stderr: number;
  #announced = false;

  /** `path` is what is written above the output. @throws SysError when there are no descriptors left. */
  constructor(path: string) {
    this.#path = path;
    const out = openPipe();
    const err = openPipe();
    this.#sources = [
      { fd: out.read, to: 1, name: 'stdout' },
      { fd: err.read, to: 2, name: 'error' },
    ];
    this.stdout = out.write;
    this.stderr = err.write;
  }

  #announce(to: number): void {
    if (this.#announced) return;
    this.#announced = true;
    writeAll(to, Buffer.from(`${this.#path}:\n`, 'latin1'));
  }

  /** As if the script had said it on its standard error. */
  say(text: string): void {
    this.#announce(2);
    writeAll(2, Buffer.from(text, 'latin1'));
  }

  /**
   * Passes on what the script prints, until it is over and has nothing left to say: what it leaves running may keep the
   * pipes open for ever.
   */
  follow(pid: number): Exit {
    this.#closeScriptEnds();
    const pidfd = libc.syscall(SYS_PIDFD_OPEN, pid, 0, 0);
    const buffer = new Uint8Array(CHUNK);
    let exit: Exit | null = null;
    while (this.#sources.some(({ fd }) => fd !== -1)) {
      exit ??= poll(pid);
      const patience = exit !== null ? 0 : pidfd === -1 ? LOOK_MS : -1;
      const [outReady, errReady] = waitForAny(
        [...this.#sources.map(({ fd }) => fd), exit === null ? pidfd : -1],
        patience,
      );
      if (exit !== null && !outReady && !errReady) break;
      if (outReady) pass(this.#sources[0], buffer, (to) => this.#announce(to));
      if (errReady) pass(this.#sources[1], buffer, (to) => this.#announce(to));
    }
    if (pidfd !== -1) close(pidfd);
    this.#closeSources();
    return exit ?? wait(pid);
  }

  #closeScriptEnds(): void {
    close(this.stdout);
    close(this.stderr);
  }

  #closeSources(): void {
    for (const source of this.#sources) {
      if (source.fd !== -1) close(source.fd);
      source.fd = -1;
    }
  }

  /** There is no script to follow. */
  abandon(): void {
    this.#closeScriptEnds();
    this.#closeSources();
  }
}
