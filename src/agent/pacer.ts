/** When to work: at once after a quiet time, and then not more often than a burst allows. */

/** Events of one burst come within this time. */
const GATHER_MS = 5;

export class Pacer {
  readonly #work: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires, in milliseconds of `performance.now()`. */
  #due = Number.POSITIVE_INFINITY;
  #running = false;
  /** What is due after the work that is being done. */
  #next = Number.POSITIVE_INFINITY;
  /** Before it no work is begun: half of the time is for others, however much goes on. */
  #rest = 0;
  #closed = false;

  /** @param work must not reject. */
  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  /** Something happened. */
  poke(): void {
    this.wakeIn(0);
  }

  /** At the latest in so many milliseconds. */
  wakeIn(ms: number): void {
    const due = performance.now() + ms;
    if (this.#running) this.#next = Math.min(this.#next, due);
    else this.#wakeAt(Math.max(due, this.#rest));
  }

  #wakeAt(due: number): void {
    if (this.#closed || due >= this.#due) return;
    clearTimeout(this.#timer);
    this.#due = due;
    const wait = due - performance.now();
    if (wait <= 0) this.#run();
    else this.#timer = setTimeout(() => this.#run(), Math.ceil(wait));
  }

  #run(): void {
    const start = performance.now();
    clearTimeout(this.#timer);
    this.#due = Number.POSITIVE_INFINITY;
    this.#running = true;
    this.#next = Number.POSITIVE_INFINITY;
    void this.#work().finally(() => {
      const end = performance.now();
      this.#running = false;
      this.#rest = end + Math.max(GATHER_MS, end - start);
      if (this.#next < Number.POSITIVE_INFINITY) this.#wakeAt(Math.max(this.#next, this.#rest));
    });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }
}
