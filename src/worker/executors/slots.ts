/** A fixed set of places where a handler can run; who finds none free waits in line. */
export class Slots<Slot> {
  readonly #free: Slot[];
  readonly #waiting: ((slot: Slot) => void)[] = [];
  readonly #all: readonly Slot[];

  constructor(slots: readonly Slot[]) {
    this.#all = slots;
    this.#free = [...slots];
  }

  get busy(): number {
    return this.#all.length - this.#free.length;
  }

  /**
   * Runs `work` with a slot of its own.
   * @throws what `refused` returns when the signal aborts before a slot is free; then `work` never runs.
   */
  async with<Value>(
    signal: AbortSignal,
    refused: () => Error,
    work: (slot: Slot) => Promise<Value>,
  ): Promise<Value> {
    const slot = await this.#acquire(signal, refused);
    try {
      return await work(slot);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(slot);
      else this.#free.push(slot);
    }
  }

  #acquire(signal: AbortSignal, refused: () => Error): Promise<Slot> {
    if (signal.aborted) return Promise.reject(refused());
    const free = this.#free.pop();
    if (free !== undefined) return Promise.resolve(free);
    return new Promise((resolve, reject) => {
      const grant = (slot: Slot): void => {
        signal.removeEventListener('abort', onAbort);
        resolve(slot);
      };
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(grant), 1);
        reject(refused());
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(grant);
    });
  }
}
