import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { assertLike, assertObject } from '../options.js';
import type { RequestRecord, ResponseRecord, Exchange, Reply } from '../messages.js';

/** Where to listen. */
export interface ListenOptions {
  /** Default 0: a free port. */
  readonly port?: number;
  /** Default `127.0.0.1`. */
  readonly host?: string;
}

/** A server on a real socket. */
export interface Listener {
  /** Base URL of the API, ending in `/api/v2`. */
  readonly url: string;
  /** Scheme, host and port. */
  readonly origin: string;
  readonly port: number;
  /** Stops listening and cuts every open connection. */
  close(): Promise<void>;
}

/**
 * Serves `exchange` on a socket. It works on node's own messages: building WHATWG objects for each request would cost more
 * than answering it.
 * @throws TypeError naming the option that cannot be used.
 * @throws the socket's error when the port cannot be had.
 */
export async function listen(exchange: Exchange, options: ListenOptions = {}): Promise<Listener> {
  assertObject(options, 'listen');
  assertLike({ port: 0, host: '' }, options);
  const host = options.host ?? '127.0.0.1';
  const server = createServer((incoming, outgoing) => {
    void respond(exchange, incoming, outgoing);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { port } = server.address() as AddressInfo;
  const origin = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return { url: `${origin}/api/v2`, origin, port, close: () => closeServer(server) };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}

async function respond(
  exchange: Exchange,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  try {
    write(outgoing, await exchange(await readRequest(incoming)));
  } catch {
    // The caller hung up while sending, or the answer could not be written: there is nobody left to tell.
    outgoing.destroy();
  }
}

async function readRequest(incoming: IncomingMessage): Promise<RequestRecord> {
  const { headers, method = 'GET', url = '/' } = incoming;
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const split = url.indexOf('?');
  return {
    method,
    origin: `http://${headers.host ?? 'localhost'}`,
    path: split === -1 ? url : url.slice(0, split),
    query: split === -1 ? '' : url.slice(split + 1),
    headers: flatten(headers),
    // Without a Content-Length the real server reads an empty body, whatever was sent (T2).
    body: headers['content-length'] === undefined ? '' : Buffer.concat(chunks).toString('utf8'),
    remoteAddress: incoming.socket.remoteAddress ?? '',
  };
}

function flatten(headers: IncomingMessage['headers']): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return flat;
}

function write(outgoing: ServerResponse, reply: Reply): void {
  if (reply.kind === 'silence') return;
  if (reply.kind === 'reset') {
    outgoing.socket?.resetAndDestroy();
    return;
  }
  const { response } = reply;
  const body = Buffer.from(response.body);
  writeHead(outgoing, response, body.byteLength);
  if (reply.kind === 'answer') {
    outgoing.end(outgoing.req.method === 'HEAD' ? undefined : body);
    return;
  }
  outgoing.write(body.subarray(0, reply.sentBytes), () => {
    if (reply.then === 'reset') outgoing.socket?.resetAndDestroy();
  });
}

function writeHead(outgoing: ServerResponse, response: ResponseRecord, bodyBytes: number): void {
  const length = response.status === 204 ? {} : { 'content-length': String(bodyBytes) };
  // Headers of the response come last: a fault may lie about the length.
  outgoing.writeHead(response.status, { ...length, ...response.headers });
}
