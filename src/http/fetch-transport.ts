import { deliveredFromCode, describeFailure, isBrokenConnection } from './failure.js';
import {
  TransportFailure,
  type Transport,
  type TransportRequest,
  type TransportResponse,
} from './transport.js';

/** A function with the signature of the global `fetch`. MSW intercepts that one; it cannot see undici's dispatchers. */
export type FetchLike = (
  input: string,
  init: {
    method: string;
    headers: Record<string, string>;
    body?: string | Uint8Array<ArrayBuffer>;
    redirect: 'manual';
    signal: AbortSignal;
  },
) => Promise<Response>;

/** A transport over any `fetch`, for tests and for runtimes that bring their own. */
export function createFetchTransport(fetchLike: FetchLike, maxResponseBytes: number): Transport {
  return {
    send: (request) => send(fetchLike, request, maxResponseBytes),
    close: () => Promise.resolve(),
  };
}

async function send(
  fetchLike: FetchLike,
  request: TransportRequest,
  maxBytes: number,
): Promise<TransportResponse> {
  // `fetch` does not tell when the connection stands, so connecting counts as waiting for headers.
  request.enter('headers');
  const { signal } = request.deadline;
  let answering = false;
  try {
    const pending = fetchLike(request.url.href, {
      method: request.method,
      headers: { ...request.headers },
      ...(request.body === undefined ? {} : { body: request.body as string | Uint8Array<ArrayBuffer> }),
      redirect: 'manual',
      signal,
    });
    const response = await untilAborted(pending, signal);
    answering = true;
    request.enter('body');
    const isRead = request.wantsBody?.(response.status) ?? true;
    if (!isRead) response.body?.cancel().catch(() => undefined);
    const body = isRead ? await readBody(response, maxBytes, signal) : Buffer.alloc(0);
    // A browser-like fetch hides a redirect behind status 0; to us it is one, whatever its number.
    const status = response.type === 'opaqueredirect' ? 302 : response.status;
    return { status, headers: Object.fromEntries(response.headers), body };
  } catch (error) {
    if (error instanceof TransportFailure) throw error;
    if (signal.aborted) throw signal.reason;
    const { reason, code } = describeFailure(error);
    throw new TransportFailure({
      reason: answering ? `the answer was cut off (${reason})` : reason,
      delivered: answering ? 'unknown' : deliveredFromCode(code),
      causeCode: code,
      staleSocket: !answering && isBrokenConnection(code),
      cause: error,
    });
  }
}

/** Waits for the answer no longer than the signal allows: a fetch of the user's may ignore it, and the call would hang for ever. */
async function untilAborted(answer: Promise<Response>, signal: AbortSignal): Promise<Response> {
  const pending = Promise.resolve(answer);
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      reject(signal.reason as Error);
      // An answer that comes after all holds a connection until its body is read or given up.
      pending.then((late) => late.body?.cancel()).catch(() => undefined);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
  try {
    return await Promise.race([pending, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

async function readBody(response: Response, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
  const reader = (response.body as ReadableStream<Uint8Array> | null)?.getReader();
  if (reader === undefined) return Buffer.alloc(0);
  // A fetch of the user's may ignore its signal once the headers are in; the body must still end with the deadline.
  const onAbort = (): void => {
    reader.cancel(signal.reason).catch(() => undefined);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      size += part.value.byteLength;
      if (size > maxBytes) {
        reader.cancel().catch(() => undefined);
        const reason = `the answer is larger than ${maxBytes} bytes`;
        throw new TransportFailure({ reason, delivered: 'unknown', tooLarge: true });
      }
      chunks.push(part.value);
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
  signal.throwIfAborted();
  return Buffer.concat(chunks);
}
