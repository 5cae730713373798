/** A request, freed of its transport. */
export interface RequestRecord {
  readonly method: string;
  /** Scheme and host the caller used; absolute URLs in bodies are built from it (contract §1.1). */
  readonly origin: string;
  /** Path with the `/api/v2` prefix, without query. */
  readonly path: string;
  /** Query without `?`, as sent. */
  readonly query: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body; empty for none. A chunked body must be given as empty: that is how the real server reads it (T2). */
  readonly body: string;
  /** Peer address, used when no `X-Forwarded-For` is present. */
  readonly remoteAddress: string;
}

/** An answer, before a transport writes it. */
export interface ResponseRecord {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}
