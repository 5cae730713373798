/** Work that runs beside the loop. Nothing floats: what fails is told, and the end of a run waits for all of it. */
export class TaskSet {
  readonly #running = new Set<Promise<void>>();
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  get size(): number {
    return this.#running.size;
  }

  start(work: () => Promise<void>): void {
    const guarded = this.#guard(work);
    this.#running.add(guarded);
    void guarded.then(() => this.#running.delete(guarded));
  }

  /** Resolves when nothing runs any more, including what was started meanwhile. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async #guard(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#onError(error);
    }
  }
}
