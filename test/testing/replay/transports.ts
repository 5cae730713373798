import { request as httpRequest } from 'node:http';
import type { ContractServer } from '../../../src/testing/index.js';

/** An answer, whichever way it came. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Outgoing {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

export interface Transport {
  send(outgoing: Outgoing): Promise<Answer>;
  close(): Promise<void>;
}

export function overFetch(server: ContractServer): Promise<Transport> {
  return Promise.resolve({
    async send({ method, path, headers, body }: Outgoing) {
      const response = await server.fetch(`${server.baseUrl}${path}`, {
        method,
        headers,
        redirect: 'manual',
        ...(body === undefined ? {} : { body }),
      });
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: await response.text(),
      };
    },
    close: () => server.close(),
  });
}

/** Plain sockets; `Host` is that of the recordings, because bodies carry absolute URLs built from it. */
export async function overSockets(server: ContractServer): Promise<Transport> {
  const listener = await server.listen();
  return {
    send: ({ method, path, headers, body }) =>
      new Promise((resolve, reject) => {
        const request = httpRequest(
          `${listener.url}${path}`,
          {
            method,
            headers: {
              ...headers,
              host: 'antenna.example',
              ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
            },
          },
          (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => chunks.push(chunk));
            response.on('error', reject);
            response.on('end', () => {
              const flat = Object.entries(response.headers).map(
                ([name, value]) => [name, String(value)] as const,
              );
              // The sockets here speak http, the recorded server https.
              const text = Buffer.concat(chunks)
                .toString('utf8')
                .replaceAll('http://antenna.example/', 'https://antenna.example/');
              resolve({ status: response.statusCode ?? 0, headers: Object.fromEntries(flat), body: text });
            });
          },
        );
        request.on('error', reject);
        request.end(body);
      }),
    close: () => server.close(),
  };
}
