/** Steps that take back what a request has written, so that a crash leaves nothing behind (contract §8.3). */
export class UndoLog {
  readonly #steps: (() => void)[] = [];

  /** Remembers how to take one change back. */
  add(step: () => void): void {
    this.#steps.push(step);
  }

  /** Takes everything back, newest first. */
  rollBack(): void {
    for (const step of this.#steps.reverse()) step();
    this.#steps.length = 0;
  }
}
