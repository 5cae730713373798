/** A query string as Django reads it: repeated parameters keep all values, and the last one wins on reading. */
export class Query {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(text: string) {
    const values = new Map<string, string[]>();
    for (const [name, value] of new URLSearchParams(text)) {
      const list = values.get(name);
      if (list) list.push(value);
      else values.set(name, [value]);
    }
    this.#values = values;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The last value, or undefined when absent. */
  get(name: string): string | undefined {
    return this.#values.get(name)?.at(-1);
  }

  /**
   * A boolean as the server's views read it: present means true, also when empty or `no`; only `0` and `false` are false
   * (T18).
   */
  flag(name: string): boolean {
    const value = this.get(name);
    return value !== undefined && !['0', 'false'].includes(value.toLowerCase());
  }

  /** The query with some parameters replaced or, when undefined, removed: sorted by name, as pagination links are. */
  with(changes: Readonly<Record<string, number | undefined>>): string {
    const merged = new Map<string, readonly string[]>(this.#values);
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined) merged.delete(name);
      else merged.set(name, [String(value)]);
    }
    return [...merged]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([name, list]) => list.map((value) => `${quotePlus(name)}=${quotePlus(value)}`))
      .join('&');
  }
}

/** Python's `quote_plus`. */
function quotePlus(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}
