/** Lines that a test waits for. */
export class Log {
  readonly lines: string[] = [];
  #from = 0;
  #wake: (() => void) | null = null;

  add(line: string): void {
    this.lines.push(line);
    this.#wake?.();
  }

  /** Settles when the line is there, after the one that was waited for before. */
  async until(line: string): Promise<void> {
    for (;;) {
      const at = this.lines.indexOf(line, this.#from);
      if (at >= 0) {
        this.#from = at + 1;
        return;
      }
      await this.more();
    }
  }

  /** What is there by now is not waited for. */
  mark(): void {
    this.#from = this.lines.length;
  }

  /** Settles when another line comes. */
  more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
