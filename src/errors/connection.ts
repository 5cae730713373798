import { AntennaError, type Delivered, type RequestContext } from './base.js';

/** No whole answer came back: refused, reset, unresolvable, or cut off in the middle of the body. */
export class AntennaConnectionError extends AntennaError {
  static override readonly className: string = 'AntennaConnectionError';
  readonly method: string;
  readonly path: string;
  readonly requestId: string;
  readonly attempts: number;
  readonly delivered: Delivered;
  /** The system's or undici's own code, such as `"ECONNREFUSED"` or `"UND_ERR_SOCKET"`, if there was one. */
  readonly causeCode: string | undefined;

  constructor(
    options: RequestContext & {
      delivered: Delivered;
      reason: string;
      causeCode?: string | undefined;
      cause?: unknown;
    },
  ) {
    const certainty =
      options.delivered === 'no' ? 'it was not delivered' : 'it may or may not have reached the server';
    super({
      code: 'connection',
      message: `${options.method} ${options.path} failed: ${options.reason} (${certainty}; attempt ${options.attempts})`,
      cause: options.cause,
    });
    this.method = options.method;
    this.path = options.path;
    this.requestId = options.requestId;
    this.attempts = options.attempts;
    this.delivered = options.delivered;
    this.causeCode = options.causeCode;
  }
}

/**
 * What was being waited for when the time ran out: the credential, the origin's gate after a 429 or 503, a connection, the
 * answer's headers, its body, or `total` for the deadline over all attempts.
 */
export type TimeoutPhase = 'token' | 'gate' | 'connect' | 'headers' | 'body' | 'total';

const ADVICE: Record<TimeoutPhase, string> = {
  token: 'the credential provider did not answer; check the token issuer',
  gate: 'the server asked all callers to wait (429 or 503) for longer than this call may take',
  connect: 'no connection could be made; check baseUrl, DNS, firewall and proxy',
  headers: 'the server took the request and did not answer; it may have been carried out',
  body: 'the answer began and then stalled',
  total: 'all attempts together took too long',
};

/** A call, or one attempt of it, ran out of time. Says which phase was waiting, and whether the request may have arrived. */
export class AntennaTimeoutError extends AntennaError {
  static override readonly className: string = 'AntennaTimeoutError';
  readonly phase: TimeoutPhase;
  readonly timeoutMs: number;
  readonly delivered: Delivered;
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly requestId: string | undefined;
  readonly attempts: number;

  constructor(options: {
    phase: TimeoutPhase;
    timeoutMs: number;
    context?: RequestContext;
    delivered?: Delivered;
  }) {
    const { phase, timeoutMs, context } = options;
    const where = context ? `${context.method} ${context.path} timed out` : 'Timed out';
    super({
      code: 'timeout',
      message: `${where} after ${Math.round(timeoutMs)} ms in phase "${phase}": ${ADVICE[phase]}`,
    });
    this.phase = phase;
    this.timeoutMs = timeoutMs;
    this.delivered = options.delivered ?? (['token', 'gate', 'connect'].includes(phase) ? 'no' : 'unknown');
    this.method = context?.method;
    this.path = context?.path;
    this.requestId = context?.requestId;
    this.attempts = context?.attempts ?? 0;
  }
}

/** The caller's signal aborted, or the client was closed. `cause` is the signal's own reason. Never retried. */
export class AntennaAbortError extends AntennaError {
  static override readonly className: string = 'AntennaAbortError';
  /** Whether the request may have reached the server before the abort. */
  readonly delivered: Delivered;

  constructor(options: { cause?: unknown; message?: string; delivered?: Delivered } = {}) {
    super({
      code: 'aborted',
      message: options.message ?? 'The call was aborted by its signal',
      cause: options.cause,
    });
    this.delivered = options.delivered ?? 'unknown';
  }
}

/**
 * The server answered an earlier call with 429 or 503, and asked for longer than this call may take: it was not sent, or not sent
 * again. Try after `retryAfterMs`.
 */
export class OriginGateError extends AntennaError {
  static override readonly className: string = 'OriginGateError';
  readonly retryAfterMs: number;
  /** `'unknown'` if an earlier attempt of the same call may have reached the server. */
  readonly delivered: Delivered;

  constructor(options: { method: string; path: string; retryAfterMs: number; delivered?: Delivered }) {
    const delivered = options.delivered ?? 'no';
    super({
      code: 'origin_gate',
      message:
        `${options.method} ${options.path} was not sent${delivered === 'no' ? '' : ' again'}: the server asked to be left alone for another ` +
        `${Math.ceil(options.retryAfterMs)} ms (429 or 503), longer than this call may take`,
    });
    this.retryAfterMs = options.retryAfterMs;
    this.delivered = delivered;
  }
}
