/** Names in a recording (`{superuser}`, `{key:worker}`) and what they stand for in this run. */
export class Symbols {
  readonly #values = new Map<string, string>();
  /** Recorded ids of rows made during the scenario, and the ids they got here, per kind of row. */
  readonly #ids = new Map<string, number>();

  set(name: string, value: string): void {
    this.#values.set(name, value);
    if (name.startsWith('key:')) this.#values.set(`prefix:${name.slice(4)}`, value.slice(0, 8));
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** Replaces every known `{name}` in a text. */
  fill(text: string): string {
    return text.replace(/\{([a-z_:]+)\}/g, (whole, name: string) => this.#values.get(name) ?? whole);
  }

  /** True when `actual` is what `recorded` stands for, learning the pair on first sight. */
  sameId(kind: string, recorded: number, actual: number): boolean {
    const name = `${kind}:${recorded}`;
    const known = this.#ids.get(name);
    if (known === undefined) this.#ids.set(name, actual);
    return known === undefined || known === actual;
  }

  /** Rewrites ids inside a path (`/ml/processing_services/25/`) to those of this run. */
  rewritePath(path: string): string {
    return path.replace(/([a-z_]+)\/(\d+)(?=\/|$)/g, (whole, kind: string, id: string) => {
      const known = this.#ids.get(`${kind}:${id}`);
      return known === undefined ? whole : `${kind}/${known}`;
    });
  }
}
