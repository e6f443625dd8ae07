/** What a script prints, line by line. Memory is bounded: a long line comes in pieces. */
import { readPipe } from '../sys/pipe.ts';
import { close, onReadable, type Watch } from '../sys/socket.ts';

/** In bytes. */
export const LONGEST_LINE = 8192;
/** What one look takes at most, so that a flood of output leaves the event loop to others. */
const CHUNK = 16_384;
/** What is taken after the script's end: all that fits into a pipe (pipe(7)). */
const LAST = 65_536;
const NEWLINE = 10;

/** Where to cut so that no UTF-8 character is torn. */
function wholeCharacters(bytes: Uint8Array, at: number): number {
  let end = at;
  while (end > at - 4 && end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return ((bytes[end] ?? 0) & 0xc0) === 0x80 ? at : end;
}

/** Puts lines together. */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  add(bytes: Uint8Array): void {
    let left = this.#rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#rest, bytes]);
    for (;;) {
      const end = left.indexOf(NEWLINE);
      if (end === -1 ? left.length <= LONGEST_LINE : end <= LONGEST_LINE) {
        if (end === -1) break;
        this.#onLine(left.toString('utf8', 0, end));
        left = left.subarray(end + 1);
      } else {
        const cut = wholeCharacters(left, LONGEST_LINE);
        this.#onLine(left.toString('utf8', 0, cut));
        left = left.subarray(cut);
      }
    }
    // A copy, so that a short rest does not keep a large piece.
    this.#rest = Buffer.from(left);
  }

  /** The last line may have no end. */
  finish(): void {
    if (this.#rest.length > 0) this.#onLine(this.#rest.toString('utf8'));
    this.#rest = Buffer.alloc(0);
  }
}

const chunk = Buffer.allocUnsafeSlow(CHUNK);

/** Reads a pipe until its last writer is gone. */
export class LineReader {
  readonly #fd: number;
  readonly #splitter: LineSplitter;
  readonly #onEnd: () => void;
  readonly #watch: Watch;
  #open = true;

  /** Takes the descriptor over. `onEnd` is called when it is closed. */
  constructor(fd: number, onLine: (line: string) => void, onEnd: () => void) {
    this.#fd = fd;
    this.#splitter = new LineSplitter(onLine);
    this.#onEnd = onEnd;
    this.#watch = onReadable(fd, () => this.#read());
  }

  get open(): boolean {
    return this.#open;
  }

  /** How many bytes came. */
  #read(): number {
    if (!this.#open) return 0;
    const length = readPipe(this.#fd, chunk);
    if (length > 0) this.#splitter.add(chunk.subarray(0, length));
    if (length === 0) this.close();
    return Math.max(0, length);
  }

  /** Takes what is there now, and a last line without an end. */
  drain(): void {
    for (let taken = 0; taken < LAST; ) {
      const length = this.#read();
      if (length === 0) break;
      taken += length;
    }
    this.#splitter.finish();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#watch.close();
    close(this.#fd);
    this.#splitter.finish();
    this.#onEnd();
  }
}
