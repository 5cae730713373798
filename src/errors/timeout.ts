import { AntennaError, type Delivered, type RequestContext } from './base.js';

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
