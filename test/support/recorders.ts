import type { AntennaClient, AntennaClientOptions } from 'antenna-sdk';
import { http, HttpResponse } from 'msw';
import { setupServer } from 'msw/node';
import { clientOf, serve } from './calls.js';
import { sendJson } from './stub-server.js';

/** One request, taken apart. */
interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly query: Record<string, string>;
  readonly headers: Record<string, string>;
  readonly text: string;
}

/** A client whose server answers as the test says, and what it was asked. */
export interface Recorder {
  readonly client: AntennaClient;
  readonly seen: Recorded[];
}

/** How the answers are found: status and body for a request. */
export type Reply = (request: Recorded) => readonly [number, unknown];

export const RECORDERS = ['socket', 'msw'] as const;

/** A recorder over a real socket, or through MSW, which sees the global `fetch` alone. */
export async function record(
  carrier: (typeof RECORDERS)[number],
  reply: Reply,
  options: AntennaClientOptions = {},
  cleanUp: (close: () => void) => void = () => undefined,
): Promise<Recorder> {
  const seen: Recorded[] = [];
  const note = (
    method: string,
    url: string,
    headers: Record<string, string>,
    text: string,
  ): readonly [number, unknown] => {
    const { pathname, searchParams } = new URL(url, 'http://antenna.example');
    const request = { method, path: pathname, query: Object.fromEntries(searchParams), headers, text };
    seen.push(request);
    return reply(request);
  };
  if (carrier === 'socket') {
    const stub = await serve(({ method, url, headers, body }, response) => {
      const [status, answer] = note(method, url, headers as Record<string, string>, body);
      if (answer === undefined) response.writeHead(status).end();
      else sendJson(response, status, answer);
    });
    return { client: clientOf(stub.url, options), seen };
  }
  const server = setupServer(
    http.all('https://antenna.example/*', async ({ request }) => {
      const headers = Object.fromEntries(request.headers);
      const [status, answer] = note(request.method, request.url, headers, await request.text());
      return answer === undefined
        ? new HttpResponse(null, { status })
        : HttpResponse.json(answer as Record<string, unknown>, { status });
    }),
  );
  server.listen({ onUnhandledRequest: 'error' });
  cleanUp(() => {
    server.close();
  });
  const client = clientOf('https://antenna.example', { fetch: (...args) => fetch(...args), ...options });
  return { client, seen };
}
