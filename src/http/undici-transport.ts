import type { Dispatcher } from 'undici';
import { PRIVATE_ADDRESS, privateLiteral, publicLookup } from './address-guard.js';
import { createFetchTransport } from './fetch-transport.js';
import { describeFailure, isBrokenConnection } from './failure.js';
import {
  TransportFailure,
  type Transport,
  type TransportRequest,
  type TransportResponse,
} from './transport.js';

/**
 * Idle time after which we close a connection. Below gunicorn's 2 s: a client that keeps a socket longer than its server does sends
 * requests into a closed one (measured: 10 to 16 of 60 lost by clients without this, CLIENT §1.9).
 */
export const KEEP_ALIVE_MS = 1_500;

/** Options of {@link createUndiciTransport}. */
export interface UndiciTransportOptions {
  /** Proxy address, or `'env'` for `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`. */
  readonly proxy?: string | undefined;
  /** A dispatcher of the caller's, of undici 7. It stays the caller's: `close()` leaves it open. */
  readonly dispatcher?: Dispatcher | undefined;
  readonly connectTimeoutMs: number;
  /** To one origin. Default: no limit. */
  readonly maxConnections?: number | undefined;
  /** False asks an HTTP proxy for http URLs by their whole address, as proxies expect that allow tunnels to port 443 only. Default true. */
  readonly proxyTunnel?: boolean | undefined;
  /** Idle time after which a connection is closed. Default {@link KEEP_ALIVE_MS}. */
  readonly keepAliveMs?: number | undefined;
  /** Refuse private, loopback and link-local addresses with {@link PRIVATE_ADDRESS}. Not through a proxy, which connects by itself. Default false. */
  readonly publicOnly?: boolean | undefined;
  readonly maxResponseBytes: number;
}

/**
 * The standard transport: our own keep-alive agent. The agent of another undici major, as Node's global one may be, is not shared. On a
 * runtime whose undici has no dispatchers it is the runtime's `fetch`.
 */
export function createUndiciTransport(options: UndiciTransportOptions): Transport {
  let pooled: Promise<Dispatcher> | undefined;
  let unpooled: Promise<Dispatcher> | undefined;
  let viaFetch: Transport | undefined;
  const own = (fresh = false): Promise<Dispatcher> =>
    fresh ? (unpooled ??= createDispatcher(options, 0)) : (pooled ??= createDispatcher(options, 1));
  return {
    async send(request) {
      const literal = options.publicOnly ? privateLiteral(request.url.hostname) : undefined;
      if (literal)
        throw new TransportFailure({
          reason: literal.message,
          delivered: 'no',
          causeCode: PRIVATE_ADDRESS,
        });
      const dispatcher = options.dispatcher ?? (await own(request.fresh));
      request.deadline.throwIfEnded();
      if (!hasDispatch(dispatcher)) return (viaFetch ??= fetchInstead(options)).send(request);
      return dispatch(dispatcher, request, options.maxResponseBytes);
    },
    async close() {
      await Promise.all([pooled, unpooled].map(async (dispatcher) => closed(await dispatcher)));
    },
  };
}

/** Bun puts a module of its own in the place of undici, with classes of the same names that do nothing. */
function hasDispatch(dispatcher: Dispatcher): boolean {
  return typeof (dispatcher as Partial<Dispatcher>).dispatch === 'function';
}

async function closed(dispatcher: Dispatcher | undefined): Promise<void> {
  if (dispatcher && hasDispatch(dispatcher)) await dispatcher.close();
}

/** The runtime's own `fetch`. A timeout for connecting, a limit of connections and fresh ones are then the runtime's to decide. */
function fetchInstead({ proxy, publicOnly, maxResponseBytes }: UndiciTransportOptions): Transport {
  // Bun's name for it; the variables that `'env'` means it follows by itself.
  const extra = proxy === undefined || proxy === 'env' ? {} : { proxy };
  return createFetchTransport((input, init) => {
    if (publicOnly) return Promise.reject(new Error('publicOnly cannot be checked on this runtime'));
    // As undici asks: a body that was unpacked on the way no longer has the length that its header names.
    const headers = { 'accept-encoding': 'identity', ...init.headers };
    return globalThis.fetch(input, { ...init, headers, ...extra });
  }, maxResponseBytes);
}

/** undici is loaded with the first request: it takes half as long to load as all the rest, and a client with its own `fetch` never needs it. */
async function createDispatcher(options: UndiciTransportOptions, pipelining: 0 | 1): Promise<Dispatcher> {
  const { Agent, EnvHttpProxyAgent, ProxyAgent } = await import('undici');
  const { connectTimeoutMs, maxConnections = null, keepAliveMs = KEEP_ALIVE_MS } = options;
  const connect = {
    timeout: connectTimeoutMs,
    ...(options.publicOnly ? { lookup: publicLookup() } : {}),
  };
  const common = {
    connections: maxConnections,
    // 0 is undici's word for connections that serve one request.
    pipelining,
    keepAliveTimeout: keepAliveMs,
    // Also when the server's Keep-Alive header promises more: the proxy in between has not promised anything.
    keepAliveMaxTimeout: keepAliveMs,
    connect,
    // A proxy agent connects twice, and looks for the options of neither in `connect`.
    proxyTls: connect,
    requestTls: connect,
    proxyTunnel: options.proxyTunnel ?? true,
  };
  if (options.proxy === undefined) return new Agent(common);
  return options.proxy === 'env'
    ? new EnvHttpProxyAgent(common)
    : new ProxyAgent({ ...common, uri: options.proxy });
}

function dispatch(
  dispatcher: Dispatcher,
  request: TransportRequest,
  maxResponseBytes: number,
): Promise<TransportResponse> {
  return new Promise((resolve, reject) => {
    const exchange = new Exchange(request, maxResponseBytes, resolve, reject);
    try {
      dispatcher.dispatch(
        {
          origin: request.url.origin,
          path: request.url.pathname + request.url.search,
          method: request.method,
          headers: request.headers,
          body: request.body ?? null,
          // Without this undici holds a POST back until the answer to the request before it on the same connection is in.
          blocking: false,
          // The call's deadline covers both, also on an agent of the caller's with undici's 300 s.
          headersTimeout: 0,
          bodyTimeout: 0,
        },
        exchange,
      );
    } catch (error) {
      exchange.onResponseError(undefined, error);
    }
  });
}

/**
 * One request on the wire, from undici's point of view. The handler interface, unlike `undici.request`, tells the moment at
 * which a connection takes the request: before it nothing can have been delivered, and a connect timeout can be told
 * from a silent server.
 */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: TransportRequest;
  readonly #maxBytes: number;
  readonly #resolve: (response: TransportResponse) => void;
  readonly #reject: (error: unknown) => void;
  readonly #chunks: Buffer[] = [];
  readonly #unlisten: () => void;
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #headers: Record<string, string> = {};
  #size = 0;
  #started = false;
  #settled = false;

  constructor(
    request: TransportRequest,
    maxBytes: number,
    resolve: (response: TransportResponse) => void,
    reject: (error: unknown) => void,
  ) {
    this.#request = request;
    this.#maxBytes = maxBytes;
    this.#resolve = resolve;
    this.#reject = reject;
    request.enter('connect');
    this.#unlisten = request.deadline.onEnd((reason) => {
      this.#fail(reason);
      this.#controller?.abort(new Error('aborted'));
    });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Aborted while it waited for a connection: undici then never writes it.
    if (this.#settled) controller.abort(new Error('aborted before it was sent'));
    else {
      this.#started = true;
      this.#request.enter('headers');
    }
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = flatten(headers);
    this.#request.enter('body');
    if (this.#request.wantsBody?.(status) ?? true) return;
    this.onResponseEnd();
    controller.abort(new Error('the body is of no use'));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size <= this.#maxBytes) {
      this.#chunks.push(chunk);
      return;
    }
    const reason = `the answer is larger than ${this.#maxBytes} bytes`;
    this.#fail(new TransportFailure({ reason, delivered: 'unknown', tooLarge: true }));
    controller.abort(new Error(reason));
  }

  onResponseEnd(): void {
    if (!this.#settle()) return;
    const body =
      this.#chunks.length === 1 ? (this.#chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#chunks);
    this.#resolve({ status: this.#status, headers: this.#headers, body });
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: unknown): void {
    const { reason, code } = describeFailure(error);
    const answering = this.#status !== 0;
    this.#fail(
      new TransportFailure({
        reason: answering ? `the answer was cut off (${reason})` : reason,
        delivered: this.#started ? 'unknown' : 'no',
        causeCode: code,
        staleSocket: this.#started && !answering && isBrokenConnection(code),
      }),
    );
  }

  #fail(error: unknown): void {
    if (this.#settle()) this.#reject(error);
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#unlisten();
    return true;
  }
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}
