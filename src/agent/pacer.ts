/** When to work: at once after a quiet time, and then not more often than a burst allows. */

/** Events of one burst come within this time. */
const GATHER_MS = 5;

export class Pacer {
  readonly #work: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires, in milliseconds of `performance.now()`. */
  #due = Number.POSITIVE_INFINITY;
  #running = false;
  #again = false;
  /** Before it no work is begun: half of the time is for others, however much goes on. */
  #rest = 0;
  #closed = false;

  /** @param work must not reject. */
  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  /** Something happened. */
  poke(): void {
    if (this.#running) this.#again = true;
    else this.#wakeAt(Math.max(performance.now(), this.#rest));
  }

  /** At the latest in so many milliseconds. */
  wakeIn(ms: number): void {
    if (!this.#running) this.#wakeAt(Math.max(performance.now() + ms, this.#rest));
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
    this.#again = false;
    void this.#work().finally(() => {
      const end = performance.now();
      this.#running = false;
      this.#rest = end + Math.max(GATHER_MS, end - start);
      if (this.#again) this.poke();
    });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }
}
