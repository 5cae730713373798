import type { RequestRecord, ResponseRecord } from './messages.js';

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
