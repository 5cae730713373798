/** How a call wants its place. */
export interface SlotWish {
  /** No other call may be there, neither at its start nor while it runs. Default false. */
  readonly alone?: boolean | undefined;
  /** Before those that wait already: it has waited. Default false. */
  readonly first?: boolean | undefined;
}

interface Waiter<Slot> {
  readonly alone: boolean;
  readonly grant: (slot: Slot) => void;
}

/**
 * A fixed set of places where a handler can run; who finds none free waits in line. A place may have room for a second call that is
 * handed over while the first runs: it gets one only when every place has its first.
 */
export class Slots<Slot> {
  /** Calls in each place; who was used last is last. */
  readonly #calls: Map<Slot, number>;
  readonly #roomOf: (slot: Slot) => number;
  readonly #taken = new Set<Slot>();
  readonly #waiting: Waiter<Slot>[] = [];

  /** @param roomOf - how many calls a place takes now; one that has none takes one in any case. */
  constructor(slots: readonly Slot[], roomOf: (slot: Slot) => number = () => 1) {
    this.#calls = new Map(slots.map((slot) => [slot, 0]));
    this.#roomOf = roomOf;
  }

  /** Places with a call. */
  get busy(): number {
    return [...this.#calls.values()].filter((calls) => calls > 0).length;
  }

  /**
   * Runs `work` with a slot.
   * @throws what `refused` returns when the signal aborts before a slot is free; then `work` never runs.
   */
  async with<Value>(
    signal: AbortSignal,
    refused: () => Error,
    work: (slot: Slot) => Promise<Value>,
    wish: SlotWish = {},
  ): Promise<Value> {
    const slot = await this.#acquire(signal, refused, wish);
    try {
      return await work(slot);
    } finally {
      const calls = this.#calls.get(slot) ?? 1;
      this.#calls.delete(slot);
      this.#calls.set(slot, calls - 1);
      if (wish.alone) this.#taken.delete(slot);
      this.#admit();
    }
  }

  #acquire(
    signal: AbortSignal,
    refused: () => Error,
    { alone = false, first = false }: SlotWish,
  ): Promise<Slot> {
    if (signal.aborted) return Promise.reject(refused());
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(refused());
        // It may have been the one that wanted a place for itself, and kept the others waiting.
        this.#admit();
      };
      const grant = (slot: Slot): void => {
        signal.removeEventListener('abort', onAbort);
        resolve(slot);
      };
      const waiter = { alone, grant };
      signal.addEventListener('abort', onAbort, { once: true });
      if (first) this.#waiting.unshift(waiter);
      else this.#waiting.push(waiter);
      this.#admit();
    });
  }

  /** Strictly in line: one that wants a place for itself would else never see one empty. */
  #admit(): void {
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      const found = this.#find(next.alone);
      if (!found) return;
      this.#waiting.shift();
      this.#calls.set(found.slot, found.calls + 1);
      if (next.alone) this.#taken.add(found.slot);
      next.grant(found.slot);
    }
  }

  #find(alone: boolean): { readonly slot: Slot; readonly calls: number } | undefined {
    let best: { readonly slot: Slot; readonly calls: number } | undefined;
    for (const [slot, calls] of this.#calls) {
      if (calls > 0 && (alone || this.#taken.has(slot) || calls >= this.#roomOf(slot))) continue;
      if (!best || calls <= best.calls) best = { slot, calls };
    }
    return best;
  }
}
