import type { RequestRecord, ResponseRecord, Reply } from '../messages.js';

/** Statuses that may not carry a body. */
const BODILESS = [101, 204, 205, 304];

/** Takes a WHATWG request apart. */
export async function toRecord(request: Request): Promise<RequestRecord> {
  const url = new URL(request.url);
  const headers = Object.fromEntries(request.headers);
  const isChunked = headers['transfer-encoding']?.toLowerCase().includes('chunked') ?? false;
  const body = request.body === null ? '' : await request.text();
  return {
    method: request.method,
    origin: url.origin,
    path: url.pathname,
    query: url.search.slice(1),
    headers,
    body: isChunked ? '' : body,
    remoteAddress: '127.0.0.1',
  };
}

/** A WHATWG response for an answer, or for the part of it that arrives. */
export function toResponse(reply: Extract<Reply, { kind: 'answer' | 'partial' }>): Response {
  const { response } = reply;
  const body = reply.kind === 'partial' ? partialBody(response, reply) : Buffer.from(response.body);
  return new Response(BODILESS.includes(response.status) ? null : body, {
    status: response.status,
    headers: { ...response.headers },
  });
}

function partialBody(
  response: ResponseRecord,
  fault: { readonly sentBytes: number; readonly then: 'stall' | 'reset' },
): ReadableStream<Uint8Array> {
  const bytes = Buffer.from(response.body).subarray(0, fault.sentBytes);
  let isSent = false;
  return new ReadableStream({
    pull(controller) {
      if (!isSent) {
        isSent = true;
        controller.enqueue(bytes);
        return undefined;
      }
      if (fault.then === 'reset') {
        controller.error(connectionError('ECONNRESET', 'The connection was cut in the middle of the body.'));
        return undefined;
      }
      return new Promise<void>(() => undefined);
    },
  });
}

/** An error as `fetch` throws it for a broken connection: a TypeError whose cause carries the code. */
export function connectionError(code: string, message: string): TypeError {
  return new TypeError('fetch failed', { cause: Object.assign(new Error(message), { code }) });
}
