/** Rows by id, with ids that count up as a database's do; insertion order is kept. */
export class Table<Row extends { readonly id: number }> {
  readonly #rows = new Map<number, Row>();
  #nextId: number;

  constructor(firstId = 1) {
    this.#nextId = firstId;
  }

  /** Uses up an id, whether or not a row follows (a rolled-back request does the same). */
  takeId(wanted?: number): number {
    if (wanted === undefined) return this.#nextId++;
    if (this.#rows.has(wanted))
      throw new Error(`Id ${wanted} is taken; leave it out to get the next free one.`);
    this.#nextId = Math.max(this.#nextId, wanted + 1);
    return wanted;
  }

  add(row: Row): Row {
    this.#rows.set(row.id, row);
    return row;
  }

  get(id: number | null | undefined): Row | undefined {
    return id === null || id === undefined ? undefined : this.#rows.get(id);
  }

  delete(id: number): void {
    this.#rows.delete(id);
  }

  all(): Row[] {
    return [...this.#rows.values()];
  }

  find(wanted: (row: Row) => boolean): Row | undefined {
    for (const row of this.#rows.values()) if (wanted(row)) return row;
    return undefined;
  }

  filter(wanted: (row: Row) => boolean): Row[] {
    return this.all().filter(wanted);
  }

  get size(): number {
    return this.#rows.size;
  }
}

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
