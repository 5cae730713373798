import type { Exchange } from '../messages.js';
import { connectionError, toRecord, toResponse } from './web.js';

/** The part of `fetch` that clients need; the global one fits. */
export type FetchLike = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

const MAX_REDIRECTS = 20;
const REDIRECTS = [301, 302, 303, 307, 308];

/**
 * A `fetch` that never touches the network.
 * @param answersTo - true for origins this server stands for; others fail as an unknown host does.
 */
export function createFetch(exchange: Exchange, answersTo: (origin: string) => boolean): FetchLike {
  return async (input, init) => {
    const isStream = isStreaming(init?.body);
    let request = new Request(input, isStream ? { ...init, duplex: 'half' } : init);
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const response = await send(exchange, answersTo, request, isStream);
      const location = response.headers.get('location');
      if (!REDIRECTS.includes(response.status) || location === null || request.redirect === 'manual')
        return response;
      if (request.redirect === 'error') throw connectionError('UND_ERR_REDIRECT', 'unexpected redirect');
      request = redirected(request, response.status, new URL(location, request.url));
    }
    throw connectionError('UND_ERR_REDIRECT', 'redirect count exceeded');
  };
}

function isStreaming(body: unknown): boolean {
  return (
    typeof body === 'object' &&
    body !== null &&
    (body instanceof ReadableStream || Symbol.asyncIterator in body)
  );
}

/** As `fetch` does: a redirected POST becomes a GET without body (T1). */
function redirected(request: Request, status: number, url: URL): Request {
  const becomesGet = (status === 301 || status === 302) && request.method === 'POST';
  const headers = new Headers(request.headers);
  if (becomesGet) headers.delete('content-type');
  return new Request(url, {
    method: becomesGet ? 'GET' : request.method,
    headers,
    redirect: request.redirect,
    signal: request.signal,
  });
}

async function send(
  exchange: Exchange,
  answersTo: (origin: string) => boolean,
  request: Request,
  isStream: boolean,
): Promise<Response> {
  const { signal } = request;
  signal.throwIfAborted();
  const origin = new URL(request.url).origin;
  if (!answersTo(origin))
    throw connectionError('ENOTFOUND', `The contract server does not answer to ${origin}.`);
  const record = await toRecord(request);
  // A stream is sent chunked, which the real server reads as an empty body (T2).
  const reply = await untilAborted(signal, exchange(isStream ? { ...record, body: '' } : record));
  if (reply.kind === 'silence') return await untilAborted(signal, new Promise<never>(() => undefined));
  if (reply.kind === 'reset') {
    throw reply.refused
      ? connectionError('ECONNREFUSED', 'The connection was refused.')
      : connectionError('ECONNRESET', 'The connection was cut before an answer.');
  }
  const response = abortable(toResponse(reply), signal);
  Object.defineProperty(response, 'url', { value: request.url });
  return response;
}

function untilAborted<Value>(signal: AbortSignal, pending: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(signal.reason as Error);
    };
    // The abort may have come while the request was being read.
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    pending.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', onAbort);
    });
  });
}

/** Lets an abort end a body that is still being read, as the real `fetch` does. */
function abortable(response: Response, signal: AbortSignal): Response {
  if (response.body === null) return response;
  const body = response.body.pipeThrough(new TransformStream(), { signal });
  return new Response(body, { status: response.status, headers: response.headers });
}
