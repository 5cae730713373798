import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ContractServer } from 'antenna-sdk/testing';

/** A gateway in front of Antenna that checks tokens, and knows Antenna's key itself. */
export interface Gateway {
  readonly url: string;
  readonly counts: { passed: number; refused: number };
  close(): Promise<void>;
}

export async function startGateway(
  antenna: ContractServer,
  apiKey: string,
  isGood: (token: string) => Promise<boolean>,
): Promise<Gateway> {
  const counts = { passed: 0, refused: 0 };
  const answer = async (request: IncomingMessage): Promise<Response> => {
    const [word, token = ''] = (request.headers.authorization ?? '').split(' ');
    if (word !== 'Bearer' || !(await isGood(token))) {
      counts.refused += 1;
      return Response.json({ detail: 'The gateway wants a valid token' }, { status: 401 });
    }
    counts.passed += 1;
    const body = await bodyOf(request);
    return antenna.fetch(new URL(request.url ?? '/', antenna.baseUrl), {
      method: request.method ?? 'GET',
      headers: {
        accept: 'application/json',
        'content-type': request.headers['content-type'] ?? 'application/json',
        authorization: `Api-Key ${apiKey}`,
      },
      ...(body === '' ? {} : { body }),
      redirect: 'manual',
    });
  };
  const server = createServer((request, response) => {
    void answer(request).then(async (from) => {
      response.writeHead(from.status, { 'content-type': from.headers.get('content-type') ?? 'text/plain' });
      response.end(await from.text());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
