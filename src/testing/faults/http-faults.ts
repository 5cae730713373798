import { assertKind, assertOptions } from '../check.js';
import type { RequestRecord, ResponseRecord, Reply } from '../messages.js';
import type { Clock } from '../time/clock.js';
import { wait } from '../time/clock.js';
import { page } from '../wire/respond.js';
import type { FaultChain, FaultHandle, Intervention } from './chain.js';
import type { Scope } from './scope.js';

/** An answer as a test writes it. */
export interface AnswerOptions {
  /** Default 200. */
  readonly status?: number;
  /** A text or bytes are sent as they are, anything else as JSON. Default: no body. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How a fault that lets the server work treats the work. */
export interface HandledOption {
  /** Whether the server handles the request before the fault shows. Default true. */
  readonly handled?: boolean;
}

type Answer = Extract<Reply, { kind: 'answer' }>;

/** Faults any HTTP server can have. Each method adds a rule, in force until removed, cleared or used up. */
export class HttpFaults {
  readonly #chain: FaultChain;
  readonly #clock: Clock;

  constructor(chain: FaultChain, clock: Clock) {
    this.#chain = chain;
    this.#clock = clock;
  }

  /** Waits before the request is handled, on the injected clock. A function is asked per request. */
  latency(delayMs: number | (() => number), scope: Scope = {}): FaultHandle {
    assertKind('delayMs', delayMs, 'number', 'function');
    return this.#chain.add(scope, async (_, next) => {
      await wait(this.#clock, typeof delayMs === 'number' ? delayMs : delayMs());
      return next();
    });
  }

  /** Answers with this instead of handling the request. */
  answer(options: AnswerOptions, scope: Scope = {}): FaultHandle {
    assertAnswer(options);
    return this.#chain.add(scope, async () => answerOf(options));
  }

  /** 429, with `Retry-After` as seconds or as a text such as an HTTP date. */
  tooManyRequests(options: { readonly retryAfter?: number | string } = {}, scope: Scope = {}): FaultHandle {
    assertOptions('tooManyRequests', options, { retryAfter: ['number', 'string'] });
    const { retryAfter } = options;
    const headers = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
    return this.answer({ status: 429, body: { detail: 'Request was throttled.' }, headers }, scope);
  }

  /** 413 with the proxy's HTML page for every body above a size (contract §1.6). */
  tooLarge(options: { readonly maxBytes: number }, scope: Scope = {}): FaultHandle {
    assertOptions('tooLarge', options, { maxBytes: ['number'] }, { required: ['maxBytes'] });
    assertOptions('a scope', scope, {}, { loose: true });
    const isTooLarge = (request: RequestRecord): boolean =>
      Buffer.byteLength(request.body) > options.maxBytes && (scope.where?.(request) ?? true);
    const response = page(413, '413 Request Entity Too Large', 'nginx');
    return this.#chain.add({ ...scope, where: isTooLarge }, async () => ({ kind: 'answer', response }));
  }

  /** Cuts the connection before the request is handled. */
  resetBefore(scope: Scope = {}): FaultHandle {
    return this.#chain.add(scope, async () => ({ kind: 'reset' }));
  }

  /** Handles the request, then cuts the connection: the caller cannot know that it happened. */
  resetAfter(scope: Scope = {}): FaultHandle {
    return this.#chain.add(scope, async (_, next) => {
      await next();
      return { kind: 'reset' };
    });
  }

  /** Takes the request and never answers. */
  stallHeaders(options: HandledOption = {}, scope: Scope = {}): FaultHandle {
    assertOptions('stallHeaders', options, { handled: ['boolean'] });
    return this.#chain.add(scope, async (_, next) => {
      if (options.handled ?? true) await next();
      return { kind: 'silence' };
    });
  }

  /** Sends the head and `afterBytes` (default half) of the body, then nothing more. */
  stallBody(options: { readonly afterBytes?: number } = {}, scope: Scope = {}): FaultHandle {
    assertOptions('stallBody', options, { afterBytes: ['number'] });
    return this.#partial('stall', options.afterBytes, scope);
  }

  /** Sends the head and `afterBytes` (default half) of the body, then cuts the connection. */
  truncateBody(options: { readonly afterBytes?: number } = {}, scope: Scope = {}): FaultHandle {
    assertOptions('truncateBody', options, { afterBytes: ['number'] });
    return this.#partial('reset', options.afterBytes, scope);
  }

  /** Sends the true body under another content type; the body can be replaced too. */
  contentType(type: string, scope: Scope = {}, body?: string): FaultHandle {
    assertKind('type', type, 'string');
    return this.#change(scope, (response) => ({
      ...response,
      headers: { ...response.headers, 'content-type': type },
      body: body ?? response.body,
    }));
  }

  /** The server is gone: connections are refused (over real sockets: reset), or a proxy answers 502 in its place. */
  outage(options: { readonly as?: 'refused' | 'bad-gateway' } = {}, scope: Scope = {}): FaultHandle {
    assertOptions('outage', options, { as: ['string'] });
    if (options.as !== 'bad-gateway')
      return this.#chain.add(scope, async () => ({ kind: 'reset', refused: true }));
    const response = page(502, '502 Bad Gateway', 'nginx');
    return this.#chain.add(scope, async () => ({ kind: 'answer', response }));
  }

  /** Ends every fault. */
  clear(): void {
    this.#chain.clear();
  }

  /** Anything else: look at the request, call `next` for the true answer or not, and return what shall happen. */
  intervene(intervention: Intervention, scope: Scope = {}): FaultHandle {
    return this.#chain.add(scope, intervention);
  }

  #change(scope: Scope, change: (response: ResponseRecord) => ResponseRecord): FaultHandle {
    return this.#chain.add(scope, async (_, next) => {
      const reply = await next();
      return reply.kind === 'answer' ? { ...reply, response: change(reply.response) } : reply;
    });
  }

  #partial(then: 'stall' | 'reset', afterBytes: number | undefined, scope: Scope): FaultHandle {
    return this.#chain.add(scope, async (_, next) => {
      const reply = await next();
      if (reply.kind !== 'answer') return reply;
      const length = Buffer.byteLength(reply.response.body);
      const sentBytes = Math.min(afterBytes ?? Math.floor(length / 2), length);
      return { kind: 'partial', response: reply.response, sentBytes, then };
    });
  }
}

/** @throws TypeError for what is no answer. */
export function assertAnswer(options: unknown): void {
  assertOptions('an answer', options, { status: ['number'], body: ['any'], headers: ['object'] });
}

/** Turns a test's answer into a response. */
export function answerOf(options: AnswerOptions): Answer {
  const { status = 200, body, headers = {} } = options;
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  const type = isRaw ? 'text/html; charset=utf-8' : 'application/json';
  const typeHeader: Record<string, string> = body === undefined ? {} : { 'content-type': type };
  const lowered = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  let bytes: string | Uint8Array = '';
  if (isRaw) bytes = body;
  else if (body !== undefined) bytes = JSON.stringify(body);
  return { kind: 'answer', response: { status, headers: { ...typeHeader, ...lowered }, body: bytes } };
}
