/** Work that runs beside the loop. Nothing floats: what fails is told, and the end of a run waits for all of it. */
export class TaskSet {
  #running = 0;
  readonly #whenIdle: (() => void)[] = [];
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  get size(): number {
    return this.#running;
  }

  start(work: () => Promise<void>): void {
    void this.#guard(work);
  }

  /** Resolves when nothing runs any more, including what was started meanwhile. */
  async idle(): Promise<void> {
    while (this.#running > 0)
      await new Promise<void>((resolve) => {
        this.#whenIdle.push(resolve);
      });
  }

  async #guard(work: () => Promise<void>): Promise<void> {
    this.#running += 1;
    try {
      await work();
    } catch (error) {
      this.#onError(error);
    } finally {
      this.#running -= 1;
      if (this.#running === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
    }
  }
}
