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

/** What a transport must do for a request; all but `answer` are faults. */
export type Reply =
  | { readonly kind: 'answer'; readonly response: ResponseRecord }
  /** Cut the connection without a byte of answer; `refused` where the transport can pretend there was no connection. */
  | { readonly kind: 'reset'; readonly refused?: boolean }
  /** Never answer and never hang up. */
  | { readonly kind: 'silence' }
  /** Send the head and the first bytes of the body, then stall for good or cut the connection. */
  | {
      readonly kind: 'partial';
      readonly response: ResponseRecord;
      readonly sentBytes: number;
      readonly then: 'stall' | 'reset';
    };

/** Answers one request; the same for every transport. */
export type Exchange = (request: RequestRecord) => Promise<Reply>;
