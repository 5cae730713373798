/** Bytes that may be in use at once. Who asks waits in line: a large image is not overtaken by small ones for ever. */
export class ByteBudget {
  readonly limit: number;
  #used = 0;
  #waiting: { readonly bytes: number; readonly grant: () => void }[] = [];

  constructor(limit: number) {
    this.limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  /** Waits until there is room. More than the limit never comes: the caller refuses it before. */
  async acquire(bytes: number): Promise<void> {
    if (bytes > this.limit) throw new RangeError(`${bytes} bytes are more than the budget of ${this.limit}`);
    if (this.#waiting.length === 0 && this.#used + bytes <= this.limit) {
      this.#used += bytes;
      return;
    }
    await new Promise<void>((grant) => this.#waiting.push({ bytes, grant }));
  }

  release(bytes: number): void {
    this.#used -= bytes;
    for (let [next] = this.#waiting; next && this.#used + next.bytes <= this.limit; [next] = this.#waiting) {
      this.#waiting.shift();
      this.#used += next.bytes;
      next.grant();
    }
  }
}
