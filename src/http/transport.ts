import type { Delivered } from '../errors/base.js';
import type { TimeoutPhase } from '../errors/connection.js';
import type { Deadline } from '../time/deadline.js';

/** One request, ready to go out. */
export interface TransportRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** A string or bytes, never a stream: the server reads a chunked body as empty (trap T2). */
  readonly body: string | Uint8Array | undefined;
  /** Its end ends the request at once, whatever it is waiting for. */
  readonly deadline: Pick<Deadline, 'reason' | 'signal' | 'throwIfEnded' | 'onEnd'>;
  /** Whether the body of an answer with this status is read. Default: of every answer. One that is not ends the transfer. */
  readonly wantsBody?: (status: number) => boolean;
  /**
   * Take a connection that served nobody before, if the transport has a say in it. When a server has closed one idle connection
   * behind our back it has closed them all, and the next in the pool is no better.
   */
  readonly fresh?: boolean;
  /** Told what is being waited for, so that a timeout can name it. */
  readonly enter: (phase: TimeoutPhase) => void;
}

/** One whole answer. Half an answer is never one: reading the body is part of the transport. */
export interface TransportResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * What carries requests. The SDK has two: undici, and any `fetch`. Follows no redirects: a redirected POST becomes a GET
 * (trap T1), and a redirect to another host would take the credential along.
 */
export interface Transport {
  send(request: TransportRequest): Promise<TransportResponse>;
  /** Ends idle connections. Requests in flight are the caller's business. */
  close(): Promise<void>;
}

/** Why no answer came. Becomes an `AntennaConnectionError` on the request path. @internal */
export class TransportFailure extends Error {
  readonly delivered: Delivered;
  readonly causeCode: string | undefined;
  readonly staleSocket: boolean;
  /** The answer was larger than the limit: not a matter of connections, and no retry makes it smaller. */
  readonly tooLarge: boolean;

  constructor(options: {
    reason: string;
    delivered: Delivered;
    causeCode?: string | undefined;
    staleSocket?: boolean;
    tooLarge?: boolean;
    cause?: unknown;
  }) {
    super(options.reason, options.cause === undefined ? {} : { cause: options.cause });
    this.delivered = options.delivered;
    this.causeCode = options.causeCode;
    this.staleSocket = options.staleSocket ?? false;
    this.tooLarge = options.tooLarge ?? false;
  }
}
